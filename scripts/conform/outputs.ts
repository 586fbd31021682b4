import { closeSync, openSync, writeSync } from 'node:fs';
import { reports } from '../../src/lab/conformance/reports/index.ts';
import type { Report } from '../../src/lab/conformance/reports/report.ts';
import { terminalReport } from '../../src/lab/conformance/reports/terminal.ts';
import {
  exitCodes,
  type CaseEnded,
  type RunEvent,
  type RunStarted,
} from '../../src/lab/conformance/result.ts';
import { endOf, type Stop } from '../../src/lab/conformance/verdict.ts';
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

/** Where a person watches. */
interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  hasColors?(): boolean;
  write(text: string): unknown;
}

/** Opens all files at once, before anything is sent: a run without its report would be for nothing. @throws if it cannot */
export function openOutputs(wishes: readonly Wish[], screen?: Screen): Outputs {
  const streamed = wishes.find(({ file }) => file === '-');
  const files = wishes
    .filter((wish) => wish !== streamed)
    .map(({ report, file }) => ({ report, ...opened(file) }));
  const terminal: Screen = screen ?? (streamed === undefined ? process.stdout : process.stderr);
  const watched = terminalReport({
    colour: terminal.isTTY === true && terminal.hasColors?.() === true,
    columns: terminal.isTTY === true ? (terminal.columns ?? 0) : 0,
  });
  const take = (event: RunEvent) => {
    terminal.write(watched(event));
    if (streamed !== undefined) process.stdout.write(streamed.report(event));
    for (const { report, write } of files) write(report(event));
  };
  const record = createRecord(take);
  // However this process ends, its reports are whole.
  process.once('exit', record.end);
  return {
    take: record.take,
    say(line) {
      terminal.write(`${printable(line)}\n`);
    },
    close() {
      process.off('exit', record.end);
      record.end(exitCodes.broken);
      for (const { close } of files) close();
      const [failure] = files.flatMap(({ failure }) => failure() ?? []);
      if (failure !== undefined) throw failure;
    },
  };
}

/** Remembers what a run has told, to end it where the run itself does not. */
function createRecord(write: (event: RunEvent) => void) {
  const cases: CaseEnded[] = [];
  const last: { started?: RunStarted; ended: boolean } = { ended: false };
  const take = (event: RunEvent) => {
    if (event.event === 'started') last.started = event;
    if (event.event === 'case') cases.push(event);
    last.ended = event.event === 'ended';
    write(event);
  };
  return {
    take,
    end: (code: number) => {
      const { started, ended } = last;
      if (started === undefined || ended) return;
      const stop: Stop =
        code === exitCodes.interrupted
          ? { kind: 'interrupted' }
          : { kind: 'broken', says: 'The suite broke off before its last case.' };
      take({ ...endOf(cases, stop, started.grade), ms: Date.now() - started.at });
    },
  };
}

function opened(file: string) {
  const descriptor = openedOrThrow(file);
  let failure: Error | undefined;
  return {
    /** One that cannot be written any more keeps the others from nothing; it is told at the end. */
    write: (text: string) => {
      if (failure !== undefined) return;
      try {
        writeSync(descriptor, text);
      } catch (error) {
        failure = new Error(`--report: ${file} could not be written to its end: ${messageOf(error)}`);
      }
    },
    close: () => closeSync(descriptor),
    failure: () => failure,
  };
}

function openedOrThrow(file: string): number {
  try {
    return openSync(file, 'w', 0o600);
  } catch (error) {
    throw new Error(`--report: ${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
