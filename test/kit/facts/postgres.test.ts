import { expect, it } from '@jest/globals';
import { readFacts } from '../../../src/kit/facts/open.ts';
import { CAME, DELIVERIES } from '../../../src/kit/facts/store.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { until } from '../../support/until.ts';
import { newDatabase, run, useServer } from '../inbox/postgres/databases.ts';
import { findingOf } from './observing.ts';

useServer();

const EACH = 40;

it('adds up what several receivers on one database have seen', async () => {
  const url = await newDatabase();
  const receivers = [
    await newReceiver({ env: { INBOX_URL: url } }),
    await newReceiver({ env: { INBOX_URL: url } }),
  ];
  const began = Date.now();
  const came = async () =>
    (await readFacts(url)).find(({ fact, variant }) => fact === DELIVERIES && variant === CAME)?.count;
  for (const [index, { sender }] of receivers.entries()) {
    const switches = { order: index === 0 ? 'vendor' : 'task-first' };
    for (let sent = 0; sent < EACH; sent += 1) await sender.fire(phenixid, 'OrderSigned', { switches });
  }
  await until('all is written', async () => (await came()) === 2 * EACH);
  const finding = findingOf(phenixid, await readFacts(url), 'PX-13b');
  expect(finding).toMatchObject({ state: 'differs', seen: [{ count: EACH }, { count: EACH }] });
  for (const { first, last } of finding?.seen ?? []) {
    expect(first).toBeGreaterThanOrEqual(began - 1);
    expect(last).toBeGreaterThanOrEqual(first);
    expect(last).toBeLessThanOrEqual(Date.now() + 1);
  }
  const third = await newReceiver({ env: { INBOX_URL: url } });
  expect(third.receiver.app.differing).toBe(1);
});

it('takes deliveries all the same where the table cannot be read', async () => {
  const url = await newDatabase();
  await (await newReceiver({ env: { INBOX_URL: url } })).receiver.stop();
  await run(url, 'ALTER TABLE inbox.fact RENAME COLUMN variant TO other');
  const { receiver, sender } = await newReceiver({ env: { INBOX_URL: url } });
  expect((await sender.fire(phenixid, 'OrderSigned')).status).toBe(200);
  expect(receiver.log).toContainEqual(
    expect.objectContaining({ why: expect.stringContaining('not counted until the next start') }),
  );
});
