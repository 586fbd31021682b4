import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from './requests.ts';
import { openConnection, replyIn } from './wire.ts';

export interface LoadOptions {
  /** Names the contestant in messages. */
  readonly name: string;
  readonly connections: number;
  readonly seconds: number;
  /** Sent before, and not counted. */
  readonly rampSeconds: number;
  /** Spent by the contestant so far. */
  readonly processorSeconds: () => number;
}

export interface Load {
  /** Microseconds of processor time for a delivery. */
  readonly processorUs: number;
  readonly perSecond: number;
  /** Share of the time in which this process was busy sending: near 1, it measured itself. */
  readonly busy: number;
}

/** A contestant did not do what all of them must, so its figures would mean nothing. */
export class ContestantFailed extends Error {
  override readonly name = 'ContestantFailed';
}

/**
 * Sends for so long, over so many connections, on each the next request when the reply to the last has come.
 * @throws when a contestant answers anything but 200, or closes a connection
 */
export async function load(port: number, pool: Pool, options: LoadOptions): Promise<Load> {
  const { name, connections, seconds, rampSeconds, processorSeconds } = options;
  const sending = await startSending(port, pool, { name, connections });
  const now = () => ({ count: sending.latencies.length, ms: performance.now(), seconds: processorSeconds() });
  try {
    const beginning = now();
    await sending.during(rampSeconds);
    const rampEnd = now();
    const idle = performance.eventLoopUtilization();
    await sending.during(seconds);
    const end = now();
    // A machine that was far slower in the warm-up can use up the pool before: then the ramp is all there is.
    const from = end.count > rampEnd.count ? rampEnd : beginning;
    const count = end.count - from.count;
    const { utilization } = performance.eventLoopUtilization(idle);
    await sending.finish();
    return {
      processorUs: ((end.seconds - from.seconds) * 1_000_000) / count,
      perSecond: (count * 1000) / (end.ms - from.ms),
      busy: utilization,
    };
  } finally {
    sending.close();
  }
}

/** Sends the whole pool. Returns milliseconds from each request to the end of its reply, ascending. */
export async function sendAll(
  port: number,
  pool: Pool,
  { name, connections }: Pick<LoadOptions, 'name' | 'connections'>,
): Promise<readonly number[]> {
  const sending = await startSending(port, pool, { name, connections });
  try {
    await sending.ended;
    return sending.latencies.sort((a, b) => a - b);
  } finally {
    sending.close();
  }
}

/** Middle of the values; of an even number the lower one of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? NaN;
}

interface Sending {
  readonly latencies: number[];
  /** Resolves when the pool is used up, or sending was finished, and all replies are there. */
  readonly ended: Promise<unknown>;
  during(seconds: number): Promise<void>;
  finish(): Promise<void>;
  close(): void;
}

async function startSending(
  port: number,
  pool: Pool,
  { name, connections }: Pick<LoadOptions, 'name' | 'connections'>,
): Promise<Sending> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => openConnection(port)));
  const latencies: number[] = [];
  let over = false;
  const next = () => (over ? undefined : pool.next());
  const ended = Promise.all(sockets.map((socket) => keepSending(socket, next, latencies, name)));
  return {
    latencies,
    ended,
    async during(seconds) {
      await Promise.race([ended, sleep(seconds * 1000)]);
    },
    async finish() {
      over = true;
      await ended;
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function keepSending(
  socket: Socket,
  next: () => Buffer | undefined,
  latencies: number[],
  name: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let sentAt = 0;
    let received: Buffer | undefined;
    const fail = (why: string) => reject(new ContestantFailed(`${name} ${why}`));
    const send = () => {
      const request = next();
      if (request === undefined) {
        resolve();
        return;
      }
      sentAt = performance.now();
      socket.write(request);
    };
    socket.on('data', (chunk: Buffer) => {
      received = received ? Buffer.concat([received, chunk]) : chunk;
      const reply = replyIn(received);
      if (reply === undefined) return;
      if (reply.status !== 200) {
        fail(`answered ${reply.status} to a genuine delivery, 200 was expected: ${reply.start}`);
        return;
      }
      received = undefined;
      latencies.push(performance.now() - sentAt);
      send();
    });
    socket.on('error', ({ message }) => fail(`broke a connection: ${message}`));
    socket.on('close', () => fail('closed a connection in the middle of the measurement.'));
    send();
  });
}
