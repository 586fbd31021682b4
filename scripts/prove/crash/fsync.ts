import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import { deliveriesOf } from './deliveries.ts';
import { drained } from '../../../src/lab/rig/inboxes.ts';
import { inNewFolder } from '../../../src/lab/rig/folder.ts';
import { environmentOf, startReceiver } from './receiver.ts';
import { sendAll, unsent } from './sending.ts';

const PATIENCE_MS = 120_000;

/** How often the inbox file was brought to disk before each reply to a new event. */
export interface Syncs {
  readonly replies: number;
  readonly fewest: number;
  readonly most: number;
}

/** Whether system calls can be watched on this machine. */
export function hasStrace(): boolean {
  return spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
}

/** Sends deliveries one after the other to a receiver that runs under strace, and reads what strace saw. */
export function countSyncs(seed: number): Promise<Syncs> {
  return inNewFolder('crash', async (folder) => {
    const trace = join(folder, 'trace');
    const inboxUrl = `sqlite:${join(folder, 'inbox.db')}`;
    const calls = 'trace=fsync,fdatasync,read,write,writev,sendmsg';
    const receiver = await startReceiver({
      env: environmentOf(folder, inboxUrl),
      under: ['strace', '-D', '-f', '-y', '-s', '24', '-e', calls, '-o', trace],
    });
    await sendOneByOne(receiver.address, seed, inboxUrl);
    receiver.kill();
    await receiver.ended;
    return syncsIn(readFileSync(trace, 'utf8'));
  });
}

/** Each when the one before is handled: what is synced meanwhile is for this one alone. */
async function sendOneByOne(url: URL, seed: number, inboxUrl: string): Promise<void> {
  const deliveries = await deliveriesOf(seed);
  const events = new Map(deliveries.filter(({ genuine }) => genuine).map((one) => [one.digest, one]));
  const inbox = await openInbox(inboxUrl, { maxWaiting: 1, owner: false });
  try {
    for (const delivery of events.values()) {
      await sendAll(url, [unsent(delivery)], { connections: 1 });
      await drained(inbox, PATIENCE_MS);
    }
  } finally {
    await inbox.close();
  }
}

/** With one delivery at a time, a sync between reading a request and writing its reply is that delivery's. */
function syncsIn(trace: string): Syncs {
  const counts: number[] = [];
  let syncs = 0;
  for (const line of trace.split('\n')) {
    if (/\bread\(\d+<(?:TCP|socket)[^"]*"POST /.test(line)) syncs = 0;
    if (/\bf(?:data)?sync\(\d+<[^>]*inbox\.db/.test(line)) syncs += 1;
    if (/\b(?:writev?|sendmsg)\(\d+<(?:TCP|socket).*"HTTP\/1\.1 200/.test(line)) counts.push(syncs);
  }
  return { replies: counts.length, fewest: Math.min(...counts), most: Math.max(...counts) };
}
