import { createServer } from 'node:http';
import { expect, it } from '@jest/globals';
import { notWritten, type Occurrence } from '../../src/kit/index.ts';
import { DeadLetter } from '../../src/kit/errors.ts';
import { sources } from '../../src/kit/sources/index.ts';
import type { Ended } from '../support/command.ts';
import { later, listening, newInboxUrl } from '../support/fixtures.ts';
import { runHere } from '../support/in-one-process.ts';
import { secretsFor, startReceiver, type TestReceiver } from '../support/receiver.ts';

type Handler = (event: Occurrence) => unknown;

interface Told extends Ended {
  readonly send: (...args: readonly string[]) => Promise<Ended>;
  readonly receiver: TestReceiver;
}

/** Sends one event to a receiver on this machine whose handler of it is this one. */
async function sendTo(
  [source, type]: readonly [source: string, type: string],
  handler: Handler,
  args: readonly string[] = [],
  settings: Record<string, string> = {},
): Promise<Told> {
  const env = { INBOX_URL: newInboxUrl(), ...settings };
  const receiver = await startReceiver({ env, handlers: { [source]: { [type]: handler } } });
  later(() => receiver.stop());
  const send = (...further: readonly string[]) =>
    runHere('send', [source, type, '--url', receiver.url, ...further], { ...secretsFor(sources), ...env });
  return { ...(await send(...args)), send, receiver };
}

const profile = ['risr', 'profile_updated'] as const;
const interview = ['hotdocs', 'InterviewLoadEvent'] as const;
const order = ['phenixid', 'OrderSigned'] as const;

it.each<readonly [string, readonly [string, string], Handler, string]>([
  ['a notification', profile, () => 'made it', 'done: made it'],
  ['an event without an id', order, () => 'made it', 'done: made it'],
  ['an event that somebody waits for', interview, () => ({}), 'done: no answers'],
])('says that %s is done', async (_what, event, handler, words) => {
  const { code, out } = await sendTo(event, handler);
  expect(out).toMatch(new RegExp(`^inbox {4}right: entry 1 is ${words}$`, 'm'));
  expect(code).toBe(0);
});

it.each<readonly [string, readonly [string, string], Handler, RegExp]>([
  [
    'fails',
    profile,
    fail,
    /waits until \S+Z to be tried again, as its attempt failed: handler_failed: no luck/,
  ],
  ['gives up', profile, giveUp, /is a dead letter: handler_gave_up: for good/],
  ['fails while somebody waits', interview, fail, /is a dead letter: handler_failed: no luck/],
  ['answers rubbish', interview, () => 7, /is a dead letter: answer_invalid: /],
  ['is late', interview, () => new Promise(() => undefined), /is a dead letter: handler_late: /],
  ['is not written', order, notWritten, /is a dead letter: handler_not_written: /],
])('says what became of an event whose handler %s, and ends with 1', async (_how, event, handler, words) => {
  const { code, out } = await sendTo(event, handler, [], { HOTDOCS_DEADLINE_MS: '200' });
  expect(out).toMatch(/^verdict {2}right: /m);
  const [, told = ''] = /^inbox {4}WRONG: entry 1 ([^]*)$/m.exec(out) ?? [];
  expect(told).toMatch(words);
  expect(told).toMatch(/npm run (inbox -- show 1|new -- handler phenixid OrderSigned)/);
  expect(code).toBe(1);
});

it('says that a handler still runs, after as long as it is told to wait', async () => {
  const running = ({ signal }: Occurrence): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  const { code, out } = await sendTo(profile, running, ['--wait', '0'], { HANDLER_TIMEOUT_MS: '1000' });
  expect(out).toMatch(/WRONG: entry 1 still (runs|waits) after 0 s/);
  expect(code).toBe(1);
});

it('says which entry an event waits behind', async () => {
  const { send } = await sendTo(profile, fail);
  const { code, out } = await send();
  expect(out).toMatch(/entry \d waits behind entry 1, which is about the same thing and failed/);
  expect(code).toBe(1);
});

it('tells of many in figures', async () => {
  const { send } = await sendTo(interview, fail);
  const { code, out } = await send('--count', '3');
  expect(out).toMatch(/^inbox {4}WRONG: 3 dead letters\n +entry 4: handler_failed: no luck$/m);
  expect(code).toBe(1);
});

it('says that nothing was stored of what was refused, and finds what had come before', async () => {
  const { send, receiver } = await sendTo(profile, () => 'made it', ['--seed', '7']);
  const refused = await send('--fault', 'wrong-secret', '--seed', '7');
  expect(refused.out).toContain('inbox    right: nothing of it was stored');
  expect(refused.code).toBe(0);
  const again = await send('--seed', '7');
  expect(again.out).toContain('inbox    right: duplicate of entry 1; entry 1 is done: made it');
  expect(again.out).toContain('Nothing new was stored');
  expect(await receiver.app.inbox.stats()).toMatchObject({ done: 1, waiting: 0, dead: 0 });
});

