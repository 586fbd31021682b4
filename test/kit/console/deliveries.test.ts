import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeadLetter } from '../../../src/kit/errors.ts';
import type { AllHandlers } from '../../../src/kit/handling/handle.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import { startPostgres, type PostgresServer } from '../../../src/lab/rig/postgres.ts';
import { later, newInboxUrl } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { until } from '../../support/until.ts';
import { newEntry } from '../inbox/contract/entries.ts';
import { ask, guarded, logIn, passes } from './ask.ts';

interface Options {
  readonly handlers?: AllHandlers;
  readonly env?: Readonly<Record<string, string>>;
}

async function open({ handlers = {}, env = {} }: Options = {}) {
  const all = { ...guarded, INBOX_URL: newInboxUrl(), ...env };
  const { receiver, sender } = await newReceiver({ env: all, handlers });
  const console = receiver.app.adminUrl ?? '';
  const headers = await logIn(console, passes.act);
  const look = async (path: string) => (await ask(console, path, { headers })).body;
  const post = (path: string, form: Readonly<Record<string, string>> = {}) =>
    ask(console, path, { form, headers });
  return { receiver, sender, console, headers, look, post, inbox: receiver.app.inbox };
}

/** The rows of a list, each as the words in it. */
function rowsIn(page: string): string[] {
  return [...page.matchAll(/<li id="[^"]*" class="row.*?<\/li>/gs)].map(([row]) => wordsIn(row));
}

function wordsIn(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const other = { secret: 'not the secret of it, but as long' };

/** Handlers that fail until they are told not to. */
function failing() {
  const told = { fails: true };
  const profile = async () => {
    if (told.fails) throw new DeadLetter('payload_invalid', `no such profile: "${Math.random()}"`);
  };
  return { told, handlers: { risr: { profile_updated: profile } } };
}

it('lists each delivery with its reply and what became of it, newest first', async () => {
  const { sender, look, receiver } = await open();
  const request = await sender.request(risr, 'profile_updated', { id: 'evt-1' });
  await sender.send(request);
  await receiver.app.idle();
  await sender.send(request);
  await sender.fire(hotdocs, 'InterviewLoadEvent');
  await sender.fire(phenixid, 'OrderSigned', other);
  await fetch(`${receiver.url}/nowhere`);
  expect(rowsIn(await look('/'))).toEqual([
    expect.stringMatching(/^[\d:]{8} – \/nowhere refused \d+ ms path_unknown: No endpoint has this path\.$/),
    expect.stringMatching(/^[\d:]{8} phenixid – \/phenixid refused \d+ ms proof_mismatch: /),
    expect.stringMatching(/^[\d:]{8} hotdocs InterviewLoadEvent .* answered \d+ ms /),
    expect.stringMatching(/^[\d:]{8} risr profile_updated profile:\S+ evt-1 duplicate \d+ ms/),
    expect.stringMatching(/^[\d:]{8} risr profile_updated profile:\S+ evt-1 done \d+ ms profile at revision/),
  ]);
});

it('finds deliveries by what the address says, and what it does not know', async () => {
  const { sender, look, receiver } = await open();
  await sender.fire(risr, 'profile_updated', { id: 'evt-1' });
  await sender.fire(risr, 'booking_updated', { id: 'evt-2' });
  await sender.fire(phenixid, 'OrderSigned', other);
  await receiver.app.idle();
  const found = async (query: string) => rowsIn(await look(`/?${query}`)).length;
  expect(await found('source=risr')).toBe(2);
  expect(await found('source=risr&type=booking_updated')).toBe(1);
  expect(await found('state=refused')).toBe(1);
  expect(await found('text=EVT-2')).toBe(1);
  expect(await found('text=proof_mismatch')).toBe(1);
  expect(await found('text=%231')).toBe(1);
  expect(await found('state=dead')).toBe(0);
  expect(await found('state=nonsense')).toBe(3);
  expect(await look('/?source=acme')).toMatch(/<option value="acme" +selected>/);
});

it('tells the way of a delivery, step by step with their times, and each attempt', async () => {
  const { told, handlers } = failing();
  const { receiver, sender, look, post } = await open({ handlers });
  await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  told.fails = false;
  await post('/deliveries/1/replay');
  await receiver.app.idle();
  const way = wordsIn(await look('/deliveries/1'));
  const time = '[\\d:]{8}';
  const steps = [
    `came ${time} to /risr/profile_updated proven by the newest secret, in [\\d.]+ ms read as profile_updated`,
    `stored as entry 1, in [\\d.]+ ms replied accepted, after [\\d.]+ ms in all`,
    `attempt 1 ${time} dead, after \\d+ ms payload_invalid: no such profile: .* attempt 1 ${time} done, after \\d+ ms`,
    `done after 1 attempt ${time}`,
  ];
  for (const step of steps) expect(way).toMatch(new RegExp(step));
  await sender.fire(hotdocs, 'InterviewLoadEvent');
  expect(wordsIn(await look('/deliveries/2'))).toMatch(
    /handled while its sender waited, in [\d.]+ ms replied answered/,
  );
});

it('searches a large inbox in pieces, and goes on where it ended', async () => {
  const { look, inbox } = await open();
  const all = Array.from({ length: 21_000 }, (_, index) => (index === 3 ? 'wanted' : `evt-${index}`));
  await Promise.all(all.map((eventId) => inbox.store({ ...newEntry(), eventId })));
  const page = await look('/?text=wanted');
  expect(rowsIn(page)).toHaveLength(0);
  const [, older = ''] = /href="(\/\?[^"]*before=\d+)"/.exec(page) ?? [];
  expect(rowsIn(await look(older.replaceAll('&#38;', '&')))).toEqual([expect.stringContaining('wanted')]);
  expect(rowsIn(await look('/'))).toHaveLength(200);
});

