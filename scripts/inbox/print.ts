import { printableJson } from '../../src/kit/log.ts';
import { onOneLine, printable } from '../../src/lab/printable.ts';
import { textTable } from '../../src/lab/rig/table.ts';
import type { Entry } from '../../src/kit/inbox/inbox.ts';

export function failed(message: string): number {
  console.error(printable(message));
  return 1;
}

export function printJson(value: unknown): number {
  console.log(printableJson(JSON.stringify(value, undefined, 2)));
  return 0;
}

/** An entry for programs; what it holds may be personal data, and goes with it only where it is asked for. */
export function toJson(entry: Entry, { withContent }: { readonly withContent: boolean }): object {
  const { content, answer, receivedAt, dueAt, leaseUntil, finishedAt, ...rest } = entry;
  return {
    ...rest,
    receivedAt: moment(receivedAt),
    dueAt: moment(dueAt),
    leaseUntil: moment(leaseUntil),
    finishedAt: moment(finishedAt),
    ...(withContent && { content: content.toString('base64'), answer: answer?.toString('base64') }),
  };
}

export function moment(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

/** Columns, with their heads where there are any. */
export function table(rows: readonly (readonly string[])[]): string {
  return textTable(rows.map((cells) => cells.map((text) => onOneLine(text.replaceAll(/[\n\t]/g, ' ')))));
}
