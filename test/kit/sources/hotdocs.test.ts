import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import type { Delivery } from '../../../src/kit/delivery.ts';
import { DeadLetter } from '../../../src/kit/errors.ts';
import { checkJson } from '../../../src/kit/reading/json.ts';
import { importSecret } from '../../../src/kit/proofs/secrets.ts';
import type { OutgoingRequest, ReceivedReply, Settings, Switches } from '../../../src/kit/source.ts';
import { number, text } from '../../../src/kit/sources/hotdocs/answers/answers.ts';
import { events } from '../../../src/kit/sources/hotdocs/events.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { outcomeOf } from '../proofs/outcome.ts';

const secret = 'own-test-secret-of-forty-characters-0001';
const types = Object.keys(events);
const kinds = ['SECRET', 'TOKEN'];
const id = '0b7f3c52-9c1e-4f6a-8a67-2f9a5d1c7e10';

const defaults: Switches = Object.fromEntries(
  Object.entries(hotdocs.switches).map(([name, { values, text: any }]) => [name, values?.[0] ?? any ?? '']),
);
const everySwitch = Object.entries(hotdocs.switches).flatMap(([name, { values }]) =>
  (values ?? ['12000']).map((value): [string, string] => [name, value]),
);

function settingsWith(change: Readonly<Record<string, string>> = {}): Settings {
  return Object.fromEntries(
    Object.entries(hotdocs.settings).map(([name, setting]) => [
      name,
      setting.schema.parse(change[name] ?? setting.default),
    ]),
  );
}

function exampleOf(type: string): Readonly<Record<string, unknown>> {
  return events[type as keyof typeof events].example; // `types` are the catalogue's keys
}

function write(type: string, choices: Switches = {}, payload: unknown = exampleOf(type)): Buffer {
  return hotdocs.envelope.write({ type, id, payload, at: new Date() }, { ...defaults, ...choices });
}

function read(type: string, content: Buffer | string | object) {
  const bytes = content instanceof Buffer || typeof content === 'string' ? content : JSON.stringify(content);
  const endpoint = { source: 'hotdocs', type, path: `/hotdocs/${type}` };
  return hotdocs.envelope.read(Buffer.from(bytes), endpoint, settingsWith(), {});
}

function payloadOf(type: string, content: Buffer | string | object): unknown {
  return events[type as keyof typeof events].schema.parse(read(type, content).payload); // as in `exampleOf`
}

function reasonFor(type: string, content: Buffer | string | object): string {
  try {
    read(type, content);
  } catch (error) {
    if (error instanceof DeadLetter) return error.reason;
    throw error;
  }
  return 'none';
}

function destination(type: string, kind: string) {
  return { path: `/hotdocs/${type}`, type, credential: { kind, text: secret } };
}

function deliveryOf({ method, target, headers, body }: OutgoingRequest): Delivery {
  const query = target.split('?')[1] ?? '';
  return { method, query, headers: Object.entries(headers).flat(), body, receivedAt: Date.now() };
}

async function verify(request: OutgoingRequest, kind: string, change: Readonly<Record<string, string>> = {}) {
  const credential = hotdocs.proof.kinds[kind];
  if (credential === undefined) throw new Error(`hotdocs has no ${kind}`);
  const settings = settingsWith(change);
  const encodings = credential.keyEncodings(settings);
  const secrets = await Promise.all(encodings.map((encoding) => importSecret(secret, 1, encoding)));
  return credential.proof(settings).verify(deliveryOf(request), secrets);
}

function sign(type: string, kind: string, choices: Switches = {}, content = write(type, choices)) {
  return hotdocs.proof.sign(content, destination(type, kind), { ...defaults, ...choices });
}

it.each(everySwitch)('reads back every event that the sender writes with %s=%s', async (name, value) => {
  const choices = { [name]: value };
  for (const kind of kinds) {
    for (const type of types) {
      const request = await sign(type, kind, choices);
      const { content } = await verify(request, kind, { KEY_ENCODING: 'either' });
      const { documents, ...example } = exampleOf(type);
      const known = Array.isArray(documents) ? { documents: [{ name: 'Lease Agreement' }] } : {};
      expect(read(type, content)).toMatchObject({ type });
      expect(payloadOf(type, content)).toMatchObject({ ...example, ...known });
      expect(hotdocs.methods(type)).toContain(request.method);
    }
  }
});

