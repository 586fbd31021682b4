import { mkdirSync, statfsSync } from 'node:fs';
import { UsageError } from '../../../src/lab/usage.ts';
import { newFolder } from '../../../src/lab/rig/folder.ts';
import { createInboxes, type Inboxes } from '../../../src/lab/rig/inboxes.ts';
import { killAll } from '../../../src/lab/rig/program.ts';

/** Where a measurement keeps its files. */
export interface Workplace {
  readonly directory: string;
  readonly inboxes: Inboxes;
}

/**
 * Works in a new folder below this one. Whatever becomes of the work, all that it started is ended and the folder is
 * removed.
 */
export async function inWorkplace<Result>(
  parent: string,
  work: (place: Workplace) => Promise<Result>,
): Promise<Result> {
  const { path: directory } = newFolder('work', parent);
  const inboxes = createInboxes(directory);
  endOnSignal(inboxes);
  try {
    return await work({ directory, inboxes });
  } finally {
    killAll();
    await inboxes.close();
  }
}

function endOnSignal(inboxes: Inboxes): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      process.on('uncaughtException', ignore); // what fails because its server ends must not keep us from tidying up
      killAll();
      void inboxes.close().finally(() => process.exit(130));
    });
  }
}

function ignore(): void {
  return undefined;
}

const TMPFS = 0x01021994; // linux/magic.h

/** Where an fsync is to cost what it does in production. @throws UsageError that names the setting */
export function refuseInMemory(setting: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  if (statfsSync(folder).type !== TMPFS) return;
  throw new UsageError(
    `${setting}: ${folder} is in memory, where an fsync costs nothing; name one on a disk.`,
  );
}
