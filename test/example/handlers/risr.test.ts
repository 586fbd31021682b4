import { expect, it } from '@jest/globals';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import type { TestReceiver } from '../../support/receiver.ts';

interface Harness {
  readonly receiver: TestReceiver;
  /** Sends an event, waits until its handler is done, and returns what that said. */
  readonly fire: (type: keyof typeof risr.events, payload?: object) => Promise<string | undefined>;
}

async function start(): Promise<Harness> {
  const { receiver, sender } = await newReceiver();
  return {
    receiver,
    async fire(type, payload) {
      const { status } = await sender.fire(risr, type, payload === undefined ? {} : { payload });
      expect(status).toBe(200);
      await receiver.app.idle();
      const [entry] = await receiver.app.inbox.list({ limit: 1 });
      expect(entry?.status).toBe('done');
      return entry?.note;
    },
  };
}

const profile = risr.events.profile_updated.example;
const booking = risr.events.booking_updated.example;

it.each(['user_registered', 'user_logged_in'] as const)(
  '%s ties the user to the person we know',
  async (type) => {
    const { fire, receiver } = await start();
    expect(await fire(type)).toBe('known person, tied to the user');
    expect(receiver.records.find('person', 'asa.lind@example.org')).toEqual({
      collegeNumber: 'A-20931',
      risrUser: 'usr-4471',
    });
  },
);

it('finds the person whatever the case of the address, and among several addresses takes the first', async () => {
  const { fire, receiver } = await start();
  await fire('user_logged_in', {
    user: 'usr-1',
    sso: { mail: ['Asa.Lind@Example.org', 'other@example.org'] },
  });
  expect(receiver.records.find('person', 'asa.lind@example.org')).toMatchObject({ risrUser: 'usr-1' });
});

it.each([{}, { mail: ['nobody@example.org'] }, { eppn: ['asa.lind@example.org'] }])(
  'lets a user in of whom nothing is known: %j',
  async (sso) => {
    const { fire, receiver } = await start();
    const before = receiver.records.list('person');
    expect(await fire('user_logged_in', { user: 'usr-4471', sso })).toBe('nobody we know');
    expect(receiver.records.list('person')).toEqual(before);
  },
);

it('logs in as often as a user likes, with one effect', async () => {
  const { fire, receiver } = await start();
  await fire('user_registered');
  const once = receiver.records.list('person');
  await fire('user_logged_in');
  await fire('user_logged_in');
  expect(receiver.records.list('person')).toEqual(once);
});

it('keeps the newest revision of a profile, in whatever order they come', async () => {
  const { fire, receiver } = await start();
  const kept = () => receiver.records.find('profile', profile.id);
  expect(await fire('profile_updated', { ...profile, rev: '9-a', firstName: 'Åsa' })).toBe(
    'profile at revision 9',
  );
  expect(await fire('profile_updated', { ...profile, rev: '10-b', firstName: 'Asa' })).toBe(
    'profile at revision 10',
  );
  expect(await fire('profile_updated', { ...profile, rev: '9-a', firstName: 'Åsa' })).toBe(
    'profile is newer than revision 9 already',
  );
  expect(kept()).toMatchObject({ rev: '10-b', firstName: 'Asa' });
});

it('keeps all of a profile, also what it does not know', async () => {
  const { fire, receiver } = await start();
  await fire('profile_updated', { ...profile, shoeSize: 43 });
  expect(receiver.records.find('profile', profile.id)).toEqual({ ...profile, shoeSize: 43 });
});

it('does not let an older save undo a transition', async () => {
  const { fire, receiver } = await start();
  expect(await fire('booking_state_changed')).toBe('booking at revision 5, Confirm to CONFIRMED');
  expect(await fire('booking_updated')).toBe('booking is newer than revision 4 already');
  expect(receiver.records.find('booking', booking.id)).toMatchObject({
    rev: risr.events.booking_state_changed.example.rev,
    state: { name: 'CONFIRMED' },
  });
});

it('takes a transition that has no name', async () => {
  const { fire } = await start();
  const { example } = risr.events.booking_state_changed;
  expect(await fire('booking_state_changed', { ...example, transition: undefined })).toBe(
    'booking at revision 5, transition to CONFIRMED',
  );
});

it('keeps bookings and profiles of one id apart', async () => {
  const { fire, receiver } = await start();
  await fire('profile_updated', { ...profile, id: 'same', rev: '9-a' });
  await fire('booking_updated', { ...booking, id: 'same', rev: '1-a' });
  expect(receiver.records.find('profile', 'same')).toMatchObject({ rev: '9-a' });
  expect(receiver.records.find('booking', 'same')).toMatchObject({ rev: '1-a' });
});
