import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import type { Source } from '../../src/kit/source.ts';
import { startReceiver, type TestReceiver } from '../support/receiver.ts';
import { createTestSender, type TestSender } from '../support/test-sender.ts';

const kit = join(import.meta.dirname, '..', '..', 'src', 'kit');
const folder = mkdtempSync(join(tmpdir(), 'way-'));
const session = new Session();

let receiver: TestReceiver;
let sender: TestSender;

beforeAll(async () => {
  const env = { INBOX_URL: `sqlite:${join(folder, 'inbox.db')}`, ROLE: 'both' };
  receiver = await startReceiver({ env });
  sender = createTestSender(receiver);
  session.connect();
  await session.post('Profiler.enable');
});
afterAll(async () => {
  session.disconnect();
  sender.close();
  await receiver.stop();
  rmSync(folder, { recursive: true });
});

/** The files of the kit of which at least one function ran, from the request to its reply. */
async function filesRunBy(source: Source, type: string): Promise<string[]> {
  await sender.fire(source, type); // what is loaded or made once is not of the way
  await receiver.app.idle();
  const request = await sender.request(source, type);
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  const reply = await sender.send(request);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  await session.post('Profiler.stopPreciseCoverage');
  await receiver.app.idle();
  expect(reply.status).toBe(200);
  return result
    .filter(({ functions }) => functions.some(({ ranges }) => ranges.some(({ count }) => count > 0)))
    .map(({ url }) => (url.startsWith('file:') ? fileURLToPath(url) : url))
    .filter((file) => file.startsWith(`${kit}/`))
    .map((file) => relative(kit, file))
    .sort();
}

/** The files that the page names on the way, in links of its table. */
function filesNamed(): string[] {
  const page = readFileSync(join(kit, 'README.md'), 'utf8');
  const [, way = ''] = /## The way of a delivery\n([^]*?)\n## /.exec(page) ?? [];
  return [...way.matchAll(/\]\(([\w./-]+\.ts)\)/g)].map(([, file = '']) =>
    normalize(join(dirname('README.md'), file)),
  );
}

it.each([
  ['PhenixID, JSON', phenixid, 'OrderSigned'],
  ['HotDocs, form', hotdocs, 'NewWorkItemVersionComplete'],
  ['risr, JWS', risr, 'profile_updated'],
])('%s: executes at most 30 files, each of them on the page', async (_name, source, type) => {
  const run = await filesRunBy(source, type);
  console.log(
    _name,
    run.length,
    run.join(' '),
    '| not named:',
    run.filter((f) => !filesNamed().includes(f)).join(' '),
  );
  expect(run.length).toBeGreaterThan(10);
  expect(run.length).toBeLessThanOrEqual(30);
});
