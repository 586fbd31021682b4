import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { replyJson } from '../../src/lab/mock/platforms/platform.ts';
import type { Ended } from '../support/command.ts';
import { newFolder } from '../support/fixtures.ts';
import { runHere } from '../support/in-one-process.ts';
import { startProducts, type Products } from '../support/products.ts';

interface Harness extends Products {
  readonly register: (...args: string[]) => Promise<Ended>;
}

/** The products with nothing registered, and the command with what it needs in its environment. */
async function start(env: Record<string, string> = {}): Promise<Harness> {
  const products = await startProducts({ registered: false });
  const environment = { ...products.env, ...env };
  const notes = ['--notes', join(newFolder(), 'registrations.json')];
  return Object.assign(products, {
    register: (...args: string[]) => runHere('register', [...args, ...notes], environment),
  });
}

const topics = (products: Products) => products.risr.registrations().map(({ topic }) => topic);

it('registers every open endpoint once, so that real events arrive with the right proof', async () => {
  const all = await start();
  const { url } = all.receiver();
  const first = await all.register('create', '--url', url);
  expect([first.code, first.err]).toEqual([0, '']);
  expect(first.out.match(/ {2}registered$/gm)).toHaveLength(5);
  expect(topics(all)).toHaveLength(5);
  const { calls } = await all.risr.login({ sso: { mail: ['asa.lind@example.org'] } });
  expect(calls.map(({ fired }) => fired.verdict.ok)).toEqual([true, true]);
  const again = await all.register('create', '--url', `${url}/`);
  expect([again.code, again.out.match(/was registered already$/gm)?.length]).toEqual([0, 5]);
  expect(topics(all)).toHaveLength(5);
});

it('lists, tests and removes', async () => {
  const all = await start();
  await all.register('create', '--url', all.receiver().url, 'profile_updated', 'booking_updated');
  const { out } = await all.register('list', 'profile_updated');
  expect(out).toMatch(/^profile_updated {2}http:\S+\/risr\/profile_updated {2}\S+ {2}1-\S+\n$/);
  expect((await all.register('test', 'profile_updated')).code).toBe(0);
  await all.settled();
  expect(await all.receiver().app.inbox.list({ limit: 9 })).toMatchObject([
    { type: 'profile_updated', status: 'done', note: expect.stringContaining('test') as unknown },
  ]);
  expect((await all.register('test', 'user_logged_in')).code).toBe(1);
  expect((await all.register('remove', 'booking_updated')).code).toBe(0);
  expect(topics(all)).toEqual(['profile_updated']);
  expect((await all.register('remove')).out).toMatch(/removed\n$/);
  expect(topics(all)).toEqual([]);
  expect((await all.register('remove')).out).toBe('Nothing of this receiver is registered.\n');
  expect((await all.register('list')).out).toBe('Nothing is registered.\n');
});

it('leaves registrations of others alone', async () => {
  const all = await start();
  await all.register('create', '--url', 'https://other.example.org', 'profile_updated');
  await all.register('create', '--url', all.receiver().url, 'profile_updated');
  await all.register('remove', '--url', all.receiver().url);
  expect(all.risr.registrations().map(({ url }) => url)).toEqual([
    'https://other.example.org/risr/profile_updated',
  ]);
});

it('registers nothing when it cannot learn what is registered', async () => {
  const all = await start();
  await all.register('create', '--url', all.receiver().url, 'profile_updated');
  all.disturb = (_, { method, path }) =>
    method === 'GET' && path.at(-1) === 'registrations' ? { reply: replyJson(403, {}) } : undefined;
  const refused = await all.register('create', '--url', all.receiver().url);
  expect([refused.code, refused.out]).toEqual([1, '']);
  expect(refused.err).toContain('403');
  expect(topics(all)).toEqual(['profile_updated']);
});

it('says in a sentence that the API answered something unexpected', async () => {
  const all = await start();
  all.disturb = (_, { method, path }) =>
    method === 'GET' && path.at(-1) === 'registrations'
      ? { reply: replyJson(200, 'maintenance') }
      : undefined;
  const { code, out, err } = await all.register('list');
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(/^.* is not as expected; 13 bytes came\..*\n$/);
});

it('shows nothing of what the API says that could steer the terminal', async () => {
  const all = await start();
  const id = 'one\u001b[31m\u009b1m\u001b]8;;http://x\u0007\r\b\u202e';
  const registration = { id, rev: '1-a', topic: 'profile_updated', url: `https://example.org/${id}` };
  all.disturb = (_, { method, path }) =>
    method === 'GET' && path.at(-1) === 'registrations'
      ? { reply: replyJson(200, [registration]) }
      : undefined;
  const listed = await all.register('list');
  expect(listed.out + listed.err).toContain('one\\u{1b}[31m\\u{9b}1m');
  expect(listed.out + listed.err).not.toMatch(/(?!\n)\p{C}/u);
});

it('goes by its own notes where the API has no list', async () => {
  const all = await start();
  await all.register('create', '--url', all.receiver().url, 'profile_updated');
  all.disturb = (_, { method, path }) =>
    method === 'GET' && path.at(-1) === 'registrations' ? { reply: replyJson(405, {}) } : undefined;
  const again = await all.register('create', '--url', all.receiver().url, 'profile_updated');
  expect(again.out).toMatch(/was registered already\n$/);
  expect((await all.register('remove')).out).toMatch(/removed\n$/);
  expect(topics(all)).toEqual([]);
  expect((await all.register('list')).out).toBe('Nothing is registered.\n');
});

it.each([
  [[], 2, 'Registers this receiver'],
  [['creat'], 2, 'create'],
  [['create'], 2, '--url'],
  [['create', '--url', 'http://receiver.example.org'], 2, 'https://'],
  [['create', '--url', 'https://receiver.example.org/?a=b'], 2, 'no query'],
  [['list', 'profile_update'], 2, 'profile_updated'],
  [['list', '--nonsense'], 2, 'nonsense'],
])('says what is wrong with %j', async (args, code, words) => {
  const ended = await (await start()).register(...args);
  expect([ended.code, ended.out]).toEqual([code, '']);
  expect(ended.err).toContain(words);
});

it('explains itself', async () =>
  expect(await runHere('register', ['--help'])).toMatchObject({ code: 0, err: '' }));

it.each([
  [
    {
      RISR_API_CLIENT_ID: '',
      RISR_API_CLIENT_SECRET: '',
      RISR_API_ORGANISATION: '',
      RISR_API_URL: '',
      RISR_API_DISCOVERY_URL: '',
      RISR_API_CALLS_PER_SECOND: '',
    },
    'RISR_API_CLIENT_ID',
  ],
  [{ RISR_API_CLIENT_SECRET: '' }, 'RISR_API_CLIENT_SECRET'],
  [{ RISR_API_CLIENT_SECRET: 'another password' }, '401'],
  [{ RISR_PROFILE_UPDATED_SECRET: '' }, 'no secret'],
])('says what is missing: %j', async (env, words) => {
  const all = await start(env);
  const ended = await all.register('create', '--url', all.receiver().url, 'profile_updated');
  expect([ended.code, ended.out]).toEqual([1, '']);
  expect(ended.err).toContain(words);
  expect(ended.err).not.toContain('another password');
});
