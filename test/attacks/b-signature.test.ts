import { createHash, createHmac, hash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RejectionCode } from '../../src/kit/errors.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import {
  CONFIDENTIAL,
  expectAccepted,
  expectDiscreetLog,
  expectRefused,
  expectRefusedAlone,
  genuine,
  startTarget,
  withHeaders,
  withoutHeader,
  type Header,
  type Sender,
  type Target,
  type Wire,
} from './support.ts';

const PATH = '/phenixid';
const KEY = hash('sha256', 'the newest secret');
const OLDER_KEY = hash('sha256', 'the secret before it, still live');
const RETIRED_KEY = hash('sha256', 'the secret before that, taken away');
const NORTH_KEY = hash('sha256', 'the secret of another installation');

const plain: Sender = { source: phenixid, type: 'OrderSigned', path: PATH };
const pretty: Sender = { ...plain, switches: { pretty: 'yes' } };

let target: Target;

beforeAll(async () => {
  target = await startTarget({
    env: { PHENIXID_SECRET: `${KEY},${OLDER_KEY}`, PHENIXID_NORTH_SECRET: NORTH_KEY },
  });
});

afterAll(async () => {
  expectDiscreetLog(target);
  await target.receiver.stop();
});

/** A genuine notification about a task of its own. */
async function notification(sender = plain): Promise<Wire> {
  const taskId = randomBytes(16).toString('hex');
  return genuine(target, sender, { payload: { taskId, confidential: CONFIDENTIAL } });
}

function mac(body: string | Buffer, key: string, algorithm = 'sha256'): Buffer {
  return createHmac(algorithm, key).update(body).digest();
}

function signed(request: Wire, ...signatures: readonly string[]): Wire {
  const headers = signatures.map((signature): Header => ['X-Signature', signature]);
  return withHeaders(withoutHeader(request, 'x-signature'), ...headers);
}

/** What stands in X-Signature instead of the signature, whose 32 bytes are given. */
type Spell = (signature: Buffer, body: Buffer) => string;

async function refuses(
  build: (request: Wire) => Wire | Promise<Wire>,
  ...codes: RejectionCode[]
): Promise<void> {
  await expectRefused(target, () => notification(), build, ...codes);
}

async function refusesSignature(spell: Spell, ...codes: RejectionCode[]): Promise<void> {
  await refuses((request) => signed(request, spell(mac(request.body, KEY), request.body)), ...codes);
}

const hex = (bytes: Buffer) => bytes.toString('hex');
const base64 = (bytes: Buffer) => bytes.toString('base64');
const base64url = (bytes: Buffer) => bytes.toString('base64url');

describe('B1', () => {
  it('refuses a delivery without the header', async () => {
    await refuses((request) => withoutHeader(request, 'x-signature'), 'proof_missing');
  });

  it.each<[string, RejectionCode]>([
    ['', 'proof_missing'],
    [' ', 'proof_missing'],
    [' \t ', 'proof_missing'],
    ['null', 'proof_malformed'],
    ['undefined', 'proof_malformed'],
    ['NaN', 'proof_malformed'],
    ['[object Object]', 'proof_malformed'],
    ['true', 'proof_malformed'],
    ['0', 'proof_malformed'],
    ['sha256=', 'proof_malformed'],
    ['=', 'proof_malformed'],
  ])('refuses the header "%s"', async (value, code) => {
    await refusesSignature(() => value, code);
  });
});

it.each<[string, Spell]>([
  ['one hex digit', (bytes) => hex(bytes).slice(0, 1)],
  ['one byte', (bytes) => hex(bytes).slice(0, 2)],
  ['31 bytes', (bytes) => hex(bytes).slice(0, 62)],
  ['33 bytes', (bytes) => `${hex(bytes)}00`],
  ['64 bytes', (bytes) => hex(bytes) + hex(bytes)],
  ['31 bytes in base64', (bytes) => base64(bytes.subarray(0, 31))],
  ['33 bytes in base64', (bytes) => base64(Buffer.concat([bytes, Buffer.alloc(1)]))],
  ['16 bytes in base64', (bytes) => base64(bytes.subarray(0, 16))],
  ['10,000 digits', () => 'a'.repeat(10_000)],
])('B2: refuses a signature of %s', async (_name, spell) => {
  await refusesSignature(spell, 'proof_malformed');
});

