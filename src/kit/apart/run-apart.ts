import { execFile, type ExecException } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { DeadLetter } from '../errors.ts';
import { shown } from '../outgoing/errors.ts';

export interface ApartOptions {
  /** What is done, as the beginning of a sentence: `Stamping a PDF`. */
  readonly what: string;
  /** Of processors, so that a busy machine is no reason to give up; `signal` ends what only waits. */
  readonly maxCpuMs: number;
  /** Of the whole process, Node itself included, which needs some 60 MB. */
  readonly maxMemoryBytes: number;
  readonly maxResultBytes: number;
  /** Ends the process, and what was waiting for its turn. */
  readonly signal: AbortSignal;
}

const MAIN = fileURLToPath(new URL('child-main.ts', import.meta.url));

/** The exit code of work that failed and would fail again: EX_DATAERR, as sysexits(3) has it. */
export const FAILED_FOR_GOOD = 65;

let lastTurn: Promise<unknown> = Promise.resolve();

/**
 * Calls `run(input)` of a module in a process of its own, with bounds on time and memory, and resolves with the bytes that
 * it returns; none if it returns nothing. What a stranger's document does to a library then does not reach the receiver.
 * One such process runs at a time, with an empty environment. The input goes through JSON: rather name a file than send
 * its content.
 * @throws DeadLetter where a bound was passed or `run` threw; Error where a file or a package is missing; or the reason
 * of the signal
 */
export async function runApart(module: URL, input: unknown, options: ApartOptions): Promise<Buffer> {
  const { signal } = options;
  const turn = lastTurn.then(async () => {
    signal.throwIfAborted();
    return runNow(module, input, options);
  });
  lastTurn = turn.catch(() => undefined);
  const settled = new AbortController();
  try {
    return await Promise.race([turn, rejectOnAbort(signal, settled.signal)]);
  } finally {
    settled.abort();
  }
}

async function rejectOnAbort(signal: AbortSignal, settled: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort', { signal: settled });
  throw signal.reason;
}

function runNow(module: URL, input: unknown, options: ApartOptions): Promise<Buffer> {
  const { maxCpuMs, maxMemoryBytes, maxResultBytes, signal } = options;
  const how = {
    encoding: 'buffer',
    killSignal: 'SIGKILL',
    maxBuffer: maxResultBytes,
    signal,
    env: {},
    windowsHide: true,
  } as const;
  const bounds = JSON.stringify({ maxCpuMs, maxMemoryBytes });
  const child = ['--no-warnings', MAIN, module.href, bounds];
  return new Promise((resolve, reject) => {
    const { stdin } = execFile(process.execPath, child, how, (error, output, said) => {
      if (error === null) resolve(output);
      else reject(signal.aborted ? (signal.reason as Error) : failureOf(error, said.toString(), options));
    });
    // One that has ended early reads nothing, and its end is told above.
    stdin?.on('error', () => undefined).end(JSON.stringify(input));
  });
}

function failureOf(error: ExecException, said: string, options: ApartOptions): Error {
  const { what, maxResultBytes } = options;
  const why = shown(said.trim());
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
    return forGood(`${what} was ended: it gave more than ${maxResultBytes} bytes.`);
  }
  // By its watch, which has said why; or by Node or the system, which have no memory left for it.
  if (typeof error.signal === 'string')
    return forGood(`${what} was ended: ${why || 'it took too much memory'}.`);
  const words = `${what} failed: ${why || 'its process ended without a word'}`;
  return error.code === FAILED_FOR_GOOD ? forGood(words) : new Error(words);
}

/** Without a cause: what Node says of the end of a process is its command line. */
function forGood(words: string): DeadLetter {
  return new DeadLetter('handler_gave_up', words);
}
