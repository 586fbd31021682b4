import { statSync } from 'node:fs';

/** Whether a file is there that every user of this machine may read or write. */
export function isOpenToAll(path: string): boolean {
  if (process.platform === 'win32') return false;
  const { mode = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return (mode & 0o007) !== 0;
}

/** The files that Node was told to take variables from. */
export function envFilesOf(execArgv: readonly string[]): string[] {
  return execArgv.flatMap((argument) => /^--env-file(?:-if-exists)?=(.+)$/.exec(argument)?.[1] ?? []);
}
