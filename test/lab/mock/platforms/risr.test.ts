import { createHmac } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { createFire } from '../../../../src/lab/mock/platforms/firing.ts';
import type { risrSeed } from '../../../../src/lab/mock/platforms/risr/seed.ts';
import { createRisrPlatform, type RisrPlatform } from '../../../../src/lab/mock/platforms/risr/platform.ts';
import { listenerOf } from '../../../../src/lab/mock/platforms/serve.ts';
import { createRandom } from '../../../../src/lab/mock/random.ts';
import type { Switches } from '../../../../src/kit/source.ts';
import { risr } from '../../../../src/kit/sources/risr/index.ts';
import { startOtherSide } from '../../../kit/outgoing/other-side.ts';
import { startApi, type Answer, type Seen } from '../../../kit/sources/api-side.ts';
import { later } from '../../../support/fixtures.ts';

const SECRET = 'wh_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';
const CREDENTIALS = { grant_type: 'client_credentials', client_id: 'public', client_secret: 'secret' };
const REV = /^(\d+)-[0-9a-f]{32}$/;
const TOPICS = [
  'user_registered',
  'user_logged_in',
  'profile_updated',
  'booking_updated',
  'booking_state_changed',
] as const;
const SSO = {
  eppn: ['alind@college.example.org'],
  givenName: ['Åsa'],
  sn: ['Lind'],
  mail: ['asa.lind@example.org'],
  affiliation: ['member', 'staff'],
};
const ASA = {
  id: 'usr-4471',
  firstName: 'Åsa',
  lastName: 'Lind',
  email: 'asa.lind@example.org',
  roles: ['role-trainee'],
  userFields: [{ _id: 'uf-college-no', value: 'A-20931' }],
  credentials: [{ type: 'proxy' as const, userName: 'alind@college.example.org' }],
  likes: 'tea',
};
const BOOKING = '6e1b7c0a-4d93-4a2f-8f57-b1c20d9e3a84';

type Members = Readonly<Record<string, unknown>>;

interface Arrival {
  /** The last segment of the path. */
  readonly topic: string;
  readonly payload: Members;
}

interface Stage {
  readonly platform: RisrPlatform;
  readonly clock: { ms: number };
  readonly origin: string;
  /** What has arrived, with its signature checked, all hooks being over. */
  readonly arrivals: () => Promise<Arrival[]>;
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Called>;
  readonly token: (form?: Members) => Promise<Called>;
}

interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: () => Members;
}

interface Given {
  readonly switches?: Switches;
  readonly topics?: readonly (typeof TOPICS)[number][];
  readonly seed?: z.input<typeof risrSeed>;
  readonly permissions?: Readonly<Record<string, boolean>>;
  readonly answer?: (seen: Seen, count: number) => Answer | Promise<Answer>;
}

const OK: Answer = { body: '{"ok":true}' };

async function setUp({
  switches = {},
  topics = TOPICS,
  seed = {},
  permissions = {},
  answer,
}: Given = {}): Promise<Stage> {
  let count = 0;
  const receiver = await startApi((seen) => answer?.(seen, ++count) ?? OK);
  later(() => receiver.stop());
  const served: { by?: RequestListener } = {};
  const api = await startOtherSide((request, response) => served.by?.(request, response));
  later(() => api.stop());
  const clock = { ms: Date.UTC(2031, 1, 3, 9) };
  const random = createRandom(5);
  const now = () => new Date(clock.ms);
  const platform = createRisrPlatform({
    fire: createFire(risr, random, now),
    random,
    now,
    baseUrl: api.origin,
    switches,
    seed: {
      apiUsers: [{ clientId: 'public', clientSecret: 'secret', ...permissions }],
      registrations: topics.map((topic) => ({
        topic,
        url: `${receiver.origin}/hooks/${topic}`,
        secret: SECRET,
      })),
      users: [ASA],
      bookings: [{ id: BOOKING, user: ASA.id }],
      ...seed,
    },
  });
  served.by = listenerOf(platform);

  const token = (form: Members = CREDENTIALS) =>
    send('POST', `${api.origin}/oauth2/token`, { body: new URLSearchParams(form as Record<string, string>) });
  let granted: string | undefined;
  return {
    platform,
    clock,
    origin: api.origin,
    token,
    async arrivals() {
      await platform.settled();
      return receiver.seen.map(arrivalOf);
    },
    async call(method, path, { headers = {}, body } = {}) {
      granted ??= String((await token()).json()['access_token']);
      const usual = { Authorization: `Bearer ${granted}`, 'EAS-Organisation': 'org_demo' };
      return send(method, `${api.origin}/${path}`, { headers: { ...usual, ...headers }, body });
    },
  };
}

