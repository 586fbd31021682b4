import { expect, it } from '@jest/globals';
import { apiSettings, readConfig } from '../../../src/kit/program/config.ts';
import { createRisrApi, type RisrApi } from '../../../src/kit/sources/risr/api/api.ts';
import type { JsonObject } from '../../../src/kit/reading/json.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { json, manualTime, startApi, type Answer, type Seen } from './api-side.ts';
import { later } from '../../support/fixtures.ts';
import { secretsFor } from '../../support/receiver.ts';

type Env = Readonly<Record<string, string>>;
type Reply = Answer | undefined | Promise<Answer | undefined>;
const SECRET = 'the secret key of the API user';
const DISCOVERY = '/.well-known/openid-configuration';
const USER = '/v2/users/usr-4471';

function settingsWith(env: Env) {
  return apiSettings(readConfig({ ...secretsFor([risr]), ...env }, { sources: [risr] }), risr);
}

interface Auth {
  /** Of the `count`th login; without it, `token-<count>`. */
  readonly login?: (count: number) => Answer;
  /** In place of the one on the same host. */
  readonly tokenEndpoint?: string;
}

/** A risr/advance that answers `/v2` as the test says. */
async function start(answer: (seen: Seen, token: string) => Reply, env: Env = {}, auth: Auth = {}) {
  let logins = 0;
  const side = await startApi((seen) => {
    if (seen.target === DISCOVERY) {
      return json({ issuer: 'x', token_endpoint: auth.tokenEndpoint ?? `${side.origin}/connect/token` });
    }
    if (seen.target !== '/connect/token') return answer(seen, seen.headers.authorization ?? '');
    logins += 1;
    return auth.login?.(logins) ?? json({ access_token: `token-${logins}`, expires_in: 3600 });
  });
  later(side.stop);
  const time = manualTime();
  const open = () => opened(createRisrApi(settingsWith({ ...envFor(side.origin), ...env }), time));
  const api = open();
  const called = () =>
    side.calls().filter((call) => !call.includes(DISCOVERY) && !call.includes('/connect/'));
  return { api, another: open, side, time, logins: () => logins, called };
}

function envFor(origin: string): Env {
  return {
    RISR_API_URL: origin,
    RISR_API_DISCOVERY_URL: origin + DISCOVERY,
    RISR_API_CLIENT_ID: 'public key',
    RISR_API_CLIENT_SECRET: SECRET,
    RISR_API_ORGANISATION: 'org_demo',
    RISR_API_CALLS_PER_SECOND: '1000',
  };
}

function opened(api: RisrApi | undefined): RisrApi {
  if (api === undefined) throw new Error('not configured');
  later(() => api.close());
  return api;
}

/** A document store of one user: a write needs the current `rev`. */
function userStore(initial: Readonly<Record<string, unknown>>, revMember = 'rev', conflict = 409) {
  let counter = 1;
  let user: Record<string, unknown> = { ...initial, [revMember]: '1-a' };
  const change = (next: Record<string, unknown>) => {
    counter += 1;
    user = { ...next, [revMember]: `${counter}-a` };
  };
  return {
    user: () => user,
    change: (members: object) => change({ ...user, ...members }),
    answer: ({ method, body }: Seen): Answer => {
      if (method === 'GET') return json(user);
      const written = JSON.parse(body) as Record<string, unknown>;
      if (written[revMember] !== user[revMember]) return { status: conflict };
      change(written);
      return json({ id: user['id'] ?? user['_id'], rev: user[revMember] });
    },
  };
}

const asa = {
  id: 'usr-4471',
  email: 'asa.lind@example.org',
  firstName: 'Åsa',
  userFields: [],
  other: { kept: 1 },
};

it('does not exist where nothing is configured', () =>
  expect(createRisrApi(settingsWith({}))).toBeUndefined());

