import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { apiEnvironment } from '../../src/lab/stage/products.ts';
import { credentialVariable, endpointsOf } from '../../src/kit/endpoint/definition.ts';
import { storyOf } from '../../src/lab/mock/story.ts';
import type { Source } from '../../src/kit/source.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { ended, printed, runScript, startScript } from '../support/command.ts';
import { freePort } from '../../src/lab/rig/ports.ts';
import { later, newFolder } from '../support/fixtures.ts';
import { runHere } from '../support/in-one-process.ts';
import { secretsFor, startReceiver as startWholeReceiver } from '../support/receiver.ts';
import { startReceiver, type SmallReceiver } from '../support/small-receiver.ts';
import { until } from '../support/until.ts';

const all: readonly Source[] = sources;
const first: Source = sources[0];
const type = storyOf(first)[0] ?? '';
const SECRET = 'never-printed-5f0c1d8e7b6a49382716';
const variable = variableOf(first, type);

function variableOf(source: Source, of: string): string {
  const definition = endpointsOf(source).find(
    (endpoint) => endpoint.type === undefined || endpoint.type === of,
  );
  if (definition === undefined) throw new Error(`no endpoint for ${of}`);
  return credentialVariable({ definition, source });
}

async function receiverAnswering(status: number): Promise<SmallReceiver> {
  const receiver = await startReceiver([], () => status);
  later(() => receiver.stop());
  return receiver;
}

it.each(all.map((source) => [source.name, storyOf(source)[0] ?? '', source] as const))(
  'names the variable that is missing for %s %s',
  async (name, event, source) => {
    const { code, err } = await runHere('send', [name, event]);
    expect(err).toContain(variableOf(source, event));
    expect(code).toBe(2);
  },
);

it('prints what was sent, the reply and the verdict, and never the secret', async () => {
  const { url } = await receiverAnswering(500);
  const { code, out, err } = await runHere('send', [first.name, type, '--url', url.href], {
    [variable]: SECRET,
  });
  expect(out).toMatch(/^sent .*\nevent .*\nproof .*\nreply {4}500 after .*\nverdict {2}WRONG: /);
  expect(out + err).not.toContain(SECRET);
  expect(out + err).not.toMatch(/eyJ/);
  expect(code).toBe(1);
});

it('ends with 0 when a fault gets what it should', async () => {
  const { url } = await receiverAnswering(401);
  const args = [first.name, type, '--url', url.href, '--fault', 'wrong-secret'];
  const { code, out } = await runHere('send', args, { [variable]: SECRET });
  expect(out).toContain('Answered 401, as a correct receiver does.');
  expect(code).toBe(0);
});

it('sends a payload from a file with members changed, as often as asked', async () => {
  const receiver = await receiverAnswering(200);
  const file = join(newFolder(), 'payload.json');
  writeFileSync(file, '{"taskId":"mine"}');
  const args = ['phenixid', 'OrderSigned', '--data', file, '--add', 'note=hello', '--count', '5'];
  const { code, out } = await runHere('send', [...args, '--url', receiver.url.href, '--seed', '7'], {
    PHENIXID_SECRET: SECRET,
  });
  expect(receiver.deliveries.map(({ body }) => body.toString())).toEqual(
    Array.from({ length: 5 }, () => expect.stringMatching(/"mine".*"note":"hello"/)),
  );
  expect(out).toMatch(/^sent .*5 × phenixid OrderSigned \(--seed 7\)/);
  expect(code).toBe(0);
});

it('proves itself with the secret of the installation that is named', async () => {
  const receiver = await receiverAnswering(200);
  const args = ['phenixid', 'OrderSigned', '--url', receiver.url.href, '--switch'];
  const north = await runHere('send', [...args, 'key=north'], { PHENIXID_NORTH_SECRET: SECRET });
  const south = await runHere('send', [...args, 'key=south'], { PHENIXID_NORTH_SECRET: SECRET });
  expect([north.code, receiver.deliveries[0]?.query]).toEqual([0, 'key=north']);
  expect([south.code, south.err]).toEqual([2, expect.stringContaining('PHENIXID_SOUTH_SECRET')]);
});

