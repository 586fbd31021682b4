import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { readInboxKeys } from '../../../src/kit/inbox/sealed/keys.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { createLog } from '../../../src/kit/log.ts';
import { openTape, openTapeStore } from '../../../src/kit/tape/open.ts';
import { StoredTapeRecorder } from '../../../src/kit/tape/recorder.ts';
import type { Kept, Lost } from '../../../src/kit/tape/tape.ts';
import { newInboxUrl } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { exchange, post } from '../../support/raw.ts';

const SECRET = hash('sha256', 'of the tape');
const noKeys: ReturnType<typeof readInboxKeys> = [];

/** What a receiver leaves behind that is stopped. */
async function tapeOf(url: string, keys = noKeys): Promise<readonly Kept[]> {
  const tape = await openTape(url, keys);
  return (await tape.list()).filter(isReadable);
}

function isReadable(one: Kept | Lost): one is Kept {
  return !('unreadable' in one);
}

function filesOf(url: string): string[] {
  const folder = `${url.slice('sqlite:'.length)}.tape`;
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

it('keeps what was refused as it came, and nothing that was accepted', async () => {
  const env = { INBOX_URL: newInboxUrl() };
  const { receiver, sender } = await newReceiver({ env });
  expect((await sender.fire(phenixid, 'OrderSigned')).status).toBe(200);
  const body = '{"a": 1}\n';
  const headers = { 'X-Twice': 'one', 'x-tWICE': 'two', 'X-Signature': 'ab' };
  await exchange(receiver.url, post('/phenixid//?key=', body, headers));
  await receiver.stop();
  const [kept, ...others] = await tapeOf(env.INBOX_URL);
  expect(others).toEqual([]);
  expect(kept).toMatchObject({
    number: 1,
    from: expect.stringContaining('127.0.0.1'),
    method: 'POST',
    target: '/phenixid//?key=',
    httpVersion: '1.1',
    headers: expect.arrayContaining(['X-Twice', 'one', 'x-tWICE', 'two']),
    whole: true,
    endpoint: '/phenixid',
    outcome: 'proof_malformed',
    seq: undefined,
    why: receiver.log.findLast(({ code }) => code === 'proof_malformed')?.['why'],
  });
  expect(kept?.body.toString()).toBe(body);
});

it('keeps the genuine ones too where it is told to, and none where it is off', async () => {
  const all = { INBOX_URL: newInboxUrl(), TAPE: 'all' };
  const { receiver, sender } = await newReceiver({ env: all });
  const request = await sender.request(hotdocs, 'InterviewLoadEvent');
  for (let count = 0; count < 2; count += 1) await sender.send(request);
  await receiver.stop();
  const kept = await tapeOf(all.INBOX_URL);
  expect(kept.map(({ outcome }) => outcome)).toEqual(['answered', 'duplicate']);
  expect(kept.map(({ target, seq }) => [target, seq])).toEqual([
    [request.target, 1],
    [request.target, 1],
  ]);

  const off = { INBOX_URL: newInboxUrl(), TAPE: 'off' };
  const silent = await newReceiver({ env: off });
  await exchange(silent.receiver.url, post('/phenixid', '{}'));
  await silent.receiver.stop();
  expect(filesOf(off.INBOX_URL)).toEqual([]);
});

// The head and the body of a request come in two packets, as a proxy sends them.
it.each([
  ['an endpoint without a secret', '/risr/profile_updated', 'endpoint_closed', {}, 20_000],
  [
    'another method',
    '/risr/profile_updated',
    'method_not_allowed',
    { RISR_PROFILE_UPDATED_SECRET: SECRET },
    20_000,
  ],
  ['a path of nobody', '/nobody', 'path_unknown', {}, 2_000],
  ['a coded body', '/risr/profile_updated', 'body_encoded', { RISR_PROFILE_UPDATED_SECRET: SECRET }, 2_000],
] as const)('keeps the whole body that comes to %s after its reply', async (_, path, code, secret, size) => {
  const env = { RISR_PROFILE_UPDATED_SECRET: undefined, ...secret, INBOX_URL: newInboxUrl() };
  const { receiver } = await newReceiver({ env });
  const body = 'b'.repeat(size);
  const head = post(path, body, code === 'body_encoded' ? { 'Content-Encoding': 'gzip' } : {})
    .toString()
    .slice(0, -size)
    .replace(/^POST/, code === 'method_not_allowed' ? 'PUT' : 'POST');
  await exchange(receiver.url, [head, body], { pauseMs: 100 });
  await receiver.stop();
  const [kept] = await tapeOf(env.INBOX_URL);
  expect(kept).toMatchObject({ outcome: code, endpoint: path === '/nobody' ? undefined : path, whole: true });
  expect(kept?.body.toString()).toBe(body);
});

it.each([
  ['announced', ['x'.repeat(100_000)]],
  ['that grows', ['x'.repeat(10_000), 'x'.repeat(90_000)]],
])('keeps the beginning of a body that is too large, %s', async (how, pieces) => {
  const env = { INBOX_URL: newInboxUrl(), PHENIXID_MAX_BODY_BYTES: '65536' };
  const { receiver } = await newReceiver({ env });
  const framing = how === 'announced' ? 'Content-Length: 100000' : 'Transfer-Encoding: chunked';
  const chunks =
    how === 'announced' ? pieces : pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
  const head = `POST /phenixid HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`;
  await exchange(receiver.url, [head, ...chunks], { pauseMs: 50 });
  await receiver.stop();
  const [kept] = await tapeOf(env.INBOX_URL);
  expect(kept).toMatchObject({ outcome: 'body_too_large', whole: false });
  expect(kept?.body.toString()).toBe('x'.repeat(16_384));
});

it('shows nothing of what it keeps to whoever has no key', async () => {
  const key = randomBytes(32).toString('base64');
  const env = { INBOX_URL: newInboxUrl(), INBOX_KEYS: key };
  const { receiver } = await newReceiver({ env });
  const secret = 'Anna-Andersson-191212121212';
  const headers = { Authorization: `Bearer ${secret}`, Cookie: secret };
  await exchange(receiver.url, post(`/phenixid?key=${secret}`, `{"name":"${secret}"}`, headers));
  await receiver.stop();
  const files = filesOf(env.INBOX_URL);
  expect(files).toHaveLength(1);
  for (const file of files) {
    expect(readFileSync(file, 'latin1')).not.toContain(secret);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  }
  expect(statSync(join(files[0] ?? '', '..')).mode & 0o777).toBe(0o700);
  const [kept] = await tapeOf(env.INBOX_URL, readInboxKeys(key));
  expect(kept?.body.toString()).toContain(secret);
  const [lost] = await (await openTape(env.INBOX_URL, [])).list();
  expect(lost).toEqual({ number: 1, unreadable: expect.stringContaining('INBOX_KEYS_FILE has no such key') });
});

it('says of one that is damaged that it is, and reads the others', async () => {
  const env = { INBOX_URL: newInboxUrl() };
  const { receiver } = await newReceiver({ env });
  for (const path of ['/a', '/b', '/c']) await exchange(receiver.url, post(path, path));
  await receiver.stop();
  const [first = '', second = ''] = filesOf(env.INBOX_URL);
  writeFileSync(first, readFileSync(first).subarray(0, 150));
  writeFileSync(second, randomBytes(40));
  const tape = await openTape(env.INBOX_URL, []);
  expect(
    (await tape.list()).map((one) => ('unreadable' in one ? one.unreadable : one.body.toString())),
  ).toEqual(['its bytes are damaged', 'its bytes are damaged', '/c']);
  const again = await newReceiver({ env });
  await exchange(again.receiver.url, post('/d', '/d'));
  await again.receiver.stop();
  expect((await tapeOf(env.INBOX_URL)).map(({ number }) => number)).toEqual([3, 4]);
});

it('forgets at its start what is older than it keeps', async () => {
  const url = newInboxUrl();
  const { receiver } = await newReceiver({ env: { INBOX_URL: url } });
  await exchange(receiver.url, post('/a', ''));
  await receiver.stop();
  expect(await tapeOf(url)).toHaveLength(1);
  const options = { all: false, key: () => undefined, log: createLog('silent') };
  for (const [keepMs, left] of [
    [60_000, 1],
    [0, 0],
  ] as const) {
    const recorder = new StoredTapeRecorder(await openTapeStore(url), { ...options, keepMs });
    await recorder[Symbol.asyncDispose]();
    expect(await tapeOf(url)).toHaveLength(left);
  }
});
