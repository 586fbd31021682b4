import { expect, it } from '@jest/globals';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { openTape } from '../../../src/kit/tape/open.ts';
import { newDatabase, run, useServer } from '../inbox/postgres/databases.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { exchange, post } from '../../support/raw.ts';

useServer();

it('is one tape that several receivers write, and commands look into and change', async () => {
  const env = { INBOX_URL: await newDatabase() };
  const receivers = [await newReceiver({ env }), await newReceiver({ env })];
  for (const { receiver, sender } of receivers) {
    await exchange(receiver.url, post('/risr/profile_updated', Buffer.from([0x00, 0xff])));
    await sender.fire(risr, 'profile_updated');
  }
  await Promise.all(receivers.map(({ receiver }) => receiver.stop()));
  const tape = await openTape(env.INBOX_URL, []);
  const all = await tape.list();
  expect(all).toMatchObject(
    [1, 2].map((number) => ({ number, outcome: 'proof_malformed', body: Buffer.from([0x00, 0xff]) })),
  );
  const [first] = all;
  if (first === undefined || 'unreadable' in first) throw new Error('It cannot be read.');
  await tape.accepted(first, 7);
  expect(await tape.read(1)).toEqual({ ...first, seq: 7 });
  await tape.forget([1]);
  expect(await tape.read(1)).toBeUndefined();
  expect(await tape.list()).toHaveLength(1);
  await tape.close();
});

it('keeps no more of a flood than its bounds, whoever wrote it', async () => {
  const url = await newDatabase();
  const { receiver } = await newReceiver({ env: { INBOX_URL: url } });
  await run(
    url,
    `INSERT INTO inbox.tape (endpoint, outcome, at, size, bytes)
     SELECT NULL, 'path_unknown', now(), 2, '{}' FROM generate_series(1, 500)`,
  );
  await exchange(receiver.url, post('/nowhere', ''));
  await receiver.stop();
  const rows = await run(url, 'SELECT min(number), max(number), count(*)::int FROM inbox.tape');
  expect(rows).toEqual([{ min: '1', max: '501', count: 50 }]);
});