it('reads back every combination of spelling, layout and place', async () => {
  const pick = ([name, { values = [''] }]: [string, { values?: readonly string[] }]) =>
    [name, fc.constantFrom(...values)] as const;
  const written = ['claims', 'fieldStyle', 'times', 'dateStyle', 'verb', 'carrier', 'tokenBody', 'authForm'];
  const varied = Object.entries(hotdocs.switches).filter(([name]) => written.includes(name));
  const choice = fc.record(Object.fromEntries(varied.map(pick)));
  await fc.assert(
    fc.asyncProperty(
      choice,
      fc.constantFrom(...types),
      fc.constantFrom(...kinds),
      async (choices, type, kind) => {
        const { content } = await verify(await sign(type, kind, choices), kind);
        expect(payloadOf(type, content)).toMatchObject(exampleOf(type));
      },
    ),
  );
});

it('keeps unknown members', () => {
  const content = { eventId: id, tenant: 'acme', data: { workItemId: 'w', Matter: 7 } };
  expect(payloadOf('InterviewLoadEvent', content)).toEqual({ workItemId: 'w', Matter: 7, tenant: 'acme' });
});

it('reads ids that are numbers, as long as they are exact', () => {
  const data = {
    workItemId: 7,
    workItemVersionId: '8',
    documents: [{ id: 9, name: 'Lease', url: 'https://a' }],
  };
  const content = { eventId: id, data };
  expect(payloadOf('NewWorkItemVersionComplete', content)).toMatchObject({
    workItemId: '7',
    workItemVersionId: '8',
    documents: [{ id: '9', name: 'Lease' }],
  });
  const inexact = { eventId: id, data: { workItemId: 2 ** 60 } };
  expect(() => payloadOf('InterviewLoadEvent', inexact)).toThrow('expected string');
});

const event = { eventId: id, eventType: 'InterviewLoadEvent', data: { workItemId: 'w' } };

it.each([
  ['as the claims', event],
  ['as a claim that is an object', { data: event }],
  ['as a claim with JSON text', { payload: JSON.stringify(event) }],
  ['in the claim event', { event }],
  ['in the claim body', { body: JSON.stringify(event) }],
  ['in the claim JSON, capitals and all', { JSON: event }],
  ['in a claim of any name', { whatever: JSON.stringify(event) }],
  ['with data as JSON text', { ...event, data: JSON.stringify(event.data) }],
  ['as a flat list', { eventId: id, workItemId: 'w' }],
])('finds the event %s', (_where, claims) => {
  const envelope = read('InterviewLoadEvent', {
    ...claims,
    iss: 'a',
    aud: 'b',
    exp: 1,
    iat: 1,
    nbf: 1,
    jti: 'c',
    sub: 'd',
  });
  expect(envelope).toEqual({ type: 'InterviewLoadEvent', id, key: id, payload: { workItemId: 'w' } });
});

it('takes claims without any mark of an event for a flat list', () =>
  expect(read('InterviewLoadEvent', { sub: 'x', templatePackageId: 't' }).payload).toEqual({
    templatePackageId: 't',
  }));

it.each([
  [
    { ID: 'w', VersionId: 'v' },
    { workItemId: 'w', workItemVersionId: 'v' },
  ],
  [
    { workItemId: 'w', id: 'other' },
    { workItemId: 'w', id: 'other' },
  ],
  [{ InterviewEventName: 'Lookup' }, { eventName: 'Lookup' }],
  [{ userId: 'u', userName: 'Mia', emailAddress: 'm@x' }, { user: { id: 'u', name: 'Mia', email: 'm@x' } }],
  [{ USER: { Id: 'u', EmailAddress: 'm@x' } }, { user: { id: 'u', email: 'm@x' } }],
  [{ email: 'm@x' }, { user: { email: 'm@x' } }],
  [
    { user: '{"id":"u"}', answers: '{"A":1}' },
    { user: { id: 'u' }, answers: { A: 1 } },
  ],
  [{ workItemId: null, user: null }, {}],
])('reads the members %j as %j', (data, payload) =>
  expect(payloadOf('CustomInterviewEvent', { eventId: id, data })).toEqual(payload),
);

