import { expect, it } from '@jest/globals';
import { stagedExample } from '../../../src/example/staged.ts';
import type { Environment } from '../../../src/kit/program/reader.ts';
import { setUp, type Stage } from '../../../src/lab/stage/stage.ts';
import { later, newFolder } from '../../support/fixtures.ts';

const ON_LOOPBACK = { ADMIN_PORT: '0' };

async function newStage(env: Environment = {}): Promise<Stage> {
  const stage = await setUp(stagedExample, newFolder(), { fleeting: true, env: { ...ON_LOOPBACK, ...env } });
  later(() => stage.tearDown());
  return stage;
}

/** What the console answers; with a form, to what a browser posts. */
async function ask(
  { app: { adminUrl = '' } }: Stage,
  path: string,
  form?: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
) {
  const posted = form && { method: 'POST', body: new URLSearchParams(form) };
  const response = await fetch(`${adminUrl}${path}`, {
    ...posted,
    redirect: 'manual',
    headers: { Origin: adminUrl, ...headers },
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const WITH_SCRIPTS = { 'HX-Request': 'true' };

async function send(stage: Stage, source: string, form: Readonly<Record<string, string>>): Promise<string> {
  const { status, text } = await ask(stage, `/mock/send/${source}?part`, form, WITH_SCRIPTS);
  expect(status).toBe(200);
  return text;
}

async function act(stage: Stage, source: string, deed: string, id = ''): Promise<string> {
  return (await ask(stage, `/mock/act/${source}?part`, { deed, thing: id }, WITH_SCRIPTS)).text;
}

async function products(stage: Stage): Promise<string> {
  return (await ask(stage, '/mock/products', undefined, WITH_SCRIPTS)).text;
}

it('has every event of every source, and its example to be changed', async () => {
  const stage = await newStage();
  const { text } = await ask(stage, '/mock');
  for (const { source } of stage.senders)
    for (const type of Object.keys(source.events)) {
      expect(text).toContain(`aria-label="Send ${type}"`);
      expect(text).toContain(`name="payload.${type}"`);
    }
  expect(text).toContain('name="switch.headerOrder"');
  expect(text).toContain('<option value="tampered-byte"');
});

it('sends an event with the payload as it was changed, and leads to the delivery', async () => {
  const stage = await newStage();
  const payload = JSON.stringify({ taskId: 'changed-1', orderId: 'changed-1' });
  const said = await send(stage, 'phenixid', { type: 'OrderCreated', 'payload.OrderCreated': payload });
  expect(said).toContain('>right<');
  const [entry] = await stage.app.inbox.list({ limit: 10 });
  expect(entry?.content.toString()).toContain('changed-1');
  const [, link = ''] = /href="([^"]+)"/.exec(said) ?? [];
  expect((await ask(stage, link)).text).toContain(`href="/deliveries/${entry?.seq ?? ''}"`);
});

it('spoils an event on purpose, and says whether the receiver did right', async () => {
  const stage = await newStage();
  const said = await send(stage, 'risr', { type: 'profile_updated', fault: 'tampered-byte' });
  expect(said).toContain('Answered 401, as a correct receiver does.');
  expect(await stage.app.inbox.list({ limit: 10 })).toEqual([]);
});

it('sends as a switch says', async () => {
  const stage = await newStage();
  const asked = { type: 'InterviewLoadEvent', 'switch.verb': 'POST' };
  expect(await send(stage, 'hotdocs', asked)).toContain('POST /hotdocs/InterviewLoadEvent');
});

it('sends several, and shows them in figures', async () => {
  const stage = await newStage();
  expect(await send(stage, 'risr', { type: 'booking_updated', count: '3' })).toContain('right: 3 of 3');
  expect(await stage.app.inbox.list({ limit: 10 })).toHaveLength(3);
});

it.each([
  ['what is no JSON', { type: 'profile_updated', 'payload.profile_updated': '{' }, 'The payload is not JSON'],
  ['an unknown fault', { type: 'profile_updated', fault: 'tampered-bite' }, 'Did you mean tampered-byte?'],
  ['an unknown event', { type: 'profile_update' }, 'Did you mean profile_updated?'],
  [
    'a choice that a switch does not have',
    { type: 'profile_updated', 'switch.sso': '1' },
    'Valid: nested, flat',
  ],
  ['a count that is none', { type: 'profile_updated', count: 'many' }, 'at count'],
  [
    'a payload that its source cannot write',
    { type: 'profile_updated', 'payload.profile_updated': 'null' },
    '',
  ],
])('says in a sentence why it does not send %s', async (_what, form, words) => {
  const stage = await newStage();
  const said = await send(stage, 'risr', form);
  expect(said).toMatch(/^<p class="notice bad" role="status">Not sent\. /);
  expect(said).toContain(words);
  expect(await stage.app.inbox.list({ limit: 10 })).toEqual([]);
});

it('names the variable of an endpoint that is closed', async () => {
  const stage = await newStage({ RISR_PROFILE_UPDATED_SECRET: '' });
  expect(await send(stage, 'risr', { type: 'profile_updated' })).toContain('Set RISR_PROFILE_UPDATED_SECRET');
});

it('shows without scripts all that was posted again, and nothing of it as HTML', async () => {
  const stage = await newStage();
  const hostile = '</textarea><script>alert(1)</script>';
  const payload = JSON.stringify({ taskId: hostile, orderId: hostile });
  const form = { type: hostile, 'payload.OrderCreated': payload, 'switch.key': `"${hostile}` };
  const { text } = await ask(stage, '/mock/send/phenixid', form);
  expect(text).toContain('<!doctype html>');
  expect(text).toContain('&#60;/textarea&#62;&#60;script&#62;alert(1)');
  expect(text).not.toContain('<script>alert');
});

it('lets people do in a product what makes it send, and shows what became of it', async () => {
  const stage = await newStage();
  expect(await act(stage, 'phenixid', 'New task')).toContain('PhenixID Signing Workflow: New task.');
  expect(await products(stage)).toContain('>PENDING<');
  const [task] = stage.world.phenixid.tasks();
  await act(stage, 'phenixid', 'Sign', task?.id);
  // What has changed comes along with the answer.
  expect(await act(stage, 'phenixid', 'Sign', task?.id)).toMatch(/hx-swap-oob[^]*>ACCEPTED</);
  const shown = await products(stage);
  expect(shown.match(/>Order\w+</g)).toEqual(
    ['OrderAccepted', 'OrderSigned', 'OrderSigned', 'OrderCreated'].map((type) => `>${type}<`),
  );
  expect(shown).not.toContain('value="Sign"');
});

it('plays a work item and a booking from button to button', async () => {
  const stage = await newStage();
  await act(stage, 'hotdocs', 'New work item');
  const [item] = stage.world.hotdocs.workItems();
  for (const deed of ['Open the interview', 'Finish']) await act(stage, 'hotdocs', deed, item?.id);
  await stage.settle();
  expect(await products(stage)).toMatch(/>Completed<[^]*Lease Agreement\.docx/);

  await act(stage, 'risr', 'First login of somebody');
  const [user] = stage.world.risr.users();
  await act(stage, 'risr', 'Book', user?.id);
  const [booking] = stage.world.risr.bookings();
  await act(stage, 'risr', 'Confirm', booking?.id);
  await stage.settle();
  expect(await products(stage)).toMatch(/Åsa Lind 1[^]*>CONFIRMED</);
});

it('says what a product does not let anybody do', async () => {
  const stage = await newStage();
  const said = await act(stage, 'phenixid', 'Sign', 'nothing');
  expect(said).toMatch(/^<p class="notice bad" role="status">Sign: There is no such task\./);
  expect(await act(stage, 'phenixid', '<b>')).toContain('Unknown deed: &#34;&#60;b&#62;&#34;.');
});

it('shows the newest fifty of many things', async () => {
  const stage = await newStage();
  for (let count = 1; count <= 52; count += 1) stage.world.hotdocs.createWorkItem({ name: `Lease ${count}` });
  const shown = await products(stage);
  expect(shown).toContain('The newest 50 of 52.');
  expect(shown).toContain('>Lease 52<');
  expect(shown).not.toContain('>Lease 2<');
});

it('lets nobody send or act who may only look', async () => {
  const CONSOLE_LOOK_TOKEN = 'ben:a-token-of-at-least-20-characters';
  const stage = await newStage({ CONSOLE_LOOK_TOKEN });
  const token = CONSOLE_LOOK_TOKEN.slice('ben:'.length);
  const { headers } = await ask(stage, '/login', { token });
  const Cookie = headers.get('set-cookie')?.split(';')[0] ?? '';
  const { text } = await ask(stage, '/mock', undefined, { Cookie });
  expect(text).toContain('You may look, and not send.');
  expect(text).toContain('In HotDocs Advance');
  expect(text).not.toMatch(/Send Order|name="deed"/);
  for (const path of ['/mock/send/phenixid', '/mock/act/phenixid'])
    expect(await ask(stage, path, { type: 'OrderCreated', deed: 'New task' }, { Cookie })).toMatchObject({
      status: 403,
    });
  expect(stage.world.phenixid.tasks()).toEqual([]);
});
