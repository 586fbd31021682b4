import { createConnections, send, type Connections } from '../../../src/lab/mock/send.ts';
import type { Delivery } from './deliveries.ts';

/** What became of one delivery so far, over all times it was sent. */
export interface Sent {
  readonly delivery: Delivery;
  /** How often it was sent. */
  tries: number;
  /** How often the answer was a 2xx. */
  promises: number;
  /** A refusal is an answer, too; without any, its sender sends it again. */
  answered: boolean;
}

export interface SendingOptions {
  readonly connections: number;
  /** Told after each answer how many there were. */
  readonly onAnswer?: (answers: number) => void;
}

const PATIENCE_MS = 20_000;

export function unsent(delivery: Delivery): Sent {
  return { delivery, tries: 0, promises: 0, answered: false };
}

/** Sends what has no answer yet, in order, until all is answered or the receiver is gone. */
export async function sendAll(url: URL, all: readonly Sent[], options: SendingOptions): Promise<void> {
  let gone = false;
  await inLanes(all, options, async (sent, connections) => {
    if (!gone && !(await sendOnce(url, sent, connections))) gone = true;
  });
}

/** Sends each until it is answered, to one receiver after the other. */
export async function sendToAny(
  urls: () => readonly URL[],
  all: readonly Sent[],
  options: SendingOptions,
): Promise<void> {
  let turn = 0;
  await inLanes(all, options, async (sent, connections) => {
    while (!sent.answered && sent.tries < MOST_TRIES) {
      const running = urls();
      const url = running[turn++ % running.length];
      if (url === undefined) throw new Error('No receiver is left to send to.');
      await sendOnce(url, sent, connections);
    }
  });
}

/** A death costs a few; more means that nobody answers at all. */
const MOST_TRIES = 1_000;

async function inLanes(
  all: readonly Sent[],
  { connections: lanes, onAnswer }: SendingOptions,
  work: (sent: Sent, connections: Connections) => Promise<void>,
): Promise<void> {
  const waiting = all.filter(({ answered }) => !answered).values();
  const connections = createConnections();
  let answers = 0;
  const lane = async () => {
    for (const sent of waiting) {
      await work(sent, connections);
      if (sent.answered) onAnswer?.(++answers);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  connections.close();
}

/** Resolves with whether there was any reply. A 503 is one, and still no answer. */
async function sendOnce(url: URL, sent: Sent, connections: Connections): Promise<boolean> {
  sent.tries += 1;
  const outcome = await send(url, sent.delivery.request, { timeoutMs: PATIENCE_MS, connections });
  if (outcome.kind === 'failure') return false;
  const { status } = outcome.reply;
  if (status >= 200 && status < 300) sent.promises += 1;
  sent.answered = status < 500;
  return true;
}
