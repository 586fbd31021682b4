import { hash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { replyJson } from '../../../src/lab/mock/platforms/platform.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { startProducts, type Products } from '../../support/products.ts';
import { until } from '../../support/until.ts';

function stateOf({ receiver }: Products, id: string): unknown {
  return receiver().records.find('task', id)?.['state'];
}

/** An event about a task, whatever has become of it. */
async function tell({ receiver, settled }: Products, type: string, taskId: string): Promise<void> {
  await receiver().sender.fire(phenixid, type, { payload: { taskId } });
  await settled();
}

it.each(['v2', 'v1'])('stores the signed file of an accepted task, once, through API %s', async (version) => {
  const all = await startProducts({ env: { PHENIXID_API_VERSION: version } });
  const { id } = (await all.phenixid.createTask()).task;
  await all.phenixid.sign(id);
  await all.settled();
  expect([stateOf(all, id), all.archived()]).toEqual(['PENDING', []]);
  await all.phenixid.sign(id);
  await all.settled();
  expect(stateOf(all, id)).toBe('ACCEPTED');
  const [file] = all.phenixid.files(id);
  const body = file?.body ?? Buffer.of();
  expect(body.toString('latin1').match(/% Signed by/g)).toHaveLength(2);
  expect(all.archived()).toMatchObject([{ sha256: hash('sha256', body), bytes: body.length }]);
  await tell(all, 'OrderAccepted', id);
  const downloads = all.calls.filter((call) => call.includes('/files/') || call.endsWith('/document'));
  expect(downloads).toHaveLength(1);
});

it('believes the API and not the name of the event', async () => {
  const all = await startProducts();
  const { id } = (await all.phenixid.createTask()).task;
  await tell(all, 'OrderAccepted', id);
  expect([stateOf(all, id), all.archived()]).toEqual(['PENDING', []]);
  await all.phenixid.reject(id);
  await tell(all, 'OrderSigned', id);
  expect(stateOf(all, id)).toBe('REJECTED');
});

it('does not go back, should the API show an older state or none', async () => {
  const all = await startProducts();
  const { id } = (await all.phenixid.createTask()).task;
  await all.phenixid.sign(id);
  await all.phenixid.sign(id);
  await all.settled();
  all.disturb = (_, { path }) =>
    path.at(-1) === id ? { reply: replyJson(200, { id, state: 'PENDING' }) } : undefined;
  await tell(all, 'OrderSigned', id);
  expect(stateOf(all, id)).toBe('ACCEPTED');
  all.disturb = () => undefined;
  all.phenixid.deleteTask(id);
  await tell(all, 'OrderSigned', id);
  expect(stateOf(all, id)).toBe('ACCEPTED');
  expect(all.archived()).toHaveLength(1);
});

it('follows an expired task that is reopened to its end', async () => {
  const all = await startProducts();
  const { id } = (await all.phenixid.createTask()).task;
  await all.phenixid.expire(id);
  await all.settled();
  expect(stateOf(all, id)).toBe('EXPIRED');
  await all.phenixid.updateTask(id, { dueDate: '2099-01-01T12:00:00' });
  await all.settled();
  expect(stateOf(all, id)).toBe('PENDING');
  await all.phenixid.sign(id);
  await all.phenixid.sign(id);
  await all.settled();
  expect(stateOf(all, id)).toBe('ACCEPTED');
  expect(all.archived()).toHaveLength(1);
});

it('waits for a task that the API does not show yet, and takes it for gone only then', async () => {
  const all = await startProducts();
  all.phenixid.choose({ apiLagMs: '30' });
  const { id } = (await all.phenixid.createTask()).task;
  await all.settled();
  expect(stateOf(all, id)).toBe('PENDING');
  const unknown = '00000000-0000-4000-8000-000000000000';
  await tell(all, 'OrderAccepted', unknown);
  expect(stateOf(all, unknown)).toBe('GONE');
});

it.each([401, 403])('keeps an event queued, and says so, while the proxy answers %i', async (status) => {
  const all = await startProducts();
  const { id } = (await all.phenixid.createTask()).task;
  await all.settled();
  let locked = true;
  all.disturb = () => (locked ? { reply: replyJson(status, {}) } : undefined);
  await all.phenixid.cancel(id);
  await all.settled();
  expect(await all.receiver().app.inbox.list({ limit: 1 })).toMatchObject([
    { status: 'waiting', attempts: 1 },
  ]);
  expect(all.receiver().log.at(-1)).toMatchObject({ level: 'warn', outcome: 'retry' });
  expect(String(all.receiver().log.at(-1)?.['why'])).toContain(String(status));
  locked = false;
  await until('the task is canceled', () => stateOf(all, id) === 'CANCELED');
});

it.each([
  ['cannot be fetched', replyJson(400, {})],
  ['is not listed yet', replyJson(200, [])],
])('does not take a task for finished whose file %s', async (_what, reply) => {
  const all = await startProducts();
  all.disturb = (_, { path }) => (path.includes('files') ? { reply } : undefined);
  const { id } = (await all.phenixid.createTask()).task;
  await all.phenixid.sign(id);
  await all.phenixid.sign(id);
  await all.settled();
  expect([stateOf(all, id), all.archived()]).toEqual(['PENDING', []]);
  all.disturb = () => undefined;
  await until('it is archived', () => all.archived().length === 1 && stateOf(all, id) === 'ACCEPTED');
});