async function send(method: string, url: string, { headers = {}, body }: CallOptions): Promise<Called> {
  const raw = typeof body === 'string' || body instanceof URLSearchParams;
  const sent = body === undefined ? {} : { body: raw ? body : JSON.stringify(body) };
  const response = await fetch(url, { method, headers, ...sent });
  const text = await response.text();
  // A test reads of it what it is about.
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: () => JSON.parse(text) as Members,
  };
}

/** Written out here on purpose: shares no code with the kit's own proof. */
function arrivalOf({ target, body }: Seen): Arrival {
  const [head = '', content = '', signature] = body.split('.');
  const right = createHmac('sha256', SECRET).update(`${head}.${content}`).digest('base64url');
  if (signature !== right) throw new Error('not signed with this secret');
  const payload = JSON.parse(Buffer.from(content, 'base64url').toString()) as Members;
  return { topic: target.split('/').at(-1) ?? '', payload };
}

function topicsOf(arrivals: readonly Arrival[]): string[] {
  return arrivals.map(({ topic }) => topic);
}

describe('access', () => {
  it('is found by discovery, granted for credentials, and good for the connection check', async () => {
    const { origin, call, token } = await setUp();
    const discovered = await send('GET', `${origin}/.well-known/openid-configuration`, {});
    expect(discovered.json()).toEqual({ issuer: origin, token_endpoint: `${origin}/oauth2/token` });
    expect((await token()).json()).toEqual({
      access_token: expect.stringMatching(/^[\w-]{43}$/),
      token_type: 'Bearer',
      expires_in: 300,
    });
    expect((await call('GET', 'v1/account/profile')).json()).toMatchObject({
      id: 'usr-0009',
      organisation: 'org_demo',
    });
  });

  it.each([
    ['another secret', { client_secret: 'other' }, 401, 'invalid_client'],
    ['another client', { client_id: 'other' }, 401, 'invalid_client'],
    ['another kind of grant', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ])('is not granted for %s', async (_, change, status, error) => {
    const { token } = await setUp();
    const refused = await token({ ...CREDENTIALS, ...change });
    expect([refused.status, refused.json()]).toEqual([status, { error }]);
  });

  it('is not granted for JSON', async () => {
    const { origin } = await setUp();
    expect((await send('POST', `${origin}/oauth2/token`, { body: CREDENTIALS })).status).toBe(400);
  });

  it.each([
    ['GET', 'v1/account/profile'],
    ['GET', 'v2/user-fields'],
    ['GET', 'v2/roles'],
    ['POST', 'v2/users'],
    ['GET', 'v2/users/usr-4471'],
    ['PUT', 'v2/users/usr-4471'],
    ['GET', `v2/bookings/${BOOKING}`],
    ['GET', 'v2/webhooks/registrations'],
    ['POST', 'v2/webhooks/registrations'],
    ['DELETE', 'v2/webhooks/registrations/x?rev=1'],
    ['POST', 'v2/webhooks/test'],
  ])('is demanded for %s /%s', async (method, path) => {
    const { call } = await setUp();
    const without = await call(method, path, { headers: { Authorization: '' } });
    expect([without.status, without.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect((await call(method, path, { headers: { Authorization: 'Bearer other' } })).status).toBe(401);
    expect((await call(method, path, { headers: { 'EAS-Organisation': '' } })).status).toBe(403);
    expect((await call(method, path, { headers: { 'EAS-Organisation': 'org_other' } })).status).toBe(403);
  });

  it('ends with the life of the token, or before', async () => {
    const { call, clock, platform } = await setUp();
    const status = async () => (await call('GET', 'v1/account/profile')).status;
    expect(await status()).toBe(200);
    clock.ms += 299_000;
    expect(await status()).toBe(200);
    clock.ms += 1_000;
    expect(await status()).toBe(401);
    clock.ms -= 1_000;
    platform.expireTokens();
    expect(await status()).toBe(401);
  });
});

describe('users', () => {
  it('lists the definitions of roles and fields', async () => {
    const { call } = await setUp();
    expect((await call('GET', 'v2/roles')).json()).toEqual([
      { _id: 'role-trainee', name: 'Trainee' },
      { _id: 'role-trainer', name: 'Trainer' },
    ]);
    expect((await call('GET', 'v2/user-fields')).json()).toContainEqual({
      _id: 'uf-college-no',
      name: 'College number',
      fieldType: 'string',
      isRequired: false,
    });
  });

  it('makes a user, and tells nobody', async () => {
    const { call, platform, arrivals } = await setUp();
    const made = await call('POST', 'v2/users', {
      body: { firstName: 'Bo', lastName: 'Ek', email: 'bo@example.org' },
    });
    expect([made.status, made.json()]).toEqual([
      201,
      { id: expect.any(String), rev: expect.stringMatching(REV) },
    ]);
    expect(platform.user(String(made.json()['id']))).toMatchObject({ firstName: 'Bo', roles: [] });
    expect(await arrivals()).toEqual([]);
  });

  it('writes a user who is at the rev that the write names, and tells it', async () => {
    const { call, platform, arrivals } = await setUp();
    const user = (await call('GET', `v2/users/${ASA.id}`)).json();
    expect(user).toMatchObject({ ...ASA, rev: expect.stringMatching(/^1-/) });
    const written = await call('PUT', `v2/users/${ASA.id}`, {
      body: { ...user, roles: ['role-trainer'], auditLog: [] },
    });
    expect([written.status, written.json()]).toEqual([
      200,
      { id: ASA.id, rev: expect.stringMatching(/^2-/) },
    ]);
    expect(platform.user(ASA.id)).toMatchObject({
      likes: 'tea',
      roles: ['role-trainer'],
      rev: written.json()['rev'],
    });
    expect(platform.user(ASA.id).auditLog.map(({ by }) => by)).toEqual(['import', 'usr-0009']);
    expect(await arrivals()).toMatchObject([
      {
        topic: 'profile_updated',
        payload: {
          id: 'profile_org_demo_usr-4471',
          rev: written.json()['rev'],
          webhook_request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          email: 'asa.lind@example.org',
          roles: ['role-trainer'],
        },
      },
    ]);
  });

  it('replaces the whole user: what is left out is gone', async () => {
    const { call, platform } = await setUp();
    const { rev } = platform.user(ASA.id);
    await call('PUT', `v2/users/${ASA.id}`, { body: { rev, firstName: 'Åsa' } });
    expect(platform.user(ASA.id)).toMatchObject({ firstName: 'Åsa', lastName: '', roles: [] });
    expect(platform.user(ASA.id)).not.toHaveProperty('likes');
  });

  it.each([
    ['409', undefined],
    ['409', '1-00000000000000000000000000000000'],
    ['412', '1-00000000000000000000000000000000'],
  ])('answers %s to a write at rev %s', async (conflict, rev) => {
    const { call, platform, arrivals } = await setUp({ switches: { conflict } });
    const before = platform.user(ASA.id);
    expect((await call('PUT', `v2/users/${ASA.id}`, { body: { ...ASA, rev } })).status).toBe(
      Number(conflict),
    );
    expect(platform.user(ASA.id)).toEqual(before);
    expect(await arrivals()).toEqual([]);
  });

  it('lets one of many writes at the same rev win', async () => {
    const { call, platform } = await setUp();
    const user = platform.user(ASA.id);
    const writes = Array.from({ length: 8 }, (_, count) =>
      call('PUT', `v2/users/${ASA.id}`, { body: { ...user, likes: count } }),
    );
    const statuses = (await Promise.all(writes)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 409, 409, 409, 409, 409, 409, 409]);
    expect(platform.user(ASA.id).rev).toMatch(/^2-/);
  });

  it.each([
    ['that is no JSON', '{'],
    ['that is a list', []],
    ['with a name that is no text', { firstName: 1 }],
    ['with an unknown role', { roles: ['role-king'] }],
    ['with an unknown field', { userFields: [{ _id: 'uf-other', value: '' }] }],
    ['with the id of a delivery', { webhook_request_id: 'x' }],
    ['with the id of another user', { id: 'usr-1' }],
  ])('answers 400 to a user %s', async (_, change) => {
    const { call, platform } = await setUp();
    const { rev } = platform.user(ASA.id);
    const body = typeof change === 'string' || Array.isArray(change) ? change : { ...ASA, rev, ...change };
    expect((await call('PUT', `v2/users/${ASA.id}`, { body })).status).toBe(400);
    expect(platform.user(ASA.id).rev).toBe(rev);
  });

  it('answers 404 where there is no such user, 403 without the permission, 405 to another method', async () => {
    const { call } = await setUp({ permissions: { manageUsers: false } });
    expect((await call('GET', 'v2/users/usr-1')).status).toBe(404);
    expect((await call('PUT', `v2/users/${ASA.id}`, { body: ASA })).status).toBe(403);
    expect((await call('POST', 'v2/users', { body: ASA })).status).toBe(403);
    expect((await call('DELETE', `v2/users/${ASA.id}`)).status).toBe(405);
    const other = await setUp();
    expect((await other.call('PUT', 'v2/users/usr-1', { body: { rev: '1-x' } })).status).toBe(404);
  });

  it('tells of a profile that its user saved, changed or not', async () => {
    const { platform, arrivals } = await setUp();
    const { document, calls } = await platform.saveProfile(ASA.id, { lastName: 'Ek' });
    await platform.saveProfile(ASA.id, {});
    expect(document).toMatchObject({ id: ASA.id, firstName: 'Åsa', lastName: 'Ek' });
    expect(calls.map(({ topic, fired }) => [topic, fired.verdict.ok])).toEqual([['profile_updated', true]]);
    const revs = (await arrivals()).map(({ payload }) => REV.exec(String(payload['rev']))?.[1]);
    expect(revs).toEqual(['2', '3']);
  });
});

describe('login', () => {
  it('makes an account at the first access, and waits for user_registered, then user_logged_in', async () => {
    const { platform, arrivals } = await setUp({ seed: { users: [], bookings: [] } });
    const first = await platform.login({ sso: SSO });
    const second = await platform.login({ sso: SSO });
    expect([first.firstAccess, second.firstAccess, second.user]).toEqual([true, false, first.user]);
    expect(platform.users()).toMatchObject([
      {
        id: first.user,
        rev: expect.stringMatching(/^1-/),
        firstName: 'Åsa',
        lastName: 'Lind',
        email: 'asa.lind@example.org',
        credentials: [{ type: 'proxy', userName: 'alind@college.example.org' }],
      },
    ]);
    const arrived = await arrivals();
    expect(topicsOf(arrived)).toEqual(['user_registered', 'user_logged_in', 'user_logged_in']);
    expect(arrived[0]?.payload).toEqual({
      webhook_request_id: expect.any(String),
      user: first.user,
      headers: {
        eppn: 'alind@college.example.org',
        givenName: 'Åsa',
        sn: 'Lind',
        mail: 'asa.lind@example.org',
        affiliation: 'member;staff',
      },
    });
  });

  it.each([
    ['user name', { eppn: ['ALIND@college.example.org'] }],
    ['e-mail', { mail: ['Asa.Lind@example.org'] }],
  ])('finds a user by the %s of the single sign-on', async (_, sso) => {
    const { platform } = await setUp();
    expect(await platform.login({ sso })).toMatchObject({ user: ASA.id, firstAccess: false });
  });

  it('needs no single sign-on where the user is known, and makes nobody out of nothing', async () => {
    const { platform, arrivals } = await setUp();
    expect(await platform.login({ user: ASA.id, sso: {} })).toMatchObject({ firstAccess: false });
    expect((await arrivals())[0]?.payload).toMatchObject({ user: ASA.id, headers: {} });
    await expect(platform.login({ sso: {} })).rejects.toThrow('single sign-on');
    await expect(platform.login({ user: 'usr-1', sso: {} })).rejects.toThrow('single sign-on');
    expect(await platform.login({ user: 'usr-1', sso: { mail: ['bo@example.org'] } })).toMatchObject({
      firstAccess: true,
    });
  });

  it('holds the user until every registered hook has replied, one after the other, and says for how long', async () => {
    let running = 0;
    let most = 0;
    const { platform } = await setUp({
      seed: { users: [], bookings: [] },
      async answer() {
        most = Math.max(most, ++running);
        await pause(40);
        running -= 1;
        return OK;
      },
    });
    const { calls, blockedMs } = await platform.login({ sso: SSO });
    expect([calls.length, most]).toEqual([2, 1]);
    expect(blockedMs).toBeGreaterThanOrEqual(78);
    expect(calls.map(({ fired }) => fired.ms >= 39)).toEqual([true, true]);
  });

  it('calls several registrations of a topic at once, as switched', async () => {
    let running = 0;
    let most = 0;
    const { platform } = await setUp({
      topics: ['user_logged_in', 'user_logged_in'],
      switches: { several: 'parallel' },
      async answer() {
        most = Math.max(most, ++running);
        await pause(40);
        running -= 1;
        return OK;
      },
    });
    const { calls } = await platform.login({ sso: SSO });
    expect([calls.length, most]).toEqual([2, 2]);
  });

  it('lets the user go on after its limit, and tries nothing again', async () => {
    const { platform } = await setUp({
      switches: { timeoutMs: '60', retries: '3' },
      topics: ['user_logged_in'],
      answer: () => pause(2_000, OK, { ref: false }),
    });
    const { blockedMs, calls } = await platform.login({ sso: SSO });
    expect(calls.map(({ fired }) => fired.verdict.ok)).toEqual([false]);
    expect(blockedMs).toBeGreaterThanOrEqual(58);
    expect(blockedMs).toBeLessThan(1_500);
  });

  it('serves a write that a hook makes while the login waits for it', async () => {
    const order: string[] = [];
    const stage: Stage = await setUp({
      topics: ['user_logged_in', 'profile_updated'],
      async answer({ target }) {
        order.push(target);
        if (!target.endsWith('user_logged_in')) return OK;
        const { rev } = stage.platform.user(ASA.id);
        const { status } = await stage.call('PUT', `v2/users/${ASA.id}`, {
          body: { ...ASA, rev, likes: 'coffee' },
        });
        await stage.platform.settled();
        return status === 200 ? OK : { status: 500 };
      },
    });
    const { calls } = await stage.platform.login({ sso: SSO });
    expect(calls.map(({ fired }) => fired.verdict.ok)).toEqual([true]);
    expect(order).toEqual(['/hooks/user_logged_in', '/hooks/profile_updated']);
    expect(stage.platform.user(ASA.id)['likes']).toBe('coffee');
  });
});

describe('bookings', () => {
  it('tells of every save, even without a change', async () => {
    const { platform, arrivals, clock } = await setUp();
    const { document } = await platform.makeBooking({ user: ASA.id });
    clock.ms += 24 * 60 * 60 * 1000;
    await platform.changeBooking(document.id, { metadata: [{ key: 'seat_confirmed', value: 'Yes' }] });
    await platform.changeBooking(document.id);
    const arrived = await arrivals();
    expect(topicsOf(arrived)).toEqual(['booking_updated', 'booking_updated', 'booking_updated']);
    expect(arrived.map(({ payload }) => REV.exec(String(payload['rev']))?.[1])).toEqual(['1', '2', '3']);
    expect(arrived[1]?.payload).toMatchObject({
      id: document.id,
      organisation: 'org_demo',
      user: ASA.id,
      type: 'booking',
      bookingItemId: '0d4f2b61-7c8e-4b95-a1d3-59e8f60c7b12',
      bookingOptionId: 'e83a91c5-16f7-4d20-9b4e-c7a5d2f8016b',
      createdDate: '2031-02-03',
      modifiedDate: '2031-02-04',
      state: { id: 'ws-p4d8r1t6cz', name: 'SUBMITTED' },
      metadata: [{ key: 'seat_confirmed', value: 'Yes' }],
      bookingOption: { name: 'Spring sitting' },
    });
    expect(arrived[1]?.payload).not.toHaveProperty('hiddenFields');
  });

  it('tells of a transition first, then of the save it was', async () => {
    const { platform, arrivals } = await setUp();
    await platform.transition(BOOKING, 'Confirm');
    const arrived = await arrivals();
    expect(topicsOf(arrived)).toEqual(['booking_state_changed', 'booking_updated']);
    expect(arrived[0]?.payload).toMatchObject({
      id: BOOKING,
      state: { name: 'CONFIRMED' },
      metadata: [
        { key: 'booking_confirmed', value: 'Yes' },
        { key: 'seat_confirmed', value: 'No' },
      ],
      transition: {
        id: 'wt-h3v6c8s1dq',
        name: 'Confirm',
        from: { name: 'SUBMITTED' },
        to: { name: 'CONFIRMED' },
        executedBy: 'usr-0009',
      },
      actions: [{ type: 'confirm_booking', result: 'ok' }],
    });
    expect(arrived[1]?.payload['rev']).toBe(arrived[0]?.payload['rev']);
    expect(platform.booking(BOOKING)).toMatchObject({
      state: { name: 'CONFIRMED' },
      rev: arrived[0]?.payload['rev'],
    });
  });

  it('tells of a transition that leaves the state as it was', async () => {
    const { platform, arrivals } = await setUp();
    await platform.transition(BOOKING, 'wt-r8f1y6t3wp');
    expect(topicsOf(await arrivals())).toEqual(['booking_state_changed', 'booking_updated']);
    expect(platform.booking(BOOKING).state.name).toBe('SUBMITTED');
  });

  it('refuses a transition from another state, one there is not, and a booking of nobody', async () => {
    const { platform, arrivals } = await setUp();
    await expect(platform.transition(BOOKING, 'Retract')).rejects.toThrow(
      'There is no Retract from SUBMITTED.',
    );
    await expect(platform.transition(BOOKING, 'Dance')).rejects.toThrow('no such transition');
    await expect(platform.transition('x', 'Confirm')).rejects.toThrow('no such booking');
    await expect(platform.makeBooking({ user: 'usr-1' })).rejects.toThrow('no such user');
    expect(await arrivals()).toEqual([]);
  });

  it.each([
    ['', []],
    ['?includeParts=bookingOption', ['bookingOption']],
    ['?includeParts=fields&includeParts=balance', ['balance', 'fields']],
    ['?includeParts=all', ['balance', 'bookingOption', 'fields']],
  ])('shows the parts that %s asks for', async (query, expected) => {
    const { call } = await setUp();
    const { status, json } = await call('GET', `v2/bookings/${BOOKING}${query}`);
    const shown = Object.keys(json()).filter((name) =>
      ['bookingOption', 'fields', 'balance', 'hiddenFields'].includes(name),
    );
    expect([status, shown.toSorted()]).toEqual([200, expected]);
    expect(json()).toMatchObject({
      id: BOOKING,
      rev: expect.stringMatching(REV),
      state: { name: 'SUBMITTED' },
    });
  });

  it('shows all fields to those who may manage bookings', async () => {
    const field = (label: string) => ({ key: `wff-${label}`, label, text_value: '', str_value: '' });
    const bookings = [{ id: BOOKING, user: ASA.id, fields: [field('Name')], hiddenFields: [field('Mark')] }];
    const labels = async (permissions: Readonly<Record<string, boolean>>, parts: string) => {
      const { call } = await setUp({ permissions, seed: { bookings } });
      const { status, json } = await call('GET', `v2/bookings/${BOOKING}?includeParts=${parts}`);
      const { fields } = json() as { readonly fields?: readonly { readonly label: string }[] };
      return status === 200 ? fields?.map(({ label }) => label) : status;
    };
    expect(await labels({}, 'allfields')).toEqual(['Name', 'Mark']);
    expect(await labels({}, 'fields')).toEqual(['Name']);
    expect(await labels({ manageBookings: false }, 'allfields')).toBe(403);
    expect(await labels({ manageBookings: false }, 'all')).toEqual(['Name']);
  });

  it('answers 404 where there is no such booking, and 400 to a part there is not', async () => {
    const { call } = await setUp();
    expect((await call('GET', 'v2/bookings/x')).status).toBe(404);
    expect((await call('GET', `v2/bookings/${BOOKING}?includeParts=everything`)).status).toBe(400);
  });
});

describe('registrations', () => {
  const fields = { topic: 'profile_updated', url: 'http://127.0.0.1:9/hooks/profile', secret: SECRET };

  it('are made, listed without their secret, and removed at their rev', async () => {
    const { call } = await setUp({ topics: [] });
    const made = await call('POST', 'v2/webhooks/registrations', { body: fields });
    const { id, rev } = made.json();
    expect([made.status, made.json()]).toEqual([
      201,
      { id: expect.any(String), rev: expect.stringMatching(REV) },
    ]);
    const list = await call('GET', 'v2/webhooks/registrations');
    expect(list.json()).toEqual([{ id, rev, topic: fields.topic, url: fields.url }]);
    const remove = async (at: string) =>
      (await call('DELETE', `v2/webhooks/registrations/${String(id)}${at}`)).status;
    expect(await remove('')).toBe(409);
    expect(await remove('?rev=1-0')).toBe(409);
    expect(await remove(`?rev=${String(rev)}`)).toBe(204);
    expect(await remove(`?rev=${String(rev)}`)).toBe(404);
    expect((await call('GET', 'v2/webhooks/registrations')).json()).toEqual([]);
  });

  it('are answered with 200 throughout, as switched', async () => {
    const { call } = await setUp({ switches: { success: '200' } });
    const made = await call('POST', 'v2/webhooks/registrations', { body: fields });
    const { id, rev } = made.json();
    const removed = await call('DELETE', `v2/webhooks/registrations/${String(id)}?rev=${String(rev)}`);
    expect([made.status, removed.status]).toEqual([200, 200]);
  });

  it.each([
    ['an unknown topic', { topic: 'profile_uploaded' }],
    ['no topic', { topic: undefined }],
    ['an address that is none', { url: 'receiver' }],
    ['an address of another scheme', { url: 'file:///etc/passwd' }],
    ['no secret', { secret: '' }],
  ])('are refused with 400 for %s', async (_, change) => {
    const { call, platform } = await setUp({ topics: [] });
    const { status } = await call('POST', 'v2/webhooks/registrations', { body: { ...fields, ...change } });
    expect([status, platform.registrations()]).toEqual([400, []]);
  });

  it('need the permission to manage web hooks, all of them', async () => {
    const { call, platform, arrivals } = await setUp({ permissions: { manageWebHooks: false } });
    const [{ id, rev } = { id: '', rev: '' }] = platform.registrations();
    const calls = [
      ['GET', 'v2/webhooks/registrations'],
      ['POST', 'v2/webhooks/registrations', { body: fields }],
      ['DELETE', `v2/webhooks/registrations/${id}?rev=${rev}`],
      ['POST', 'v2/webhooks/test', { body: { topic: 'profile_updated' } }],
    ] as const;
    for (const [method, path, options] of calls) {
      expect([path, (await call(method, path, options)).status]).toEqual([path, 403]);
    }
    expect(platform.registrations()).toHaveLength(TOPICS.length);
    expect(await arrivals()).toEqual([]);
  });

  it('are called all, each with an id of its own', async () => {
    const { platform, arrivals } = await setUp({ topics: ['profile_updated', 'profile_updated'] });
    await platform.saveProfile(ASA.id, {});
    const ids = (await arrivals()).map(({ payload }) => payload['webhook_request_id']);
    expect([ids.length, new Set(ids).size]).toEqual([2, 2]);
  });

  it.each(TOPICS)('can be tried: the example goes to what is registered for %s', async (topic) => {
    const { call, arrivals } = await setUp();
    const tried = await call('POST', 'v2/webhooks/test', { body: { topic } });
    expect([tried.status, tried.json()]).toEqual([200, { ok: true }]);
    expect(await arrivals()).toEqual([
      {
        topic,
        payload: {
          webhook_request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          id: 'profile_org_id',
          rev: '1-1324',
          email: 'john@doe.com',
          firstName: 'John',
          lastName: 'Doe',
          userFields: [],
          auditLog: [],
        },
      },
    ]);
  });

  it('cannot be tried for an unknown topic, or where there are none', async () => {
    const { call } = await setUp({ topics: [] });
    const unknown = await call('POST', 'v2/webhooks/test', { body: { topic: 'profile_uploaded' } });
    expect([unknown.status, unknown.text]).toEqual([400, expect.stringContaining('profile_updated')]);
    expect((await call('POST', 'v2/webhooks/test', { body: { topic: 'profile_updated' } })).status).toBe(404);
    expect((await call('POST', 'v2/webhooks/test', { body: {} })).status).toBe(400);
  });
});

describe('switches', () => {
  it.each([
    ['once', 1, 1],
    ['duplicate', 2, 1],
    ['redelivered', 2, 2],
  ])('delivers %s: %i times with %i ids', async (deliveries, times, differing) => {
    const { platform, arrivals } = await setUp({ switches: { deliveries } });
    await platform.saveProfile(ASA.id, {});
    const ids = (await arrivals()).map(({ payload }) => payload['webhook_request_id']);
    expect([ids.length, new Set(ids).size]).toEqual([times, differing]);
  });

  it.each([
    ['0', 1],
    ['2', 3],
    ['5', 3],
  ])(
    'calls a hook that fails twice again, with %s retries %i times, with the same id',
    async (retries, times) => {
      const { platform, arrivals } = await setUp({
        switches: { retries, retryDelayMs: '1' },
        answer: (_, count) => (count < 3 ? { status: 503 } : OK),
      });
      const { calls } = await platform.saveProfile(ASA.id, {});
      expect(calls.map(({ fired }) => fired.verdict.ok)).toEqual([false, false, true].slice(0, times));
      expect(new Set((await arrivals()).map(({ payload }) => payload['webhook_request_id'])).size).toBe(1);
    },
  );

  it('sends both events of a transition at once', async () => {
    const waiting: (() => void)[] = [];
    const { platform } = await setUp({
      switches: { several: 'parallel' },
      answer: async () => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          // Neither is answered before both are there.
          if (waiting.length === 2) for (const answer of waiting) answer();
        });
        return OK;
      },
    });
    expect((await platform.transition(BOOKING, 'Confirm')).calls).toHaveLength(2);
  });

  it('leaves the form of the payload to those of the sender', async () => {
    const { platform, arrivals } = await setUp({
      switches: { sso: 'flat', userMember: 'userId', booking: 'nested' },
    });
    await platform.login({ sso: SSO });
    await platform.changeBooking(BOOKING);
    const [login, booking] = await arrivals();
    expect(login?.payload).toMatchObject({ userId: ASA.id, sn: 'Lind' });
    expect(booking?.payload).toMatchObject({ booking: { id: BOOKING } });
  });
});

