import { createHmac, hash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RejectionCode } from '../../src/kit/errors.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import {
  CONFIDENTIAL,
  expectAccepted,
  expectDiscreetLog,
  expectRefused,
  genuine,
  send,
  startTarget,
  withHeaders,
  type Sender,
  type Target,
  type Wire,
} from './support.ts';

const PATH = '/phenixid';
const NORTH_SECRET = hash('sha256', 'the secret of the installation north');
/** What an operator may choose as a key, believing that it is secret. */
const OPAQUE_KEY = 'Kq7-opaque-key-of-the-installation-west';
const ODD_KEY = 'Site South+1%';

const north: Sender = installation('north');

let target: Target;

beforeAll(async () => {
  target = await startTarget({
    env: {
      PHENIXID_SECRET: undefined,
      PHENIXID_NORTH_SECRET: NORTH_SECRET,
      PHENIXID_SOUTH_SECRET: hash('sha256', 'the secret of the installation south'),
      PHENIXID_SOUTH_KEY: ODD_KEY,
      PHENIXID_WEST_SECRET: hash('sha256', 'the secret of the installation west'),
      PHENIXID_WEST_KEY: OPAQUE_KEY,
    },
  });
});

afterAll(async () => {
  await target.receiver.stop();
});

function installation(key: string): Sender {
  return { source: phenixid, type: 'OrderSigned', path: PATH, switches: { key } };
}

async function notification(sender: Sender): Promise<Wire> {
  const taskId = randomBytes(16).toString('hex');
  return genuine(target, sender, { payload: { taskId, confidential: CONFIDENTIAL } });
}

/** Everything but the target stays genuine. */
async function refusesTarget(url: string, ...codes: readonly RejectionCode[]): Promise<void> {
  await expectRefused(
    target,
    () => notification(north),
    (request) => ({ ...request, target: url }),
    ...codes,
  );
}

it.each([
  ['no query', PATH],
  ['no query behind a slash', `${PATH}/`],
  ['an empty query', `${PATH}/?`],
  ['an empty key', `${PATH}/?key=`],
  ['a key without =', `${PATH}/?key`],
  ['a wrong key', `${PATH}/?key=east`],
  ['a character more', `${PATH}/?key=north1`],
  ['a character less', `${PATH}/?key=nort`],
  ['the first character alone', `${PATH}/?key=n`],
  ['another letter case', `${PATH}/?key=NORTH`],
  ['one letter in another case', `${PATH}/?key=North`],
  ['the part of the variable', `${PATH}/?key=NORTH_SECRET`],
  ['quotes around it', `${PATH}/?key="north"`],
  ['two equals signs', `${PATH}/?key==north`],
  ['the secret in its place', `${PATH}/?key=${NORTH_SECRET}`],
])('C1: refuses %s', async (_name, url) => {
  await refusesTarget(url, 'installation_unknown');
});

it('C1: refuses the key of one installation with the secret of another', async () => {
  await refusesTarget(`${PATH}/?key=${OPAQUE_KEY}`, 'proof_mismatch');
});

