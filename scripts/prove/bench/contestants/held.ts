import { readConfig } from '../../../../src/kit/program/config.ts';
import { start } from '../../../../src/kit/program/start.ts';
import type { NewEntry } from '../../../../src/kit/inbox/inbox.ts';
import { createLog } from '../../../../src/kit/log.ts';
import type { AllHandlers } from '../../../../src/kit/handling/handle.ts';
import { sources } from '../../../../src/kit/sources/index.ts';
import { appOf } from '../../../../src/lab/rig/app.ts';
import type { HeldAnswer, HeldOrder } from '../contestant.ts';

// The kit with handlers that wait until they are let go, and do nothing else: accepting can then be measured without the
// worker's share, and the worker without accepting.

const waiting = appOf({ handlers: waitingHandlers() });
const config = readConfig(process.env, waiting);
const log = createLog(config.general.LOG_LEVEL);
let held = Promise.withResolvers<undefined>();
let handled = 0;
const app = await start(waiting, config, log);
process.stderr.write(`Listening on ${app.url}\n`);

process.on('message', (order: HeldOrder) => {
  void obey(order).then((answer) => process.send?.(answer));
});
// Nobody is left to measure it.
process.on('disconnect', () => process.exit());

async function obey({ store: count = 0, handlers, only }: HeldOrder): Promise<HeldAnswer> {
  if (handlers === 'go') held.resolve(undefined);
  if (handlers === 'wait') held = Promise.withResolvers<undefined>();
  await store(count);
  if (only === 'handled') return { left: NaN, handled };
  const { waiting, running } = await app.inbox.stats();
  return { left: waiting + running, handled };
}

function waitingHandlers(): AllHandlers {
  const each = sources.map(({ name, events }) => [name, waitingByType(Object.keys(events))] as const);
  return Object.fromEntries(each);
}

function waitingByType(types: readonly string[]): AllHandlers[string] {
  const handler = async () => {
    await held.promise;
    handled += 1;
  };
  return Object.fromEntries(types.map((type) => [type, handler]));
}

/** Stored at once: the more there are, the fewer commits it takes. */
const TOGETHER = 5000;

async function store(count: number): Promise<void> {
  for (let at = 0; at < count; at += TOGETHER) {
    const entries = Array.from({ length: Math.min(TOGETHER, count - at) }, (_, index) => entry(at + index));
    await Promise.all(entries.map((each) => app.inbox.store(each)));
  }
}

function entry(number: number): NewEntry {
  const taskId = `task-${number}`;
  return {
    source: 'phenixid',
    endpoint: '/phenixid',
    installation: undefined,
    type: 'OrderSigned',
    eventId: undefined,
    key: undefined,
    subject: `phenixid task:${taskId}`,
    secret: 1,
    receivedAt: Date.now(),
    content: Buffer.from(`{"orderId":"${taskId}","eventType":"OrderSigned","taskId":"${taskId}"}`),
  };
}