it('finds out where tokens come from, once, and logs in with a form', async () => {
  const { api, side } = await start(() => json({ id: 'api-user' }));
  expect(await api.profile()).toEqual({ id: 'api-user' });
  expect(await api.profile()).toEqual({ id: 'api-user' });
  expect(side.calls()).toEqual([
    `GET ${DISCOVERY}`,
    'POST /connect/token',
    'GET /v1/account/profile',
    'GET /v1/account/profile',
  ]);
  expect(side.seen[1]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
  expect(Object.fromEntries(new URLSearchParams(side.seen[1]?.body))).toEqual({
    grant_type: 'client_credentials',
    client_id: 'public key',
    client_secret: SECRET,
  });
});

it('names the organisation and shows the token on every call', async () => {
  const { api, side } = await start(() => json({ id: 'x' }));
  await api.profile();
  await api.booking('b-1');
  for (const { headers } of side.seen.slice(2)) {
    expect(headers).toMatchObject({ authorization: 'Bearer token-1', 'eas-organisation': 'org_demo' });
  }
});

it.each([
  [{ expires_in: 3600 }, 3540],
  [{ expires_in: '3600' }, 3540],
  [{}, 300],
  [{ expires_in: 'soon' }, 300],
  [{ expires_in: -1 }, 300],
  [{ expires_in: 20 }, 10],
])(
  'uses a token with %j for %i seconds, and asks for a new one without a new discovery',
  async (lifetime, seconds) => {
    const { api, time, logins, side } = await start(
      () => json({ id: 'x' }),
      {},
      {
        login: () => json({ access_token: 'token', ...lifetime }),
      },
    );
    await api.profile();
    time.move(seconds * 1000 - 1);
    await api.profile();
    expect(logins()).toBe(1);
    time.move(1);
    await api.profile();
    expect(logins()).toBe(2);
    expect(side.calls().filter((call) => call.includes(DISCOVERY))).toHaveLength(1);
  },
);

it.each([
  {},
  { access_token: '' },
  { access_token: 'two words' },
  { access_token: 'a\r\nX-Evil: 1' },
  { access_token: 7 },
  [],
])('does not find a token in %j', async (reply) => {
  const { api, called } = await start(() => json({}), {}, { login: () => json(reply) });
  await expect(api.profile()).rejects.toThrow('The answer to the login is not as expected');
  expect(called()).toEqual([]);
});

it.each([400, 401])('says what to check when the login is answered %i', async (status) => {
  const { api, logins } = await start(
    () => json({}),
    {},
    { login: () => json({ error: 'invalid_client' }, status) },
  );
  const failure = await api.profile().catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'CallFailed', status });
  expect(String(failure)).toContain('RISR_API_CLIENT_ID');
  expect(String(failure)).not.toContain(SECRET);
  expect(logins()).toBe(1);
});

it('sends the client secret to no host that is not configured, whatever the discovery document names', async () => {
  const stranger = await startApi(() => json({ access_token: 'token' }));
  later(stranger.stop);
  const { api } = await start(() => json({}), {}, { tokenEndpoint: `${stranger.origin}/token` });
  await expect(api.profile()).rejects.toMatchObject({ name: 'CallRefused' });
  expect(stranger.seen).toEqual([]);
});

it('logs in at another host that is listed, and shows the token only to the API', async () => {
  const auth = await startApi(() => json({ access_token: 'from-elsewhere' }));
  later(auth.stop);
  const { api, side } = await start(
    () => json({}),
    { RISR_API_TOKEN_HOSTS: auth.origin },
    {
      tokenEndpoint: `${auth.origin}/token`,
    },
  );
  await api.profile();
  expect([auth.calls(), side.seen.at(-1)?.headers.authorization]).toEqual([
    ['POST /token'],
    'Bearer from-elsewhere',
  ]);
  expect(auth.seen[0]?.headers).not.toHaveProperty('authorization');
});

it('makes one login for 20 calls at the same time', async () => {
  const { api, logins, called } = await start(() => json({}));
  await Promise.all(Array.from({ length: 20 }, () => api.profile()));
  expect([logins(), called().length]).toEqual([1, 20]);
});

