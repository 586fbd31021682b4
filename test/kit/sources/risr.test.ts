import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Delivery } from '../../../src/kit/delivery.ts';
import { endpointsOf } from '../../../src/kit/endpoint/definition.ts';
import { DeadLetter } from '../../../src/kit/errors.ts';
import { checkJson } from '../../../src/kit/reading/json.ts';
import { importSecret } from '../../../src/kit/proofs/secrets.ts';
import type { Envelope, OutgoingRequest, Settings, Switches } from '../../../src/kit/source.ts';
import { events, testPayload } from '../../../src/kit/sources/risr/events.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';

const secret = 'risr-demo-secret-0123456789abcdef';
const requestId = '9b1f6a52-0c7d-4e35-8d64-51e0c2a7f318';

const defaults: Switches = Object.fromEntries(
  Object.entries(risr.switches).map(([name, { values, text }]) => [name, values?.[0] ?? text ?? '']),
);
const everySwitch = Object.entries(risr.switches).flatMap(([name, { values, text }]) =>
  (values ?? [text ?? '']).map((value): [string, string] => [name, value]),
);

function settingsWith(change: Readonly<Record<string, string>> = {}): Settings {
  return Object.fromEntries(
    Object.entries(risr.settings).map(([name, setting]) => [
      name,
      setting.schema.parse(change[name] ?? setting.default),
    ]),
  );
}

function destination(type: string) {
  return { path: `/risr/${type}`, type, credential: { kind: 'SECRET', text: secret } };
}

function write(type: string, payload: unknown, choices: Switches = defaults): Buffer {
  return risr.envelope.write({ type, id: requestId, payload, at: new Date(0) }, choices);
}

function read(type: string, content: Buffer | string, settings = settingsWith()): Envelope {
  const endpoint = endpointsOf(risr).find((candidate) => candidate.type === type);
  if (endpoint === undefined) throw new Error(`risr has no endpoint for ${type}`);
  return risr.envelope.read(Buffer.from(content), endpoint, settings, {});
}

function readJson(type: string, document: unknown, settings = settingsWith()): Envelope {
  return read(type, JSON.stringify(document), settings);
}

async function verify({ method, headers, body }: Pick<OutgoingRequest, 'method' | 'headers' | 'body'>) {
  const delivery: Delivery = {
    method,
    query: '',
    headers: Object.entries(headers).flat(),
    body,
    receivedAt: Date.now(),
  };
  const proven = await risr.proof.kinds['SECRET']
    ?.proof(settingsWith())
    .verify(delivery, [await importSecret(secret)]);
  if (proven === undefined) throw new Error('risr has no proof');
  return proven.content;
}

function verifyToken(token: string): Promise<Buffer> {
  return verify({ method: 'POST', headers: {}, body: Buffer.from(token) });
}

function judge(status: number, body: string, ms = 20) {
  return risr.reply.judge({ status, headers: {}, body: Buffer.from(body), ms }, 'user_logged_in', defaults);
}

it.each(everySwitch)('reads back every event that the sender writes with %s=%s', async (name, value) => {
  const choices = { ...defaults, [name]: value };
  for (const [type, { schema, example }] of Object.entries(events)) {
    const request = await risr.proof.sign(write(type, example, choices), destination(type), choices);
    const content = await verify(request);
    checkJson(content);
    const envelope = read(type, content);
    expect(envelope.type).toBe(type);
    expect(envelope.id).toBe(choices['requestId'] === 'yes' ? requestId : undefined);
    if (choices['testPayload'] === 'yes') expect(envelope.test).toBe(true);
    else expect(schema.parse(envelope.payload)).toEqual(example);
  }
});

const payload =
  'eyJpZCI6InVzci00NDcxIiwicmV2IjoiNy0yZjBkOWM2YjFlOGE0NzM1YjBjMWQyZTNmNGE1OTY4NyIsIndlYmhvb2tfcmVxdWVzdF9pZCI6IjliMWY2YTUyLTBjN2QtNGUzNS04ZDY0LTUxZTBjMmE3ZjMxOCIsImVtYWlsIjoiYXNhLmxpbmRAZXhhbXBsZS5vcmciLCJmaXJzdE5hbWUiOiJcdTAwYzVzYSIsImxhc3ROYW1lIjoiTGluZCIsInVzZXJGaWVsZHMiOltdLCJhdWRpdExvZyI6W119';
