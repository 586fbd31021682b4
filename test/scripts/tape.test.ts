import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from '@jest/globals';
import { example } from '../../src/example/index.ts';
import { readInboxKeys } from '../../src/kit/inbox/sealed/keys.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { toBytes } from '../../src/kit/tape/bytes.ts';
import { openTape, openTapeStore } from '../../src/kit/tape/open.ts';
import { groupOf, type Kept } from '../../src/kit/tape/tape.ts';
import { readHar } from '../../src/lab/explain/read-har.ts';
import { tryWitness, witnessSchema } from '../../src/lab/tape/witness.ts';
import { taped, tapedEvent } from '../lab/tape/taped.ts';
import type { Ended } from '../support/command.ts';
import { emptyInboxUrl, fileWith, newFolder } from '../support/fixtures.ts';
import { runHere } from '../support/in-one-process.ts';
import { newReceiver } from '../support/new-receiver.ts';
import { secretsFor } from '../support/receiver.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');

let folder = '';
let url = '';
beforeEach(async () => {
  folder = newFolder();
  url = await emptyInboxUrl();
});

function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return runHere('tape', args, { INBOX_URL: url, ...env }, folder);
}

/** Puts deliveries onto the tape as their receiver would. */
async function onTape(all: readonly Kept[], key?: string): Promise<void> {
  const store = await openTapeStore(url);
  for (const one of all) {
    await store.write(
      groupOf(one),
      one.at,
      toBytes(one, key === undefined ? undefined : readInboxKeys(key)[0]),
    );
  }
  await store.close();
}

/** An hour old: a token in a form, one in a header, a signature, an access token and the event in a query. */
function four(): Promise<Kept[]> {
  const at = new Date(Date.now() - 3_600_000);
  const secret = 'the-token-that-was-typed-in-4471';
  return Promise.all([
    tapedEvent(hotdocs, 'PostProcessingEvent', { at, switches: { times: 'iat+exp' } }),
    tapedEvent(hotdocs, 'ActionLink', {
      at,
      switches: { times: 'iat+exp', carrier: 'header', authForm: 'bearer' },
    }),
    tapedEvent(phenixid, 'OrderSigned', { at, switches: { key: 'north-hospital' } }),
    tapedEvent(hotdocs, 'InterviewLoadEvent', { at, kind: 'TOKEN', secret }),
  ]);
}

function credentialsOf(kept: Kept): string[] {
  const whole = [kept.target, ...kept.headers, kept.body.toString()].join('\n');
  const tokens = whole.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? [];
  const signatures = kept.headers.filter((_, at) => kept.headers[at - 1] === 'X-Signature');
  const parts = tokens.flatMap((token) => token.split('.'));
  return [...tokens, ...parts, ...signatures, 'typed-in-4471', 'north-hospital'];
}

it('lists and shows what came, and no credential', async () => {
  const all = await four();
  await onTape(all);
  const list = await run(['list']);
  expect(list).toMatchObject({ code: 0, err: '' });
  expect(list.out).toMatch(/^1 +\S+Z +\/hotdocs\/PostProcessingEvent +proof_mismatch +POST +\d+$/m);
  const shown = [list, await run(['show', '3', '--json'])];
  for (const number of ['1', '2', '3', '4']) shown.push(await run(['show', number, '--content']));
  for (const number of ['2', '4']) {
    const { out } = await run(['show', number]);
    expect(out).toMatch(/^Authorization: <\d+ characters>$/m);
    expect(out).not.toMatch(/1c4b7a90|keller/); // ids and people are content
  }
  for (const { code, out } of shown) {
    expect(code).toBe(0);
    for (const credential of all.flatMap(credentialsOf)) expect(out).not.toContain(credential);
  }
  expect(shown.find(({ out }) => out.includes('In the token:'))?.out).toContain('1c4b7a90');
});

it('shows the very bytes where that is asked for, and says what they are', async () => {
  const [, , kept] = await four();
  if (kept === undefined) throw new Error('There are four.');
  await onTape([kept]);
  const { out, err } = await run(['show', '1', '--raw']);
  expect(out).toContain(`POST ${kept.target} HTTP/1.1\r\n`);
  expect(out.endsWith(`\r\n\r\n${kept.body.toString()}`)).toBe(true);
  expect(err).toContain('Credentials and personal data');
});

