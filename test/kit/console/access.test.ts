import { once } from 'node:events';
import { get, request, type IncomingMessage } from 'node:http';
import { expect, it } from '@jest/globals';
import { example } from '../../../src/example/index.ts';
import { createLog } from '../../../src/kit/log.ts';
import { readConfig } from '../../../src/kit/program/config.ts';
import { start } from '../../../src/kit/program/start.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { later, newInboxUrl } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { secretsFor } from '../../support/receiver.ts';
import { until } from '../../support/until.ts';
import { ask, guarded, logIn, passes, type Asking } from './ask.ts';

async function open(env: Readonly<Record<string, string>> = {}) {
  const { receiver, sender } = await newReceiver({ env: { ...guarded, INBOX_URL: newInboxUrl(), ...env } });
  const console = receiver.app.adminUrl ?? '';
  return { receiver, sender, console, host: new URL(console).host };
}

/** The same as on a developer's machine. */
async function openInDevelopment(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const all = {
    ...secretsFor(example.sources),
    ...{ PORT: '0', ADMIN_PORT: '0', INBOX_URL: 'memory:', RECORDS_FILE: ':memory:', ...env },
  };
  const app = await start(example, readConfig(all, example), createLog('silent'), {
    development: { pages: [] },
  });
  later(() => app.stop());
  return app.adminUrl ?? '';
}

it('sends whoever has not logged in to where one does, and shows him nothing', async () => {
  const { console, sender } = await open();
  await sender.fire(risr, 'profile_updated');
  for (const path of ['/', '/state', '/deliveries/1', '/refused/1', '/nothing'])
    expect(await ask(console, path)).toMatchObject({
      status: 303,
      headers: { location: '/login' },
      body: '',
    });
  expect(await ask(console, '/stream')).toMatchObject({ status: 403 });
  for (const path of ['/deliveries/1/replay', '/deliveries/1/reveal', '/state/replay', '/logout'])
    expect(await ask(console, path, { form: {} })).toMatchObject({ status: 403 });
  expect((await ask(console, '/login')).body).not.toContain('profile_updated');
});

it('lets the holder of a token in, by a cookie that no script and no other page can use', async () => {
  const { console, receiver } = await open();
  const { status, headers } = await ask(console, '/login', { form: { token: ` ${passes.act}\n` } });
  expect([status, headers.location]).toEqual([303, '/']);
  expect(headers['set-cookie']).toEqual([
    expect.stringMatching(
      /^advance_console_\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=28800$/,
    ),
  ]);
  expect((await ask(console, '/', { headers: await logIn(console, passes.act) })).body).toContain(
    'ada, may act',
  );
  expect((await ask(console, '/', { headers: await logIn(console, passes.look) })).body).toContain(
    'ben, may look',
  );
  expect(receiver.log).toContainEqual(
    expect.objectContaining({ outcome: 'console', who: 'ben', why: 'logged in' }),
  );
});

it('keeps the cookie for encrypted connections where one comes by them', async () => {
  const { console } = await open({ CONSOLE_HOSTS: 'ops.example.org' });
  const headers = { Host: 'ops.example.org', Origin: 'https://ops.example.org' };
  const { headers: got } = await ask(console, '/login', { form: { token: passes.act }, headers });
  expect(got['set-cookie']?.[0]).toMatch(/; Secure$/);
});

it('lets nobody in with a wrong token, and writes down that somebody tried', async () => {
  const { console, receiver } = await open();
  for (const token of [
    '',
    'a-token-of-ada-long-enougH',
    `ada:${passes.act}`,
    '__proto__',
    'x'.repeat(4_000),
  ]) {
    const { status, headers } = await ask(console, '/login', { form: { token } });
    expect([status, headers['set-cookie']]).toEqual([403, undefined]);
  }
  expect(receiver.log.filter(({ outcome }) => outcome === 'console')).toHaveLength(5);
  expect(JSON.stringify(receiver.log)).not.toContain('a-token-of');
});

it('takes nothing large from somebody who has not logged in', async () => {
  const { console } = await open();
  expect(await ask(console, '/login', { form: { token: 'x'.repeat(5_000) } })).toMatchObject({ status: 403 });
});