const payloadUtf8 =
  'eyJpZCI6InVzci00NDcxIiwicmV2IjoiNy0yZjBkOWM2YjFlOGE0NzM1YjBjMWQyZTNmNGE1OTY4NyIsIndlYmhvb2tfcmVxdWVzdF9pZCI6IjliMWY2YTUyLTBjN2QtNGUzNS04ZDY0LTUxZTBjMmE3ZjMxOCIsImVtYWlsIjoiYXNhLmxpbmRAZXhhbXBsZS5vcmciLCJmaXJzdE5hbWUiOiLDhXNhIiwibGFzdE5hbWUiOiJMaW5kIiwidXNlckZpZWxkcyI6W10sImF1ZGl0TG9nIjpbXX0';

// Made with python-jose and openssl.
it.each([
  [
    'the header sorted',
    `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${payload}.hyhi5sSSeKl48XTqGsDUPny5o7CDs2zEGt6CqNBG4l0`,
  ],
  [
    'the header unsorted',
    `eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.${payload}.5Od9YVR055vxKQF4JEB2kwrx7TZpHEpTPh2VIj2CBfo`,
  ],
  [
    'the payload in UTF-8',
    `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${payloadUtf8}.hq4U5Kw3mltptkV_m9cGc7VFpqM7jemTD3fd9CIHht4`,
  ],
])("reads the sender's own token with %s", async (_what, token) => {
  const envelope = read('profile_updated', await verifyToken(token));
  expect(envelope).toMatchObject({ type: 'profile_updated', id: requestId, key: requestId });
  expect(events.profile_updated.schema.parse(envelope.payload)).toMatchObject({
    id: 'usr-4471',
    firstName: 'Åsa',
  });
});

it.each([
  [{}, `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${payload}.hyhi5sSSeKl48XTqGsDUPny5o7CDs2zEGt6CqNBG4l0`],
  [
    { headerOrder: 'typ-first' },
    `eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.${payload}.5Od9YVR055vxKQF4JEB2kwrx7TZpHEpTPh2VIj2CBfo`,
  ],
  [
    { escapes: 'utf8' },
    `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${payloadUtf8}.hq4U5Kw3mltptkV_m9cGc7VFpqM7jemTD3fd9CIHht4`,
  ],
])('makes the same token as python-jose with %j', async (change, token) => {
  const choices: Switches = { ...defaults, requestId: 'no', ...change };
  const document = {
    id: 'usr-4471',
    rev: '7-2f0d9c6b1e8a4735b0c1d2e3f4a59687',
    webhook_request_id: requestId,
    email: 'asa.lind@example.org',
    firstName: 'Åsa',
    lastName: 'Lind',
    userFields: [],
    auditLog: [],
  };
  const content = write('profile_updated', document, choices);
  const { body } = await risr.proof.sign(content, destination('profile_updated'), choices);
  expect(body.toString()).toBe(token);
});

it('writes spaced JSON as Python does, and leaves blanks in texts alone', () => {
  const content = write(
    'profile_updated',
    { id: 'a', rev: '1-2', lastName: 'a,\n  b', userFields: [], more: { x: [1, 2] } },
    { ...defaults, requestId: 'no', spacing: 'spaced' },
  );
  expect(content.toString()).toBe(
    '{"id": "a", "rev": "1-2", "lastName": "a,\\n  b", "userFields": [], "more": {"x": [1, 2]}}',
  );
});

it.each(risr.proof.forgeries)('refuses the forgery %s', async (forgery) => {
  const content = write('profile_updated', events.profile_updated.example);
  const request = await risr.proof.forge(forgery, content, destination('profile_updated'), defaults);
  await expect(verify(request)).rejects.toThrow(
    expect.objectContaining({ name: 'DeliveryRejected', code: expect.stringMatching(/^proof_/) }),
  );
});

