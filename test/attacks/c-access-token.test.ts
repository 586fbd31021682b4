import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endpoint } from '../../src/kit/endpoints.ts';
import type { RejectionCode } from '../../src/kit/errors.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import {
  expectAccepted,
  expectDiscreetLog,
  expectRefused,
  genuine,
  send,
  startTarget,
  withHeaders,
  withoutHeader,
  type Header,
  type Sender,
  type Target,
  type Wire,
} from './support.ts';

const TOKEN = 'Access-Token-typed-into-the-webhook/2031';
const OLDER_TOKEN = hash('sha256', 'the access token before it, still live');
const WORDY_TOKEN = 'Bearer of good tidings to the webhook';

const COMPLETE = 'NewWorkItemVersionComplete';
const byToken: Sender = { source: hotdocs, type: COMPLETE, path: `/hotdocs/${COMPLETE}` };
const onLoad: Sender = {
  source: hotdocs,
  type: 'InterviewLoadEvent',
  path: '/hotdocs/InterviewLoadEvent',
};
const wordy: Sender = { ...byToken, path: '/hotdocs/wordy' };

let target: Target;

beforeAll(async () => {
  target = await startTarget({
    further: [endpoint('/hotdocs/wordy', hotdocs, COMPLETE)],
    env: {
      HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET: undefined,
      HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_TOKEN: `${TOKEN},${OLDER_TOKEN}`,
      HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: undefined,
      HOTDOCS_INTERVIEW_LOAD_EVENT_TOKEN: hash('sha256', 'the access token of another webhook'),
      HOTDOCS_WORDY_SECRET: undefined,
      HOTDOCS_WORDY_TOKEN: WORDY_TOKEN,
    },
  });
});

afterAll(async () => {
  await target.receiver.stop();
});

function authorized(request: Wire, ...values: readonly string[]): Wire {
  const headers = values.map((value): Header => ['Authorization', value]);
  return withHeaders(withoutHeader(request, 'authorization'), ...headers);
}

async function refuses(build: (request: Wire) => Wire, ...codes: readonly RejectionCode[]): Promise<void> {
  await expectRefused(target, () => genuine(target, byToken), build, ...codes);
}

describe('C1', () => {
  it('refuses a delivery without the header', async () => {
    await refuses((request) => authorized(request), 'proof_missing');
  });

  it.each<[string, string, RejectionCode]>([
    ['nothing', '', 'proof_missing'],
    ['a blank', ' ', 'proof_missing'],
    ['another one', hash('sha256', 'wrong'), 'proof_mismatch'],
    ['one of the same length', 'x'.repeat(TOKEN.length), 'proof_mismatch'],
    ['a character more', `${TOKEN}x`, 'proof_mismatch'],
    ['a character before', `x${TOKEN}`, 'proof_mismatch'],
    ['a character less', TOKEN.slice(0, -1), 'proof_mismatch'],
    ['its first character', TOKEN.slice(0, 1), 'proof_mismatch'],
    ['lower case', TOKEN.toLowerCase(), 'proof_mismatch'],
    ['capitals', TOKEN.toUpperCase(), 'proof_mismatch'],
    ['both live ones in one', `${TOKEN},${OLDER_TOKEN}`, 'proof_mismatch'],
    ['quotes', `"${TOKEN}"`, 'proof_mismatch'],
    ['a regular expression', '.*', 'proof_mismatch'],
    ['an asterisk', '*', 'proof_mismatch'],
    ['Bearer alone', 'Bearer', 'proof_mismatch'],
    ['Bearer twice', `Bearer Bearer ${TOKEN}`, 'proof_mismatch'],
    ['Bearer and no blank', `Bearer${TOKEN}`, 'proof_mismatch'],
    ['Bearer and a wrong one', 'Bearer wrong', 'proof_mismatch'],
    ['Basic', `Basic ${TOKEN}`, 'proof_mismatch'],
    ['Basic with it as password', `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}`, 'proof_mismatch'],
    ['Digest', `Digest token="${TOKEN}"`, 'proof_mismatch'],
    ['its hash', hash('sha256', TOKEN), 'proof_mismatch'],
    ['it in base64', Buffer.from(TOKEN).toString('base64'), 'proof_mismatch'],
  ])('refuses %s', async (_name, value, code) => {
    await refuses((request) => authorized(request, value), code);
  });

  it('refuses the access token of another webhook', async () => {
    await refuses((request) => authorized(request, target.receiver.secretOf(onLoad.path)), 'proof_mismatch');
  });

  // HD-19: bare, or behind one of two scheme words.
  it.each([
    ['bare', TOKEN],
    ['behind Bearer', `Bearer ${TOKEN}`],
    ['behind bearer and blanks', `bearer \t ${TOKEN}`],
    ['behind Token', `Token ${TOKEN}`],
    ['with blanks around, which HTTP takes off', `  ${TOKEN}\t`],
    ['in its older form, still live', OLDER_TOKEN],
  ])('accepts it %s', async (_name, value) => {
    await expectAccepted(target, authorized(await genuine(target, byToken), value));
  });

  it('takes a token that begins with such a word as a whole', async () => {
    await expectRefused(
      target,
      () => genuine(target, wordy),
      (request) => authorized(request, WORDY_TOKEN.replace('Bearer ', '')),
      'proof_mismatch',
    );
    await expectAccepted(target, authorized(await genuine(target, wordy), `Bearer ${WORDY_TOKEN}`));
  });

  it('refuses the same on a GET that carries the event in its query', async () => {
    await expectRefused(
      target,
      () => genuine(target, onLoad),
      (request) => authorized(request, 'wrong'),
      'proof_mismatch',
    );
  });
});

