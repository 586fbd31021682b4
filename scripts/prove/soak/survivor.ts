import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { withIds } from './deliveries.ts';
import { createLedger, type Settled } from './ledger.ts';
import { handledFile, startReceiver } from './receiver.ts';
import { isAccepted, sendAll } from './sending.ts';
import { drained } from '../../../src/lab/rig/inboxes.ts';
import { openStore } from './store.ts';

/** A receiver that something happens to, and what its senders see of it. */
export interface Survivor {
  readonly replies: Replies;
  /** Sends what these numbers stand for, each until it is accepted. */
  send(numbers: Iterable<number>): Promise<void>;
  /** Resolves with the milliseconds from now until the next delivery is accepted, or all are. */
  nextAccepted(sending: Promise<void>): Promise<number>;
  /** Waits until all is handled, and ends the receiver. */
  finish(): Promise<Survived>;
}

/** How often there was which reply: a status, or `none`. */
export type Replies = ReadonlyMap<number | 'none', number>;

export interface Survived extends Settled {
  /** Whether nothing waited any more in the end. */
  readonly drained: boolean;
  readonly done: number;
}

export interface SurvivorOptions {
  /** A folder for its files, which it makes below this one. */
  readonly directory: string;
  readonly name: string;
  readonly inboxUrl: string;
  /** Numbers are below this one. */
  readonly size: number;
}

/** What a worker held when its database went away is given back after a minute. */
const DRAIN_MS = 150_000;
const POLL_MS = 5;

export async function startSurvivor({ directory, name, inboxUrl, size }: SurvivorOptions): Promise<Survivor> {
  const own = join(directory, name);
  mkdirSync(own);
  const receiver = await startReceiver({ directory: own, inboxUrl });
  const ledger = createLedger(handledFile(own), size);
  const replies = new Map<number | 'none', number>();
  let accepted = 0;
  return {
    replies,
    send: (numbers) =>
      sendAll(numbers, {
        ...{ port: receiver.port, deliveries: withIds, ledger },
        onReply(status) {
          const reply = status ?? 'none';
          replies.set(reply, (replies.get(reply) ?? 0) + 1);
          if (isAccepted(status)) accepted += 1;
        },
      }),
    async nextAccepted(sending) {
      const [began, before] = [performance.now(), accepted];
      await untilOver(sending, () => accepted > before);
      return performance.now() - began;
    },
    async finish() {
      const store = await openStore(inboxUrl);
      const isDrained = await drained(store, DRAIN_MS);
      const { done } = await store.stats();
      await store.close();
      await receiver.kill();
      return { ...ledger.settle(), drained: isDrained, done };
    },
  };
}

/** Waits until something holds, or the sending is over. @throws what that failed with */
export async function untilOver(sending: Promise<void>, holds: () => boolean): Promise<void> {
  let over = false;
  const sent = sending.finally(() => (over = true));
  const polled = async () => {
    while (!holds() && !over) await pause(POLL_MS);
  };
  await Promise.race([sent, polled()]);
}

/** `0, 1, 2 …` below this number. */
export function* numbersBelow(size: number): Generator<number> {
  for (let number = 0; number < size; number += 1) yield number;
}
