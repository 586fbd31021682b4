import { expect, it } from '@jest/globals';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import type { Source } from '../../../src/kit/source.ts';
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
