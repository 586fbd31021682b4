import { mkdirSync, statfsSync } from 'node:fs';
import { UsageError } from '../../../src/lab/usage.ts';

const TMPFS = 0x01021994; // linux/magic.h

/** Where an fsync is to cost what it does in production. @throws UsageError that names the setting */
export function refuseInMemory(setting: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  if (statfsSync(folder).type !== TMPFS) return;
  throw new UsageError(
    `${setting}: ${folder} is in memory, where an fsync costs nothing; name one on a disk.`,
  );
}