it.each<[string, Spell]>([
  ['junk behind', (bytes) => `${hex(bytes)}zzzz`],
  ['junk in place of its end', (bytes) => `${hex(bytes).slice(0, 62)}zz`],
  ['a digit less', (bytes) => hex(bytes).slice(0, 63)],
  ['a digit more', (bytes) => `${hex(bytes)}0`],
  ['a blank inside', (bytes) => `${hex(bytes).slice(0, 32)} ${hex(bytes).slice(32)}`],
  ['blanks between the bytes', (bytes) => hex(bytes).replace(/..(?=.)/g, '$& ')],
  ['colons between the bytes', (bytes) => hex(bytes).replace(/..(?=.)/g, '$&:')],
  ['0x before', (bytes) => `0x${hex(bytes)}`],
  ['quotes around', (bytes) => `"${hex(bytes)}"`],
  ['a semicolon behind', (bytes) => `${hex(bytes)};`],
  ['percent signs', (bytes) => hex(bytes).replace(/../g, '%$&')],
  ['a digit of another script', (bytes) => hex(bytes).replace(/^./, '\u00b2')],
])('B3: refuses hex with %s', async (_name, spell) => {
  await refusesSignature(spell, 'proof_malformed');
});

describe('B4', () => {
  it.each<[string, Spell]>([
    ['a blank inside', (bytes) => `${base64(bytes).slice(0, 8)} ${base64(bytes).slice(8)}`],
    ['a tab inside', (bytes) => `${base64(bytes).slice(0, 8)}\t${base64(bytes).slice(8)}`],
    ['junk behind =', (bytes) => `${base64(bytes)}junk`],
    ['a second =', (bytes) => `${base64(bytes)}=`],
    ['= before', (bytes) => `=${base64(bytes)}`],
    ['= in place of its end', (bytes) => `${base64(bytes).slice(0, 42)}==`],
    ['a character less', (bytes) => base64url(bytes).slice(0, 42)],
    ['a character more', (bytes) => `${base64url(bytes)}AA`],
    ['a sign of neither alphabet', (bytes) => base64(bytes).replace(/^./, '.')],
    ['percent-encoding', (bytes) => `${base64url(bytes)}%3D`],
  ])('refuses base64 with %s', async (_name, spell) => {
    await refusesSignature(spell, 'proof_malformed');
  });

  it('refuses a line end inside base64 as broken HTTP', async () => {
    await refusesSignature(
      (bytes) => `${base64(bytes).slice(0, 8)}\n${base64(bytes).slice(8)}`,
      'request_malformed',
    );
  });

  it.each<[string, (bytes: Buffer) => string, signs: string, end: string]>([
    ['base64', (bytes) => base64(bytes).slice(0, 43), '+/', ''],
    ['base64 with padding', (bytes) => base64(bytes).slice(0, 43), '+/', '='],
    ['base64url', base64url, '-_', ''],
    ['base64url with padding', base64url, '-_', '='],
  ])(
    'refuses every last character of %s that stands for the same bytes',
    async (_name, spell, signs, end) => {
      const request = await withSignsOfBothAlphabets();
      const text = spell(mac(request.body, KEY));
      const twins = twinsOf(text, signs);
      expect(twins).toHaveLength(3);
      for (const twin of twins) {
        await expectRefusedAlone(target, signed(request, twin + end), 'proof_malformed');
      }
      await expectAccepted(target, signed(request, text + end));
    },
  );

  it('refuses a mix of both alphabets', async () => {
    const request = await withSignsOfBothAlphabets();
    const text = base64(mac(request.body, KEY));
    await expectRefusedAlone(target, signed(request, text.replaceAll('+', '-')), 'proof_malformed');
    await expectRefusedAlone(target, signed(request, text.replaceAll('/', '_')), 'proof_malformed');
    await expectAccepted(target, signed(request, text));
    await expectAccepted(target, signed(request, text.replaceAll('+', '-').replaceAll('/', '_')));
  });
});

