import { expect, it } from '@jest/globals';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import type { TestReceiver } from '../../support/receiver.ts';

interface Harness {
  readonly receiver: TestReceiver;
  /** Sends an event and waits until its handler is done. */
  readonly fire: (type: keyof typeof hotdocs.events, payload?: object) => Promise<string>;
  readonly workItem: () => unknown;
}

const { example } = hotdocs.events.NewWorkItemVersionComplete;
const { workItemId, workItemVersionId } = example;

async function start(): Promise<Harness> {
  const { receiver, sender } = await newReceiver();
  return {
    receiver,
    async fire(type, payload) {
      const { body } = await sender.fire(hotdocs, type, payload === undefined ? {} : { payload });
      await receiver.app.idle();
      return body.toString();
    },
    workItem: () => receiver.records.find('work item', workItemId),
  };
}

function documents(...names: string[]) {
  return names.map((name) => ({
    id: `id of ${name}`,
    name,
    url: 'https://advance.acme.example/HdaApi/rest/v1.1/x',
  }));
}

const listed = (...names: string[]) => names.map((name) => ({ id: `id of ${name}`, name }));

it('lists the documents of a completed version', async () => {
  const { fire, workItem, receiver } = await start();
  await fire('NewWorkItemVersionComplete', { ...example, documents: documents('Lease', 'Annex') });
  expect(workItem()).toEqual({
    name: 'Lease 2024-118',
    versions: [{ id: workItemVersionId, state: 'complete', documents: listed('Lease', 'Annex') }],
  });
  expect(await receiver.app.inbox.list({ limit: 1 })).toMatchObject([
    { status: 'done', note: '2 documents listed, version complete' },
  ]);
});

it('keeps the documents of every version, although their ids may be the same', async () => {
  const { fire, workItem } = await start();
  await fire('NewWorkItemVersionComplete', { ...example, documents: documents('Lease') });
  await fire('NewWorkItemVersionComplete', {
    ...example,
    workItemVersionId: 'version-2',
    documents: documents('Lease'),
  });
  expect(workItem()).toMatchObject({ versions: [{ id: workItemVersionId }, { id: 'version-2' }] });
});

it('counts a version as being processed until it is complete', async () => {
  const { fire, workItem } = await start();
  await fire('PostProcessingEvent', { ...example, documents: documents('Draft') });
  expect(workItem()).toMatchObject({ versions: [{ state: 'being processed', documents: listed('Draft') }] });
  await fire('NewWorkItemVersionComplete', { ...example, documents: documents('Lease', 'Annex') });
  expect(workItem()).toMatchObject({
    versions: [{ state: 'complete', documents: listed('Lease', 'Annex') }],
  });
});

it('takes nothing back when the event of the processing comes after that of the completion', async () => {
  const { fire, workItem } = await start();
  await fire('NewWorkItemVersionComplete', { ...example, documents: documents('Lease', 'Annex') });
  const complete = workItem();
  await fire('PostProcessingEvent', { ...example, documents: documents('Draft') });
  expect(workItem()).toEqual(complete);
});

it.each(['__proto__', 'constructor', '../../etc/passwd', ''])('keeps ids as data: %j', async (id) => {
  const { fire, receiver } = await start();
  const payload = { ...example, workItemId: id, workItemVersionId: id, documents: documents('Lease') };
  await fire('NewWorkItemVersionComplete', payload);
  expect(receiver.records.find('work item', id)).toMatchObject({
    versions: [{ id, state: 'complete', documents: listed('Lease') }],
  });
});

const weber = {
  'Tenant Name': 'Jonas Weber',
  'Monthly Rent': 1450.5,
  'Lease Start': '2024-06-01',
  'Pets Allowed': false,
  'Utilities Included': ['Water', 'Heating'],
  Occupants: [
    { 'Occupant Name': 'Lea Weber', 'Occupant Birthdate': '2015-02-11' },
    { 'Occupant Name': 'Tim Weber', 'Occupant Birthdate': '2018-09-30' },
  ],
};

it.each(['m.keller@acme.example', 'M.Keller@ACME.example'])(
  'fills an interview with what is known of %s',
  async (email) => {
    const { fire } = await start();
    expect(JSON.parse(await fire('InterviewLoadEvent', { user: { email } }))).toEqual(weber);
  },
);

it.each([{ user: { email: 'nobody@acme.example' } }, { user: { id: 'u-1' } }, {}])(
  'lets an interview open empty where nobody is known: %j',
  async (payload) => {
    const { fire } = await start();
    expect(await fire('InterviewLoadEvent', payload)).toBe('{}');
  },
);

it('lets an interview open empty where something else is known of the person', async () => {
  const { fire } = await start();
  expect(await fire('InterviewLoadEvent', { user: { email: 'asa.lind@example.org' } })).toBe('{}');
});

it('looks a tenant up where the template asks for it, and nothing where it asks for something else', async () => {
  const { fire } = await start();
  const createdBy = { loginName: 'm.keller@acme.example' };
  const lookup = await fire('CustomInterviewEvent', { eventName: 'LookupTenant', createdBy });
  expect(JSON.parse(lookup)).toEqual(weber);
  expect(await fire('CustomInterviewEvent', { eventName: 'LookupWeather', createdBy })).toBe('{}');
  expect(await fire('CustomInterviewEvent', { createdBy })).toBe('{}');
});

it('shows the documents of a work item to whoever clicks its action link', async () => {
  const { fire } = await start();
  expect(await fire('ActionLink', { workItemId })).toContain('Nothing is kept of this work item yet');
  await fire('NewWorkItemVersionComplete', { ...example, documents: documents('Lease', 'Annex') });
  const page = await fire('ActionLink', { workItemId });
  expect(page).toContain('<h1>Lease 2024-118</h1>');
  expect(page).toContain('<li>Lease</li>');
  expect(page).toContain('<li>Annex</li>');
});

it('escapes every name on the page, and lets no script run there', async () => {
  const { fire, receiver } = await start();
  const { sender } = receiver;
  const workItemName = `<script>alert(1)</script> & "Sons" 'n' co`;
  await fire('NewWorkItemVersionComplete', {
    ...example,
    workItemName,
    documents: documents('<img src=x onerror="alert(2)">', '</title><script>alert(3)</script>'),
  });
  const reply = await sender.fire(hotdocs, 'ActionLink', { payload: { workItemId } });
  const page = reply.body.toString();
  expect(page).not.toMatch(/<script|<img|<\/title><|onerror="/i);
  expect(page).toContain('&#60;script&#62;alert(1)&#60;/script&#62; &#38; &#34;Sons&#34; &#39;n&#39; co');
  expect(page.match(/<li>/g)).toHaveLength(2);
  expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(reply.headers['content-security-policy']).toMatch(/^default-src 'none'/);
  expect(reply.headers['content-security-policy']).not.toMatch(/script-src/);
});
