import { json } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import { FAILED_FOR_GOOD } from './run-apart.ts';

// The process that runApart starts: it calls one function, and tells its result on standard output.

/** What it calls. Returns the same for the same input, so that a failure is final. */
interface Work {
  readonly run: (input: unknown) => Promise<Uint8Array | undefined>;
}

/** In a thread of its own: the first one is busy. It ends the process, whatever has become of the one that started it. */
const WATCH = `
  const { writeSync } = require('node:fs');
  const { maxCpuMs, maxMemoryBytes } = require('node:worker_threads').workerData;
  const passed = () => {
    const { user, system } = process.cpuUsage();
    if (user + system > maxCpuMs * 1000) return maxCpuMs / 1000 + ' s of a processor';
    if (process.memoryUsage.rss() > maxMemoryBytes) return Math.round(maxMemoryBytes / 1e6) + ' MB of memory';
  };
  const watch = setInterval(() => {
    const what = passed();
    if (what === undefined) return;
    clearInterval(watch);
    writeSync(2, 'it took more than ' + what);
    process.kill(process.pid, 'SIGKILL');
  }, 10);
`;

const [module = '', bounds = ''] = process.argv.slice(2);
new Worker(WATCH, { eval: true, workerData: JSON.parse(bounds) as unknown }).unref();

try {
  const { run } = (await import(module)) as Work; // runApart is told which modules have it
  const result = await run(await json(process.stdin));
  process.stdout.write(result ?? '');
} catch (thrown) {
  process.stderr.write(messageOf(thrown));
  process.exitCode = isOfTheMachine(thrown) ? 1 : FAILED_FOR_GOOD;
}

/** A file or a package is missing: somebody will put it there. */
function isOfTheMachine(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || !('code' in thrown)) return false;
  return 'syscall' in thrown || thrown.code === 'ERR_MODULE_NOT_FOUND';
}
