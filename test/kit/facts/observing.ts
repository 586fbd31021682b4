import { driftIn, findingsOf, type DriftFound, type Finding } from '../../../src/kit/facts/findings.ts';
import { readFacts } from '../../../src/kit/facts/open.ts';
import type { Count } from '../../../src/kit/facts/store.ts';
import type { Source } from '../../../src/kit/source.ts';
import { newInboxUrl } from '../../support/fixtures.ts';
import { startReceiver, type TestReceiver, type TestReceiverOptions } from '../../support/receiver.ts';

/** What a receiver with an inbox in a file has counted, once it has ended. */
export async function countsOf(
  options: TestReceiverOptions,
  play: (receiver: TestReceiver) => Promise<unknown>,
  url = newInboxUrl(),
): Promise<readonly Count[]> {
  const receiver = await startReceiver({ ...options, env: { ...options.env, INBOX_URL: url } });
  try {
    await play(receiver);
    await receiver.app.idle();
  } finally {
    await receiver.stop();
  }
  return readFacts(url);
}

export function differingIn(source: Source, counts: readonly Count[]): string[] {
  return findingsOf(source, counts).flatMap(({ fact, state }) => (state === 'differs' ? [fact.id] : []));
}

export function findingOf(source: Source, counts: readonly Count[], id: string): Finding | undefined {
  return findingsOf(source, counts).find(({ fact }) => fact.id === id);
}

/** In words, for comparing: `new order.created: note string 3`. */
export function driftsIn(source: Source, counts: readonly Count[]): string[] {
  return driftIn(source, counts).map(wordsOf).sort();
}

function wordsOf({ kind, type, path, came, count }: DriftFound): string {
  return `${kind} ${type}: ${path} ${came} ${count}`.replace(/ {2,}/g, ' ');
}

/** An object without one of its members. */
export function without(members: object, ...names: readonly string[]): object {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)));
}
