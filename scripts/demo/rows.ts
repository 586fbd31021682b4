import { styleText } from 'node:util';
import { sources } from '../../src/kit/sources/index.ts';
import type { Fired } from '../../src/lab/mock/sender.ts';
import { onOneLine } from '../../src/lab/printable.ts';

const PROOF_WIDTH = 25;
const REPLY_WIDTH = 12;
export const typeWidth = Math.max(
  ...sources.flatMap(({ events }) => Object.keys(events).map(({ length }) => length)),
);

export function timeOf({ ms }: Fired): string {
  return String(Math.round(ms));
}

export function statusOf({ reply }: Fired): string {
  return String(reply?.status ?? 'none');
}

export type Cells = readonly [type: string, proof: string, reply: string, time: string, effect: string];

export function printRow(right: boolean, colour: 'green' | 'red', row: Cells): void {
  console.log(styleText(colour, cut(`${right ? '✓' : '✗'} ${aligned(row)}`)));
}

export function aligned([type, proof, reply, time, effect]: Cells): string {
  const cells = [
    type.padEnd(typeWidth),
    proof.padEnd(PROOF_WIDTH),
    reply.padEnd(REPLY_WIDTH),
    time.padStart(4),
  ];
  return [...cells, effect].join('  ').trimEnd();
}

/** A terminal breaks long lines anywhere, a file does not; neither is to act upon what came from outside. */
export function cut(text: string): string {
  const line = onOneLine(text);
  const { columns } = process.stdout as { readonly columns?: number };
  return columns !== undefined && line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
}
