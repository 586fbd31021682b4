import { createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { fileWith, newInboxUrl } from '../support/fixtures.ts';
import { runHere } from '../support/in-one-process.ts';
import { newReceiver } from '../support/new-receiver.ts';

const SECRET = 'Zq83hfPQ0ahslfbvnmqp2819ZZalfhQm';
const OTHER = 'pW71mmKeo2lr9dVyT4b6SsUcQx0aJh35';
const BODY = '{"orderId":"a1","eventType":"OrderSigned","taskId":"a1"}';
const ENV = { PHENIXID_SECRET: SECRET };

/** As curl and proxies write a request into a file. */
function requestFile(key: string, target = '/phenixid', body = BODY): string {
  const signature = createHmac('sha256', key).update(body).digest('hex');
  const head = [
    `POST ${target} HTTP/1.1`,
    'Host: r.example',
    `X-Signature: ${signature}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return fileWith(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const explain = (args: readonly string[], env: Record<string, string> = ENV) => runHere('explain', args, env);

it('says with its exit code whether one change fits, none, or several', async () => {
  const blank = await explain(['--file', requestFile(SECRET)], { PHENIXID_SECRET: `${SECRET}\t` });
  expect([blank.code, blank.out]).toEqual([
    0,
    expect.stringContaining('if PHENIXID_SECRET had no tab at its end.'),
  ]);
  const asItIs = await explain(['--file', requestFile(SECRET)]);
  expect([asItIs.code, asItIs.out]).toEqual([0, expect.stringContaining('It verifies now, as it came.')]);
  const forged = await explain(['--file', requestFile(OTHER)]);
  expect([forged.code, forged.out]).toEqual([
    1,
    expect.stringContaining('A forgery looks exactly like this.'),
  ]);
  const secrets = fileWith(`# of last year\nOLD_SECRET=${OTHER}\n`);
  const two = { ...ENV, RISR_PROFILE_UPDATED_SECRET: OTHER };
  const several = await explain(['--file', requestFile(OTHER), '--secrets', secrets], two);
  expect([several.code, several.out]).toEqual([
    3,
    expect.stringMatching(/RISR_PROFILE_UPDATED_SECRET[\s\S]*line 2 of the file/),
  ]);
  for (const { out, err } of [blank, asItIs, forged, several])
    expect(out + err).not.toMatch(new RegExp(`${SECRET}|${OTHER}`));
});

it('explains with a configuration that the receiver would not start with', async () => {
  const closed = await explain(['--file', requestFile(SECRET)], { RISR_PROFILE_UPDATED_SECRET: 'short' });
  expect([closed.code, closed.out]).toEqual([1, expect.stringContaining('PHENIXID_SECRET is not set')]);
  expect(closed.err).toContain('RISR_PROFILE_UPDATED_SECRET');
});

it('prints one JSON object for programs', async () => {
  const { out, code } = await explain(['--file', requestFile(SECRET, '/hooks/phenixid'), '--json']);
  expect([code, JSON.parse(out)]).toMatchObject([
    0,
    {
      number: 1,
      verdict: 'one',
      judged: { code: 'path_unknown' },
      fits: [{ ids: ['path-prefix'] }],
      complete: true,
    },
  ]);
});

it('reads one of several requests in a HAR file', async () => {
  const request = (url: string) => ({
    startedDateTime: '2031-02-03T09:30:00Z',
    request: {
      method: 'POST',
      url,
      httpVersion: 'HTTP/1.1',
      headers: [{ name: 'Host', value: 'r' }],
      postData: { text: BODY },
    },
  });
  const har = fileWith(
    JSON.stringify({ log: { entries: [request('https://r/phenixid'), request('https://r/nowhere')] } }),
  );
  const list = await explain(['--har', har]);
  expect([list.code, list.out]).toEqual([
    0,
    expect.stringMatching(/^#1 +2031-02-03T09:30:00.000Z +\/phenixid .+\n#2 /),
  ]);
  const { code, out } = await explain(['--har', har, '1']);
  expect([code, out]).toEqual([1, expect.stringContaining('No signature came at all')]);
});

it('refuses in words what it cannot mean', async () => {
  const wrong: readonly (readonly [says: string, ...args: string[]])[] = [
    ['<n>', 'one'],
    ['one <n>', '1', '2'],
    ['cannot be read', '--file', '/nowhere/request.http'],
    ['response', '--file', fileWith('HTTP/1.1 200 OK\r\n\r\n')],
    ['HAR', '--har', fileWith('{}')],
    ['--accept takes', '--accept'],
    ['takes no --json', '1', '--accept', '--json'],
    ['no --secrets', '1', '--accept', '--secrets', fileWith(SECRET)],
    ['--although-stale', '1', '--although-stale'],
    ['--at', '1', '--at', '2h'],
    ['--seconds', '--seconds', 'long', '--file', requestFile(SECRET)],
  ];
  for (const [says, ...args] of wrong) {
    const { code, out, err } = await explain(args);
    expect([code, out, err]).toEqual([2, '', expect.stringContaining(says)]);
  }
});

it('lists what was refused, explains it, and takes it in once the cause is mended', async () => {
  const env = {
    INBOX_URL: newInboxUrl(),
    PHENIXID_SECRET: SECRET,
    RISR_USER_LOGGED_IN_SECRET: SECRET.toLowerCase(),
  };
  const { receiver, sender } = await newReceiver({ env });
  for (const [source, type] of [
    [phenixid, 'OrderSigned'],
    [risr, 'user_logged_in'],
  ] as const)
    expect((await sender.fire(source, type, { secret: OTHER })).status).toBe(401);
  await receiver.stop();
  const list = await explain([], env);
  expect([list.code, list.out]).toEqual([
    0,
    expect.stringMatching(
      /^#1 .+ \/phenixid +proof_mismatch +POST +signature in X-Signature +\d+ bytes\n#2 .+ token in body/,
    ),
  ]);
  const both = { ...env, PHENIXID_SECRET: `${OTHER} `, RISR_USER_LOGGED_IN_SECRET: OTHER };
  const early = await explain(['1', '--accept'], both);
  expect([early.code, early.out]).toEqual([1, '']);
  expect((await explain(['1'], both)).out).toContain('had no blank at its end');
  const { request } = receiver.log.find(({ code }) => code === 'proof_mismatch') ?? {};
  expect((await explain([String(request)], both)).out).toMatch(/^#1 [^]*had no blank at its end/);
  expect(await explain(['0123456789ab-1'], both)).toMatchObject({
    code: 1,
    err: expect.stringContaining('No refused delivery on the tape is called 0123456789ab-1.'),
  });
  const mended = { ...both, PHENIXID_SECRET: OTHER, RISR_USER_LOGGED_IN_SECRET: '' };
  expect((await explain(['1'], mended)).out).toContain('npm run explain -- 1 --accept');
  const accepted = await explain(['1', '--accept'], mended);
  expect([accepted.code, accepted.out]).toEqual([0, expect.stringContaining('as entry 1')]);
  const again = await explain(['1', '--accept'], mended);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('entry 1')]);
  const taken = (await explain(['1'], mended)).out;
  expect(taken).toContain('in the inbox already, as entry 1');
  expect(taken).not.toContain('--accept');
  const waited = await explain(['2', '--accept'], {
    ...env,
    PHENIXID_SECRET: '',
    RISR_USER_LOGGED_IN_SECRET: OTHER,
  });
  expect([waited.code, waited.err]).toEqual([1, expect.stringContaining('does not wait any more')]);
  expect((await explain(['9'], mended)).code).toBe(1);
});