it.each(['', 'guessed', '__proto__', 'x; other=1'])('does not know the cookie %s', async (value) => {
  const { console, host } = await open();
  const Cookie = `advance_console_${host.split(':')[1] ?? ''}=${value}`;
  expect(await ask(console, '/', { headers: { Cookie } })).toMatchObject({ status: 303 });
});

it('forgets a session with its log-out', async () => {
  const { console } = await open();
  const headers = await logIn(console, passes.act);
  expect(await ask(console, '/logout', { headers })).toMatchObject({ status: 404 });
  expect(await ask(console, '/', { headers })).toMatchObject({ status: 200 });
  expect(await ask(console, '/logout', { form: {}, headers })).toMatchObject({ status: 303 });
  expect(await ask(console, '/', { headers })).toMatchObject({
    status: 303,
    headers: { location: '/login' },
  });
});

it.each<[string, Asking['headers'], string]>([
  ['by a name of its own that leads here', { Host: 'evil.example' }, 'CONSOLE_HOSTS'],
  ['by such a name with our port', { Host: 'evil.example:3001' }, 'CONSOLE_HOSTS'],
  ['by a name that begins like ours', { Host: 'localhost.evil.example' }, 'CONSOLE_HOSTS'],
  ['by an address of another machine', { Host: '192.0.2.1' }, 'CONSOLE_HOSTS'],
  ['in the background', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'empty' }, 'Another page'],
  ['as a frame', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'iframe' }, 'Another page'],
  [
    'from another port of this machine',
    { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Dest': 'empty' },
    'Another page',
  ],
  ['with its origin', { Origin: 'https://evil.example' }, 'Another page'],
])('refuses to be read by another page, %s', async (_how, headers, why) => {
  const { console } = await open();
  const cookie = await logIn(console, passes.act);
  const { status, body } = await ask(console, '/', { headers: { ...cookie, ...headers } });
  expect([status, body]).toEqual([403, expect.stringContaining(why)]);
  const inDevelopment = await openInDevelopment();
  expect(await ask(inDevelopment, '/', { headers: headers ?? {} })).toMatchObject({ status: 403 });
});

it.each<[string, Asking['headers']]>([
  ['of another origin', { Origin: 'https://evil.example' }],
  ['of another port', { Origin: 'http://127.0.0.1:1' }],
  ['of nowhere', { Origin: 'null' }],
  ['that is none', { Origin: 'nonsense' }],
  ['that a browser would have named', { Origin: '' }],
  ['whose name leads here', { Host: 'evil.example', Origin: 'http://evil.example' }],
  [
    'navigating here',
    { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'document' },
  ],
])('does nothing for a page %s', async (_which, headers) => {
  const { console, receiver, sender } = await open();
  await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  const cookie = await logIn(console, passes.act);
  const posted = { form: { reason: 'no' }, headers: { ...cookie, ...headers } };
  for (const verb of ['replay', 'discard', 'reveal'])
    expect(await ask(console, `/deliveries/1/${verb}`, posted)).toMatchObject({ status: 403 });
  expect(await receiver.app.inbox.find(1)).toMatchObject({ status: 'done', attempts: 1 });
  const inDevelopment = await openInDevelopment();
  expect(await ask(inDevelopment, '/state/replay', { form: {}, headers: headers ?? {} })).toMatchObject({
    status: 403,
  });
});

it('lets a link from elsewhere lead here, and a form of its own act', async () => {
  const { console, receiver, sender } = await open();
  await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  const cookie = await logIn(console, passes.act);
  const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'document' };
  expect(await ask(console, '/', { headers: { ...cookie, ...link } })).toMatchObject({ status: 200 });
  expect(await ask(console, '/deliveries/1/replay', { form: {}, headers: cookie })).toMatchObject({
    status: 303,
  });
  await until('it ran once more', async () => (await receiver.app.inbox.find(1))?.claims === 2);
});

it.each(['//', '/%', '/deliveries/%zz', '/refused/%00', 'http://[', '/?text=%ff', `/${'x'.repeat(4_000)}`])(
  'answers %s as anything else that is not there',
  async (path) => {
    const { console, receiver } = await open();
    const headers = await logIn(console, passes.act);
    const asking = request(console, { path, headers, agent: false }).end();
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    expect([200, 303, 404]).toContain(response.resume().statusCode);
    expect(receiver.log.filter(({ outcome }) => outcome === 'trouble')).toEqual([]);
  },
);

