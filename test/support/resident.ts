import { execFileSync } from 'node:child_process';

/** Memory of another process in megabytes, as `ps` has it. */
export function residentMegabytes({ pid }: { readonly pid: number | undefined }): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}