it('loses none where refused ones take the room of others', async () => {
  const { sender, look, inbox } = await open();
  const all = Array.from({ length: 120 }, (_, index) => ({ ...newEntry(), eventId: `evt-${index}` }));
  await Promise.all(all.map((entry) => inbox.store({ ...entry, receivedAt: Date.now() - 60_000 })));
  for (let count = 0; count < 100; count += 1) await sender.fire(phenixid, 'OrderSigned', other);
  const page = await look('/');
  const [, older = ''] = /href="(\/\?before=\d+)"/.exec(page) ?? [];
  const rows = [...rowsIn(page), ...rowsIn(await look(older))];
  expect(rowsIn(page)).toHaveLength(200);
  expect(rows.filter((row) => row.includes('evt-'))).toHaveLength(120);
  expect(new Set(rows.map((row) => /evt-\d+/.exec(row)?.[0])).size).toBe(121);
});

it('replays and discards an entry, and writes down who did', async () => {
  const { told, handlers } = failing();
  const { receiver, sender, look, post, inbox } = await open({ handlers });
  for (let count = 0; count < 3; count += 1) await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  expect(await look('/deliveries/1')).toMatch(/payload_invalid: no such profile/);
  told.fails = false;
  expect(await post('/deliveries/1/replay')).toMatchObject({
    status: 303,
    headers: { location: '/deliveries/1?said=replayed' },
  });
  await receiver.app.idle();
  expect(await inbox.find(1)).toMatchObject({ status: 'done' });
  expect(await post('/deliveries/2/discard', { reason: ' ' })).toMatchObject({ status: 200 });
  expect(await inbox.find(2)).toMatchObject({ status: 'dead' });
  await post('/deliveries/2/discard', { reason: 'a <b>test</b>' });
  expect(await inbox.find(2)).toMatchObject({ status: 'done', note: 'discarded by ada: a <b>test</b>' });
  const state = wordsIn(await look('/state'));
  expect(state).toMatch(/ada discarded entry 2: a &#60;b&#62;test.* ada replayed entry 1/);
  expect(receiver.log).toContainEqual(
    expect.objectContaining({ outcome: 'console', who: 'ada', why: 'replayed entry 1' }),
  );
  for (const path of [
    '/deliveries/9/replay',
    '/deliveries/x/replay',
    '/deliveries/1/nonsense',
    '/deliveries/1/replay/2',
  ])
    expect(await post(path)).toMatchObject({ status: 404 });
});

it('groups dead letters by their cause, whatever they quote, and replays a group', async () => {
  const { told, handlers } = failing();
  const { receiver, sender, look, post, inbox } = await open({ handlers });
  for (let count = 0; count < 3; count += 1) await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  const page = await look('/state');
  expect(wordsIn(page)).toContain('3 risr profile_updated payload_invalid: no such profile: … Replay all 3');
  const [, group = ''] = /name="group"\s+value="([^"]*)"/.exec(page) ?? [];
  told.fails = false;
  const name = group.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
  await post('/state/replay', { group: name });
  await receiver.app.idle();
  expect(await inbox.stats()).toMatchObject({ done: 3, dead: 0 });
  expect(await post('/state/replay', { group: 'nonsense' })).toMatchObject({ status: 303 });
});

