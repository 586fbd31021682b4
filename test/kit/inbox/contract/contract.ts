import { describe, expect, it } from '@jest/globals';
import type { Filter, Inbox } from '../../../../src/kit/inbox/inbox.ts';
import { itClears } from './clearing.ts';
import { itClaimsWhatItStores } from './duplicates.ts';
import { itFollowsUp } from './follow-ups.ts';
import { itKeepsKeys } from './kept-keys.ts';
import { createInboxUnderTest, type InboxUnderTest, type OpenForTest } from './inbox-under-test.ts';
import { itTriesAgain } from './leases.ts';
import { itKeepsOrder } from './order.ts';
import { itReplays } from './replaying.ts';
import { itHasRoom } from './room.ts';
import { itStores } from './storing.ts';

/** What every inbox promises, whatever it keeps its entries in. `open` opens an empty one for each case. */
export function itKeepsTheContract(name: string, open: (options: OpenForTest) => Promise<Inbox>) {
  describe(name, () => {
    const test = createInboxUnderTest(open);
    itStores(test);
    itClaimsWhatItStores(test);
    itKeepsOrder(test);
    itTriesAgain(test);
    itReplays(test);
    itShows(test);
    itFollowsUp(test);
    itClears(test);
    itKeepsKeys(test);
    itHasRoom(test);
  });
}

/** What can be asked of it. */
function itShows(test: InboxUnderTest) {
  it('lists newest first, by status, source and type, page by page', async () => {
    const dead = await test.deadEntry();
    const [second, third, fourth] = await test.storeAll({}, { source: 'initech' }, { type: 'order.shipped' });
    expect(test.seqsOf(await test.inbox.list({ limit: 10 }))).toEqual([fourth, third, second, dead.seq]);
    expect(test.seqsOf(await test.inbox.list({ limit: 2 }))).toEqual([fourth, third]);
    expect(test.seqsOf(await test.inbox.list({ limit: 2, before: third ?? 0 }))).toEqual([second, dead.seq]);
    expect(test.seqsOf(await test.inbox.list({ status: 'dead', limit: 10 }))).toEqual([dead.seq]);
    expect(test.seqsOf(await test.inbox.list({ status: 'waiting', source: 'initech', limit: 10 }))).toEqual([
      third,
    ]);
    expect(test.seqsOf(await test.inbox.list({ type: 'order.shipped', limit: 10 }))).toEqual([fourth]);
    expect(await test.inbox.list({ status: 'done', limit: 10 })).toEqual([]);
  });

  it('lists entries without what they say, for whoever looks at many', async () => {
    const [seq] = await test.storeAll({ content: Buffer.from('{"id":1}'), eventId: 'evt-1' });
    const whole = await test.inbox.find(seq ?? 0);
    expect(await test.inbox.list({ limit: 1, bare: true })).toEqual([{ ...whole, content: Buffer.alloc(0) }]);
    expect(await test.inbox.list({ status: 'waiting', limit: 1, bare: true })).toMatchObject([{ seq }]);
    expect(await test.inbox.list({ limit: 1 })).toEqual([whole]);
  });

  it('finds entries by the id that the sender uses, by their subject and by when they came', async () => {
    const [byId, bySubject, ofNorth, late] = await test.storeAll(
      { eventId: 'evt-7' },
      { source: 'initech', subject: 'initech task:7%_' },
      { source: 'initech', subject: 'initech?key=north task:8', installation: 'north' },
      { receivedAt: 1_800_000_000_000 },
    );
    const found = async (filter: Omit<Filter, 'limit'>) =>
      test.seqsOf(await test.inbox.list({ limit: 10, ...filter }));
    expect(await found({ about: 'evt-7' })).toEqual([byId]);
    expect(await found({ about: '7%_' })).toEqual([bySubject]);
    const [byRequest] = await test.storeAll({ request: '0a1b2c3d4e5f-1', trace: '00-ab-cd-01' });
    expect(await found({ about: '0a1b2c3d4e5f-1' })).toEqual([byRequest]);
    expect(await test.inbox.find(byRequest ?? 0)).toMatchObject({
      request: '0a1b2c3d4e5f-1',
      trace: '00-ab-cd-01',
    });
    expect(await found({ about: '%' })).toEqual([]);
    expect(await found({ subject: 'task:7%_', status: 'waiting' })).toEqual([bySubject]);
    expect(await found({ subject: 'initech task:7%_' })).toEqual([bySubject]);
    expect(await found({ subject: 'task:7' })).toEqual([]);
    expect(await found({ subject: 'task:8' })).toEqual([ofNorth]);
    expect(await found({ since: 1_800_000_000_000 })).toEqual([late]);
    expect(await found({ since: 1_800_000_000_001 })).toEqual([]);
  });

  it('calls back when an entry becomes claimable', async () => {
    const called = new Promise<void>((resolve) => test.inbox.onReady(resolve));
    await test.storeAll({});
    await called;
    expect(await test.claim()).toHaveLength(1);
  });

  it('does nothing when nothing is asked', async () => {
    expect(await test.claim()).toEqual([]);
    expect(await test.inbox.nextDue()).toBeUndefined();
    expect(await test.inbox.list({ limit: 5 })).toEqual([]);
  });
}