describe('C2: the key written otherwise', () => {
  it.each<[string, string, RejectionCode]>([
    ['before another one', '/?key=north&key=south', 'installation_unknown'],
    ['behind another one', '/?key=south&key=north', 'installation_unknown'],
    ['twice', '/?key=north&key=north', 'installation_unknown'],
    ['behind an empty one', '/?key=&key=north', 'installation_unknown'],
    ['behind one without =', '/?key&key=north', 'installation_unknown'],
    ['as a list', '/?key=north,south', 'installation_unknown'],
    ['as key[]', '/?key[]=north', 'installation_unknown'],
    ['as key[x]', '/?key[x]=north', 'installation_unknown'],
    ['as key.x', '/?key.x=north', 'installation_unknown'],
    ['as KEY', '/?KEY=north', 'installation_unknown'],
    ['as Key', '/?Key=north', 'installation_unknown'],
    ['as xkey', '/?xkey=north', 'installation_unknown'],
    ['as a key with a blank before', '/?+key=north', 'installation_unknown'],
    ['behind a semicolon', '/?a=1;key=north', 'installation_unknown'],
    ['before a semicolon', '/?key=north;a=1', 'installation_unknown'],
    ['behind a second question mark', '/??key=north', 'installation_unknown'],
    ['before a fragment', '/?key=north#x', 'installation_unknown'],
    ['in the fragment', '/#?key=north', 'path_unknown'],
    ['in the path', '/key=north', 'path_unknown'],
    ['in the path, behind a semicolon', ';key=north', 'path_unknown'],
    ['percent-encoded with its ?', '/%3Fkey=north', 'path_unknown'],
  ])('refuses it %s', async (_name, url, code) => {
    await refusesTarget(PATH + url, code);
  });

  it.each<[string, (request: Wire) => Wire]>([
    [
      'the body',
      (request) =>
        proven({ ...request, body: Buffer.from(request.body.toString().replace('{', '{"key":"north",')) }),
    ],
    ['a form', (request) => proven({ ...request, body: Buffer.from('key=north') })],
    ['a header', (request) => withHeaders(request, ['key', 'north'], ['X-Key', 'north'])],
    ['a cookie', (request) => withHeaders(request, ['Cookie', 'key=north'])],
    ['the Referer', (request) => withHeaders(request, ['Referer', `http://localhost${PATH}/?key=north`])],
    ['the Authorization header', (request) => withHeaders(request, ['Authorization', 'Bearer north'])],
  ])('refuses it in %s', async (_name, build) => {
    await expectRefused(
      target,
      () => notification(north),
      (request) => ({ ...build(request), target: PATH }),
      'installation_unknown',
    );
  });
});

function proven(request: Wire): Wire {
  const signature = createHmac('sha256', NORTH_SECRET).update(request.body).digest('hex');
  return {
    ...request,
    headers: request.headers.map(([name, value]) => [name, name === 'X-Signature' ? signature : value]),
  };
}

describe('C3: the key in odd spellings', () => {
  it.each<[string, string, RejectionCode]>([
    ['a name with a percent escape', '%6bey=north', 'installation_unknown'],
    ['a value escaped twice', 'key=%256Eorth', 'installation_unknown'],
    ['an escape cut off', 'key=north%', 'installation_unknown'],
    ['an escape of one digit', 'key=north%2', 'installation_unknown'],
    ['an escape of no digits', 'key=%ZZnorth', 'installation_unknown'],
    ['a plus sign', 'key=north+', 'installation_unknown'],
    ['a blank', 'key=north%20', 'installation_unknown'],
    ['a line end', 'key=north%0A', 'installation_unknown'],
    ['NUL', 'key=north%00', 'installation_unknown'],
    ['NUL and more', 'key=north%00south', 'installation_unknown'],
    ['overlong UTF-8', 'key=%C1%AEorth', 'installation_unknown'],
    ['overlong NUL', 'key=north%C0%80', 'installation_unknown'],
    ['invalid UTF-8', 'key=north%FF', 'installation_unknown'],
    ['a surrogate in UTF-8', 'key=north%ED%A0%80', 'installation_unknown'],
    ['%u as of old scripts', 'key=%u006Eorth', 'installation_unknown'],
    ['full-width letters', 'key=%EF%BD%8Eorth', 'installation_unknown'],
    ['a combining mark', 'key=north%CC%81', 'installation_unknown'],
    ['a byte order mark', 'key=%EF%BB%BFnorth', 'installation_unknown'],
    ['a value of 20 kB', `key=north${'x'.repeat(20_000)}`, 'installation_unknown'],
    ['a value of 40 kB', `key=north${'x'.repeat(40_000)}`, 'headers_too_large'],
    ['a blank as it is', 'key=north x', 'request_malformed'],
    ['NUL as it is', 'key=north\0', 'request_malformed'],
    ['a plus sign for a blank', 'key=Site+South%2B1%25', 'installation_unknown'],
    ['a blank for a plus sign', 'key=Site%20South%201%25', 'installation_unknown'],
  ])('refuses %s', async (_name, query, code) => {
    await refusesTarget(`${PATH}/?${query}`, code);
  });

  // PX-6: percent-encoding is undone once; the slash before the ? may be there, or twice.
  it.each([
    ['escapes that are none of necessity', `${PATH}/?key=%6E%6F%72%74%68`],
    ['no slash', `${PATH}?key=north`],
    ['two slashes', `${PATH}//?key=north`],
    ['other parameters around', `${PATH}/?a=1&key=north&b[]=2&__proto__[x]=3&keys=4`],
  ])('accepts %s', async (_name, url) => {
    await expectAccepted(target, { ...(await notification(north)), target: url });
  });

  it('accepts a key with signs that need escapes', async () => {
    const request = await notification(installation(ODD_KEY));
    expect(request.target).toBe(`${PATH}/?key=Site%20South%2B1%25`);
    await expectAccepted(target, request);
  });
});

