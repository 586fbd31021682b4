import { expect, it } from '@jest/globals';
import { createMemoryInbox } from '../../../../src/kit/inbox/memory/inbox.ts';
import { itKeepsTheContract } from '../contract/contract.ts';
import { newEntry } from '../contract/entries.ts';

itKeepsTheContract('the memory inbox', async (options) => createMemoryInbox(options));

it('forgets the oldest finished entries together with their keys, but never waiting ones', async () => {
  const inbox = createMemoryInbox({ maxWaiting: 100, keepFinished: 2 });
  await inbox.store(newEntry({ key: 'waits' }));
  for (const key of ['a', 'b', 'c']) {
    const { entry } = await inbox.store(newEntry({ key }), { claimForMs: 1_000 });
    await inbox.done(entry);
  }

  expect(await inbox.stats()).toMatchObject({ waiting: 1, done: 2 });
  expect(await inbox.store(newEntry({ key: 'a' }))).toMatchObject({ duplicate: false });
  expect(await inbox.store(newEntry({ key: 'c' }))).toMatchObject({ duplicate: true });
  expect(await inbox.store(newEntry({ key: 'waits' }))).toMatchObject({ duplicate: true });
});

it('does not forget a replayed entry while it waits or after it is done again', async () => {
  const inbox = createMemoryInbox({ maxWaiting: 100, keepFinished: 2 });
  const finishOne = async () => {
    const [entry] = await inbox.claim({ limit: 1, leaseMs: 1_000 });
    if (entry) await inbox.done(entry);
  };
  const { entry } = await inbox.store(newEntry({ key: 'a' }));
  await finishOne();
  await inbox.store(newEntry({ key: 'b' }));
  await finishOne();
  await inbox.replay(entry.seq);
  await finishOne();

  expect(await inbox.find(entry.seq)).toMatchObject({ status: 'done' });
  expect(await inbox.store(newEntry({ key: 'a' }))).toMatchObject({ duplicate: true });
});

it('forgets what was done first, first, also when it has forgotten some by itself before', async () => {
  const inbox = createMemoryInbox({ maxWaiting: 100, keepFinished: 3, now: () => 1_000 });
  for (const key of ['a', 'b', 'c', 'd', 'e']) {
    const { entry } = await inbox.store(newEntry({ key }), { claimForMs: 1_000 });
    await inbox.done(entry);
  }
  expect(await inbox.prune({ finishedBefore: 2_000, limit: 2 })).toBe(2);
  const left = await inbox.list({ limit: 10 });
  expect(left.map(({ key }) => key)).toEqual(['e']);
});