it('exports an HTTP archive that has all members it must have', async () => {
  const binary = await taped({
    method: 'POST',
    target: '/a?b=c&b=d',
    headers: [],
    body: Buffer.from([0xff, 0x00]),
  });
  const others = await four();
  await onTape([...others, binary]);
  expect(await run(['export', '--har', 'all.har'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('5 in all.har'),
  });
  const file = join(folder, 'all.har');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { log } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly log: { readonly entries: readonly object[] };
  };
  const read = readHar(readFileSync(file, 'utf8'));
  expect(read.map(({ body }) => body)).toEqual([...others, binary].map(({ body }) => body));
  const [text, number, list] = [expect.any(String), expect.any(Number), expect.any(Array)];
  const common = { httpVersion: text, cookies: list, headers: list, headersSize: number, bodySize: number };
  expect(log).toMatchObject({ version: '1.2', creator: { name: text, version: text } });
  for (const entry of log.entries) {
    expect(entry).toMatchObject({
      startedDateTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      time: number,
      request: { method: text, url: expect.stringMatching(/^http:\/\/127/), queryString: list, ...common },
      response: {
        status: number,
        statusText: text,
        redirectURL: text,
        content: { size: number, mimeType: text },
        ...common,
      },
      cache: {},
      timings: { send: number, wait: number, receive: number },
    });
  }
  expect(log.entries[4]).toMatchObject({
    request: {
      queryString: [
        { name: 'b', value: 'c' },
        { name: 'b', value: 'd' },
      ],
      postData: { text: '/wA=', encoding: 'base64' },
    },
  });
  expect(await run(['export', '--har', 'all.har', '1'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('is there already'),
  });
  expect(JSON.parse((await run(['export', '2', '--har'])).out)).toMatchObject({ log: { entries: [{}] } });
});

it('plays what was refused to a receiver that has the right secrets, or one as it came', async () => {
  const env: Record<string, string> = {
    ...secretsFor(example.sources),
    PHENIXID_NORTH_HOSPITAL_SECRET: 'secret-of-the-north-hospital-4471',
  };
  const load = {
    HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: '',
    HOTDOCS_INTERVIEW_LOAD_EVENT_TOKEN: 'another-token-than-it-came-with',
  };
  const { receiver } = await newReceiver({ env: { ...env, ...load } });
  const tape = await four();
  await onTape(tape);
  const blindly = await run(['play', '--all', '--url', receiver.url], { ...env, ...load });
  expect(blindly).toMatchObject({
    code: 1,
    out: expect.stringMatching(/(#\d .*not sent: it was refused, and signed anew.*\n){4}0 of 4/),
  });
  const played = await run(['play', '1', '2', '3', '4', '--url', receiver.url], { ...env, ...load });
  expect(played).toMatchObject({ code: 0, out: expect.stringContaining('4 of 4 accepted') });
  const asIs = await run(['play', '1', '3', '--as-is', '--url', receiver.url]);
  expect(asIs).toMatchObject({
    code: 1,
    out: expect.stringMatching(/#1 .*answered 401\n#3 .*answered 401\n0 of 2/),
  });
  const secret = fileWith(`${env['HOTDOCS_POST_PROCESSING_EVENT_SECRET'] ?? ''}\n`);
  const byFile = await run(['play', '1', '--secret-file', secret, '--url', receiver.url]);
  expect(byFile).toMatchObject({ code: 0, out: expect.stringContaining('answered 200') });
});

it('says of what cannot be played why, and ends with 1', async () => {
  const [first, second] = await four();
  if (first === undefined || second === undefined) throw new Error('There are four.');
  await onTape([
    { ...first, whole: false },
    { ...second, endpoint: undefined },
    { ...second, headers: ['A', 'b'] },
  ]);
  const secret = fileWith('the-secret-of-the-receiver-4471');
  const { code, out } = await run([
    'play',
    '1',
    '2',
    '3',
    '--secret-file',
    secret,
    '--url',
    'http://127.0.0.1:9',
  ]);
  expect({ code, out }).toEqual({
    code: 1,
    out: expect.stringMatching(
      /not sent: it was refused.*\n.*not sent: no endpoint.*\n.*not sent: there is no proof.*\n0 of 3/,
    ),
  });
  expect((await run(['play', '3', '--as-is', '--url', 'http://127.0.0.1:9'])).out).toContain('no answer');
});

it('makes a witness, and lists for a person what was replaced', async () => {
  const kept = await tapedEvent(risr, 'profile_updated', {
    payload: { id: 'p-1', rev: '1-a', ward: 'Lea Berg' },
  });
  await onTape([kept]);
  const { code, out } = await run(['witness', '1', '--name', 'profile']);
  expect({ code, out }).toEqual({
    code: 0,
    out: expect.stringMatching(/^Lea Berg +[A-Z][a-z]{2} [A-Z][a-z]{3}$/m),
  });
  expect(out).toMatch(/Names that no schema lists[^]*^ward$/m);
  const file = join(folder, 'test/app/witnesses/profile.json');
  const witness = witnessSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  expect(await tryWitness(witness, example)).toMatchObject({
    expected: witness.expected,
    spoiledStatus: 401,
  });
  expect(await run(['witness', '1', '--name', 'profile'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('is there already'),
  });
  expect(await run(['witness', '7', '--name', 'other'])).toMatchObject({
    code: 1,
    err: 'There is no #7 on the tape.\n',
  });
});

it('forgets what is named, what is old, or all', async () => {
  const tape = await four();
  await onTape([...tape, ...(await four()).map((one) => ({ ...one, at: Date.now() }))]);
  const left = async () => {
    const opened = await openTape(url, []);
    return (await opened.list()).map(({ number }) => number);
  };
  expect(await run(['forget', '2', '9'])).toMatchObject({
    code: 1,
    out: '1 forgotten\n',
    err: 'There is no #9 on the tape.\n',
  });
  expect(await run(['forget', '--older-than', '30min'])).toMatchObject({ code: 0, out: '3 forgotten\n' });
  expect(await left()).toEqual([5, 6, 7, 8]);
  expect(await run(['forget', '--all'])).toMatchObject({ code: 0, out: '4 forgotten\n' });
  expect((await run(['list'])).out).toBe('Nothing is on the tape.\n');
});

it('reads an encrypted tape with its keys, and without says so', async () => {
  await onTape(await four(), KEY);
  const key = { INBOX_KEYS_FILE: fileWith(KEY) };
  expect((await run(['show', '3', '--content'], key)).out).toContain('OrderSigned');
  const { code, out } = await run(['list']);
  expect(code).toBe(0);
  expect(out).not.toContain('/phenixid');
  expect(await run(['show', '3'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('#3 cannot be read'),
  });
});

it.each([
  [[], 'Deliveries as they came'],
  [['list', '--content'], 'list takes no --content'],
  [['show'], 'show takes one <n>'],
  [['show', '1', '--raw', '--json'], 'show takes one <n>'],
  [['show', 'one'], '<n>: expected a whole number'],
  [['export'], 'export takes --har'],
  [['export', '--har', 'a', 'b'], 'export writes one file'],
  [['play', '--url', 'http://127.0.0.1:9'], 'play takes either'],
  [['play', '1', '--all', '--url', 'http://127.0.0.1:9'], 'play takes either'],
  [['play', '1', '--url', 'nowhere'], '--url: expected an address'],
  [['play', '1', '--as-is', '--secret-file', 'x', '--url', 'http://127.0.0.1:9'], 'play takes either'],
  [['witness', '1', '--name', '../x'], 'witness takes one <n>'],
  [['forget', '1', '--all'], 'forget takes one of'],
  [['forget', '--older-than', 'long'], '--older-than: expected'],
])('refuses %j', async (args, why) => {
  expect(await run(args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(why) });
});

it('cannot look into what is in memory only', async () => {
  expect(await run(['list'], { INBOX_URL: 'memory:' })).toMatchObject({
    code: 1,
    err: expect.stringContaining('memory:'),
  });
});