it('renews a token that is refused once for 20 calls at the same time', async () => {
  const { api, logins, called } = await start((_seen, token) =>
    token === 'Bearer token-1' ? { status: 401 } : json({}),
  );
  await Promise.all(Array.from({ length: 20 }, () => api.profile()));
  expect([logins(), called().length]).toEqual([2, 40]);
});

it('gives up when a fresh token is answered 401, too', async () => {
  const { api, called } = await start(() => ({ status: 401 }));
  await expect(api.profile()).rejects.toMatchObject({ status: 401 });
  expect(called()).toHaveLength(2);
});

it('hands on a missing permission at once', async () => {
  const { api, called } = await start(() => ({ status: 403 }));
  await expect(api.readUser('usr-4471')).rejects.toMatchObject({ code: 'status', status: 403 });
  expect(called()).toHaveLength(1);
});

it.each([
  ['a 500', { status: 500 }],
  ['a connection that is cut', undefined],
])('tries again after %s, and then hands it on', async (_what, answer) => {
  const { api, called, time } = await start(() => answer);
  await expect(api.profile()).rejects.toMatchObject({ name: 'CallFailed' });
  expect([called().length, time.waits]).toEqual([4, [375, 750, 1500]]);
});

it('waits as long as a 429 asks', async () => {
  let asked = 0;
  const { api, time } = await start(() => {
    asked += 1;
    return asked === 1 ? { status: 429, headers: { 'Retry-After': '4' } } : json({});
  });
  await api.profile();
  expect(time.waits).toEqual([4000]);
});

it('starts no more than five calls within a second', async () => {
  const { api, time } = await start(() => json({}), { RISR_API_CALLS_PER_SECOND: '5' });
  for (let count = 0; count < 6; count += 1) await api.profile();
  expect(time.waits).toEqual([1000]);
});

it.each([
  { id: 'usr-4471', rev: '7-2f', firstName: 'Åsa' },
  { _id: 'usr-4471', _rev: '7-2f', firstName: 'Åsa' },
])('reads a user spelled %j', async (raw) => {
  const { api, called } = await start(() => json(raw));
  expect(await api.readUser('usr-4471')).toEqual({ id: 'usr-4471', rev: '7-2f', firstName: 'Åsa' });
  expect(called()).toEqual([`GET ${USER}`]);
});

it('says nothing of a user or booking that does not exist', async () => {
  const { api } = await start(() => ({ status: 404 }));
  expect([await api.readUser('usr-1'), await api.booking('b-1')]).toEqual([undefined, undefined]);
});

it('reads a booking with the parts that are set', async () => {
  const { api, called } = await start(
    () => json({ id: 'b-1', rev: '4-9', state: { id: 'ws', name: 'SUBMITTED' } }),
    {
      RISR_API_BOOKING_PARTS: 'fields,balance',
    },
  );
  expect(await api.booking('b-1')).toMatchObject({ rev: '4-9', state: { name: 'SUBMITTED' } });
  expect(called()).toEqual(['GET /v2/bookings/b-1?includeParts=fields&includeParts=balance']);
});

it.each(['..', '', 'a/b', 'a%2fb', 'a?b', 'a b', '../registrations'])(
  'refuses the id %j, which could change the path',
  async (id) => {
    const { api, side } = await start(() => json({}));
    const refused = { name: 'CallRefused', code: 'url_invalid' };
    const write = { firstName: 'x' };
    await expect(api.readUser(id)).rejects.toMatchObject(refused);
    await expect(api.writeUser(id, () => write)).rejects.toMatchObject(refused);
    await expect(api.booking(id)).rejects.toMatchObject(refused);
    await expect(api.registrations.remove({ id, rev: '1-a' })).rejects.toMatchObject(refused);
    expect(side.seen).toEqual([]);
  },
);

it('writes the whole user with its rev, and keeps what it does not know', async () => {
  const store = userStore(asa);
  const { api, side } = await start(store.answer);
  const written = await api.writeUser('usr-4471', ({ firstName }) => ({
    firstName: `${String(firstName)}-Maria`,
  }));
  expect(written).toEqual({ written: true, rev: '2-a' });
  const put = side.seen.at(-1);
  expect(put).toMatchObject({ method: 'PUT', target: USER, headers: { 'content-type': 'application/json' } });
  expect(JSON.parse(put?.body ?? '')).toEqual({ ...asa, firstName: 'Åsa-Maria', rev: '1-a' });
});

