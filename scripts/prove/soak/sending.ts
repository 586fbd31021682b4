import { setTimeout as pause } from 'node:timers/promises';
import { ContestantFailed } from '../bench/load.ts';
import { createConnection, type Connection } from './connection.ts';
import type { Deliveries } from './deliveries.ts';
import type { Ledger } from './ledger.ts';

export interface SendingOptions {
  readonly port: number;
  readonly deliveries: Deliveries;
  readonly ledger: Ledger;
  /** Whether the senders hold back for now. Never by default. */
  readonly holds?: () => boolean;
  /** Told of each reply; `undefined`: there was none. */
  readonly onReply: (status: number | undefined) => void;
}

const CONNECTIONS = 32;
const SOON_MS = 5;
/** Until a delivery that was not accepted is sent again. */
const AGAIN_MS = 100;
/** Longer than a receiver needs to find its way back out of any trouble here. */
const PATIENCE_MS = 180_000;

/** Sends what the numbers stand for, each until it is accepted. @throws ContestantFailed when nothing moves any more */
export async function sendAll(numbers: Iterable<number>, options: SendingOptions): Promise<void> {
  const left = numbers[Symbol.iterator]();
  await Promise.all(Array.from({ length: CONNECTIONS }, () => sendOverOne(left, options)));
}

async function sendOverOne(left: Iterator<number>, options: SendingOptions): Promise<void> {
  const { port, deliveries, ledger, holds = () => false } = options;
  const connection = createConnection(port);
  for (let next = left.next(); next.done !== true; next = left.next()) {
    await patiently('The receiver does not handle any more.', SOON_MS, async () => !holds());
    const request = deliveries.request(next.value);
    await patiently('The receiver does not accept any more.', AGAIN_MS, () =>
      isAcceptedOver(connection, request, options),
    );
    ledger.promise(next.value);
  }
  connection.close();
}

/** Tries until it succeeds, so many milliseconds after one another. */
async function patiently(trouble: string, everyMs: number, tried: () => Promise<boolean>): Promise<void> {
  const began = performance.now();
  while (!(await tried())) {
    if (performance.now() - began > PATIENCE_MS) throw new ContestantFailed(trouble);
    await pause(everyMs);
  }
}

async function isAcceptedOver(
  connection: Connection,
  request: Buffer,
  { onReply }: SendingOptions,
): Promise<boolean> {
  const status = await connection.exchange(request);
  onReply(status);
  return isAccepted(status);
}

export function isAccepted(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}