describe('C2: the access token elsewhere', () => {
  it.each<[string, (request: Wire) => Wire, RejectionCode]>([
    ['before a wrong one', (request) => authorized(request, TOKEN, 'wrong'), 'proof_ambiguous'],
    ['behind a wrong one', (request) => authorized(request, 'wrong', TOKEN), 'proof_ambiguous'],
    ['twice', (request) => authorized(request, TOKEN, TOKEN), 'proof_ambiguous'],
    ['behind an empty one', (request) => authorized(request, '', TOKEN), 'proof_ambiguous'],
    ['in a list', (request) => authorized(request, `wrong, ${TOKEN}`), 'proof_mismatch'],
    [
      'in the query as token',
      (request) => ({ ...authorized(request), target: `${byToken.path}?token=${TOKEN}` }),
      'proof_missing',
    ],
    [
      'in the query as Authorization',
      (request) => ({
        ...authorized(request),
        target: `${byToken.path}?Authorization=${TOKEN}&key=${TOKEN}`,
      }),
      'proof_missing',
    ],
    [
      'in the query as access_token',
      (request) => ({ ...authorized(request), target: `${byToken.path}?access_token=${TOKEN}` }),
      'proof_missing',
    ],
    [
      'in the body',
      (request) => ({
        ...authorized(request),
        body: Buffer.from(
          request.body.toString().replace('{', `{"token":"${TOKEN}","Authorization":"${TOKEN}",`),
        ),
      }),
      'proof_missing',
    ],
    [
      'in a form',
      (request) => ({ ...authorized(request), body: Buffer.from(`token=${TOKEN}`) }),
      'proof_missing',
    ],
    [
      'in a cookie',
      (request) => withHeaders(authorized(request), ['Cookie', `Authorization=${TOKEN}`]),
      'proof_missing',
    ],
    [
      'in other headers',
      (request) =>
        withHeaders(
          authorized(request),
          ['Proxy-Authorization', TOKEN],
          ['X-Authorization', TOKEN],
          ['X-Access-Token', TOKEN],
          ['Authorization_', TOKEN],
        ),
      'proof_missing',
    ],
    [
      'in the user part of the target',
      (request) => ({ ...authorized(request), target: `http://x:${TOKEN}@localhost${byToken.path}` }),
      'request_malformed',
    ],
    [
      'in the trailer section',
      (request) => ({
        ...withHeaders(authorized(request), ['Transfer-Encoding', 'chunked'], ['Trailer', 'Authorization']),
        body: Buffer.from(
          `${request.body.length.toString(16)}\r\n${request.body.toString()}\r\n0\r\nAuthorization: ${TOKEN}\r\n\r\n`,
        ),
      }),
      'proof_missing',
    ],
  ])('refuses it %s', async (_name, build, code) => {
    await refuses(build, code);
  });
});

