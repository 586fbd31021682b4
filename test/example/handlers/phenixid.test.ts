import { expect, it } from '@jest/globals';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { newReceiver } from '../../support/new-receiver.ts';

type EventType = keyof typeof phenixid.events;

/** What is kept of a task after these events came in this order. */
async function taskAfter(...types: EventType[]): Promise<unknown> {
  const { receiver, sender } = await newReceiver();
  for (const type of types) {
    await sender.fire(phenixid, type);
    await receiver.app.idle();
  }
  expect(await receiver.app.inbox.stats()).toMatchObject({ done: types.length, dead: 0 });
  return receiver.records.find('task', phenixid.events.OrderCreated.example.taskId);
}

it.each<[EventType, string]>([
  ['OrderCreated', 'PENDING'],
  ['OrderDocumentUpdated', 'PENDING'],
  ['OrderAccepted', 'ACCEPTED'],
  ['OrderSigned', 'PENDING'],
  ['OrderRejected', 'REJECTED'],
  ['OrderCanceled', 'CANCELED'],
  ['OrderExpired', 'EXPIRED'],
  ['OrderDueDateUpdated', 'PENDING'],
  ['OrderSignersUpdated', 'PENDING'],
  ['OrderDescriptionUpdated', 'PENDING'],
])('after %s alone assumes %s', async (type, state) =>
  expect(await taskAfter(type)).toEqual({ state, lastEvent: type }),
);

it('has a row above for every event of the catalogue', () =>
  expect(Object.keys(phenixid.events)).toHaveLength(10));

it('follows a task from its beginning to its end', async () => {
  const task = await taskAfter('OrderCreated', 'OrderSigned', 'OrderSigned', 'OrderAccepted');
  expect(task).toMatchObject({ state: 'ACCEPTED', lastEvent: 'OrderAccepted' });
});

it.each<[string, EventType, EventType]>([
  ['ACCEPTED', 'OrderAccepted', 'OrderCreated'],
  ['ACCEPTED', 'OrderAccepted', 'OrderSigned'],
  ['ACCEPTED', 'OrderAccepted', 'OrderDueDateUpdated'],
  ['ACCEPTED', 'OrderAccepted', 'OrderExpired'],
  ['REJECTED', 'OrderRejected', 'OrderSigned'],
  ['CANCELED', 'OrderCanceled', 'OrderDocumentUpdated'],
  ['EXPIRED', 'OrderExpired', 'OrderSigned'],
])('stays %s when after %s comes a late %s', async (state, end, late) =>
  expect(await taskAfter(end, late)).toEqual({ state, lastEvent: end }),
);

it('reopens an expired task when its due date is moved', async () => {
  const reopened = await taskAfter('OrderCreated', 'OrderExpired', 'OrderDueDateUpdated');
  expect(reopened).toMatchObject({ state: 'PENDING', lastEvent: 'OrderDueDateUpdated' });
});

it.each<[EventType, string]>([
  ['OrderAccepted', 'ACCEPTED'],
  ['OrderRejected', 'REJECTED'],
  ['OrderCanceled', 'CANCELED'],
])('believes %s of an expired task, even if its reopening comes late', async (end, state) =>
  expect(await taskAfter('OrderExpired', end, 'OrderDueDateUpdated')).toMatchObject({ state }),
);

it('keeps which installation a task is of', async () => {
  const secret = 'the-secret-of-the-installation-north';
  const { receiver, sender } = await newReceiver({ env: { PHENIXID_NORTH_SECRET: secret } });
  await sender.fire(phenixid, 'OrderSigned', { secret, switches: { key: 'north' } });
  await receiver.app.idle();
  expect(receiver.records.list('task')).toMatchObject([{ value: { installation: 'north' } }]);
});
