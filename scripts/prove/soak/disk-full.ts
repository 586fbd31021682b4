import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  onlyAcceptedOr503,
  promisesKept,
  within,
  type HardTime,
  type HardTimesOptions,
} from './hard-time.ts';
import { numbersBelow, startSurvivor, untilOver } from './survivor.ts';

const NAME = 'disk full';
const MEGABYTE = 1_048_576;
/** What is free at first, for inbox and log. */
const FREE_MEGABYTES = 1;
/** More than an entry takes in the end. */
const BYTES_EACH = 4_096;
/** The log of SQLite grows to 4,000 pages of 8 KB before it is copied into the file. */
const LOG_MEGABYTES = 40;
/** So many refusals are waited for before there is room again. */
const REFUSALS = 100;

/** Fills the disk under a receiver, and makes room again. */
export async function disksFull({ directory, deliveries }: HardTimesOptions): Promise<HardTime> {
  const fillerMegabytes = Math.ceil((deliveries * BYTES_EACH) / MEGABYTE) + LOG_MEGABYTES;
  const disk = mountDisk(join(directory, 'disk'), fillerMegabytes + FREE_MEGABYTES);
  if (disk === undefined) {
    return { name: `${NAME}: not tried, this user may not mount one (needs root on Linux)`, findings: [] };
  }
  try {
    return await fillAndFree(disk, fillerMegabytes, { directory, deliveries });
  } finally {
    spawnSync('umount', ['-l', disk]);
  }
}

async function fillAndFree(
  disk: string,
  fillerMegabytes: number,
  { directory, deliveries }: Pick<HardTimesOptions, 'directory' | 'deliveries'>,
): Promise<HardTime> {
  const filler = join(disk, 'filler');
  writeFileSync(filler, Buffer.alloc(fillerMegabytes * MEGABYTE));
  const inboxUrl = `sqlite:${join(disk, 'inbox.db')}`;
  const survivor = await startSurvivor({ directory, name: 'disk-full', inboxUrl, size: deliveries });
  const { replies } = survivor;
  const sending = survivor.send(numbersBelow(deliveries));
  await untilOver(sending, () => (replies.get(503) ?? 0) >= REFUSALS);
  rmSync(filler);
  const freed = performance.now();
  const acceptsAgainMs = await survivor.nextAccepted(sending);
  await sending;
  const survived = await survivor.finish();
  return {
    name: NAME,
    ...{ replies, acceptsAgainMs, handledMs: performance.now() - freed, survived },
    findings: [
      { text: 'the disk was full: deliveries were refused', kept: (replies.get(503) ?? 0) > 0 },
      onlyAcceptedOr503(replies),
      within('deliveries are accepted again when there is room', acceptsAgainMs, 5_000),
      promisesKept(survived),
    ],
  };
}

/** In memory, with a size. `undefined`: this user may not. */
function mountDisk(folder: string, megabytes: number): string | undefined {
  mkdirSync(folder);
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  if (status !== 0) return undefined;
  // Before the folder that it is in is removed, whatever ends this process.
  process.prependListener('exit', () => spawnSync('umount', ['-l', folder]));
  return folder;
}
