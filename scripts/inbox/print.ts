import { textTable } from '../../src/lab/rig/table.ts';
import type { Entry } from '../../src/kit/inbox/inbox.ts';

export function failed(message: string): number {
  console.error(message);
  return 1;
}

export function printJson(value: unknown): number {
  console.log(harmless(JSON.stringify(value, undefined, 2)));
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
  return textTable(rows.map((cells) => cells.map(onOneLine)));
}

function onOneLine(text: string): string {
  return printable(text).replaceAll(/[\n\t]/g, ' ');
}

/** What a sender wrote must not steer the terminal: control characters, and marks that turn the direction of text. */
const STEERING = /(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

export function printable(text: string): string {
  return text.replaceAll(STEERING, '\ufffd');
}

/** JSON text that means the same and steers no terminal. */
export function harmless(json: string): string {
  return json.replaceAll(STEERING, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