it('lets nobody in any more whose token was taken away, nor his session go on', async () => {
  const { console, receiver } = await open();
  const headers = await logIn(console, passes.act);
  const stream = get(`${console}/stream`, { headers, agent: false });
  const [response] = (await once(stream, 'response')) as [IncomingMessage];
  response.resume();
  const other = 'another-token-of-ada-as-long';
  const { general } = receiver.config;
  await receiver.app.renew({ ...receiver.config, general: { ...general, CONSOLE_TOKEN: `ada:${other}` } });
  expect(await ask(console, '/', { headers })).toMatchObject({ status: 303 });
  expect(await ask(console, '/login', { form: { token: passes.act } })).toMatchObject({ status: 403 });
  expect(await ask(console, '/login', { form: { token: other } })).toMatchObject({ status: 303 });
  await until('his list is closed', () => response.closed);
});

it('tells nothing more to a list whose visitor has logged out', async () => {
  const { console } = await open();
  const headers = await logIn(console, passes.look);
  const stream = get(`${console}/stream`, { headers, agent: false });
  const [response] = (await once(stream, 'response')) as [IncomingMessage];
  response.resume();
  await ask(console, '/logout', { form: {}, headers });
  await until('it is closed', () => response.closed);
});

it('is held up by no form, however many fields it has', async () => {
  const { console } = await open();
  for (const token of [passes.look, passes.act]) {
    const headers = { ...(await logIn(console, token)), Origin: console };
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const asking = request(`${console}/state/replay`, {
      method: 'POST',
      headers: { ...headers, ...type },
      agent: false,
    });
    const answered = once(asking, 'response');
    asking.on('error', () => undefined).end('a&'.repeat(2_000));
    const [response] = (await answered) as [IncomingMessage];
    expect(response.resume().statusCode).toBe(403);
  }
});

it('writes nothing about whoever breaks off', async () => {
  const { console, receiver } = await open();
  const headers = {
    Origin: console,
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': '100',
  };
  const asking = request(`${console}/login`, { method: 'POST', headers, agent: false });
  asking.on('error', () => undefined).write('token=');
  await once(asking, 'socket');
  await once(asking.socket ?? asking, 'connect');
  await ask(console, '/login');
  asking.destroy();
  await ask(console, '/login');
  await ask(console, '/login');
  expect(receiver.log.filter(({ outcome }) => outcome === 'trouble')).toEqual([]);
});

it('takes forms only', async () => {
  const { console } = await open();
  const headers = { ...(await logIn(console, passes.act)), Origin: console };
  for (const type of ['text/plain', 'multipart/form-data', 'application/json', ''])
    expect(
      await ask(console, '/state/replay', { method: 'POST', headers: { ...headers, 'Content-Type': type } }),
    ).toMatchObject({
      status: 403,
    });
  for (const method of ['PUT', 'DELETE', 'OPTIONS'])
    expect(await ask(console, '/', { method, headers })).toMatchObject({ status: 405 });
});

it('lets him who may look see, and do nothing', async () => {
  const { console, receiver, sender } = await open();
  await sender.fire(risr, 'profile_updated');
  await sender.fire(phenixid, 'OrderSigned', { secret: 'another secret, of the same length' });
  await receiver.app.idle();
  const headers = await logIn(console, passes.look);
  const page = await ask(console, '/deliveries/1', { headers });
  expect(page.body).toContain('The way it took');
  for (const button of ['Replay', 'Discard', 'Show the values']) expect(page.body).not.toContain(button);
  const taped = async () => (await ask(console, '/refused/1', { headers })).status === 200;
  await until('it is on the tape', taped);
  expect((await ask(console, '/refused/1', { headers })).body).not.toContain('Accept');
  for (const path of [
    ...['/deliveries/1/replay', '/deliveries/1/discard', '/deliveries/1/reveal'],
    ...['/refused/1/accept', '/refused/1/reveal', '/state/replay'],
  ]) {
    const { status, body } = await ask(console, path, { form: { reason: 'no', group: '[]' }, headers });
    expect([path, status, body]).toEqual([path, 403, expect.stringContaining('You may look, and not act.')]);
  }
  expect(await receiver.app.inbox.find(1)).toMatchObject({ status: 'done', claims: 1 });
});

