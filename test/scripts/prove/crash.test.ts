import { existsSync, readFileSync } from 'node:fs';
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import { createRandom, randomUuid } from '../../../src/lab/mock/random.ts';
import type { OutgoingRequest } from '../../../src/kit/source.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { later, newFolder } from '../../support/fixtures.ts';
import { startProcess, waitingProgram } from '../../support/processes.ts';
import { createTestSender } from '../../support/test-sender.ts';
import { until } from '../../support/until.ts';

const DELIVERIES = 1_000;
const CONNECTIONS = 32;
/** The receiver is killed each time so many more of them have been answered. */
const KILL_AFTER = 300;
const HANDLERS_AT_A_TIME = 8;

const SECRET = hash('sha256', 'a secret that outlives crashes');

interface Delivery {
  readonly id: string;
  readonly request: OutgoingRequest;
}

/** Sends until all are answered or the receiver is gone; what got no answer waits again. Returns the ids that were answered 2xx. */
async function sendAll(
  url: string,
  waiting: Delivery[],
  onAnswered: (answered: number) => void,
): Promise<string[]> {
  const sender = createTestSender({ url, secretOf: () => SECRET });
  const answered: string[] = [];
  let gone = false;
  const lane = async () => {
    while (!gone) {
      const next = waiting.shift();
      if (next === undefined) return;
      const { id, request } = next;
      const reply = await sender.send(request).catch(() => undefined);
      if (reply?.status === 200) {
        answered.push(id);
        onAnswered(answered.length);
      } else {
        gone = true;
        waiting.push(next);
      }
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  sender.close();
  return answered;
}

async function prepare(): Promise<Delivery[]> {
  const sender = createTestSender({ url: 'http://127.0.0.1:1', secretOf: () => SECRET });
  const random = createRandom(7);
  const example = risr.events.profile_updated.example;
  return Promise.all(
    Array.from({ length: DELIVERIES }, async (_, number) => {
      const id = randomUuid(random);
      // Some subjects have several events, most have one.
      const payload = { ...example, id: `profile-${number % 750}` };
      return { id, request: await sender.request(risr, 'profile_updated', { id, payload }) };
    }),
  );
}

/** What the handlers left behind: an id and the number of the attempt, for each time one ran. */
function tracesIn(file: string): { id: string; attempt: number }[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [id = '', attempt] = line.split(' ');
      return { id, attempt: Number(attempt) };
    });
}

it(`killed again and again in a run of ${DELIVERIES} deliveries, handles all that it answered 2xx, and none twice`, async () => {
  const folder = newFolder();
  const traces = join(folder, 'traces');
  const env = {
    PORT: '0',
    LOG_LEVEL: 'error',
    RISR_PROFILE_UPDATED_SECRET: SECRET,
    HANDLER_CONCURRENCY: String(HANDLERS_AT_A_TIME),
    TRACES: traces,
  };
  const start = () => startProcess(env, folder, waitingProgram);

  const deliveries = await prepare();
  const waiting = [...deliveries];
  const answered: string[] = [];
  let kills = 0;
  let receiver = start();
  while (waiting.length > 0) {
    const killAfter = waiting.length > KILL_AFTER ? KILL_AFTER : Infinity;
    answered.push(
      ...(await sendAll(await receiver.url(), waiting, (count) => {
        if (count === killAfter) receiver.kill('SIGKILL');
      })),
    );
    if (waiting.length === 0) break;
    expect(await receiver.ended).toEqual({ code: null, signal: 'SIGKILL' });
    kills += 1;
    receiver = start();
  }
  expect(kills).toBe(3);
  expect(new Set(answered).size).toBe(DELIVERIES);

  const inbox = await openInbox(`sqlite:${join(folder, 'data', 'inbox.db')}`, {
    maxWaiting: 1,
    owner: false,
  });
  later(() => inbox.close());
  const idle = async () => {
    const { waiting: left, running } = await inbox.stats();
    return left === 0 && running === 0;
  };
  await until('all is handled', idle);
  expect(await inbox.stats()).toMatchObject({ done: DELIVERIES, dead: 0 });

  const ran = tracesIn(traces);
  expect(new Set(ran.map(({ id }) => id))).toEqual(new Set(answered));
  // No attempt runs twice. A second one exists only where the first was interrupted, and it knows that it is the second.
  const again = ran.filter(({ attempt }) => attempt > 1);
  expect(new Set(ran.map(({ id, attempt }) => `${id} ${attempt}`)).size).toBe(ran.length);
  expect(again.length).toBeLessThanOrEqual(kills * HANDLERS_AT_A_TIME);

  const redelivered = await sendAll(await receiver.url(), [...deliveries], () => undefined);
  expect(redelivered).toHaveLength(DELIVERIES);
  await until('all is handled', idle);
  expect(tracesIn(traces)).toHaveLength(ran.length);
});