/** What a reader that drops the eighth bit would take for the same text. */
function eighthBitSet(text: string): string {
  return Array.from(text, (letter) => String.fromCharCode(letter.charCodeAt(0) | 0x80)).join('');
}

it.each<[string, string, RejectionCode]>([
  ['a percent escape', TOKEN.replace('A', '%41'), 'proof_mismatch'],
  ['a plus sign behind', `${TOKEN}+`, 'proof_mismatch'],
  ['a bad escape behind', `${TOKEN}%ZZ`, 'proof_mismatch'],
  ['NUL behind', `${TOKEN}\0`, 'request_malformed'],
  ['NUL in escaped form', `${TOKEN}%00`, 'proof_mismatch'],
  ['a line end inside', `${TOKEN.slice(0, 8)}\n${TOKEN.slice(8)}`, 'request_malformed'],
  ['overlong UTF-8', TOKEN.replace('A', '\u00c1\u0081'), 'proof_mismatch'],
  ['a bit more in each byte', eighthBitSet(TOKEN), 'proof_mismatch'],
  ['a no-break space behind', `${TOKEN}\u00a0`, 'proof_mismatch'],
  ['20 kB', TOKEN.repeat(500), 'proof_mismatch'],
  ['40 kB', TOKEN.repeat(1_000), 'headers_too_large'],
])('C3: refuses an access token with %s', async (_name, value, code) => {
  await refuses((request) => authorized(request, value), code);
});

it.each(['constructor', '__proto__', 'toString', 'undefined', 'null', 'true', '[object Object]', '{}'])(
  'C5: refuses the access token %s',
  async (value) => {
    await refuses((request) => authorized(request, value), 'proof_mismatch');
  },
);

describe('C4: the access token in no log line', () => {
  it.each<[string, (request: Wire) => Wire]>([
    ['an unknown path', (request) => ({ ...request, target: `/nowhere?token=${TOKEN}` })],
    ['another method', (request) => ({ ...request, method: 'DELETE' })],
    ['a wrong access token', (request) => authorized(request, `${TOKEN}-wrong`)],
    ['an access token twice', (request) => withHeaders(request, ['Authorization', TOKEN])],
    [
      'an access token in query and body',
      (request) => ({
        ...authorized(request),
        target: `${byToken.path}?token=${TOKEN}`,
        body: Buffer.from(TOKEN),
      }),
    ],
    ['an unknown Expect', (request) => withHeaders(request, ['Expect', TOKEN])],
    ['a Content-Encoding', (request) => withHeaders(request, ['Content-Encoding', TOKEN])],
    ['a header that is too large', (request) => withHeaders(request, ['X-Much', TOKEN.repeat(1_000)])],
    ['a broken header', (request) => withHeaders(request, [`${TOKEN} `, TOKEN])],
  ])('writes none for %s', async (_name, build) => {
    const { reply, lines } = await send(target, build(await genuine(target, byToken)));
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(lines).toContainEqual(expect.objectContaining({ outcome: 'rejected' }));
    expectDiscreetLog(target);
  });

  it('writes none when what it vouches for cannot be read or handled', async () => {
    const request = await genuine(target, byToken);
    const body = Buffer.from(`{"eventType":"${COMPLETE}","data":{"workItemId":7,"${TOKEN}":"${TOKEN}"}}`);
    await expectAccepted(target, { ...request, body });
    await expectAccepted(target, { ...request, body: Buffer.from(`not JSON at all: ${TOKEN}`) });
    await target.receiver.app.idle();
    const [dead] = await target.receiver.app.inbox.list({ status: 'dead', limit: 1 });
    expect(dead?.note).not.toContain(TOKEN);
    expectDiscreetLog(target);
  });
});