it('needs no token in development on this machine only', async () => {
  expect(await ask(await openInDevelopment(), '/')).toMatchObject({ status: 200 });
  const reachable = await openInDevelopment({ ADMIN_HOST: '0.0.0.0' });
  const { status, body } = await ask(reachable.replace('0.0.0.0', '127.0.0.1'), '/');
  expect([status, body]).toEqual([403, expect.stringContaining('CONSOLE_TOKEN must be set')]);
  const withToken = await openInDevelopment({ CONSOLE_TOKEN: passes.act });
  expect(await ask(withToken, '/')).toMatchObject({ status: 303 });
});

it('shows nothing in production without a token, and is not there at all where it is off', async () => {
  const without = await open({ CONSOLE_TOKEN: '', CONSOLE_LOOK_TOKEN: '' });
  const { status, body } = await ask(without.console, '/');
  expect([status, body]).toEqual([
    403,
    expect.stringContaining('nobody can log in while CONSOLE_TOKEN is not set'),
  ]);
  expect(await ask(without.console, '/login', { form: { token: '' } })).toMatchObject({ status: 403 });
  const off = await open({ CONSOLE: 'off' });
  for (const path of ['/', '/login', '/assets/htmx.js', '/stream'])
    expect(await ask(off.console, path)).toMatchObject({ status: 404 });
});

it('is read by no probe, and in the way of none', async () => {
  const { console } = await open();
  for (const path of ['/live', '/ready', '/metrics'])
    expect(await ask(console, path, { headers: { Host: 'any.example' } })).toMatchObject({ status: 200 });
});

it('tells every browser to run nothing that is not ours, and to keep nothing', async () => {
  const { console } = await open();
  const headers = await logIn(console, passes.act);
  for (const path of ['/', '/login', '/nothing', '/state', '/deliveries/99'])
    expect((await ask(console, path, { headers })).headers).toMatchObject({
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; script-src 'self'; style-src 'self'/,
      ),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
    });
  expect((await ask(console, '/')).headers['content-security-policy']).not.toMatch(/unsafe|\*|data:/);
});

it.each([
  ['too short', 'ada:short'],
  ['without a token', 'ada:'],
  ['with a blank in it', 'ada:a token that has blanks in it'],
  ['with a colon in it', 'ada:a-token-that:has-a-colon-in-it'],
  ['without a name for it', ':a-token-that-is-long-enough'],
])('is not started with a token %s, which is not quoted', async (_what, CONSOLE_TOKEN) => {
  const env = { ...secretsFor(example.sources), CONSOLE_TOKEN };
  expect(() => readConfig(env, example)).toThrow(
    /^CONSOLE_TOKEN: expected name:token.*number 1 is not so\.$/m,
  );
});

it('takes names as people have them, and each token once', () => {
  const token = 'a-token-that-is-long-enough';
  const env = secretsFor(example.sources);
  for (const name of ['Åsa Lind', "Mary O'Brien", 'ada+on-call@example.org'])
    expect(() => readConfig({ ...env, CONSOLE_TOKEN: `${name}:${token}` }, example)).not.toThrow();
  expect(() => readConfig({ ...env, CONSOLE_TOKEN: `ada:${token},ben:${token}` }, example)).toThrow(
    'the same token',
  );
  const both = { ...env, CONSOLE_TOKEN: `ada:${token}`, CONSOLE_LOOK_TOKEN: `ben:${token}` };
  expect(() => readConfig(both, example)).toThrow('give it one role');
});

it.each(['https://ops.example.org', 'ops.example.org:8443', '*', '*.example.org', 'a b'])(
  'is not started with %s for a name, by which nobody could come',
  (CONSOLE_HOSTS) => {
    const env = { ...secretsFor(example.sources), CONSOLE_HOSTS };
    expect(() => readConfig(env, example)).toThrow(/^CONSOLE_HOSTS: expected names of hosts/m);
  },
);

it('has assets of less than 100 KB together, and no other file', async () => {
  const { console } = await open();
  const page = (await ask(console, '/login')).body;
  const files = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
  const sizes = await Promise.all(
    files.map(async (path) => Buffer.byteLength((await ask(console, path)).body)),
  );
  expect(files).toHaveLength(6);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(100_000);
  for (const path of ['/assets/', '/assets/constructor'])
    expect(await ask(console, path)).toMatchObject({ status: 404 });
});