it('makes the same documents for the same seed', async () => {
  const [one, other] = [await setUp(), await setUp()];
  expect(one.platform.users()).toEqual(other.platform.users());
  expect(one.platform.bookings()).toEqual(other.platform.bookings());
  expect(one.platform.registrations().map(({ id, rev }) => [id, rev])).toEqual(
    other.platform.registrations().map(({ id, rev }) => [id, rev]),
  );
});

it('lets people act over HTTP, too', async () => {
  const { call, arrivals } = await setUp();
  expect((await call('POST', 'admin/login', { body: { sso: SSO } })).json()).toMatchObject({
    user: ASA.id,
    firstAccess: false,
    blockedMs: expect.any(Number),
    calls: [{ topic: 'user_logged_in', verdict: { ok: true } }],
  });
  await call('PUT', `admin/users/${ASA.id}`, { body: { lastName: 'Ek' } });
  const { id } = (await call('POST', 'admin/bookings', { body: { user: ASA.id } })).json();
  await call('PUT', `admin/bookings/${String(id)}`, { body: {} });
  const confirmed = await call('POST', `admin/bookings/${String(id)}/transitions/Confirm`);
  expect(confirmed.json()).toMatchObject({ state: { name: 'CONFIRMED' } });
  expect((await call('POST', `admin/bookings/${String(id)}/transitions/Confirm`)).status).toBe(409);
  expect((await call('PUT', 'admin/switches', { body: { success: '200' } })).status).toBe(204);
  expect((await call('PUT', 'admin/switches', { body: { success: '300' } })).status).toBe(400);
  expect((await call('GET', 'admin/users')).json()).toMatchObject([{ lastName: 'Ek' }]);
  expect((await call('GET', 'admin/bookings')).json()).toHaveLength(2);
  expect((await call('GET', 'admin/registrations')).text).not.toContain(SECRET);
  expect((await call('GET', 'admin/deliveries')).json()).toHaveLength(6);
  expect(topicsOf(await arrivals())).toEqual([
    'user_logged_in',
    'profile_updated',
    'booking_updated',
    'booking_updated',
    'booking_state_changed',
    'booking_updated',
  ]);
});