it('writes back the spelling of identity that it read', async () => {
  const { id, ...members } = asa;
  const store = userStore({ _id: id, ...members }, '_rev');
  const { api, side } = await start(store.answer);
  await api.writeUser('usr-4471', (user) => ({ ...user, firstName: 'Maria' }));
  const put: unknown = JSON.parse(side.seen.at(-1)?.body ?? '');
  expect(put).toEqual({ _id: id, ...members, firstName: 'Maria', _rev: '1-a' });
});

it('lets no change take over identity or rev', async () => {
  const store = userStore(asa);
  const { api } = await start(store.answer);
  await api.writeUser('usr-4471', () => ({
    id: 'usr-1',
    _id: 'usr-1',
    rev: '99-z',
    _rev: '99-z',
    lastName: 'Lind',
  }));
  expect(store.user()).toEqual({ ...asa, rev: '2-a', lastName: 'Lind' });
});

it('does not write what belongs to a delivery or to the history', async () => {
  const store = userStore({ ...asa, webhook_request_id: 'wr-1', auditLog: [{ by: 'x' }] });
  const { api, side } = await start(store.answer);
  await api.writeUser('usr-4471', (user) => ({ ...user, lastName: 'Lind', auditLog: [] }));
  const put: unknown = JSON.parse(side.seen.at(-1)?.body ?? '');
  expect(put).toEqual({ ...asa, lastName: 'Lind', rev: '1-a' });
});

it.each([
  ['nothing', () => undefined],
  ['no member', () => ({})],
  ['the user itself', (user: JsonObject) => user],
  ['what is there already', () => ({ firstName: 'Åsa', other: { kept: 1 } })],
  ['another history only', () => ({ auditLog: ['new'], webhook_request_id: 'wr-2' })],
  ['a member without a value', () => ({ middleName: undefined })],
])('does not write when a change gives %s', async (_what, change) => {
  const store = userStore({ ...asa, auditLog: [] });
  const { api, called } = await start(store.answer);
  expect(await api.writeUser('usr-4471', change)).toEqual({ written: false, rev: '1-a' });
  expect(called()).toEqual([`GET ${USER}`]);
});

it.each([409, 412])('reads again and merges when a write is answered %i', async (conflict) => {
  const store = userStore(asa, 'rev', conflict);
  let foreignWrites = 0;
  const { api, called, time } = await start((seen) => {
    if (seen.method === 'PUT' && foreignWrites < 2) store.change({ foreign: (foreignWrites += 1) });
    return store.answer(seen);
  });
  expect(await api.writeUser('usr-4471', () => ({ lastName: 'Lind' }))).toEqual({
    written: true,
    rev: '4-a',
  });
  expect(store.user()).toMatchObject({ foreign: 2, lastName: 'Lind', firstName: 'Åsa' });
  expect(called()).toHaveLength(6);
  expect(time.waits).toEqual([250, 250]); // the middle of 100 and 400
});

it('writes nothing when somebody else has made the same change meanwhile', async () => {
  const store = userStore(asa);
  const { api } = await start((seen) => {
    if (seen.method === 'PUT') store.change({ lastName: 'Lind' });
    return store.answer(seen);
  });
  expect(await api.writeUser('usr-4471', () => ({ lastName: 'Lind' }))).toEqual({
    written: false,
    rev: '2-a',
  });
});

it('hands on the conflict after three more reads', async () => {
  const store = userStore(asa);
  let foreignWrites = 0;
  const { api, called } = await start((seen) => {
    if (seen.method === 'PUT') store.change({ foreign: (foreignWrites += 1) });
    return store.answer(seen);
  });
  await expect(api.writeUser('usr-4471', () => ({ lastName: 'Lind' }))).rejects.toMatchObject({
    status: 409,
  });
  expect(called()).toHaveLength(8);
  expect(store.user()).not.toHaveProperty('lastName');
});