it('shows values only to whoever asks for them, and writes that down', async () => {
  const { sender, look, post, receiver } = await open({ env: { TAPE: 'all' } });
  await sender.fire(risr, 'profile_updated', {
    payload: { ...risr.events.profile_updated.example, email: 'ada@example.org', invented: 'new' },
  });
  await receiver.app.idle();
  await until('it is on the tape', async () => (await look('/deliveries/1')).includes('HTTP/1.1'));
  const masked = await look('/deliveries/1');
  for (const secret of ['ada@example.org', receiver.secretOf('/risr/profile_updated'), 'eyJ'])
    expect(masked).not.toContain(secret);
  expect(wordsIn(masked)).toMatch(/email text of 15 .*invented text of 3 unfamiliar/);
  const { body } = await post('/deliveries/1/reveal');
  expect(body).toContain('ada@example.org');
  expect(body).not.toContain('eyJ');
  expect(receiver.log).toContainEqual(
    expect.objectContaining({ outcome: 'console', why: 'looked at what entry 1 says' }),
  );
});

it('explains a refused delivery, and takes it in once its secret is mended', async () => {
  const { sender, look, post, receiver, inbox } = await open();
  await sender.fire(risr, 'profile_updated', other);
  await until('it is on the tape', async () => (await look('/refused/1')).includes('proof_mismatch'));
  const [, request = ''] = /<dd>([\da-f]{12}-[\da-z]+)<\/dd>/.exec(await look('/refused/1')) ?? [];
  expect(await look(`/refused/${request}`)).toContain('Refused delivery 1');
  expect((await post('/refused/1/accept')).body).toContain('Not accepted: ');
  const [mended] = receiver.config.endpoints.filter(
    ({ definition }) => definition.path === '/risr/profile_updated',
  );
  const credential = mended?.credentials.get('');
  if (mended === undefined || credential === undefined) throw new Error('The endpoint has a secret.');
  const credentials = new Map([['', { ...credential, texts: [other.secret] }]]);
  const endpoints = receiver.config.endpoints.map((one) =>
    one === mended ? { ...mended, credentials } : one,
  );
  await receiver.app.renew({ ...receiver.config, endpoints });
  expect(await post('/refused/1/accept')).toMatchObject({
    status: 303,
    headers: { location: '/deliveries/1' },
  });
  await receiver.app.idle();
  expect(await inbox.find(1)).toMatchObject({ status: 'done' });
  expect(await look('/refused/1')).toContain('It is in the inbox now');
  expect((await post('/refused/1/accept')).body).toContain('It is in the inbox already');
  expect(await look('/refused/99')).toContain('The tape has no such delivery');
});

/** What an open list is sent. */
async function listen(console: string, headers: Readonly<Record<string, string>>, query = '') {
  const asking = get(`${console}/stream?${query}`, { headers, agent: false });
  later(() => asking.destroy());
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => (text += part.replaceAll(/^data: /gm, '')));
  response.on('error', () => undefined);
  return { response, rows: () => rowsIn(text), text: () => text };
}

it('tells an open list of what comes and changes, as far as it asks for it', async () => {
  const { sender, console, headers, receiver } = await open();
  const all = await listen(console, headers);
  const refused = await listen(console, headers, 'state=refused');
  await sender.fire(risr, 'profile_updated', { id: 'evt-1' });
  await sender.fire(phenixid, 'OrderSigned', other);
  await until('it is told that it is done', () => all.rows().some((row) => row.includes('evt-1 done')));
  await until('the refused one came', () => refused.rows().length === 1);
  expect(refused.rows()[0]).toContain('proof_mismatch');
  await receiver.stop();
  await until('the list is closed', () => all.response.closed);
});