it('keeps who and when beside the data', () => {
  const content = { EventId: id, CreatedDate: '2024-05-14', CreatedById: 'c', Data: { workItemId: 'w' } };
  const payload = { workItemId: 'w', createdDate: '2024-05-14', createdBy: { id: 'c' } };
  expect(payloadOf('InterviewLoadEvent', content)).toEqual(payload);
});

it('knows both spellings of the load event', () =>
  expect(read('InterviewLoadEvent', { eventType: 'LoadInterviewEvent' }).type).toBe('InterviewLoadEvent'));

it('takes the type of its endpoint when the content names none', () =>
  expect(read('PostProcessingEvent', { eventId: id }).type).toBe('PostProcessingEvent'));

it('hands an unknown event type on as it is', () =>
  expect(read('PostProcessingEvent', { eventType: 'constructor' }).type).toBe('constructor'));

it.each([
  ['event_mismatch', { eventType: 'NewWorkItemVersionComplete' }],
  ['event_mismatch', { eventType: 'LoadInterviewEvent' }],
  ['event_unknown', { eventType: ['PostProcessingEvent'] }],
  ['event_unknown', { eventType: 'two\nlines' }],
  ['event_unknown', { eventType: 'x'.repeat(10_000) }],
  ['json_forbidden', { eventId: id, workItemId: 'a', WorkItemId: 'b' }],
  ['json_forbidden', '{"data":"{\\"eventId\\":\\"a\\",\\"eventId\\":\\"b\\"}"}'],
  ['json_forbidden', '{"data":"{\\"__proto__\\":{\\"a\\":1}}"}'],
  ['json_invalid', '[]'],
  ['json_invalid', 'null'],
  ['json_invalid', ''],
  ['json_invalid', '{"eventId":'],
])('keeps as %s: %j', (reason, content) => expect(reasonFor('PostProcessingEvent', content)).toBe(reason));

it('keys an event by its id, and without a plain one by the hash of its content', () => {
  expect(read('PostProcessingEvent', { eventId: id }).key).toBe(id);
  for (const eventId of [undefined, null, '', 7, 'x'.repeat(10_000), 'nul\0', {}]) {
    const content = Buffer.from(JSON.stringify({ workItemId: 'w', eventId }));
    const key = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    expect(read('PostProcessingEvent', content)).toMatchObject({ id: undefined, key });
  }
});

it('takes two clicks for one only where the event or its token says which it was', () => {
  expect(read('ActionLink', { eventId: id, workItemId: 'w' })).toMatchObject({ id, key: id });
  expect(read('ActionLink', { workItemId: 'w', iss: 'advance' }).key).toBeUndefined();
  expect(read('InterviewLoadEvent', { workItemId: 'w' }).key).toBeUndefined();
  for (const once of [{ jti: 'a' }, { iat: 1 }, { nbf: 1 }, { exp: 1 }, { createdDate: 'now' }]) {
    for (const type of ['ActionLink', 'InterviewLoadEvent']) {
      const { key } = read(type, { data: { workItemId: 'w' }, ...once });
      expect(key).toMatch(/^sha256:/);
      expect(read(type, { data: { workItemId: 'w' }, ...once, iat: 7 }).key).not.toBe(key);
    }
  }
});

it('lets a member called __proto__ reach no prototype', () => {
  const { payload } = read(
    'InterviewLoadEvent',
    '{"eventId":"e","__proto__":{"user":1},"data":{"__proto__":{"a":1}}}',
  );
  expect(Object.getPrototypeOf(payload)).toBe(Object.prototype);
  expect(({} as Readonly<Record<string, unknown>>)['user']).toBeUndefined();
});