it('forges HS512 with the right secret', async () => {
  const to = destination('profile_updated');
  const document = {
    id: 'usr-4471',
    rev: '7-2f0d9c6b1e8a4735b0c1d2e3f4a59687',
    webhook_request_id: requestId,
  };
  const more = {
    email: 'asa.lind@example.org',
    firstName: 'Åsa',
    lastName: 'Lind',
    userFields: [],
    auditLog: [],
  };
  const content = write('profile_updated', { ...document, ...more }, { ...defaults, requestId: 'no' });
  const { body } = await risr.proof.forge('hs512', content, to, defaults);
  expect(body.toString()).toBe(
    `eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.${payload}.xhGNP0xgPTmqrspSMRP3Uxf08nk4eU0MmlnvreBcnCv0FFy4vsu9CiS0WHGxV691aSqqQxQKswmBtFxRfAMXVw`,
  );
});

it('knows no other forgery', async () => {
  const forged = risr.proof.forge('toString', Buffer.alloc(0), destination('profile_updated'), defaults);
  await expect(forged).rejects.toThrow('no forgery');
});

it('reads a login as the vendor is believed to send it', () => {
  const document = {
    webhook_request_id: requestId,
    user: 'usr-4471',
    headers: { eppn: 'alind@college.example.org', givenName: 'Åsa', affiliation: 'member;staff' },
  };
  expect(readJson('user_registered', document)).toEqual({
    type: 'user_registered',
    id: requestId,
    key: requestId,
    payload: {
      user: 'usr-4471',
      sso: { eppn: ['alind@college.example.org'], givenname: ['Åsa'], affiliation: ['member', 'staff'] },
    },
  });
});

it.each(['headers', 'sso_headers', 'sso', 'attributes'])(
  'finds single sign-on data under %s, and then nowhere else',
  (name) => {
    const document = { user: 'u1', eppn: 'x', [name]: { mail: 'a@example.org' } };
    expect(readJson('user_logged_in', document).payload).toEqual({
      user: 'u1',
      sso: { mail: ['a@example.org'] },
    });
  },
);

it('takes a login without single sign-on data', () => {
  expect(readJson('user_logged_in', { user: 'u1' }).payload).toEqual({ user: 'u1', sso: {} });
  expect(readJson('user_logged_in', { user: 'u1', headers: {} }).payload).toEqual({ user: 'u1', sso: {} });
});

it('takes only texts for single sign-on data', () => {
  const sso = {
    mail: 'a@example.org',
    groups: ['g1', 'g2;g3', 4],
    count: 7,
    none: null,
    blank: '',
    deep: { a: 'b' },
  };
  expect(readJson('user_logged_in', { user: 'u1', sso }).payload).toMatchObject({
    sso: { mail: ['a@example.org'], groups: ['g1', 'g2', 'g3'] },
  });
  expect(Object.keys(ssoOf({ user: 'u1', sso }))).toEqual(['mail', 'groups']);
});

it('splits at semicolons that are not escaped', () =>
  expect(ssoOf({ user: 'u1', sso: { a: 'x\\;y;z;;' } })).toEqual({ a: ['x;y', 'z'] }));

it('strips control characters', () =>
  expect(ssoOf({ user: 'u1', sso: { a: 'x\r\nInjected: y\u0000\u009b' } })).toEqual({ a: ['xInjected: y'] }));

it('drops a value that the limit cuts through', () => {
  expect(ssoOf({ user: 'u1', sso: { a: `short;${'x'.repeat(8192)}` } })).toEqual({ a: ['short'] });
  expect(ssoOf({ user: 'u1', sso: { a: 'x'.repeat(8192) } })).toEqual({ a: ['x'.repeat(8192)] });
});

it('joins two spellings of one name', () =>
  expect(ssoOf({ user: 'u1', sso: { Mail: 'a', MAIL: 'b' } })).toEqual({ mail: ['a', 'b'] }));

it("is not confused by names that are Object's own", () => {
  const content = '{"user":"u1","sso":{"constructor":"a","toString":"b","__PROTO__":"c"}}';
  const { payload: login } = read('user_logged_in', content);
  const { sso } = events.user_logged_in.schema.parse(login);
  expect(Object.entries(sso)).toEqual(
    expect.arrayContaining([
      ['constructor', ['a']],
      ['tostring', ['b']],
    ]),
  );
  expect(Object.getPrototypeOf(sso)).toBe(Object.prototype);
});