it('tells a list nothing that it does not ask for, and one of another process all that came here', async () => {
  const hold = Promise.withResolvers<undefined>();
  later(() => hold.resolve(undefined));
  const { sender, console, headers } = await open({
    handlers: { risr: { profile_updated: () => hold.promise } },
  });
  await sender.fire(risr, 'profile_updated', { id: 'evt-1' });
  const others = await listen(console, headers, 'source=phenixid');
  const before = await listen(console, headers, 'since=0a1b2c3d.99999');
  await until('it is told', () => before.rows().length === 1);
  hold.resolve(undefined);
  await until('it is told that it is done', () => before.rows().some((row) => row.includes('evt-1 done')));
  expect(others.rows()).toEqual([]);
});

it('shows an entry as the inbox has it, whoever changed that', async () => {
  const { handlers } = failing();
  const url = newInboxUrl();
  const { receiver, sender, look } = await open({ handlers, env: { INBOX_URL: url } });
  await sender.fire(risr, 'profile_updated', { id: 'evt-1' });
  await receiver.app.idle();
  const beside = await openInbox(url, { maxWaiting: 1, owner: false });
  later(() => beside.close());
  await beside.discard(1, 'discarded by hand');
  expect(rowsIn(await look('/'))).toEqual([expect.stringMatching(/evt-1 done \d+ ms discarded by hand/)]);
  expect(rowsIn(await look('/?state=dead'))).toEqual([]);
});

it('shows those who may only look no value of a header', async () => {
  const { receiver, console } = await open();
  const headers = await logIn(console, passes.look);
  const personal = { 'X-User': 'ada@example.org', 'X-Hook-Key': 'opaque-1234', 'User-Agent': 'sender/1' };
  await fetch(`${receiver.url}/risr/profile_updated`, { method: 'POST', headers: personal, body: 'x' });
  const page = async () => (await ask(console, '/refused/1', { headers })).body;
  await until('it is on the tape', async () => (await page()).includes('HTTP/1.1'));
  expect(await page()).toContain('sender/1');
  for (const value of ['ada@example.org', 'opaque-1234']) expect(await page()).not.toContain(value);
});

it.each(['1.5', '1e400', '-1', 'x', '99999999999999999999'])('takes no page of %s', async (before) => {
  const { console, headers } = await open();
  expect(await ask(console, `/?before=${before}`, { headers })).toMatchObject({ status: 200 });
});

it('tells of a burst the last of it and how much more there was, and of each row how it ended', async () => {
  const { sender, console, headers, inbox } = await open();
  const list = await listen(console, headers);
  const requests = await Promise.all(
    Array.from({ length: 1_500 }, () => sender.request(risr, 'profile_updated')),
  );
  for (let at = 0; at < requests.length; at += 300)
    await Promise.all(requests.slice(at, at + 300).map((request) => sender.send(request)));
  await until('all are done', async () => (await inbox.stats()).done === 1_500);
  const last = () =>
    new Map(
      [...list.text().matchAll(/<li id="(e\d+)" class="row (\w+)"/g)].map(([, key, tone]) => [key, tone]),
    );
  await until(
    'no row is left waiting',
    () => last().size >= 30 && [...last().values()].every((tone) => tone === 'good'),
  );
  expect(last().size).toBeLessThan(1_500);
  expect(list.text()).toMatch(/\d+ changes came too fast to be listed/);
});

it('keeps nothing for a list that does not read, and closes no more of them than it has', async () => {
  const { console, headers } = await open();
  const lists = await Promise.all(Array.from({ length: 30 }, () => listen(console, headers)));
  expect(await ask(console, '/stream', { headers })).toMatchObject({ status: 503 });
  lists[0]?.response.destroy();
  await until(
    'there is room for another',
    async () => (await listen(console, headers)).response.statusCode === 200,
  );
});

describe('on PostgreSQL, of several receivers', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  it('shows what another one accepted, and what became of it', async () => {
    const env = { INBOX_URL: await server.newDatabase() };
    const here = await open({ env });
    const there = await open({ env });
    const list = await listen(here.console, here.headers);
    await there.sender.fire(risr, 'profile_updated', { id: 'evt-1' });
    await until('it is done here, too', () => list.rows().some((row) => row.includes('evt-1 done')));
    expect(rowsIn(await here.look('/'))).toEqual([expect.stringMatching(/evt-1 done/)]);
    expect(await here.post('/deliveries/1/replay')).toMatchObject({ status: 303 });
    await until('it ran once more', async () => ((await here.inbox.find(1))?.claims ?? 0) > 1);
  });
});