it('ends with all changes of 20 writers at the same time', async () => {
  const store = userStore(asa);
  const { api, called } = await start(store.answer);
  const writes = Array.from({ length: 20 }, (_, index) =>
    api.writeUser('usr-4471', () => ({ [`field${index}`]: index })),
  );
  const revs = (await Promise.all(writes)).map(({ rev }) => rev);
  expect(new Set(revs).size).toBe(20);
  expect(store.user()).toMatchObject({
    ...asa,
    rev: '21-a',
    ...Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`field${index}`, index])),
  });
  expect(called()).toHaveLength(40); // one client's own writes take turns
});

it('loses no change of 20 clients that write at the same time, each trying again as the worker does', async () => {
  const store = userStore(asa);
  const { another } = await start(store.answer);
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const api = another();
      for (let written = false; !written;) {
        written = await api
          .writeUser('usr-4471', () => ({ [`field${index}`]: index }))
          .then(
            () => true,
            (error: unknown) => {
              expect(error).toMatchObject({ status: 409 });
              return false;
            },
          );
      }
    }),
  );
  expect(Object.keys(store.user()).filter((name) => name.startsWith('field'))).toHaveLength(20);
  expect(store.user()).toMatchObject({ ...asa, rev: '21-a' });
});

it('goes on with the next write when one fails', async () => {
  const store = userStore(asa);
  const { api } = await start(store.answer);
  const first = api.writeUser('usr-4471', () => {
    throw new Error('the change failed');
  });
  const second = api.writeUser('usr-4471', () => ({ lastName: 'Lind' }));
  await expect(first).rejects.toThrow('the change failed');
  expect(await second).toMatchObject({ written: true });
});

it('takes a write whose answer was lost for done, without a second one', async () => {
  const store = userStore(asa);
  let lost = 0;
  const { api, called } = await start((seen) => {
    const answer = store.answer(seen);
    if (seen.method === 'PUT' && lost === 0) {
      lost += 1;
      return undefined;
    }
    return answer;
  });
  expect(await api.writeUser('usr-4471', () => ({ lastName: 'Lind' }))).toEqual({
    written: false,
    rev: '2-a',
  });
  expect(called()).toEqual([`GET ${USER}`, `PUT ${USER}`, `PUT ${USER}`, `GET ${USER}`]);
});

it.each([400, 422])('makes a dead letter of a user that is answered %i', async (status) => {
  const { api, called } = await start(({ method }) =>
    method === 'GET' ? json({ ...asa, rev: '1-a' }) : { status },
  );
  const failure = await api.writeUser('usr-4471', () => ({ email: 'none' })).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'DeadLetter', reason: 'handler_gave_up' });
  expect(String(failure)).toContain(String(status));
  expect(called()).toHaveLength(2);
});

it('never overwrites a user that came without rev', async () => {
  const { api, called } = await start(() => json(asa));
  const failure = api.writeUser('usr-4471', () => ({ lastName: 'Lind' }));
  await expect(failure).rejects.toMatchObject({ name: 'DeadLetter', reason: 'handler_gave_up' });
  expect(called()).toEqual([`GET ${USER}`]);
});

it('never writes back a number that changed when it was read', async () => {
  const { api, called } = await start(() => ({ body: '{"rev":"1-a","memberNumber":12345678901234567890}' }));
  const failure = api.writeUser('usr-4471', () => ({ lastName: 'Lind' }));
  await expect(failure).rejects.toMatchObject({ name: 'DeadLetter', reason: 'json_forbidden' });
  expect(called()).toEqual([`GET ${USER}`]);
});

it('takes a write for done whose answer says nothing', async () => {
  const { api } = await start(({ method }) =>
    method === 'GET' ? json({ ...asa, rev: '1-a' }) : { status: 204 },
  );
  expect(await api.writeUser('usr-4471', () => ({ lastName: 'Lind' }))).toEqual({
    written: true,
    rev: undefined,
  });
});

it.each(['<html></html>', '', '[]', '"user"'])('does not take %j for a user', async (body) => {
  const { api } = await start(() => ({ body }));
  await expect(api.readUser('usr-4471')).rejects.toThrow('not as expected');
});

