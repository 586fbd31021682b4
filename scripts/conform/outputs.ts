import { closeSync, openSync, writeSync } from 'node:fs';
import { reports } from '../../src/lab/conformance/reports/index.ts';
import type { Report } from '../../src/lab/conformance/reports/report.ts';
import { terminalReport } from '../../src/lab/conformance/reports/terminal.ts';
import type { RunEvent } from '../../src/lab/conformance/result.ts';
import { messageOf } from '../../src/kit/errors.ts';
import { printable } from '../../src/lab/printable.ts';
import { pick, UsageError } from '../../src/lab/usage.ts';

/** Everything that is written of a run. */
export interface Outputs {
  take(event: RunEvent): void;
  /** For whoever watches, beside the reports. */
  say(line: string): void;
  close(): void;
}

/** A report and where it goes: `-` is standard output. */
export interface Wish {
  readonly report: Report;
  readonly file: string;
}

/** `html=report.html`. @throws UsageError */
export function wishesIn(texts: readonly string[]): Wish[] {
  const wishes = texts.map((text) => {
    const at = text.indexOf('=');
    if (at < 1 || at === text.length - 1) {
      throw new UsageError(`--report: expected something like html=report.html and got ${text}`);
    }
    return { report: pick('report', text.slice(0, at), reports)(), file: text.slice(at + 1) };
  });
  if (wishes.filter(({ file }) => file === '-').length > 1) {
    throw new UsageError('--report: only one report can go to standard output.');
  }
  return wishes;
}

/** Opens all files at once, before anything is sent: a run without its report would be for nothing. @throws if it cannot */
export function openOutputs(wishes: readonly Wish[]): Outputs {
  const streamed = wishes.find(({ file }) => file === '-');
  const files = wishes
    .filter((wish) => wish !== streamed)
    .map(({ report, file }) => ({ report, ...opened(file) }));
  const terminal = streamed === undefined ? process.stdout : process.stderr;
  const watched = terminalReport({
    colour: terminal.isTTY && terminal.hasColors(),
    columns: terminal.isTTY ? terminal.columns : 0,
  });
  return {
    take(event) {
      terminal.write(watched(event));
      if (streamed !== undefined) process.stdout.write(streamed.report(event));
      for (const { report, write } of files) write(report(event));
    },
    say(line) {
      terminal.write(`${printable(line)}\n`);
    },
    close() {
      for (const { close } of files) close();
    },
  };
}

function opened(file: string) {
  try {
    const descriptor = openSync(file, 'w', 0o600);
    return {
      write: (text: string) => void writeSync(descriptor, text),
      close: () => closeSync(descriptor),
    };
  } catch (error) {
    throw new Error(`--report: ${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