/** Other texts that a lenient decoder reads as the same bytes. */
function twinsOf(text: string, signs: string): string[] {
  const alphabet = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${signs}`;
  return Array.from(alphabet, (last) => text.slice(0, -1) + last).filter(
    (twin) => twin !== text && Buffer.from(twin, 'base64').equals(Buffer.from(text, 'base64')),
  );
}

async function withSignsOfBothAlphabets(): Promise<Wire> {
  for (;;) {
    const request = await notification();
    const text = base64(mac(request.body, KEY));
    if (text.includes('+') && text.includes('/')) return request;
  }
}

describe('B5', () => {
  it.each<[string, Spell, RejectionCode]>([
    ['hex in base64', (bytes) => base64(Buffer.from(hex(bytes))), 'proof_malformed'],
    ['base64 in hex', (bytes) => hex(Buffer.from(base64(bytes))), 'proof_malformed'],
    ['a prefix twice', (bytes) => `sha256=sha256=${hex(bytes)}`, 'proof_malformed'],
    ['two different prefixes', (bytes) => `sha-256:sha256=${hex(bytes)}`, 'proof_malformed'],
    ['a blank behind the prefix', (bytes) => `sha256= ${hex(bytes)}`, 'proof_malformed'],
    ['a prefix without =', (bytes) => `sha256${hex(bytes)}`, 'proof_malformed'],
    ['sha1= before the right bytes', (bytes) => `sha1=${hex(bytes)}`, 'proof_malformed'],
    ['sha512= before the right bytes', (bytes) => `sha512=${hex(bytes)}`, 'proof_malformed'],
    ['v1= before the right bytes', (bytes) => `v1=${hex(bytes)}`, 'proof_malformed'],
    ['t=,v1= as of other senders', (bytes) => `t=1700000000,v1=${hex(bytes)}`, 'proof_ambiguous'],
    ['an HMAC-MD5', (_bytes, body) => hex(mac(body, KEY, 'md5')), 'proof_malformed'],
    ['an HMAC-SHA-1', (_bytes, body) => hex(mac(body, KEY, 'sha1')), 'proof_malformed'],
    [
      'an HMAC-SHA-1 behind sha1=',
      (_bytes, body) => `sha1=${hex(mac(body, KEY, 'sha1'))}`,
      'proof_malformed',
    ],
    ['an HMAC-SHA-384', (_bytes, body) => hex(mac(body, KEY, 'sha384')), 'proof_malformed'],
    ['an HMAC-SHA-512', (_bytes, body) => hex(mac(body, KEY, 'sha512')), 'proof_malformed'],
    ['an HMAC-SHA-512 in base64', (_bytes, body) => base64(mac(body, KEY, 'sha512')), 'proof_malformed'],
    [
      'an HMAC-SHA-512 cut to 32 bytes',
      (_bytes, body) => hex(mac(body, KEY, 'sha512').subarray(0, 32)),
      'proof_mismatch',
    ],
    ['an HMAC-SHA3-256', (_bytes, body) => hex(mac(body, KEY, 'sha3-256')), 'proof_mismatch'],
    ['a hash of the body alone', (_bytes, body) => hash('sha256', body), 'proof_mismatch'],
    ['a hash of body and secret', (_bytes, body) => hashed(body, KEY), 'proof_mismatch'],
    ['a hash of secret and body', (_bytes, body) => hashed(KEY, body), 'proof_mismatch'],
    ['an HMAC of the HMAC', (bytes) => hex(mac(bytes, KEY)), 'proof_mismatch'],
    [
      'an HMAC with body and key exchanged',
      (_bytes, body) => hex(mac(KEY, body.toString())),
      'proof_mismatch',
    ],
    ['the bytes backwards', (bytes) => hex(Buffer.from(bytes).reverse()), 'proof_mismatch'],
    ['zeros', () => '0'.repeat(64), 'proof_mismatch'],
  ])('refuses %s', async (_name, spell, code) => {
    await refusesSignature(spell, code);
  });

  // PX-16, one choice after the other: the vendor says neither encoding nor prefix.
  it.each<[string, Spell]>([
    ['hex in capitals', (bytes) => hex(bytes).toUpperCase()],
    ['hex in both cases', (bytes) => hex(bytes).replace(/[a-f]/, (digit) => digit.toUpperCase())],
    ['base64', base64],
    ['base64 without padding', (bytes) => base64(bytes).replace('=', '')],
    ['base64url', base64url],
    ['base64url with padding', (bytes) => `${base64url(bytes)}=`],
    ['sha256= before hex', (bytes) => `sha256=${hex(bytes)}`],
    ['SHA256= before hex', (bytes) => `SHA256=${hex(bytes)}`],
    ['sha-256: before base64', (bytes) => `sha-256:${base64(bytes)}`],
    ['hmac-sha256= before base64url', (bytes) => `hmac-sha256=${base64url(bytes)}`],
    ['blanks around', (bytes) => ` \t${hex(bytes)} \t`],
  ])('accepts %s', async (_name, spell) => {
    const request = await notification();
    await expectAccepted(target, signed(request, spell(mac(request.body, KEY), request.body)));
  });
});

function hashed(...parts: readonly (string | Buffer)[]): string {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part);
  return sum.digest('hex');
}

const WRONG = '0'.repeat(64);

describe('B6: more than one signature', () => {
  it.each<[string, (right: string) => string[], RejectionCode]>([
    ['two headers, the first right', (right) => [right, WRONG], 'proof_ambiguous'],
    ['two headers, the second right', (right) => [WRONG, right], 'proof_ambiguous'],
    ['two headers, both right', (right) => [right, right], 'proof_ambiguous'],
    ['two headers, the second empty', (right) => [right, ''], 'proof_ambiguous'],
    ['two headers in two spellings', (right) => [right, right.toUpperCase()], 'proof_ambiguous'],
    ['eight headers', (right) => [...Array<string>(7).fill(WRONG), right], 'proof_ambiguous'],
    ['a list with commas, the first right', (right) => [`${right}, ${WRONG}`], 'proof_ambiguous'],
    ['a list with commas, the second right', (right) => [`${WRONG},${right}`], 'proof_ambiguous'],
    ['a list with commas, both right', (right) => [`${right},${right}`], 'proof_ambiguous'],
    ['a comma behind', (right) => [`${right},`], 'proof_ambiguous'],
    ['a list with blanks', (right) => [`${right} ${right}`], 'proof_malformed'],
    ['a list with semicolons', (right) => [`${WRONG};${right}`], 'proof_malformed'],
    ['a list of versions', (right) => [`v1,${WRONG} v1,${right}`], 'proof_ambiguous'],
    ['a list of 400', (right) => [`${`${WRONG},`.repeat(400)}${right}`], 'proof_ambiguous'],
    ['a list of 5,000', (right) => [`${`${WRONG},`.repeat(5_000)}${right}`], 'headers_too_large'],
  ])('refuses %s', async (_name, list, code) => {
    await refuses((request) => signed(request, ...list(hex(mac(request.body, KEY)))), code);
  });
});

describe('B7: the signature elsewhere', () => {
  const elsewhere = (name: string) => (request: Wire) =>
    withHeaders(withoutHeader(request, 'x-signature'), [name, hex(mac(request.body, KEY))]);

  it.each<[string, RejectionCode]>([
    ['X_Signature', 'proof_missing'],
    ['X-Signature-256', 'proof_missing'],
    ['X-Hub-Signature-256', 'proof_missing'],
    ['Signature', 'proof_missing'],
    ['Authorization', 'proof_missing'],
    ['X-Signature:', 'proof_malformed'],
    ['X-Signature ', 'request_malformed'],
    ['X-Signature\t', 'request_malformed'],
    ['X-Signature\0', 'request_malformed'],
    ['Forwarded: a\r\n X-Signature', 'request_malformed'],
  ])('refuses it under the name %j', async (name, code) => {
    await refuses(elsewhere(name), code);
  });

  it('accepts the name in any letter case', async () => {
    await expectAccepted(target, elsewhere('x-SIGNATURE')(await notification()));
  });

  it.each<[string, (request: Wire, signature: string) => Wire, RejectionCode]>([
    [
      'the trailer section',
      (request, signature) => ({
        ...withHeaders(
          withoutHeader(request, 'x-signature'),
          ['Transfer-Encoding', 'chunked'],
          ['Trailer', 'X-Signature'],
        ),
        body: Buffer.from(
          `${request.body.length.toString(16)}\r\n${request.body.toString()}\r\n0\r\nX-Signature: ${signature}\r\n\r\n`,
        ),
      }),
      'proof_missing',
    ],
    [
      'a folded line',
      (request, signature) => signed(request, `${signature.slice(0, 32)}\r\n ${signature.slice(32)}`),
      'request_malformed',
    ],
    [
      'the query',
      (request, signature) => ({
        ...withoutHeader(request, 'x-signature'),
        target: `${PATH}?X-Signature=${signature}&signature=${signature}`,
      }),
      'proof_missing',
    ],
    [
      'the body',
      (request, signature) => ({
        ...withoutHeader(request, 'x-signature'),
        body: Buffer.from(request.body.toString().replace('{', `{"X-Signature":"${signature}",`)),
      }),
      'proof_missing',
    ],
    [
      'a cookie',
      (request, signature) =>
        withHeaders(withoutHeader(request, 'x-signature'), ['Cookie', `X-Signature=${signature}`]),
      'proof_missing',
    ],
  ])('refuses it in %s', async (_name, build, code) => {
    await refuses((request) => build(request, hex(mac(request.body, KEY))), code);
  });
});

describe('B8: a signature of something else', () => {
  it.each<[string, (body: Buffer) => Buffer]>([
    ['the empty body', () => mac('', KEY)],
    ['the body and its query', (body) => mac(`${body.toString()}?key=`, KEY)],
    ['path and body', (body) => mac(`${PATH}${body.toString()}`, KEY)],
    ['method, path and body', (body) => mac(`POST ${PATH} ${body.toString()}`, KEY)],
    ['the body and a line end', (body) => mac(`${body.toString()}\n`, KEY)],
    ['the body in UTF-16', (body) => mac(Buffer.from(body.toString(), 'utf16le'), KEY)],
    ['the body in base64', (body) => mac(body.toString('base64'), KEY)],
    ['a time and the body', (body) => mac(`1700000000.${body.toString()}`, KEY)],
    ['the body with its members sorted', (body) => mac(sorted(body), KEY)],
    ['the body under the secret of another installation', (body) => mac(body, NORTH_KEY)],
    ['the body under the secret of HotDocs', (body) => mac(body, secretAt('/hotdocs/ActionLink'))],
    ['the body under the secret of risr', (body) => mac(body, secretAt('/risr/profile_updated'))],
    ['the body under a retired secret', (body) => mac(body, RETIRED_KEY)],
    ['the body under an empty secret', (body) => mac(body, '')],
    ['the body under both live secrets in one', (body) => mac(body, `${KEY},${OLDER_KEY}`)],
    ['the body under the secret and a line end', (body) => mac(body, `${KEY}\n`)],
    ["the body under the sender's name", (body) => mac(body, 'phenixid')],
  ])('refuses one over %s', async (_name, sign) => {
    await refuses((request) => signed(request, hex(sign(request.body))), 'proof_mismatch');
  });

  it('refuses one over the body as parsed and written anew', async () => {
    await expectRefused(
      target,
      () => notification(pretty),
      (request) => signed(request, hex(mac(JSON.stringify(JSON.parse(request.body.toString())), KEY))),
      'proof_mismatch',
    );
  });

  it('accepts one under the older of two live secrets', async () => {
    const request = await notification();
    await expectAccepted(target, signed(request, hex(mac(request.body, OLDER_KEY))));
  });
});

function secretAt(path: string): string {
  return target.receiver.secretOf(path);
}

function sorted(body: Buffer): string {
  // The body is an object: it was written a moment ago.
  const members = Object.entries(JSON.parse(body.toString()) as object);
  return JSON.stringify(Object.fromEntries(members.toSorted(([one], [other]) => one.localeCompare(other))));
}

it.each<[string, (text: string) => string | Buffer]>([
  [
    'one bit changed',
    (text) => {
      const bytes = Buffer.from(text);
      bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
      return bytes;
    },
  ],
  ['a blank behind', (text) => `${text} `],
  ['a blank before', (text) => ` ${text}`],
  ['a blank inside', (text) => text.replace(',', ', ')],
  ['a line end behind', (text) => `${text}\n`],
  ['CR LF behind', (text) => `${text}\r\n`],
  ['CR LF inside', (text) => text.replace(',', ',\r\n')],
  ['NUL behind', (text) => `${text}\0`],
  ['a byte order mark before', (text) => `\uFEFF${text}`],
  ['its members in another order', (text) => sorted(Buffer.from(text))],
  ['a letter as a unicode escape', (text) => text.replace('"Order', '"\\u004frder')],
  ['a slash escape', (text) => text.replace('{', '{"a":"\\/",')],
  ['a member more', (text) => text.replace('{', '{"role":"admin",')],
  ['a member twice', (text) => text.replace('{', '{"eventType":"OrderAccepted",')],
  ['another event', (text) => text.replace('OrderSigned', 'OrderAccepted')],
  ['a letter in another case', (text) => text.replace('OrderSigned', 'orderSigned')],
  ['its last byte cut off', (text) => text.slice(0, -1)],
  ['itself twice', (text) => text + text],
  ['nothing', () => ''],
  ['in UTF-16', (text) => Buffer.from(text, 'utf16le')],
])('B9: refuses a genuine signature over a body with %s', async (_name, change) => {
  await refuses(
    (request) => ({ ...request, body: Buffer.from(change(request.body.toString())) }),
    'proof_mismatch',
  );
});

const forgedCertificate: readonly Header[] = [
  ['X-SSL-Client-Cert', '-----BEGIN%20CERTIFICATE-----'],
  ['X-Client-Verify', 'SUCCESS'],
  ['X-Forwarded-Client-Cert', 'Subject="CN=swf"'],
  ['Client-Cert', ':MIIBszCCAVmgAwIBAgIUcGhlbml4:'],
];

const north: Sender = { ...plain, switches: { key: 'north' } };

describe('B10: every combination of key, signature and what looks like a certificate', () => {
  it.each<
    [key: 'right' | 'wrong', signature: 'right' | 'wrong', certificate: 'with' | 'without', RejectionCode]
  >([
    ['wrong', 'right', 'without', 'installation_unknown'],
    ['wrong', 'right', 'with', 'installation_unknown'],
    ['right', 'wrong', 'without', 'proof_mismatch'],
    ['right', 'wrong', 'with', 'proof_mismatch'],
    ['wrong', 'wrong', 'without', 'installation_unknown'],
    ['wrong', 'wrong', 'with', 'installation_unknown'],
  ])(
    'refuses a %s key and a %s signature %s the headers of a proxy',
    async (key, signature, certificate, code) => {
      await expectRefused(
        target,
        () => notification(north),
        (request) => {
          const keyed = key === 'right' ? request : { ...request, target: `${PATH}/?key=south` };
          const proven = signature === 'right' ? keyed : signed(keyed, hex(mac(request.body, KEY)));
          return certificate === 'with' ? withHeaders(proven, ...forgedCertificate) : proven;
        },
        code,
      );
    },
  );

  it('accepts key and signature, both right, with and without those headers', async () => {
    await expectAccepted(target, await notification(north));
    await expectAccepted(target, withHeaders(await notification(north), ...forgedCertificate));
  });

  it.each<[string, string]>([
    ['no key, signed with the secret of one that has a key', PATH],
    ['an empty key', `${PATH}/?key=`],
  ])('refuses %s', async (_name, url) => {
    await expectRefused(
      target,
      () => notification(north),
      (request) => ({ ...request, target: url }),
      'proof_mismatch',
    );
  });

  it('refuses those headers alone', async () => {
    await refuses(
      (request) => withHeaders(withoutHeader(request, 'x-signature'), ...forgedCertificate),
      'proof_missing',
    );
  });
});

describe('B12: a request that looks like a hand-shake', () => {
  const CHALLENGE = '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P';
  const form = 'application/x-www-form-urlencoded';

  const handshakes: readonly [
    name: string,
    type: string,
    body: string,
    query: string,
    ...headers: Header[],
  ][] = [
    ['an ssl_check', form, 'ssl_check=1&token=x', ''],
    [
      'an ssl_check beside an event',
      'application/json',
      '{"ssl_check":1,"taskId":"1","eventType":"OrderSigned"}',
      '',
    ],
    ['a URL verification', 'application/json', `{"type":"url_verification","challenge":"${CHALLENGE}"}`, ''],
    ['a ping', 'application/json', '{"zen":"Keep it logically awesome."}', '', ['X-GitHub-Event', 'ping']],
    ['the word ping', 'text/plain', 'ping', ''],
    ['an event called ping', 'application/json', '{"eventType":"ping","taskId":"1"}', ''],
    ['an event called test', 'application/json', '{"eventType":"test","test":true}', ''],
    ['a subscription', 'application/json', '{}', `hub.mode=subscribe&hub.challenge=${CHALLENGE}`],
    ['a validation token', 'text/plain', '', `validationToken=${CHALLENGE}`],
    ['an empty body', 'application/json', '', ''],
    ['an empty object', 'application/json', '{}', ''],
    [
      'a subscription confirmation',
      'text/plain',
      '{"Type":"SubscriptionConfirmation"}',
      '',
      ['x-amz-sns-message-type', 'SubscriptionConfirmation'],
    ],
    ['a health probe', 'application/json', '{}', '', ['User-Agent', 'kube-probe/1.30']],
    ['a bypass header', 'application/json', '{}', '', ['X-Verified', 'true'], ['X-Internal', '1']],
  ];

  it.each(handshakes)('refuses %s without a signature', async (_name, type, body, query, ...headers) => {
    await refuses(
      () => ({
        method: 'POST',
        target: query === '' ? PATH : `${PATH}?${query}`,
        headers: [['Content-Type', type], ...headers],
        body: Buffer.from(body),
      }),
      'proof_missing',
    );
  });

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'TRACE'])(
    'refuses %s, however well it is signed',
    async (method) => {
      await refuses((request) => ({ ...request, method }), 'method_not_allowed');
    },
  );

  it('refuses POST dressed up as another method by headers', async () => {
    await refuses(
      (request) => withHeaders(withoutHeader(request, 'x-signature'), ['X-HTTP-Method-Override', 'OPTIONS']),
      'proof_missing',
    );
  });

  it('gives a challenge that is rightly signed the usual reply, and not the challenge', async () => {
    const request = await notification();
    const body = Buffer.from(`{"type":"url_verification","challenge":"${CHALLENGE}"}`);
    const { reply } = await expectAccepted(target, signed({ ...request, body }, hex(mac(body, KEY))));
    expect(reply.body).toBe('{"ok":true}');
  });
});
