import { hash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { DeadLetter } from '../../../src/kit/errors.ts';
import { readJson } from '../../../src/kit/reading/json.ts';
import { acme } from '../../support/acme.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { defineSource, type Occurrence, type Source } from '../../../src/kit/source.ts';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import { text } from '../../../src/kit/sources/hotdocs/answers/answers.ts';
import { newInboxUrl } from '../../support/fixtures.ts';
import { until } from '../../support/until.ts';
import { newEntry } from '../inbox/contract/entries.ts';
import { newReceiver } from '../../support/new-receiver.ts';

// What somebody can do who has recorded a genuine delivery and sends it again.

const nowS = () => Math.floor(Date.now() / 1000);

it.each<[string, Source, string, string]>([
  ['an interview', hotdocs, 'InterviewLoadEvent', '"workItemId":"w"'],
  ['a notification', hotdocs, 'NewWorkItemVersionComplete', '"workItemId":"w","workItemVersionId":"v"'],
  ['an action link', hotdocs, 'ActionLink', '"workItemId":"w"'],
  ['a login', risr, 'user_logged_in', '"user":"usr-1","sso":{}'],
])('takes %s that says its time only while it is fresh', async (_, source, type, members) => {
  const { receiver, sender } = await newReceiver();
  const send = async (times: string) =>
    (await sender.send(await sender.sign(source, type, `{${members}${times}}`))).status;
  expect(await send(`,"iat":${nowS()}`)).toBe(200);
  expect(await send('')).toBe(200);
  expect(await send(`,"iat":${nowS() - 3_600}`)).toBe(401);
  expect(receiver.log.at(-1)).toMatchObject({
    code: 'proof_stale',
    why: expect.stringContaining('MAX_AGE_S'),
  });
});

it('takes what is older where no age is set, for one endpoint or all', async () => {
  const { sender } = await newReceiver({
    env: { HOTDOCS_MAX_AGE_S: '0', HOTDOCS_ACTION_LINK_MAX_AGE_S: '60' },
  });
  const send = async (type: string) =>
    (await sender.send(await sender.sign(hotdocs, type, `{"workItemId":"w","iat":${nowS() - 3_600}}`)))
      .status;
  expect(await send('InterviewLoadEvent')).toBe(200);
  expect(await send('ActionLink')).toBe(401);
});

it('takes no GET where it is closed, before any proof is looked at', async () => {
  const env = { HOTDOCS_METHODS: 'POST', FAILED_PROOF_LIMIT: '1' };
  const { receiver, sender } = await newReceiver({ env });
  const request = await sender.request(hotdocs, 'InterviewLoadEvent');
  expect(request.method).toBe('GET');
  for (const target of [request.target, `${request.target}x`, '/hotdocs/InterviewLoadEvent']) {
    const reply = await sender.send({ ...request, target });
    expect(reply.status).toBe(405);
    expect(reply.headers['allow']).toBe('POST');
    expect(receiver.log.at(-1)).toMatchObject({ code: 'method_not_allowed' });
  }
  const posted = await sender.fire(hotdocs, 'InterviewLoadEvent', { switches: { verb: 'POST' } });
  expect(posted.status).toBe(200);
});

it('answers a recorded click on an action link with the page of the first, its script included', async () => {
  let runs = 0;
  const ActionLink = () => ({ html: `<p>click ${(runs += 1)}</p><script>go()</script>`, scripts: ['go()'] });
  const { sender } = await newReceiver({ handlers: { hotdocs: { ActionLink } } });
  const request = await sender.sign(hotdocs, 'ActionLink', `{"workItemId":"w","iat":${nowS()}}`);
  const first = await sender.send(request);
  const again = await sender.send(request);
  expect(again.body).toEqual(first.body);
  expect(again.headers).toMatchObject({
    'content-type': first.headers['content-type'],
    'content-security-policy': expect.stringContaining("script-src 'sha256-"),
  });
  expect(again.headers['content-security-policy']).toBe(first.headers['content-security-policy']);
  expect(runs).toBe(1);
});

it.each([
  ['is a duplicate as long as its key is known', '365', ['duplicate', '{}', 0]],
  ['is a new event after that', '7.5', ['answered', '{"Tenant Name":"Lea"}', 1]],
])('an event whose entry is forgotten %s', async (_, REPLAY_DAYS, expected) => {
  const INBOX_URL = newInboxUrl();
  const eightDaysAgo = Date.now() - 8 * 86_400_000;
  const before = await openInbox(INBOX_URL, { maxWaiting: 1, now: () => eightDaysAgo });
  const endpoint = '/hotdocs/InterviewLoadEvent';
  const { entry } = await before.store(newEntry({ endpoint, key: 'evt-1' }), { claimForMs: 1_000 });
  await before.done(entry, { answer: Buffer.from('{"Tenant Name":"Lea"}') });
  await before.close();
  let runs = 0;
  const InterviewLoadEvent = () => {
    runs += 1;
    return { 'Tenant Name': text('Lea') };
  };
  const env = { INBOX_URL, RETENTION_DAYS: '7', REPLAY_DAYS };
  const { receiver, sender } = await newReceiver({ env, handlers: { hotdocs: { InterviewLoadEvent } } });
  await until('it is forgotten', async () => (await receiver.app.inbox.stats()).done === 0);
  const { body } = await sender.fire(hotdocs, 'InterviewLoadEvent', { id: 'evt-1' });
  expect([receiver.log.at(-1)?.['outcome'], body.toString(), runs]).toEqual(expected);
});

/** A sender that writes type and id of an event into headers that its signature does not cover. */
const hub = defineSource({
  ...acme,
  name: 'hub',
  endpointPer: 'source',
  methods: () => ['POST'],
  envelope: {
    headers: { 'x-hub-event': 'unsigned', 'x-hub-id': 'unsigned' },
    read(content, _endpoint, _settings, headers) {
      const type = headers['x-hub-event'];
      if (type === undefined) throw new DeadLetter('event_unknown', 'Expected a type in X-Hub-Event.');
      const key = `${type} ${hash('sha256', content)}`;
      return { type, id: headers['x-hub-id'], key, payload: readJson(content) };
    },
    write: ({ payload }) => Buffer.from(JSON.stringify(payload)),
  },
});

it('reads the type from a header that the data sheet names, now and when the entry is handled', async () => {
  const told: unknown[] = [];
  const handler = ({ id, payload }: Occurrence) => void told.push([id, payload]);
  const handlers = { hub: { 'order.created': handler, 'price.asked': handler } };
  const { receiver, sender } = await newReceiver({ sources: [hub], handlers });
  const order = { orderId: '},"body":', lines: [] };
  const request = await sender.request(hub, 'order.created', { payload: order });
  const send = (more: Readonly<Record<string, string>>) =>
    sender.send({ ...request, headers: { ...request.headers, ...more } });
  const outcomes: unknown[] = [];
  for (const more of [
    { 'X-Hub-Event': 'order.created', 'X-Hub-Id': '},"body":"\\' },
    // The same again, by whoever has recorded it.
    { 'X-Hub-Event': 'order.created', 'X-Hub-Id': 'another' },
  ]) {
    expect((await send(more)).status).toBeLessThan(300);
    await receiver.app.idle();
    outcomes.push(receiver.log.findLast(({ secret }) => secret === 1)?.['outcome']);
  }
  expect(told).toEqual([['},"body":"\\', order]]);
  expect(outcomes).toEqual(['accepted', 'duplicate']);
  const [entry] = await receiver.app.inbox.list({ limit: 1 });
  expect(entry).toMatchObject({ type: 'order.created', eventId: '},"body":"\\', subject: 'hub },"body":' });
});

it('keeps for a human what lacks a header that its envelope is read from', async () => {
  const { receiver, sender } = await newReceiver({ sources: [hub], handlers: { hub: {} } });
  const request = await sender.request(hub, 'order.created');
  expect((await sender.send(request)).status).toBe(204);
  await receiver.app.idle();
  expect(await receiver.app.inbox.list({ limit: 1 })).toMatchObject([
    { type: '?', status: 'dead', note: 'event_unknown: Expected a type in X-Hub-Event.' },
  ]);
});
