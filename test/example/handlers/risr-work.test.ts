import { expect, it } from '@jest/globals';
import { replyJson } from '../../../src/lab/mock/platforms/platform.ts';
import { startProducts, type Products } from '../../support/products.ts';
import { until } from '../../support/until.ts';

const sso = {
  eppn: ['alind@college.example.org'],
  mail: ['asa.lind@example.org'],
  givenName: ['Åsa'],
  sn: ['Lind'],
};
const NUMBER = [{ _id: 'uf-college-no', value: 'A-20931' }];

function writes({ calls }: Products): string[] {
  return calls.filter((call) => call.startsWith('PUT risr/v2/users/'));
}

it('fills a profile in while the user waits, and does not answer its own write', async () => {
  const all = await startProducts();
  const { user, firstAccess, calls } = await all.risr.login({ sso });
  expect([firstAccess, calls.every(({ fired }) => fired.verdict.ok)]).toEqual([true, true]);
  // It is there before the first page loads.
  expect(all.risr.user(user).userFields).toEqual(NUMBER);
  await all.settled();
  expect(writes(all)).toHaveLength(1);
  expect(all.risr.called.map(({ topic }) => topic).sort()).toEqual([
    'profile_updated',
    'user_logged_in',
    'user_registered',
  ]);
  await all.risr.login({ sso });
  await all.settled();
  expect(writes(all)).toHaveLength(1);
  expect(all.receiver().records.find('profile', `profile_org_demo_${user}`)).toMatchObject({
    userFields: NUMBER,
  });
});

it('lets the user in when the API is down, and fills the profile in when it is back', async () => {
  const all = await startProducts({ env: { RISR_DEADLINE_MS: '100' } });
  let down = true;
  all.disturb = () => (down ? { reply: replyJson(403, {}) } : undefined);
  const { user, calls } = await all.risr.login({ sso });
  expect(calls.every(({ fired }) => fired.verdict.ok)).toBe(true);
  expect(all.risr.user(user).userFields).toEqual([]);
  down = false;
  await until('the profile is filled in', () => all.risr.user(user).userFields.length === 1);
  await all.settled();
  expect(writes(all).length).toBeLessThanOrEqual(1);
});

it('lets the user in when the API is slow, and goes on without him', async () => {
  const all = await startProducts({ env: { RISR_DEADLINE_MS: '100' } });
  let slow = true;
  all.disturb = () => (slow ? { delayMs: 400 } : undefined);
  const { user, blockedMs } = await all.risr.login({ sso });
  expect(blockedMs).toBeLessThan(390);
  slow = false;
  await until('the profile is filled in', () => all.risr.user(user).userFields.length === 1);
});

it('writes to nobody who is not who logged in', async () => {
  const other = { id: 'usr-1', email: 'somebody@example.org', credentials: [], userFields: [], roles: [] };
  const all = await startProducts({ users: [other] });
  await all.risr.login({ sso, user: 'usr-1' });
  await all.settled();
  expect(all.risr.user('usr-1').userFields).toEqual([]);
  expect(writes(all)).toEqual([]);
  const [dead] = await all.receiver().app.inbox.list({ status: 'dead', limit: 1 });
  expect(dead?.note).toContain('nothing was written');
  expect(all.receiver().records.find('person', 'asa.lind@example.org')).not.toHaveProperty('risrUser');
});

it('knows a user by the user name as well', async () => {
  const credentials = [{ type: 'proxy', userName: 'ALind@college.example.org' }];
  const all = await startProducts({ users: [{ id: 'usr-1', email: 'old@example.org', credentials }] });
  await all.risr.login({ sso, user: 'usr-1' });
  await all.settled();
  expect(all.risr.user('usr-1').userFields).toEqual(NUMBER);
});

it('puts back what an editor took out, and leaves all else as he wrote it', async () => {
  const all = await startProducts();
  const { user } = await all.risr.login({ sso });
  await all.settled();
  const grade = { _id: 'uf-grade', value: 'ST3' };
  await all.risr.saveProfile(user, { firstName: 'Asa', userFields: [grade] });
  await all.settled();
  expect(all.risr.user(user)).toMatchObject({ firstName: 'Asa', userFields: [grade, ...NUMBER] });
  expect(writes(all)).toHaveLength(2);
  await all.risr.saveProfile(user, { lastName: 'Lindqvist' });
  await all.settled();
  expect(writes(all)).toHaveLength(2);
});

it('keeps a booking at its highest revision, and each of its transitions', async () => {
  const all = await startProducts();
  const { user } = await all.risr.login({ sso });
  const { document } = await all.risr.makeBooking({ user });
  await all.settled();
  const kept = () => all.receiver().records.find('booking', document.id);
  expect(kept()).toMatchObject({ state: document.state });
  const { document: confirmed } = await all.risr.transition(document.id, 'Confirm');
  await all.settled();
  expect(kept()).toMatchObject({ rev: confirmed.rev, state: { name: 'CONFIRMED' } });
  await all.risr.changeBooking(document.id);
  await all.settled();
  expect(kept()).toMatchObject({ rev: all.risr.booking(document.id).rev, state: { name: 'CONFIRMED' } });
  expect(all.receiver().records.list('transition')).toMatchObject([
    {
      id: `${document.id} ${confirmed.rev}`,
      value: { booking: document.id, name: 'Confirm', state: 'CONFIRMED' },
    },
  ]);
});
