import { expect, it } from '@jest/globals';
import { replyJson } from '../../src/lab/mock/platforms/platform.ts';
import { startProducts, type Products } from '../support/products.ts';
import { until } from '../support/until.ts';

function start(env: Readonly<Record<string, string>> = {}): Promise<Products> {
  return startProducts({ env });
}

async function tasksOf({ phenixid, settled }: Products, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let made = 0; made < count; made += 1) ids.push((await phenixid.createTask()).task.id);
  await settled();
  return ids;
}

async function signByAll({ phenixid }: Products, id: string): Promise<void> {
  while (phenixid.task(id).state === 'PENDING') await phenixid.sign(id);
}

it('archives ten tasks that were signed while the receiver was down', async () => {
  const all = await start();
  const ids = await tasksOf(all, 10);
  await all.stopReceiver();
  for (const id of ids) await signByAll(all, id);
  expect(all.phenixid.delivered.filter(({ verdict }) => !verdict.ok)).toHaveLength(30);
  await all.startReceiver();
  await all.settled();
  expect(all.archived()).toHaveLength(10);
  for (const id of ids) {
    const [file] = all.phenixid.files(id);
    const kept = all.archived().find(({ key }) => key.startsWith(`phenixid/${id}/`));
    expect(kept?.body.toString('latin1')).toBe(file?.body.toString('latin1'));
    expect(all.receiver().records.find('task', id)).toEqual({ state: 'ACCEPTED' });
  }
});

it('asks again and again, and always with one and the same entry', async () => {
  const all = await start({ RECONCILE_EVERY_MS: '100' });
  const [id = ''] = await tasksOf(all, 1);
  const asked = () => all.calls.filter((call) => call === `GET phenixid/api/v2/tasks/${id}`).length;
  await until('it has asked some more times', () => asked() > 4);
  const entries = await all.receiver().app.inbox.list({ limit: 10 });
  expect(entries.map(({ type }) => type)).toEqual(['reconciliation', 'OrderCreated']);
  await signByAll(all, id);
  await all.settled();
  await all.phenixid.settled();
  const before = asked();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(asked()).toBe(before);
});

it('takes up what had become a dead letter when the API is back', async () => {
  const all = await start({ RECONCILE_EVERY_MS: '100', HANDLER_ATTEMPTS: '1' });
  let locked = true;
  all.disturb = (platform) => (locked && platform === 'phenixid' ? { reply: replyJson(403, {}) } : undefined);
  const [id = ''] = await tasksOf(all, 1);
  await signByAll(all, id);
  await until('the question is a dead letter', async () => {
    const dead = await all.receiver().app.inbox.list({ status: 'dead', type: 'reconciliation', limit: 1 });
    return dead.length === 1;
  });
  locked = false;
  await until('the signed file is archived', () => all.archived().length === 1);
});

it('leaves alone what has ended', async () => {
  const all = await start();
  const [rejected = '', canceled = '', expired = '', gone = ''] = await tasksOf(all, 4);
  await all.phenixid.reject(rejected);
  await all.phenixid.cancel(canceled);
  await all.phenixid.expire(expired);
  await all.settled();
  await all.stopReceiver();
  all.phenixid.deleteTask(gone);
  await all.startReceiver();
  await all.settled();
  const state = (id: string) => all.receiver().records.find('task', id)?.['state'];
  expect([rejected, canceled, expired, gone].map(state)).toEqual(['REJECTED', 'CANCELED', 'EXPIRED', 'GONE']);
  const before = all.calls.length;
  await all.stopReceiver();
  await all.startReceiver();
  await all.settled();
  expect(all.calls).toHaveLength(before);
});
