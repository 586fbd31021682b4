import type { NewEntry } from '../../../../src/kit/inbox/inbox.ts';

/** A delivery as the receiver hands it to the inbox. */
export function newEntry(members: Partial<NewEntry> = {}): NewEntry {
  return {
    source: 'acme',
    endpoint: '/acme/order.created',
    installation: undefined,
    type: 'order.created',
    eventId: undefined,
    key: undefined,
    subject: undefined,
    secret: 1,
    receivedAt: 1_700_000_000_000,
    content: Buffer.from('{"id":"ord_1"}'),
    ...members,
  };
}

/** Time that passes only when told to. */
export function createClock(start = 1_700_000_000_000) {
  let time = start;
  return {
    now: () => time,
    move(ms: number) {
      time += ms;
    },
  };
}