it.each([
  'constructor',
  'prototype',
  '__proto__',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'get',
  'size',
  'undefined',
  'null',
  '[object%20Object]',
  '0',
])('C5: refuses the key %s', async (name) => {
  await refusesTarget(`${PATH}/?key=${name}`, 'installation_unknown');
});

it.each(['__proto__[key]=north', 'constructor[prototype][key]=north', '__proto__.key=north'])(
  'C5: takes no key out of %s',
  async (query) => {
    await refusesTarget(`${PATH}/?${query}`, 'installation_unknown');
    expect({}).not.toHaveProperty('key');
  },
);

describe('C4: the key in no log line', () => {
  it('writes none for an accepted delivery', async () => {
    const { lines } = await expectAccepted(target, await notification(installation(OPAQUE_KEY)));
    expect(lines).toContainEqual(expect.objectContaining({ outcome: 'accepted', type: 'OrderSigned' }));
    await target.receiver.app.idle();
    expectNoneOf(OPAQUE_KEY);
  });

  it.each<[string, (request: Wire) => Wire]>([
    ['an unknown path', (request) => ({ ...request, target: `/nowhere?key=${OPAQUE_KEY}` })],
    ['an unknown path with a ? more', (request) => ({ ...request, target: `/nowhere??key=${OPAQUE_KEY}?` })],
    ['another method', (request) => ({ ...request, method: 'GET' })],
    ['an absolute target', (request) => ({ ...request, target: `http://localhost${request.target}` })],
    ['a target that is none', (request) => ({ ...request, target: `?key=${OPAQUE_KEY}` })],
    ['an unknown Expect', (request) => withHeaders(request, ['Expect', OPAQUE_KEY])],
    ['a Content-Encoding', (request) => withHeaders(request, ['Content-Encoding', OPAQUE_KEY])],
    ['a body that is too large', (request) => ({ ...request, body: Buffer.alloc(20_000, OPAQUE_KEY) })],
    ['a header that is too large', (request) => withHeaders(request, ['X-Much', OPAQUE_KEY.repeat(1_000)])],
    ['a broken header', (request) => withHeaders(request, [`${OPAQUE_KEY} `, OPAQUE_KEY])],
    ['a broken length', (request) => withHeaders(request, ['Content-Length', OPAQUE_KEY])],
    ['no signature', (request) => ({ ...request, headers: [] })],
    ['the key twice', (request) => ({ ...request, target: `${request.target}&key=${OPAQUE_KEY}` })],
    ['the key and a bad escape', (request) => ({ ...request, target: `${request.target}%` })],
    [
      'the key in a Referer',
      (request) => withHeaders({ ...request, headers: [] }, ['Referer', request.target]),
    ],
  ])('writes none for %s', async (_name, build) => {
    const { reply, lines } = await send(target, build(await notification(installation(OPAQUE_KEY))));
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(lines).toContainEqual(expect.objectContaining({ outcome: 'rejected' }));
    expectNoneOf(OPAQUE_KEY);
  });

  it('has written none of all the keys, secrets and signatures of this file', () => {
    expectDiscreetLog(target);
    expectNoneOf(OPAQUE_KEY, ODD_KEY, 'north', 'nort', 'NORTH', '%6E', '__proto__', 'Site');
  });
});

function expectNoneOf(...values: readonly string[]): void {
  // A path is ours, or an unknown one without its query.
  const lines = target.receiver.log.map((line) => JSON.stringify({ ...line, path: '' }));
  for (const value of values) expect(lines.filter((line) => line.includes(value))).toEqual([]);
}
