import { write, writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** Where log lines go. Nobody waits for it but `flush`: what cannot be written is dropped, counted, and said later. */
export interface LogOutput {
  write(line: string): void;
  /** Calls back when nothing is left to write, written or not; while a reader of the log stands still that is never. */
  flush(done: () => void): void;
  /** The last words of a process: writes what is left, and waits for nobody. */
  end(): void;
}

/** One write at a time. `whole` is false where the text ended in the middle of a line. */
export type WriteText = (
  text: string,
  done: (failure?: { readonly error: unknown; readonly whole: boolean }) => void,
) => void;

/** Lines are gathered for a moment: a system call for each would be a tenth of the receiver's work. */
const GATHERED_LENGTH = 4_096;
const GATHERED_MS = 100;

/** As much as this waits for a slow reader: some thousand lines. */
const MOST_WAITING = 1_048_576;

export function createLogOutput(writeText: WriteText, writeLast: (text: string) => void): LogOutput {
  let waiting = '';
  let waitingLines = 0;
  let writing = false;
  let timer: NodeJS.Timeout | undefined;
  const flushing: (() => void)[] = [];
  const lost = { lines: 0, why: 'more of them waited than can be kept' };
  let start = '';

  function later(): void {
    timer ??= setTimeout(next, GATHERED_MS).unref();
  }

  function next(): void {
    clearTimeout(timer);
    timer = undefined;
    if (writing) return;
    if (waiting === '') {
      for (const done of flushing.splice(0)) done();
      return;
    }
    const [lines, said] = [waitingLines, lost.lines];
    const text = start + (said > 0 ? lostLine(lost) : '') + waiting;
    [waiting, waitingLines, writing] = ['', 0, true];
    writeText(text, (failure) => {
      writing = false;
      if (failure === undefined) {
        lost.lines -= said;
        start = '';
      } else {
        lost.lines += lines;
        lost.why = codeOf(failure.error);
        if (!failure.whole) start = '\n';
      }
      if (flushing.length > 0) next();
      else if (waiting !== '') later();
    });
  }

  return {
    write(line) {
      if (waiting.length + line.length > MOST_WAITING) {
        lost.lines += 1;
        return;
      }
      waiting += line;
      waitingLines += 1;
      if (waiting.length >= GATHERED_LENGTH && !writing) next();
      else later();
    },
    flush(done) {
      flushing.push(done);
      next();
    },
    end() {
      if (waiting !== '' && !writing) writeLast(start + waiting);
    },
  };
}

function lostLine({ lines, why }: { readonly lines: number; readonly why: string }): string {
  const line = {
    level: 'warn',
    time: new Date().toISOString(),
    outcome: 'trouble',
    why: `${lines} lines are missing in this log, as they could not be written: ${why}.`,
  };
  return `${JSON.stringify(line)}\n`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** Standard output, whatever it is. */
export function standardOutput(): LogOutput {
  const to = isPipe() ? pipe() : file();
  const output = createLogOutput(to.write, (text) => {
    try {
      writeSync(1, text);
    } catch {
      // There is nobody left to tell.
    }
  });
  process.once('exit', () => {
    output.end();
    // Node would wait for the write: a terminal that stands still (Ctrl-S) would keep the process for ever.
    if (to.stands()) process.kill(process.pid, 'SIGKILL');
  });
  return output;
}

/** On Windows Node waits for a pipe, too. */
function isPipe(): boolean {
  return process.platform !== 'win32' && process.stdout instanceof Socket && !process.stdout.isTTY;
}

interface Destination {
  readonly write: WriteText;
  /** Whether a write does not come to its end. */
  readonly stands: () => boolean;
}

/** Node's own stream does not wait for a pipe. A write of the file system would, and the end of the process for it. */
function pipe(): Destination {
  // Each write has its own answer. Without a listener an error would end the process.
  process.stdout.on('error', () => undefined);
  return {
    write(text, done) {
      process.stdout.write(text, (error) => {
        done(error ? { error, whole: true } : undefined);
      });
    },
    stands: () => false,
  };
}

const LONGEST_WRITE_MS = 1_000;

/** A file or a terminal: Node's own stream waits for these, and everything else with it. */
function file(): Destination {
  let began: number | undefined;
  return {
    write(text, done) {
      began = performance.now();
      writeWhole(Buffer.from(text), 0, (failure) => {
        began = undefined;
        done(failure);
      });
    },
    stands: () => began !== undefined && performance.now() - began > LONGEST_WRITE_MS,
  };
}

function writeWhole(bytes: Buffer, at: number, done: Parameters<WriteText>[1]): void {
  write(1, bytes, at, (error, written) => {
    if (error) done({ error, whole: at === 0 || bytes[at - 1] === LINE_END });
    else if (at + written < bytes.length) writeWhole(bytes, at + written, done);
    else done();
  });
}

const LINE_END = 0x0a;