it('says plainly where the inbox cannot be seen', async () => {
  const { out, code, receiver } = await sendTo(profile, fail, [], { INBOX_URL: 'memory:' });
  expect(out).toMatch(/^inbox {4}not seen: INBOX_URL is memory:/m);
  expect(code).toBe(0);
  const { port } = new URL(receiver.url);
  const elsewhere = await runHere('send', [...profile, '--url', `http://[::ffff:127.0.0.1]:${port}`], {
    ...secretsFor(sources),
    INBOX_URL: newInboxUrl(),
  });
  expect(elsewhere.out).toMatch(/^inbox {4}not seen: \S+ is another machine/m);
});

it('shows the event and its request without sending it, and without its proof', async () => {
  const { send, receiver } = await sendTo(profile, () => 'made it');
  const env = secretsFor(sources);
  for (const args of [[], ['--switch', 'contentType=none'], ['--fault', 'alg-none']]) {
    const { code, out, err } = await send('--print', '--set', 'firstName=Ada', ...args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^request {2}POST \/risr\/profile_updated$/m);
    expect(out).toMatch(/^ {2}"firstName": "Ada",$/m);
    expect(out).not.toMatch(/eyJ/);
    for (const secret of Object.values(env)) expect(out).not.toContain(secret);
  }
  expect(await receiver.app.inbox.stats()).toMatchObject({ done: 1 });
});

it('shows an event of which no secret is known', async () => {
  const { code, out } = await runHere('send', [
    'phenixid',
    'OrderSigned',
    '--print',
    '--switch',
    'key=north',
  ]);
  expect(out).toMatch(
    /^request {2}POST \/phenixid\/\?key=north\n +Content-Type: .*\n +X-Signature: <proof>\nbody {5}\d+ bytes$/m,
  );
  expect(code).toBe(0);
});

it.each([
  [
    [...interview, '--set', 'user.nmae=Ada'],
    /no member user\.nmae\. Did you mean user\.name\? .*--add user\.nmae=/,
  ],
  [
    ['hotdocs', 'NewWorkItemVersionComplete', '--set', 'documents.0.nam=x'],
    /Did you mean documents\.0\.name\?/,
  ],
  [[...order, '--set', 'tasskId=x'], /Did you mean taskId\?/],
  [[...profile, '--switch', 'timeoutMs=abc'], /The switch timeoutMs: expected a whole number/],
  [[...profile, '--seed', '1', '--seed=2'], /--seed is there twice; it is taken once/],
  [[...profile, '--print=yes'], /--print takes no value/],
  [[...profile, '--set', '--print'], /--set needs a value, and --print follows it/],
])('refuses %j, and says what was probably meant', async (args, words) => {
  const { code, out, err } = await runHere('send', args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(words);
});

it.each([
  [[...interview, '--set', 'workItemVersionId=x'], '"workItemVersionId": "x"'],
  [['risr', 'user_logged_in', '--set', 'sso.title=["x"]'], '"title": "x"'],
  [[...profile, '--add', 'nickname=x'], '"nickname": "x"'],
])(
  'sets what the schema has although the example has not, and adds what is to be added: %j',
  async (args, words) => {
    const { code, out } = await runHere('send', [...args, '--print']);
    expect(out).toContain(words);
    expect(code).toBe(0);
  },
);

const STEERING = '\u001b[31m\u009b1m\u001b]8;;http://x\u0007y\r\b\u202e';

it('shows a reply that could steer the terminal as what it is', async () => {
  const server = createServer((_, response) => response.end(STEERING));
  const port = await listening(server);
  const args = [...profile, '--url', `http://127.0.0.1:${port}`];
  const { out } = await runHere('send', args, secretsFor(sources));
  expect(out).toContain('\\u{1b}[31m\\u{9b}1m\\u{1b}]8;;http://x\\u{7}y \\u{8}\\u{202e}');
  expect(out).not.toMatch(/(?!\n)\p{C}/u);
});

it('repeats no argument that could steer the terminal', async () => {
  const { err } = await runHere('send', [`hotdocs${STEERING}`, 'x', `--set=${STEERING}`]);
  expect(err).toContain('Unknown source: "hotdocs\\u001b[31m\\u{9b}1m');
  expect(err).not.toMatch(/(?!\n)\p{C}/u);
});

function fail(): never {
  throw new Error('no luck');
}

function giveUp(): never {
  throw new DeadLetter('handler_gave_up', 'for good');
}
