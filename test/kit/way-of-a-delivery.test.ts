import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { ServerResponse } from 'node:http';
import { Session, type Profiler } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { sources } from '../../src/kit/sources/index.ts';
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
  session.post('Profiler.enable');
});
afterAll(async () => {
  session.disconnect();
  sender.close();
  await receiver.stop();
  rmSync(folder, { recursive: true });
});

const MOST_FILES = 30;
/**
 * Whether something comes or not, the log of the database is looked at once a second, and what deliveries have shown is written
 * down: on a slow machine during every delivery.
 */
const BY_THE_CLOCK = ['inbox/sqlite/checkpoints.ts', 'facts/tally.ts', 'facts/store.ts', 'facts/file.ts'];

/**
 * The files of the kit of which at least one function ran, from the request to the moment its reply is written. The worker
 * may happen to look around meanwhile, and what deliveries have shown be written down: of several measurements the one with
 * the fewest counts.
 */
async function filesRunBy(source: Source, type: string): Promise<readonly string[]> {
  let fewest = await filesRunOnce(source, type);
  for (let more = 0; more < 20 && (fewest.length > MOST_FILES || unnamed(fewest).length > 0); more += 1) {
    const again = await filesRunOnce(source, type);
    if (again.length < fewest.length) fewest = again;
  }
  return fewest;
}

async function filesRunOnce(source: Source, type: string): Promise<readonly string[]> {
  await sender.fire(source, type); // what is loaded or made once is not of the way
  await receiver.app.idle();
  const request = await sender.request(source, type);
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  const seen = filesRunUntilReply();
  expect((await sender.send(request)).status).toBe(200);
  const files = await seen;
  session.post('Profiler.stopPreciseCoverage');
  await receiver.app.idle();
  return files;
}

/** Looks within the very call that writes the reply: a moment later the worker is at work, and the inbox tidies up. */
function filesRunUntilReply(): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    // Each of the server's responses inherits it, and is given as `this` below.
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const write = ServerResponse.prototype.writeHead;
    ServerResponse.prototype.writeHead = function (this: ServerResponse, ...head: unknown[]) {
      ServerResponse.prototype.writeHead = write;
      // A session of this very thread answers before it returns.
      session.post('Profiler.takePreciseCoverage', (error, taken) => {
        if (error) reject(error);
        else resolve(filesIn(taken.result));
      });
      return (write as (...head: unknown[]) => ServerResponse).apply(this, head);
    };
  });
}

function filesIn(result: readonly Profiler.ScriptCoverage[]): readonly string[] {
  return result
    .filter(({ functions }) => functions.some(({ ranges }) => ranges.some(({ count }) => count > 0)))
    .map(({ url }) => (url.startsWith('file:') ? fileURLToPath(url) : url))
    .filter((file) => file.startsWith(`${kit}/`))
    .map((file) => relative(kit, file))
    .filter((file) => !BY_THE_CLOCK.includes(file))
    .sort();
}

/** The files that the page names in its list of all that a delivery executes. */
function filesNamed(): ReadonlySet<string> {
  const page = readFileSync(join(kit, 'README.md'), 'utf8');
  const [, way = ''] = /## The way of a delivery\n([^]*?)\n## /.exec(page) ?? [];
  return new Set([...way.matchAll(/\]\(([\w./-]+\.ts)\)/g)].map(([, file = '']) => file));
}

function unnamed(files: readonly string[]): readonly string[] {
  const named = filesNamed();
  return files.filter((file) => !named.has(file));
}

const events = sources.flatMap((source) => Object.keys(source.events).map((type) => [source, type] as const));

it.each(events.map(([source, type]) => [source.name, type, source] as const))(
  '%s %s: executes at most 30 files to its reply, each of them named on the page',
  async (_name, type, source) => {
    const run = await filesRunBy(source, type);
    expect(run.length).toBeGreaterThan(15);
    expect(unnamed(run)).toEqual([]);
    expect(run.length).toBeLessThanOrEqual(MOST_FILES);
  },
);

it('names no file on the page that no delivery executes', async () => {
  const run = new Set<string>();
  for (const [source, type] of events) for (const file of await filesRunBy(source, type)) run.add(file);
  const beside = [
    'log.ts',
    'http/tls.ts',
    'inbox/worker/attempt.ts',
    'handling/run-stored.ts',
    'handling/run-step.ts',
  ];
  expect([...filesNamed()].filter((file) => !run.has(file) && !beside.includes(file))).toEqual([]);
});
