import { mkdtempSync, rmSync } from 'node:fs';
import { ServerResponse } from 'node:http';
import { Session, type Profiler } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sources } from '../../src/kit/sources/index.ts';
import type { Source } from '../../src/kit/source.ts';
import { startReceiver } from '../support/receiver.ts';
import { createTestSender } from '../support/test-sender.ts';
import { kit, MOST_FILES, unnamed } from './named-files.ts';

// Prints the files that run for each event. In a process of its own: beside the code of other tests, looking takes seconds, in
// which other things are done, too.

/**
 * Whether something comes or not, the log of the database is looked at once a second, and what deliveries have shown is written
 * down: on a slow machine during every delivery.
 */
const BY_THE_CLOCK = ['inbox/sqlite/checkpoints.ts', 'facts/tally.ts', 'facts/store.ts', 'facts/file.ts'];

const folder = mkdtempSync(join(tmpdir(), 'way-'));
const session = new Session();
const receiver = await startReceiver({
  env: { INBOX_URL: `sqlite:${join(folder, 'inbox.db')}`, ROLE: 'both' },
});
const sender = createTestSender(receiver);
session.connect();
session.post('Profiler.enable');
const found: Record<string, readonly string[]> = {};
for (const source of sources)
  for (const type of Object.keys(source.events))
    found[`${source.name} ${type}`] = await filesRunBy(source, type);
session.disconnect();
sender.close();
await receiver.stop();
rmSync(folder, { recursive: true });
process.stdout.write(JSON.stringify(found));

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
  const { status } = await sender.send(request);
  if (status !== 200) throw new Error(`${type} was answered ${status}.`);
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