it.each(['user', 'user_id', 'userId', 'kaizen_user_id', 'id', '_id'])('finds the user id under %s', (name) =>
  expect(readJson('user_logged_in', { [name]: 'u1', eppn: 'x' }).payload).toEqual({
    user: 'u1',
    sso: { eppn: ['x'] },
  }),
);

it('looks for the user id where it is told to', () => {
  const settings = settingsWith({ USER_ID_MEMBERS: 'account.uid, login' });
  const document = { user: 'wrong', account: { uid: 'u1' }, headers: {} };
  expect(readJson('user_logged_in', document, settings).payload).toEqual({ user: 'u1', sso: {} });
});

it.each([
  ['an object before another candidate', { user: { name: 'x' }, id: 'u2' }],
  ['a number', { user: 4471 }],
  ['nothing', { eppn: 'x' }],
])('does not guess the user id from %s', (_what, document) =>
  expect(() => readJson('user_logged_in', document)).toThrow(
    expect.objectContaining({ name: 'DeadLetter', reason: 'payload_invalid' }),
  ),
);

it('says which members a login without a user id has, and not what is in them', () =>
  expect(() => readJson('user_logged_in', { personNumber: '19700101' })).toThrow(
    'No user id under user, user_id, userId, kaizen_user_id, id, _id. Members that came: "personNumber".',
  ));

it("does not look for members among Object's own", () => {
  const settings = settingsWith({ USER_ID_MEMBERS: 'constructor.name,__proto__,toString' });
  expect(() => readJson('user_logged_in', { user: 'u1' }, settings)).toThrow(DeadLetter);
});

it.each(['.', '..', 'a/b', 'a%2f', 'a b', '', 'x'.repeat(201)])(
  'does not let the user id %j into an address',
  (user) => {
    const { payload: login } = readJson('user_logged_in', { user });
    expect(events.user_logged_in.schema.safeParse(login).success).toBe(false);
  },
);

it('understands _id and _rev', () => {
  const { payload: document, key } = readJson('profile_updated', { _id: 'p1', _rev: '3-ab' });
  expect(document).toEqual({ id: 'p1', rev: '3-ab' });
  expect(key).toBe('p1@3-ab');
});

it('tells events apart by revision where the request id is missing', () => {
  const saved = { ...events.booking_updated.example };
  expect(readJson('booking_updated', saved).key).toBe(`${saved.id}@${saved.rev}`);
  expect(readJson('booking_updated', { booking: saved }).key).toBe(`${saved.id}@${saved.rev}`);
  expect(readJson('booking_updated', { id: 'b1' }).key).toBeUndefined();
  expect(readJson('profile_updated', { id: ['b1'], rev: '1-2' }).key).toBeUndefined();
});

it('never takes a login for a duplicate where the request id is missing', () =>
  expect(readJson('user_logged_in', { user: 'u1' })).toMatchObject({ id: undefined, key: undefined }));

it.each([5, '', 'a b', 'a\u0000', 'x'.repeat(201), ['a']])('does not take %j for a request id', (id) =>
  expect(() => readJson('profile_updated', { id: 'p1', rev: '1-2', webhook_request_id: id })).toThrow(
    expect.objectContaining({ reason: 'payload_invalid' }),
  ),
);

it.each([
  ['transition', 'actions'],
  ['workflowTransition', 'processedActions'],
  ['transition', 'processed_actions'],
])('finds the transition under %s and its actions under %s', (transition, actions) => {
  const { transition: executed, actions: processed, ...booking } = events.booking_state_changed.example;
  const expected = events.booking_state_changed.example;
  const parts = { [transition]: executed, [actions]: processed };
  expect(readJson('booking_state_changed', { ...booking, ...parts }).payload).toEqual(expected);
  expect(readJson('booking_state_changed', { booking, ...parts }).payload).toEqual(expected);
});

it('takes a state change that says nothing of its transition', () => {
  const { payload: booking } = readJson('booking_state_changed', events.booking_updated.example);
  expect(events.booking_state_changed.schema.parse(booking).transition).toBeUndefined();
});

it('takes a booking with absent parts and members it does not know', () => {
  const bare = { id: 'b1', rev: '1-2', state: { id: 'ws-1', name: 'NEW' }, fields: null, balance: 12 };
  const { payload: booking } = readJson('booking_updated', bare);
  expect(events.booking_updated.schema.parse(booking)).toEqual(bare);
});