it('names the version as the subject of what happens to its documents', () => {
  for (const type of ['NewWorkItemVersionComplete', 'PostProcessingEvent'] as const) {
    const version = events[type];
    expect(version.subject?.(version.example)).toBe('version:9b8a7c6d-5e4f-4321-8abc-0d1e2f3a4b5c');
  }
});

it('reads any JSON object, or says as a dead letter that it cannot', () => {
  const names = fc.constantFrom(
    'eventType',
    'eventId',
    'data',
    'Data',
    'user',
    '__proto__',
    'documents',
    'createdBy',
    'id',
  );
  const json = fc.dictionary(fc.oneof(names, fc.string()), fc.jsonValue({ maxDepth: 4 }));
  const bytes = fc.oneof(
    fc.json(),
    json.map((value) => JSON.stringify(value)),
    fc.string(),
  );
  fc.assert(
    fc.property(bytes, fc.constantFrom(...types), (content, type) =>
      expect(typeof reasonFor(type, content)).toBe('string'),
    ),
  );
});

it('changes the request as each switch says', async () => {
  const signed = async (type: string, choices: Switches, kind = 'SECRET') => {
    const { method, target, headers, body } = await sign(type, kind, choices);
    return { method, target, headers, body: body.toString() };
  };
  expect(await signed('PostProcessingEvent', {})).toMatchObject({
    method: 'POST',
    target: '/hotdocs/PostProcessingEvent',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: expect.stringMatching(/^token=[\w.-]+$/) as unknown,
  });
  expect(await signed('InterviewLoadEvent', {})).toMatchObject({
    method: 'GET',
    target: expect.stringMatching(/^\/hotdocs\/InterviewLoadEvent\?token=/) as unknown,
    body: '',
  });
  expect(await signed('ActionLink', { verb: 'GET' })).toMatchObject({ method: 'POST' });
  expect(await signed('CustomInterviewEvent', { verb: 'GET' })).toMatchObject({ method: 'GET', body: '' });
  expect(await signed('CustomInterviewEvent', { carrier: 'query' })).toMatchObject({
    target: '/hotdocs/CustomInterviewEvent',
  });
  expect(await signed('CustomInterviewEvent', { carrier: 'header', authForm: 'bearer' })).toMatchObject({
    headers: { Authorization: expect.stringMatching(/^Bearer ey/) as unknown },
  });
  expect(await signed('PostProcessingEvent', {}, 'TOKEN')).toMatchObject({
    headers: { Authorization: secret },
    body: expect.stringMatching(/^\{/) as unknown,
  });
});

it('writes what each switch names into the content', () => {
  const written = (type: string, choices: Switches): unknown => JSON.parse(write(type, choices).toString());
  expect(written('PostProcessingEvent', { omitEventId: 'true' })).not.toHaveProperty('eventId');
  expect(written('InterviewLoadEvent', { loadName: 'LoadInterviewEvent' })).toMatchObject({
    eventType: 'LoadInterviewEvent',
  });
  expect(written('CustomInterviewEvent', { includeAnswers: 'true' })).toHaveProperty('data.answers');
  expect(written('CustomInterviewEvent', {})).not.toHaveProperty('data.answers');
  expect(written('PostProcessingEvent', { payloadFormat: 'legacy' })).not.toHaveProperty(
    'data.documents.0.mimeType',
  );
  expect(written('PostProcessingEvent', { docUrl: 'v1.1' })).toHaveProperty(
    'data.documents.0.url',
    'https://acme.advance.example/HdaApi/rest/v1.1/workitems/1c4b7a90-3d52-4c8e-9a55-8f1d2b6e7c33/documents/e2d3c4b5-a697-5886-9abc-1234567890ab/content',
  );
  expect(written('PostProcessingEvent', { fieldStyle: 'pascal' })).toHaveProperty('Data.Documents.0.Url');
  expect(written('InterviewLoadEvent', { fieldStyle: 'flat' })).toHaveProperty('userEmail');
  expect(written('PostProcessingEvent', { padToken: '9000' })).toHaveProperty('padding.length', 9000);
});

it.each([
  ['7 digits', '2024-05-14T09:30:00.1230000Z'],
  ['3 digits', '2024-05-14T09:30:00.123Z'],
  ['none', '2024-05-14T09:30:00Z'],
  ['offset', '2024-05-14T11:30:00.1230000+02:00'],
])('writes a date with %s as %s, which every runtime reads', (dateStyle, expected) => {
  const at = new Date('2024-05-14T09:30:00.123Z');
  const content = hotdocs.envelope.write(
    { type: 'InterviewLoadEvent', id, payload: {}, at },
    { ...defaults, dateStyle, times: 'iat+exp' },
  );
  expect(JSON.parse(content.toString())).toMatchObject({
    createdDate: expected,
    iat: 1715679000,
    exp: 1715679300,
  });
  expect(Math.floor(Date.parse(expected) / 1000)).toBe(1715679000);
});

it.each(hotdocs.proof.forgeries)('refuses the forgery %s, whatever carries it', async (forgery) => {
  for (const kind of kinds) {
    for (const type of types) {
      for (const carrier of hotdocs.switches['carrier']?.values ?? []) {
        const choices = { ...defaults, carrier };
        const request = await hotdocs.proof.forge(forgery, write(type), destination(type, kind), choices);
        expect(await outcomeOf(() => verify(request, kind))).toMatch(/^proof_/);
      }
    }
  }
});

it('reads a delivery signed by other code', async () => {
  const file = readFileSync(new URL('../../witnesses/hotdocs.json', import.meta.url), 'utf8');
  const witness = z
    .object({
      secret: z.string(),
      claims: z.object({ eventId: z.string() }),
      deliveries: z.array(z.object({ token: z.string() })),
    })
    .parse(JSON.parse(file));
  const query = `token=${witness.deliveries[0]?.token ?? ''}`;
  const delivery = { method: 'GET', query, headers: [], body: Buffer.alloc(0), receivedAt: Date.now() };
  const proof = hotdocs.proof.kinds['SECRET']?.proof(settingsWith());
  const proven = await proof?.verify(delivery, [await importSecret(witness.secret)]);
  expect(read('InterviewLoadEvent', proven?.content ?? '').id).toBe(witness.claims.eventId);
});

it('does not forge what it does not know', async () => {
  const forge = hotdocs.proof.forge(
    'nonsense',
    write('ActionLink'),
    destination('ActionLink', 'SECRET'),
    defaults,
  );
  await expect(forge).rejects.toThrow('alg-none, missing-proof, hs512');
});

it.each([
  ['a token without a time, when the age is limited', {}, { MAX_AGE_S: '60' }, 'proof_stale'],
  ['a token of another issuer', {}, { ISSUER: 'advance' }, 'proof_foreign'],
  ['a token for another audience', {}, { AUDIENCE: 'us' }, 'proof_foreign'],
  ['a token signed with the base64 reading of the secret', { keyMode: 'base64' }, {}, 'proof_mismatch'],
])('refuses %s', async (_what, choices, change, outcome) => {
  const request = await sign('PostProcessingEvent', 'SECRET', choices);
  expect(await outcomeOf(() => verify(request, 'SECRET', change))).toBe(outcome);
});

it('takes the methods that are set, of those of the event', () => {
  const methods = (type: string, METHODS: string) => hotdocs.methods(type, settingsWith({ METHODS }));
  expect(methods('InterviewLoadEvent', 'GET,POST,PUT')).toEqual(hotdocs.methods('InterviewLoadEvent'));
  expect(methods('InterviewLoadEvent', 'POST')).toEqual(['POST']);
  expect(methods('ActionLink', 'GET, PUT')).toEqual([]);
});

it('accepts a fresh token when the age is limited', async () => {
  const request = await sign('PostProcessingEvent', 'SECRET', { times: 'iat' });
  expect(await outcomeOf(() => verify(request, 'SECRET', { MAX_AGE_S: '60' }))).toBe('accepted');
});

it('hands on the JSON body of an access token byte for byte', async () => {
  const body = Buffer.from('{ "eventId" : "e", "eventId":"f" }\n');
  const request = { ...(await sign('PostProcessingEvent', 'TOKEN')), body };
  expect((await verify(request, 'TOKEN')).content).toEqual(body);
});

const odd = JSON.stringify({ data: { workItemName: 'Smith & Sons = 100% + №', workItemId: 'w' } });
it.each([
  ['a byte order mark', Buffer.from(`\ufeff${odd}`)],
  ['UTF-16', Buffer.from(`\ufeff${odd}`, 'utf16le')],
  ['UTF-16, the other way round', Buffer.from(`\ufeff${odd}`, 'utf16le').swap16()],
  ['UTF-16 without a mark', Buffer.from(odd, 'utf16le')],
  ['UTF-16 without a mark, the other way round', Buffer.from(odd, 'utf16le').swap16()],
])(
  'keeps the JSON body of an access token as it came with %s, and reads it as it is meant',
  async (_, body) => {
    const request = { ...(await sign('PostProcessingEvent', 'TOKEN')), body };
    const { content } = await verify(request, 'TOKEN');
    expect(content).toEqual(body);
    expect(read('PostProcessingEvent', content).payload).toMatchObject({
      workItemName: 'Smith & Sons = 100% + №',
    });
  },
);

it('finds what lies twice in JSON in UTF-16, too', () => {
  expect(() => {
    checkJson(Buffer.from('{"a":1,"a":2}', 'utf16le'));
  }).toThrow('occurs twice');
});

it.each([
  ['XML', '<event name="a=b&c"/>'],
  ['a sentence', 'Smith & Sons = 100% + more'],
  ['an odd number of bytes behind a mark of UTF-16', '\xff\xfe{\0}'],
])('keeps what an access token vouches for and is no form as it came: %s', async (_, text) => {
  const body = Buffer.from(text, 'latin1');
  const request = { ...(await sign('PostProcessingEvent', 'TOKEN')), body };
  expect((await verify(request, 'TOKEN')).content).toEqual(body);
  expect(reasonFor('PostProcessingEvent', body)).toBe('json_invalid');
});

it.each([
  ['a form', 'workItemId=w&eventId=e', '', '{"workItemId":"w","eventId":"e"}'],
  ['the query', '', 'workItemId=w', '{"workItemId":"w"}'],
  ['the form before the query', 'a=1', 'a=2', '{"a":"1"}'],
  ['a repeated field as a repeated member', 'a=1&a=2', '', '{"a":"1","a":"2"}'],
  ['a form that begins with an empty pair', '&a=1', '', '{"a":"1"}'],
  ['a form with too many fields as it is', '&'.repeat(1000), '', '&'.repeat(1000)],
  ['nothing as an empty object', '', '', '{}'],
])('reads from what an access token vouches for %s', async (_what, body, query, content) => {
  const { headers } = await sign('PostProcessingEvent', 'TOKEN');
  const request = { method: 'POST', target: `/x?${query}`, headers, body: Buffer.from(body) };
  expect((await verify(request, 'TOKEN')).content.toString()).toBe(content);
});

it('answers in the dialect that is set', () => {
  const answer = (ANSWER_DIALECT: string) =>
    hotdocs.reply.answer({ Rent: number(1) }, 'InterviewLoadEvent', settingsWith({ ANSWER_DIALECT }));
  expect(answer('A')).toEqual({ status: 200, type: 'json', body: '{"Rent":1}' });
  expect(answer('B').body).toBe('{"answers":[{"name":"Rent","type":"Number","value":1}]}');
  expect(answer('C').body).toBe('{"Rent":{"type":"Number","value":1}}');
});

it('answers an action link with its page', () => {
  const page = hotdocs.reply.answer({ html: '<p>Hello', scripts: ['go()'] }, 'ActionLink', settingsWith());
  expect(page).toEqual({ status: 200, type: 'html', body: '<p>Hello', scripts: ['go()'] });
});

it('answers up to the size limit in bytes, and not a byte more', () => {
  const answer = (length: number) =>
    hotdocs.reply.answer(
      { A: text('é'.repeat(length)) },
      'CustomInterviewEvent',
      settingsWith({ EXTERNAL_ANSWERS_MAX_BYTES: '28' }),
    );
  expect(Buffer.byteLength(answer(10).body)).toBe(28);
  expect(() => answer(11)).toThrow(expect.objectContaining({ reason: 'answer_too_large' }));
});

it('does no harm when a handler fails', () => {
  const harmless = (type: string, ANSWER_DIALECT = 'A') =>
    hotdocs.reply.harmless(type, settingsWith({ ANSWER_DIALECT }));
  expect(harmless('InterviewLoadEvent').body).toBe('{}');
  expect(harmless('CustomInterviewEvent', 'B').body).toBe('{"answers":[]}');
  expect(harmless('CustomInterviewEvent', 'C').body).toBe('{}');
  expect(harmless('ActionLink')).toMatchObject({ status: 200, type: 'html' });
});

function judge(type: string, reply: Partial<ReceivedReply>, choices: Switches = {}) {
  const json = {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{}'),
    ms: 20,
  };
  return hotdocs.reply.judge({ ...json, ...reply }, type, { ...defaults, ...choices });
}

it('judges a notification by its status', () => {
  expect(judge('PostProcessingEvent', { status: 204, headers: {} })).toEqual({
    ok: true,
    says: 'delivered, status 204',
  });
  expect(judge('PostProcessingEvent', { status: 500 }).ok).toBe(false);
  expect(judge('PostProcessingEvent', { status: 302 }).says).toMatch(/redirects/);
  expect(judge('PostProcessingEvent', { ms: 10_001 }).ok).toBe(false);
  expect(judge('PostProcessingEvent', { ms: 10_001 }, { timeoutMs: '11000' }).ok).toBe(true);
});

it.each([
  [true, 'no answers, dialect A', {}, {}],
  [true, '2 answers, dialect A', { body: Buffer.from('{"A":1,"B":"x"}') }, {}],
  [true, 'no answers, dialect B', { body: Buffer.from('{"answers":[]}') }, {}],
  [
    true,
    '1 answer, dialect C',
    { body: Buffer.from('{"A":{"type":"Text","value":"x"}}') },
    { answerDialect: 'C' },
  ],
  [false, 'cannot be read', { body: Buffer.from('{"A":1}') }, { answerDialect: 'B' }],
  [false, 'not JSON', { body: Buffer.from('<p>') }, {}],
  [false, 'not JSON', { body: Buffer.alloc(0) }, {}],
  [false, 'application/json', { headers: { 'content-type': 'text/html' } }, {}],
  [false, 'application/json', { headers: {} }, {}],
  [false, 'come with 200', { status: 204 }, {}],
  [false, 'redirects', { status: 307 }, {}],
  [
    false,
    'ExternalAnswersMaxBytes is 9',
    { body: Buffer.from('{"A":"xxx"}') },
    { externalAnswersMaxBytes: '9' },
  ],
  [false, 'no reply within 5 ms', {}, { timeoutMs: '5' }],
])('judges answers: ok %s, says %s', (ok, says, reply, choices) => {
  const verdict = judge('InterviewLoadEvent', reply, choices);
  expect(verdict).toEqual({ ok, says: expect.stringContaining(says) as unknown });
});

it('judges an action link by its page', () => {
  const html = { 'content-type': 'text/html; charset=utf-8' };
  expect(judge('ActionLink', { headers: html, body: Buffer.from('<p>') })).toEqual({
    ok: true,
    says: 'a page of 3 bytes',
  });
  expect(judge('ActionLink', {}).ok).toBe(false);
  expect(judge('ActionLink', { status: 201, headers: html }).ok).toBe(false);
});

it('has defaults that its own schemas accept', () =>
  expect(hotdocs.limits(settingsWith())).toEqual({
    maxBodyBytes: 1_048_576,
    deadlineMs: 5000,
    onFailure: 'harmless',
  }));
