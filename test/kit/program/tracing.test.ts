import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { loadTracing } from '../../../src/kit/tracing.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { registerSdk, unregisterSdk, type ToldSpan } from '../../support/opentelemetry.ts';

const before = await loadTracing();

it('tells no spans, and loads nothing, unless somebody has registered an SDK', () => {
  expect(before).toBeUndefined();
});

let spans: () => readonly ToldSpan[] = () => [];
beforeAll(() => {
  spans = registerSdk();
});
afterAll(unregisterSdk);

const THEIRS = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
const TRACEPARENT = `00-${THEIRS.traceId}-${THEIRS.spanId}-01`;

it('tells receive, store and handle as one trace of our own, and links the one that was sent', async () => {
  const { receiver, sender } = await newReceiver();
  const outgoing = await sender.request(phenixid, 'OrderCreated');
  const reply = await sender.send({
    ...outgoing,
    headers: { ...outgoing.headers, traceparent: TRACEPARENT },
  });
  await receiver.app.idle();
  const [entry] = await receiver.app.inbox.list({ limit: 1 });
  const mine = spans().filter(({ traceId }) => entry?.trace?.includes(traceId) === true);
  expect(mine.map(({ name, parent }) => [name, parent]).toSorted()).toEqual([
    ['handle', 'receive'],
    ['receive', undefined],
    ['store', 'receive'],
  ]);
  const receive = mine.find(({ name }) => name === 'receive');
  expect(receive?.links).toEqual([THEIRS]);
  expect(receive?.traceId).not.toBe(THEIRS.traceId);
  expect(receive?.attributes).toEqual({
    'advance.request': reply.headers['x-request-id'],
    'advance.source': 'phenixid',
    'advance.outcome': 'accepted',
    'http.route': '/phenixid',
  });
});

it('continues the trace in a handler that somebody waits for', async () => {
  const { receiver, sender } = await newReceiver();
  await sender.fire(hotdocs, 'InterviewLoadEvent');
  const [entry] = await receiver.app.inbox.list({ limit: 1 });
  const handled = spans().find(({ name, traceId }) => name === 'handle' && entry?.trace?.includes(traceId));
  expect(handled).toMatchObject({ parent: 'receive', attributes: { 'advance.event': 'InterviewLoadEvent' } });
});

it('begins a trace for a replay, with a link to that of the delivery', async () => {
  const { receiver, sender } = await newReceiver({
    handlers: { risr: { profile_updated: () => undefined } },
  });
  await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  const [entry] = await receiver.app.inbox.list({ limit: 1 });
  await receiver.app.inbox.replay(entry?.seq ?? 0);
  await receiver.app.idle();
  const again = spans().filter(
    ({ name, attributes }) => name === 'handle' && attributes['advance.attempt'] === 2,
  );
  expect(again).toHaveLength(1);
  expect(entry?.trace).not.toContain(again[0]?.traceId);
  expect(entry?.trace).toContain(again[0]?.links[0]?.traceId);
});

it('tells of what is refused its code, and of a handler that fails that it did', async () => {
  const failing = () => {
    throw new Error('not today');
  };
  const { receiver, sender } = await newReceiver({ handlers: { risr: { booking_updated: failing } } });
  await sender.fire(risr, 'booking_updated', { secret: 'x'.repeat(32) });
  await sender.fire(risr, 'booking_updated');
  await receiver.app.idle();
  const mine = spans().filter(({ attributes }) => attributes['http.route'] === '/risr/booking_updated');
  expect(mine.map(({ attributes }) => attributes['advance.outcome'])).toEqual(['proof_mismatch', 'accepted']);
  const handled = spans().filter(({ attributes }) => attributes['advance.event'] === 'booking_updated');
  expect(handled.map(({ failed }) => failed)).toEqual([true]);
});