it.each(Object.keys(events))("recognises the sender's test payload on %s", (type) =>
  expect(readJson(type, { ...testPayload, webhook_request_id: requestId })).toMatchObject({
    type,
    id: requestId,
    test: true,
  }),
);

it.each([
  ['another e-mail', { email: 'ada@example.org' }],
  ['another revision', { rev: '2-1324' }],
  ['a list that is not empty', { userFields: [{ _id: 'uf-1', value: 'x' }] }],
  ['a further member', { roles: [] }],
  ['a member less', { lastName: undefined }],
])('takes for an event what has the id of the test payload and %s', (_, change) => {
  const content = { ...testPayload, ...change, webhook_request_id: requestId };
  expect(readJson('profile_updated', content).test).toBeUndefined();
});

it('marks nothing else as a test', () => {
  for (const [type, { example }] of Object.entries(events)) {
    expect(read(type, write(type, example)).test).toBeUndefined();
  }
});

it.each([
  ['a list', '[]'],
  ['a text', '"x"'],
  ['null', 'null'],
  ['nothing', ''],
  ['half an object', '{"id":'],
  ['another encoding', Buffer.from([0x7b, 0xff, 0x7d])],
])('makes %s a dead letter', (_what, content) =>
  expect(() => read('profile_updated', content)).toThrow(
    expect.objectContaining({ name: 'DeadLetter', reason: 'json_invalid' }),
  ),
);

it('has no event for an endpoint that serves none of its topics', () => {
  const endpoint = { source: 'risr', type: undefined, path: '/risr/x' };
  expect(() => risr.envelope.read(Buffer.from('{}'), endpoint, settingsWith(), {})).toThrow(
    expect.objectContaining({ reason: 'event_mismatch' }),
  );
});

it('lets the handlers of one profile or booking wait for each other', () => {
  expect(events.user_logged_in.subject?.(events.user_logged_in.example)).toBe('profile:usr-4471');
  expect(events.booking_updated.subject?.(events.booking_updated.example)).toBe(
    events.booking_state_changed.subject?.(events.booking_state_changed.example),
  );
});

it('takes a few words or nothing as the answer to a login, and tells the sender neither', () => {
  const event = events.user_logged_in;
  expect(event.describe(event.answer.parse('wrote 2 roles'))).toBe('wrote 2 roles');
  expect(event.describe(event.answer.parse(undefined))).toBe('let through');
  expect(event.answer.safeParse({ ok: false }).success).toBe(false);
  expect(risr.reply.answer('wrote 2 roles', 'user_logged_in', settingsWith()).body).toBe('{"ok":true}');
});

it('judges as the sender does', () => {
  expect(judge(200, '{"ok": true}')).toMatchObject({ ok: true });
  expect(judge(200, '{"ok":false}')).toMatchObject({ ok: false });
  expect(judge(200, '')).toMatchObject({ ok: false });
  expect(judge(204, '{"ok":true}')).toMatchObject({ ok: false });
  expect(judge(302, '{"ok":true}')).toMatchObject({ ok: false });
  expect(judge(200, '{"ok":true}', 10_001)).toMatchObject({
    ok: false,
    says: expect.stringContaining('waiting at the login'),
  });
});

it('counts its own replies as success', () => {
  const { accepted } = risr.reply;
  expect(risr.reply.harmless('user_logged_in', settingsWith())).toEqual(accepted);
  expect(judge(accepted.status, accepted.body).ok).toBe(true);
});

it('reads any bytes, or makes them a dead letter', () => {
  const member = fc.constantFrom('user', 'id', '_id', 'rev', 'headers', 'booking', 'transition', '__proto__');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    fc.json().map((text) => Buffer.from(text)),
    fc.dictionary(member, fc.jsonValue()).map((value) => Buffer.from(JSON.stringify(value))),
  );
  fc.assert(
    fc.property(bytes, fc.constantFrom(...Object.keys(events)), (content, type) => {
      try {
        return read(type, content).type === type;
      } catch (error) {
        return error instanceof DeadLetter;
      }
    }),
  );
});

function ssoOf(document: unknown): Record<string, string[]> {
  return events.user_logged_in.schema.parse(readJson('user_logged_in', document).payload).sso;
}