const REGISTRATIONS = '/v2/webhooks/registrations';
const url = 'https://receiver.example.org/risr/profile_updated';

it('reads ids and revisions that are numbers, and a user with a byte order mark', async () => {
  const url = 'https://hooks.example.org/risr/profile_updated';
  const { api } = await start(({ target }) =>
    target.startsWith(REGISTRATIONS)
      ? json([{ _id: 7, _rev: 3, topic: 'profile_updated', url }])
      : { body: Buffer.from(`\ufeff{"id":7,"rev":3}`, 'utf16le') },
  );
  expect(await api.registrations.list()).toEqual([{ id: '7', rev: '3', topic: 'profile_updated', url }]);
  expect(await api.readUser('7')).toEqual({ id: '7', rev: '3' });
  expect(await api.writeUser('7', () => ({ firstName: 'Åsa' }))).toEqual({ written: true, rev: '3' });
});

it('lists registrations, however they spell their identity', async () => {
  const { api, called } = await start(() =>
    json([
      { id: 'r-1', rev: '1-7', topic: 'profile_updated', url },
      { _id: 'r-2', _rev: '2-7', topic: 'booking_updated', url, created: 'x' },
    ]),
  );
  expect(await api.registrations.list()).toEqual([
    { id: 'r-1', rev: '1-7', topic: 'profile_updated', url },
    { id: 'r-2', rev: '2-7', topic: 'booking_updated', url },
  ]);
  expect(called()).toEqual([`GET ${REGISTRATIONS}`]);
});

it('registers a webhook', async () => {
  const { api, side } = await start(() => json({ id: 'r-1', rev: '1-7' }, 201));
  const registration = { topic: 'profile_updated', url, secret: 'wh_secret' };
  expect(await api.registrations.create(registration)).toEqual({ id: 'r-1', rev: '1-7' });
  expect(side.seen.at(-1)).toMatchObject({ method: 'POST', target: REGISTRATIONS });
  expect(JSON.parse(side.seen.at(-1)?.body ?? '')).toEqual(registration);
});

it.each([
  ['a 503', { status: 503 }],
  ['a connection that is cut', undefined],
])('does not register again after %s, which may have registered', async (_what, answer) => {
  const { api, called } = await start(() => answer);
  const failure = await api.registrations
    .create({ topic: 'profile_updated', url, secret: 'wh_secret' })
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'CallFailed' });
  expect(String(failure)).not.toContain('wh_secret');
  expect(called()).toHaveLength(1);
});

it('registers again when it is told to come back later', async () => {
  let asked = 0;
  const { api, called } = await start(() => {
    asked += 1;
    return asked === 1 ? { status: 429 } : json({ id: 'r-1', rev: '1-7' });
  });
  await api.registrations.create({ topic: 'profile_updated', url, secret: 'wh_secret' });
  expect(called()).toHaveLength(2);
});

it('removes a registration with its rev', async () => {
  const { api, called } = await start(() => ({ status: 204 }));
  await api.registrations.remove({ id: 'r-1', rev: '1-7c&x' });
  expect(called()).toEqual([`DELETE ${REGISTRATIONS}/r-1?rev=1-7c%26x`]);
});

it('hands on that the rev of a registration is stale', async () => {
  const { api } = await start(() => ({ status: 409 }));
  await expect(api.registrations.remove({ id: 'r-1', rev: '1-7' })).rejects.toMatchObject({ status: 409 });
});

it('is content when a registration is gone already', async () => {
  const { api } = await start(() => ({ status: 404 }));
  await expect(api.registrations.remove({ id: 'r-1', rev: '1-7' })).resolves.toBeUndefined();
});

it('has a test hook fired', async () => {
  const { api, side } = await start(() => ({ status: 200 }));
  await api.testHook('profile_updated');
  expect(side.seen.at(-1)).toMatchObject({
    method: 'POST',
    target: '/v2/webhooks/test',
    body: '{"topic":"profile_updated"}',
  });
});