it.each([
  [['hotdosc', 'x'], /Unknown source.*Did you mean hotdocs\? Valid: hotdocs, phenixid, risr/],
  [['hotdocs', 'InterviewLodEvent'], /Did you mean InterviewLoadEvent\? Valid: /],
  [['hotdocs', 'InterviewLoadEvent', '--fault', 'alg-nonne'], /Did you mean alg-none\? Valid: /],
  [['hotdocs', 'InterviewLoadEvent', '--switch', 'vreb=GET'], /Did you mean verb\? Valid: /],
  [['hotdocs', 'InterviewLoadEvent', '--switch', 'verb'], /name=choice/],
  [['hotdocs', 'InterviewLoadEvent', '--data', 'no-such-file'], /no-such-file cannot be read/],
  [
    ['hotdocs', 'InterviewLoadEvent', '--data', 'package.json', '--count', 'x'],
    /--count: expected a whole number/,
  ],
  [['hotdocs', 'InterviewLoadEvent', '--url', 'ftp://x'], /expected an address/],
  [['hotdocs', 'InterviewLoadEvent', '--urll', 'x'], /--urll/],
  [['hotdocs'], /Which event\?[^]*InterviewLoadEvent/],
  [[], /Sources and events:/],
])('refuses %j in words, without a stack', async (args, message) => {
  const { code, err } = await runHere('send', args, { HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: SECRET });
  expect(err).toMatch(message);
  expect(err).not.toMatch(/^\s+at /m);
  expect(code).toBe(2);
});

it.each(['send', 'mock', 'demo', 'prove/chaos'])('explains %s when asked for help', async (script) => {
  const { code, out } = await runHere(script, ['--help']);
  expect(out).toContain(`npm run ${script.replace('/', ' -- ')}`);
  expect(code).toBe(0);
});

it('keeps a mock running until it is stopped', async () => {
  const { url } = await receiverAnswering(200);
  const env = { MOCK_PORT: '0', PHENIXID_SECRET: SECRET };
  const mock = startScript('mock', ['--url', url.href], env);
  const end = ended(mock);
  const text = await printed(mock, /listens at http:\S+/);
  const address = /http:\S+/.exec(text)?.[0] ?? '';
  const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
  const sent = await fetch(`${address}/send/phenixid/OrderCreated`, json);
  const closed = await fetch(`${address}/send/${first.name}/${type}`, json);
  const overview = await (await fetch(address)).text();
  const variables = await (await fetch(`${address}/env`)).text();
  const switched = await fetch(`${address}/phenixid/admin/switches`, {
    ...json,
    method: 'PUT',
    body: '{"lastSignatur":"accepted-first"}',
  });
  mock.kill('SIGINT');
  expect(await sent.json()).toMatchObject({ type: 'OrderCreated', verdict: { ok: true } });
  expect([closed.status, await closed.text()]).toEqual([400, expect.stringContaining(variable)]);
  expect([switched.status, await switched.text()]).toEqual([
    400,
    expect.stringContaining('Did you mean lastSignature?'),
  ]);
  expect(overview).toMatch(/^ {2}POST \/hotdocs\/admin\/workitems\/:item\/finish$/m);
  expect(overview).toMatch(/^ {2}POST \/phenixid\/admin\/tasks\/:task\/sign$/m);
  expect(overview).toMatch(/^ {2}PUT \/risr\/admin\/switches$/m);
  expect(variables).toContain(`PHENIXID_API_URL=${address}/phenixid/\n`);
  const { code, out } = await end;
  expect(code).toBe(0);
  expect(out.trimEnd().split('\n').length).toBeLessThan(10);
});

it('begins with the tasks of a file, and sends where a config.json of Signing Workflow says', async () => {
  const receiver = await receiverAnswering(200);
  const taskId = 'aaaaaaaa-3c42-4b8e-9a57-2f6c1b90d413';
  const state = join(newFolder(), 'state.json');
  const config = join(newFolder(), 'config.json');
  writeFileSync(state, JSON.stringify({ phenixid: { tasks: [{ id: taskId }] } }));
  const endpoint = new URL('/elsewhere', receiver.url).href;
  writeFileSync(config, JSON.stringify({ webHook: { enabled: true, endpoint, secret: SECRET } }));
  const mock = startScript('mock', ['--state', state, '--phenixid-config', config], { MOCK_PORT: '0' });
  const end = ended(mock);
  const address = /http:\S+/.exec(await printed(mock, /listens at http:\S+/))?.[0] ?? '';
  const task = `${address}/phenixid/api/v2/tasks/${taskId}`;
  const json = { method: 'PUT', headers: { 'Content-Type': 'application/json' } };
  const changed = await fetch(task, { ...json, body: JSON.stringify({ description: 'another' }) });
  expect(changed.status).toBe(200);
  await until('the event is sent', () => receiver.deliveries.length > 0);
  mock.kill('SIGINT');
  expect(JSON.parse(String(receiver.deliveries[0]?.body))).toMatchObject({ taskId });
  expect((await end).code).toBe(0);
});

it.each([
  ['is not there', undefined, /cannot be read as JSON/],
  ['is no JSON', '{', /cannot be read as JSON/],
  ['has a product that there is not', '{"hotdoc":{}}', /Did you mean hotdocs\?/],
])('does not begin with a file that %s', async (_what, content, message) => {
  const file = join(newFolder(), 'state.json');
  if (content !== undefined) writeFileSync(file, content);
  const { code, err } = await runHere('mock', ['--state', file], { MOCK_PORT: '0' });
  expect(err).toMatch(message);
  expect(code).toBe(2);
});

