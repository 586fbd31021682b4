import { proofKindOf } from '../endpoints.ts';
import { DoesNotApply, type EndpointUnderTest, type Rule, type Trial } from '../rule.ts';
import type { WireRequest } from '../wire.ts';
import { withQuery } from '../making/edit.ts';
import { around, mac, onSignatures, respelled, signed, type Signature } from '../making/signature.ts';

const CHALLENGE = '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkv';
const SAME_BYTES = 'with this content it would change nothing';
const JSON_TYPE = 'application/json';

/** Group B, second part: what is signed, and where the signature stands. */
export const signedContentRules: readonly Rule[] = [
  {
    id: 'B7-other-name',
    group: 'B',
    title: 'takes the signature from its header only',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'A signature that works from an address, a body or another header can be planted where proxies do not look.',
    fix: 'Read the one documented header, and nothing else.',
    trials: onSignatures([
      ...['X_Signature', 'Signature', 'X-Hub-Signature-256', 'Authorization'].map((name) =>
        around(`under the name ${name}`, (request, signature) => {
          if (signature.header.toLowerCase() === name.toLowerCase()) {
            throw new DoesNotApply('that is the name that this sender uses');
          }
          const unsigned = signed(request, signature);
          return { ...unsigned, headers: [...unsigned.headers, [name, signature.value]] };
        }),
      ),
      around('in the query', (request, signature) =>
        withQuery(signed(request, signature), `X-Signature=${signature.bytes.toString('hex')}`),
      ),
      around('in the body', (request, signature) => ({
        ...signed(request, signature),
        body: Buffer.from(request.body.toString().replace('{', `{"X-Signature":"${signature.value}",`)),
      })),
      around('in a cookie', (request, signature) => ({
        ...signed(request, signature),
        headers: [...signed(request, signature).headers, ['Cookie', `X-Signature=${signature.value}`]],
      })),
      around('in the trailer section', inTrailer, { also: [400, 411] }),
    ]),
  },
  {
    id: 'B8-signed-something-else',
    group: 'B',
    title: 'refuses a signature of anything but the raw body under its own secret',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'A receiver that signs what it has parsed, or only a part, verifies another text than it reads.',
    fix: 'Keep the bytes of the body as they came, and compute the signature over them before parsing.',
    trials: (at, others) => (proofKindOf(at) === 'signature header' ? otherContents(others) : []),
  },
  {
    id: 'B9-body-changed',
    group: 'B',
    title: 'refuses a genuine signature over a body that was changed',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'Whoever has seen one genuine delivery could change its content and keep its signature.',
    fix: 'Compute the signature over the raw bytes, not over a text or an object made of them.',
    trials: onSignatures([
      changedBody('one bit changed', oneBitWrong),
      changedBody('another value', (text) => text.replace(/"([^"]+)"(?=\s*\})/, '"another"')),
      changedBody('a member more', (text) => text.replace('{', '{"role":"admin",')),
      changedBody('a blank behind', (text) => `${text} `),
      changedBody('a line end behind', (text) => `${text}\n`),
      changedBody('a blank before', (text) => ` ${text}`),
      changedBody('a blank inside', (text) => text.replace(':', ': ')),
      changedBody('its members in another order', inOtherOrder),
      changedBody('a letter as a unicode escape', (text) => text.replace(/"([a-z])/, escapedLetter)),
      changedBody('NUL behind', (text) => `${text}\0`),
      changedBody('a byte order mark before', (text) => `\uFEFF${text}`),
      changedBody('its last byte cut off', (text) => text.slice(0, -1)),
      changedBody('itself twice', (text) => text + text),
      changedBody('nothing at all', () => ''),
    ]),
  },
  {
    id: 'B12-handshake',
    group: 'B',
    title: 'lets no request by that looks like a hand-shake',
    severity: 'high',
    grade: 'authentic',
    level: 1,
    why: 'Branches for pings and confirmations of other senders run before the signature is checked, and answer whoever asks.',
    fix: 'Take such branches out: these senders have no hand-shake. Verify first, whatever the request looks like.',
    trials: onSignatures(handshakes()),
  },
];

function inTrailer(request: WireRequest, signature: Signature) {
  const { headers } = signed(request, signature);
  const size = request.body.length.toString(16);
  const trailer = `${signature.header}: ${signature.value}`;
  return {
    ...request,
    headers: [...headers, ['Transfer-Encoding', 'chunked'] as const, ['Trailer', signature.header] as const],
    body: Buffer.concat([
      Buffer.from(`${size}\r\n`),
      request.body,
      Buffer.from(`\r\n0\r\n${trailer}\r\n\r\n`),
    ]),
  };
}

function otherContents(others: readonly EndpointUnderTest[]): Trial[] {
  const over = (name: string, sign: (signature: Signature) => Buffer) =>
    respelled(name, (signature) => {
      const other = sign(signature);
      // As of a body with one member whose members are turned round.
      if (other.equals(mac(signature.body, signature.secret))) throw new DoesNotApply(SAME_BYTES);
      return other.toString('hex');
    });
  return [
    over('the empty body', ({ secret }) => mac('', secret)),
    over('the body and a line end', ({ body, secret }) => mac(`${body.toString()}\n`, secret)),
    over('the body with blanks', ({ body, secret }) => mac(JSON.stringify(jsonOf(body), null, 2), secret)),
    over('the body with its members in another order', ({ body, secret }) =>
      mac(inOtherOrder(body.toString()), secret),
    ),
    over('the body in UTF-16', ({ body, secret }) => mac(Buffer.from(body.toString(), 'utf16le'), secret)),
    over('a time and the body', ({ body, secret }) => mac(`1700000000.${body.toString()}`, secret)),
    over('the body under an empty secret', ({ body }) => mac(body, '')),
    over('the body under the word secret', ({ body }) => mac(body, 'secret')),
    over('the body under the secret and a line end', ({ body, secret }) => mac(body, `${secret}\n`)),
    ...others
      .filter(({ credential }) => credential.text !== '')
      .map((other) =>
        over(`the body under the secret of ${other.name}`, ({ body }) => mac(body, other.credential.text)),
      ),
  ];
}

function changedBody(name: string, change: (text: string) => string | Buffer): Trial {
  // Without a body some servers refuse before anything is verified.
  const options = name === 'nothing at all' ? { also: [400, 411] } : {};
  return around(
    name,
    (request) => {
      const body = Buffer.from(change(request.body.toString()));
      if (body.equals(request.body)) throw new DoesNotApply(SAME_BYTES);
      return { ...request, body };
    },
    options,
  );
}

function oneBitWrong(text: string): Buffer {
  const bytes = Buffer.from(text);
  const at = Math.min(20, bytes.length - 1);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes;
}

function inOtherOrder(text: string): string {
  return JSON.stringify(Object.fromEntries(Object.entries(jsonOf(Buffer.from(text))).toReversed()));
}

function jsonOf(body: Buffer): object {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    throw new DoesNotApply('the content of this sender is no JSON');
  }
}

function escapedLetter(_match: string, letter: string): string {
  return `"\\u00${letter.charCodeAt(0).toString(16)}`;
}

type Handshake = readonly [
  name: string,
  type: string,
  body: string,
  query?: string,
  header?: readonly [string, string],
];

function handshakes(): Trial[] {
  const kinds: readonly Handshake[] = [
    ['an ssl_check', 'application/x-www-form-urlencoded', 'ssl_check=1&token=x'],
    ['an ssl_check in JSON', JSON_TYPE, '{"ssl_check":1}'],
    ['a URL verification', JSON_TYPE, `{"type":"url_verification","challenge":"${CHALLENGE}"}`],
    ['a ping', JSON_TYPE, '{"zen":"ping"}', '', ['X-GitHub-Event', 'ping']],
    ['an event called ping', JSON_TYPE, '{"eventType":"ping"}'],
    ['an event called test', JSON_TYPE, '{"eventType":"test","test":true}'],
    ['a subscription', JSON_TYPE, '{}', `hub.mode=subscribe&hub.challenge=${CHALLENGE}`],
    ['a validation token', 'text/plain', '', `validationToken=${CHALLENGE}`],
    ['an empty object', JSON_TYPE, '{}'],
    ['a health probe', JSON_TYPE, '{}', '', ['User-Agent', 'kube-probe/1.30']],
    ['a bypass header', JSON_TYPE, '{}', '', ['X-Verified', 'true']],
    ['a header of another method', JSON_TYPE, '{}', '', ['X-HTTP-Method-Override', 'OPTIONS']],
  ];
  return kinds.map(([name, type, body, query = '', header]) =>
    around(
      name,
      (request) => ({
        ...request,
        target:
          query === ''
            ? request.target
            : `${request.target}${request.target.includes('?') ? '&' : '?'}${query}`,
        headers: [['Content-Type', type], ...(header === undefined ? [] : [header])],
        body: Buffer.from(body),
      }),
      { also: [400, 411, 415] },
    ),
  );
}
