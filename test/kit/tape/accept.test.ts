import { describe, expect, it } from '@jest/globals';
import { example } from '../../../src/example/index.ts';
import { encryptInbox } from '../../../src/kit/inbox/sealed/inbox.ts';
import { readInboxKeys } from '../../../src/kit/inbox/sealed/keys.ts';
import type { Inbox } from '../../../src/kit/inbox/inbox.ts';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import { readConfig } from '../../../src/kit/program/config.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import type { Source } from '../../../src/kit/source.ts';
import type { Kept } from '../../../src/kit/tape/tape.ts';
import { acceptTaped, type Acceptance } from '../../../src/kit/tape/accept.ts';
import { later, newInboxUrl } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { secretsFor } from '../../support/receiver.ts';
import { until } from '../../support/until.ts';
import { tapedEvent, type Sending } from '../../lab/tape/taped.ts';

// A receiver whose secrets have been mended meanwhile: they are the sender's.

const secrets = secretsFor(example.sources);
const config = readConfig(secrets, example);

async function newInbox(url = newInboxUrl(), owner = true): Promise<Inbox> {
  const inbox = await openInbox(url, { maxWaiting: 100, owner });
  later(() => inbox.close());
  return inbox;
}

function genuine(
  source: Source,
  type: string,
  sending: Sending = {},
  kept: Partial<Kept> = {},
): Promise<Kept> {
  const prefix =
    { hotdocs: `HOTDOCS_${upper(type)}`, risr: `RISR_${upper(type)}` }[source.name] ?? 'PHENIXID';
  return tapedEvent(source, type, { secret: secrets[`${prefix}_SECRET`] ?? '', ...sending }, kept);
}

function upper(type: string): string {
  return type.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
}

function accept(kept: Kept, inbox: Inbox, althoughStale = false): Promise<Acceptance> {
  return acceptTaped(kept, { ...config, inbox, now: Date.now(), althoughStale });
}

it.each([
  [hotdocs, 'NewWorkItemVersionComplete'],
  [phenixid, 'OrderSigned'],
  [risr, 'profile_updated'],
] as const)(
  'puts an event of $name into the inbox of a running receiver, which handles it once: %#',
  async (source, type) => {
    const url = newInboxUrl();
    const { receiver } = await newReceiver({ env: { INBOX_URL: url } });
    const inbox = await newInbox(url, false);
    const kept = await genuine(source, type, { at: new Date(Date.now() - 60_000) });
    const first = await accept(kept, inbox);
    expect(first).toEqual({ accepted: true, seq: 1, duplicate: false });
    await until('it is handled', async () => ((await inbox.find(1))?.attempts ?? 0) > 0);
    await receiver.app.idle();
    const [entry] = await inbox.list({ limit: 1 });
    expect(entry).toMatchObject({ source: source.name, type, endpoint: kept.endpoint, secret: 1 });
    expect(entry?.receivedAt).toBeGreaterThan(kept.at + 50_000);
    expect(['done', 'waiting']).toContain(entry?.status);
    // Again, as if the tape had not been told.
    expect(await accept(kept, inbox)).toEqual({ accepted: true, seq: 1, duplicate: true });
    expect(await accept({ ...kept, seq: 1 }, inbox)).toMatchObject({
      accepted: false,
      why: expect.stringContaining('entry 1'),
    });
    expect(await inbox.list({ limit: 9, source: source.name })).toHaveLength(1);
  },
);

it('is a duplicate of the same event that came by itself meanwhile', async () => {
  const inbox = await newInbox();
  const [taped, again] = [await genuine(risr, 'profile_updated'), await genuine(risr, 'profile_updated')];
  await accept({ ...again, number: 2 }, inbox);
  expect(await accept(taped, inbox)).toEqual({ accepted: true, seq: 1, duplicate: true });
});

it('names where it comes from, where the sender gives it no name', async () => {
  const inbox = await newInbox();
  const kept = await genuine(phenixid, 'OrderSigned', {}, { number: 7 });
  await accept(kept, inbox);
  expect(await inbox.find(1)).toMatchObject({ key: `tape:7@${new Date(kept.at).toISOString()}` });
});

it('is sealed where the inbox is', async () => {
  const url = newInboxUrl();
  const inside = await newInbox(url);
  const keys = readInboxKeys(Buffer.alloc(32, 7).toString('base64'));
  const kept = await genuine(phenixid, 'OrderSigned');
  await accept(kept, encryptInbox(inside, keys));
  expect((await inside.find(1))?.content.includes('OrderSigned')).toBe(false);
  expect((await encryptInbox(inside, keys).find(1))?.content).toEqual(kept.body);
});

describe('a token that has expired since', () => {
  const hourAgo = new Date(Date.now() - 3_600_000);
  const expired = (kept: Partial<Kept> = {}, sending: Sending = {}) =>
    genuine(
      hotdocs,
      'PostProcessingEvent',
      { at: hourAgo, switches: { times: 'iat+exp' }, ...sending },
      kept,
    );

  it('is refused, and taken only where that is said', async () => {
    const inbox = await newInbox();
    expect(await accept(await expired(), inbox)).toMatchObject({
      accepted: false,
      why: expect.stringContaining('in time'),
    });
    expect(await inbox.find(1)).toBeNull();
    expect(await accept(await expired(), inbox, true)).toEqual({ accepted: true, seq: 1, duplicate: false });
  });

  it.each([
    ['was expired when it came', { at: Date.now() }, {}],
    ['is of another secret', {}, { secret: 'another-secret-than-any-that-is-known' }],
  ])('is refused all the same, if it %s', async (_, kept, sending) => {
    const inbox = await newInbox();
    expect(await accept(await expired(kept, sending), inbox, true)).toMatchObject({ accepted: false });
    expect(await inbox.find(1)).toBeNull();
  });
});

it.each<[string, Source, string, Partial<Kept>, string]>([
  ['for which somebody waited', hotdocs, 'InterviewLoadEvent', {}, 'does not wait any more'],
  ['for which somebody waited at the login', risr, 'user_logged_in', {}, 'does not wait any more'],
  ['with two hosts', phenixid, 'OrderSigned', { headers: ['Host', 'a', 'host', 'a'] }, '2 Host headers'],
  ['of which half has come', phenixid, 'OrderSigned', { whole: false }, 'nothing whole'],
  ['with another signature', phenixid, 'OrderSigned', { body: Buffer.from('{}') }, 'well-formed'],
  ['by another method', phenixid, 'OrderSigned', { method: 'PUT' }, 'PUT instead of POST'],
  ['to no endpoint', phenixid, 'OrderSigned', { endpoint: undefined }, 'no endpoint has'],
  ['that is too large', phenixid, 'OrderSigned', { body: Buffer.alloc(20_000) }, 'the limit is 16384'],
  ['of an unknown installation', phenixid, 'OrderSigned', { target: '/phenixid/?key=x' }, '?key= names'],
  [
    'that is packed',
    phenixid,
    'OrderSigned',
    { headers: ['Host', 'a', 'Content-Encoding', 'gzip'] },
    'Content-Encoding',
  ],
])('refuses one %s', async (_, source, type, change, why) => {
  const inbox = await newInbox();
  const outcome = await accept({ ...(await genuine(source, type)), ...change }, inbox, true);
  expect(outcome).toEqual({ accepted: false, why: expect.stringContaining(why) });
  expect(await inbox.find(1)).toBeNull();
});