it('plays a scenario against a receiver that runs elsewhere, and says what shows of it', async () => {
  const port = await freePort();
  const receiver = await startWholeReceiver({ env: apiEnvironment(`http://127.0.0.1:${port}`) });
  later(() => receiver.stop());
  const env = { ...secretsFor(sources), MOCK_PORT: String(port) };
  const { code, out } = await runHere('mock', ['--url', receiver.url, '--scenario', 'interview'], env);
  expect(out).toMatch(/^✓ NewWorkItemVersionComplete: delivered/m);
  expect(out).toMatch(/^✓ → post-processing has ended: Completed$/m);
  expect(out).toContain('What the receiver has kept cannot be seen from here');
  expect(code).toBe(0);
});

it('says what is missing of a scenario, and what to set', async () => {
  const { url } = await receiverAnswering(503);
  const env = { ...secretsFor(sources), MOCK_PORT: '0' };
  const { code, out } = await runHere('mock', ['--url', url.href, '--scenario', 'signing'], env);
  expect(out).toMatch(/^✗ OrderCreated: /m);
  expect(out).toMatch(/^✗ → the receiver called the API 0 times$/m);
  expect(out).toMatch(/^ {2}PHENIXID_API_URL=http:/m);
  expect(code).toBe(1);
});

it.each([
  [['--scenario', 'sining'], /Did you mean signing\? Valid: interview, signing, trainee/],
  [['--scenario', 'signing'], /Set PHENIXID_SECRET/],
  [['--chaos', 'x'], /--chaos: expected a whole number/],
])('refuses to mock with %j in words', async (args, message) => {
  const { code, err } = await runHere('mock', args, { MOCK_PORT: '0' });
  expect(err).toMatch(message);
  expect(code).toBe(2);
});

it('says that the port of the mock is taken', async () => {
  const { url } = await receiverAnswering(200);
  const { code, err } = await runHere('mock', [], { MOCK_PORT: url.port });
  expect(err).toContain(`Port ${url.port} is taken`);
  expect(code).toBe(1);
});

it('shows every event in the demo, refuses the forged one, and leaves nothing behind', async () => {
  const temporary = newFolder();
  const { code, out } = await runScript('demo', ['--once'], { TMPDIR: temporary });
  for (const event of all.flatMap(storyOf)) expect(out).toMatch(new RegExp(`^✓ ${event} .* 200 `, 'm'));
  expect(out).toMatch(/^✗ .* 401 refused .* proof_mismatch$/m);
  expect(out).toMatch(/^✓ → there, in the product +post-processing has ended: Completed$/m);
  expect(out).toMatch(/^✓ → there, in the product +its documents are stamped, once: /m);
  expect(out).toMatch(/^✓ → here, in the receiver +every document is archived, once: SHA-256 [0-9a-f]{8}…/m);
  expect(out).toMatch(/^✓ → here, in the receiver +the signed file is archived, once: SHA-256 [0-9a-f]{8}…/m);
  expect(out).toMatch(/^✓ → there, in the product +the profile has the college number: A-20931$/m);
  expect(out).toMatch(/^✓ → here, in the receiver +the booking is CONFIRMED: /m);
  expect(out).not.toContain('\u001b');
  expect(code).toBe(0);
  expect(readdirSync(temporary)).toEqual([]);
});

it('shows the same effects in a demo on a bad day', async () => {
  const { code, out } = await runHere('demo', ['--once', '--chaos', '11'], { TMPDIR: newFolder() });
  expect(out).toMatch(/^\d+ things went wrong on purpose\.$/m);
  expect(out).toMatch(/^✓ → here, in the receiver +the signed file is archived, once: /m);
  expect(code).toBe(0);
});

it('plays bad days one after the other', async () => {
  const { code, out } = await runHere('prove/chaos', ['--seed', '3', '--days', '2'], {
    TMPDIR: newFolder(),
  });
  expect(out).toMatch(/^seed 3: \d+ things went wrong, nothing is missing\nseed 4: .*\n\n2 of 2 days/);
  expect(code).toBe(0);
});

it('keeps the demo running until it is stopped, and leaves nothing behind', async () => {
  const temporary = newFolder();
  const demo = startScript('demo', [], { TMPDIR: temporary });
  const end = ended(demo);
  const text = await printed(demo, /log from here on/);
  const mock = /mock (http:\S+),/.exec(text)?.[1] ?? '';
  const json = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
  const sent = await fetch(`${mock}/send/${first.name}/${type}`, json);
  demo.kill('SIGINT');
  expect(await sent.json()).toMatchObject({ type, verdict: { ok: true } });
  expect((await end).out).toMatch(/"outcome":"answered"/);
  expect((await end).code).toBe(0);
  expect(readdirSync(temporary)).toEqual([]);
});
