import { isTokenBody, proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { refused, type RefusalOptions } from '../trials.ts';
import type { Header, WireRequest } from '../wire.ts';
import { forged, onTokens } from '../making/forged.ts';
import { tokenIn } from '../making/token.ts';

/** What a receiver may say that does not know such a content type, or such a form, at all. */
const UNKNOWN_FORM: RefusalOptions = { also: [400, 415] };

/** Group A, last part: where a token travels, and in what. */
export const tokenPlaceRules: readonly Rule[] = [
  {
    id: 'A24-wrapped',
    group: 'A',
    title: 'refuses a token that is wrapped or encoded once more',
    severity: 'low',
    grade: 'hardened',
    level: 1,
    why: 'Each wrapping that is peeled off adds a second spelling of the same token, and code that guesses.',
    fix: 'Take the token out of its documented place once, and verify it as it is.',
    trials: (at) => (proofKindOf(at) === 'token' ? wrappings(at) : []),
  },
  {
    id: 'A25-other-place',
    group: 'A',
    title: 'takes the token from its documented places only',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'Addresses and cookies end up in logs, histories and other sites: a token that works from there can be found or planted there.',
    fix: 'Read the token from where the sender puts it, and nowhere else.',
    trials: (at) => {
      if (proofKindOf(at) !== 'token') return [];
      return placesAt(at).map(([name, put, options]) => placed(name, put, options));
    },
  },
  {
    id: 'A26-field-spelling',
    group: 'A',
    title: 'refuses a form whose token field comes twice or under another name',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    why: 'Form parsers make lists and objects of such fields. Code that expects text throws, or verifies one value and reads another.',
    fix: 'Count the fields of that name, and refuse unless there is exactly one and it is text.',
    trials: (at) => (proofKindOf(at) === 'token' && !isTokenBody(at) ? fieldSpellings : []),
  },
  {
    id: 'A27-downgrade',
    group: 'A',
    title: 'accepts no event without a signature where a signed token is agreed',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'A receiver that falls back to the older method, or to none, is as weak as that one: leaving the token out is enough.',
    fix: 'Configure one method for each endpoint, and refuse what does not come with its proof.',
    trials: onTokens([
      plain('unsigned', () => []),
      plain('unsigned, with the secret as an access token', ({ secret }) => [['Authorization', secret]]),
      plain('unsigned, with the secret behind Bearer', ({ secret }) => [
        ['Authorization', `Bearer ${secret}`],
      ]),
      plain('unsigned, with any access token', () => [['Authorization', 'Bearer anything']]),
      forged('an empty text in its place', () => ''),
    ]),
  },
];

function wrappings({ switches }: EndpointUnderTest): Trial[] {
  const inHeader = switches['carrier'] === 'header';
  return [
    forged('in double quotes', ({ whole }) => `"${whole}"`),
    forged('in angle brackets', ({ whole }) => `<${whole}>`),
    // In the Authorization header one such word is usual.
    ...(inHeader ? [] : [forged('behind Bearer', ({ whole }) => `Bearer ${whole}`)]),
    forged('behind Bearer twice', ({ whole }) => `Bearer Bearer ${whole}`),
    forged('in capitals', ({ whole }) => whole.toUpperCase()),
    forged('in base64 once more', ({ whole }) => Buffer.from(whole).toString('base64')),
    forged('with a percent escape inside', ({ whole }) => whole.replace(/^e/, '%65')),
    forged('twice, with a comma', ({ whole }) => `${whole},${whole}`),
    forged('twice, with a blank', ({ whole }) => `${whole} ${whole}`),
    forged('before NUL', ({ whole }) => `${whole}\0`, { also: [400] }),
    forged('behind a byte order mark', ({ whole }) => `\uFEFF${whole}`, { accepted: 'warned', also: [400] }),
  ];
}

interface Placed {
  readonly token: string;
  readonly payloadJson: string;
  readonly secret: string;
  /** The genuine request with its token taken out, whatever it travelled in. */
  readonly empty: WireRequest;
}

/** The token taken out of its place and put into another one. */
function placed(name: string, put: (parts: Placed) => WireRequest, options: RefusalOptions = {}): Trial {
  return refused(name, (genuine, { endpoint }) => put(partsOf(genuine, endpoint)), options);
}

/** A request of a token's sender, taken apart. */
export function partsOf(genuine: WireRequest, endpoint: EndpointUnderTest): Placed {
  const { whole, payloadJson, secret } = tokenIn(genuine, endpoint);
  const headers = genuine.headers.filter(([, value]) => !value.includes(whole));
  const [target = ''] = genuine.target.split('?');
  return { token: whole, payloadJson, secret, empty: { ...genuine, target, headers, body: Buffer.alloc(0) } };
}

function withHeader({ empty }: Placed, ...headers: readonly Header[]): WireRequest {
  return { ...empty, headers: [...empty.headers, ...headers] };
}

function withContent({ empty }: Placed, type: string, text: string): WireRequest {
  const headers = empty.headers.filter(([name]) => !/^content-type$/i.test(name));
  return { ...empty, method: 'POST', headers: [...headers, ['Content-Type', type]], body: Buffer.from(text) };
}

function withQuery({ empty }: Placed, query: string): WireRequest {
  return { ...empty, target: `${empty.target}?${query}` };
}

const FORM = 'application/x-www-form-urlencoded';

/** Somewhere else than where its sender puts a token. */
export type Place = readonly [name: string, put: (parts: Placed) => WireRequest, options?: RefusalOptions];

export function placesAt(at: EndpointUnderTest): readonly Place[] {
  return [...placesForAll, ...(isTokenBody(at) ? placesBesideBody : placesBesideForm)];
}

const placesForAll: readonly Place[] = [
  ['in a cookie', (parts) => withHeader(parts, ['Cookie', `token=${parts.token}`])],
  ['in X-Token', (parts) => withHeader(parts, ['X-Token', parts.token])],
  ['in a header called token', (parts) => withHeader(parts, ['token', parts.token])],
  ['in X-Access-Token', (parts) => withHeader(parts, ['X-Access-Token', parts.token])],
  ['in Proxy-Authorization', (parts) => withHeader(parts, ['Proxy-Authorization', `Bearer ${parts.token}`])],
  ['in the query as access_token', (parts) => withQuery(parts, `access_token=${parts.token}`)],
  ['in the query as jwt', (parts) => withQuery(parts, `jwt=${parts.token}`)],
  [
    'in the Referer',
    (parts) => withHeader(parts, ['Referer', `http://localhost${parts.empty.target}?token=${parts.token}`]),
  ],
];

const placesBesideForm: readonly Place[] = [
  ['in a field called jwt', (parts) => withContent(parts, FORM, `jwt=${parts.token}`)],
  ['in a field called access_token', (parts) => withContent(parts, FORM, `access_token=${parts.token}`)],
  ['in the name of a field', (parts) => withContent(parts, FORM, `${parts.token}=token`)],
  ['in a member of a member', inMember, UNKNOWN_FORM],
  ['in a file of a multipart form', inFile, UNKNOWN_FORM],
];

const placesBesideBody: readonly Place[] = [
  ['in the query as token', (parts) => withQuery(parts, `token=${parts.token}`)],
  ['in the Authorization header', (parts) => withHeader(parts, ['Authorization', `Bearer ${parts.token}`])],
  ['in a form', (parts) => withContent(parts, FORM, `token=${parts.token}`), UNKNOWN_FORM],
  [
    'in a JSON member',
    (parts) => withContent(parts, 'application/json', JSON.stringify({ token: parts.token })),
    UNKNOWN_FORM,
  ],
  [
    'in the Authorization header, beside its payload',
    (parts) => ({
      ...withHeader(parts, ['Authorization', `Bearer ${parts.token}`]),
      body: Buffer.from(parts.payloadJson),
    }),
    UNKNOWN_FORM,
  ],
];

function inMember(parts: Placed): WireRequest {
  return withContent(parts, 'application/json', JSON.stringify({ data: { token: parts.token } }));
}

function inFile(parts: Placed): WireRequest {
  const disposition = 'Content-Disposition: form-data; name="token"; filename="token"';
  return withContent(
    parts,
    'multipart/form-data; boundary=edge',
    `--edge\r\n${disposition}\r\n\r\n${parts.token}\r\n--edge--\r\n`,
  );
}

/** An event as the older method would send it: its content, with nothing that proves who wrote it. */
function plain(name: string, headersOf: (parts: Placed) => readonly Header[]): Trial {
  return placed(
    name,
    (parts) => {
      const request = withContent(parts, 'application/json', parts.payloadJson);
      return { ...request, headers: [...request.headers, ...headersOf(parts)] };
    },
    UNKNOWN_FORM,
  );
}

type Fields = (token: string, other: string) => string;

/** Other fields in the place of the one that holds the token, be it in a form or a query. */
function fields(name: string, write: Fields): Trial {
  return refused(
    name,
    async (genuine, stage) => {
      const { whole } = tokenIn(genuine, stage.endpoint);
      const text = write(whole, await otherToken(stage));
      const field = `token=${whole}`;
      if (genuine.target.includes(field))
        return { ...genuine, target: genuine.target.replace(field, () => text) };
      return withContent(partsOf(genuine, stage.endpoint), FORM, text);
    },
    { also: [400] },
  );
}

async function otherToken(stage: Stage): Promise<string> {
  return tokenIn(await stage.genuine(), stage.endpoint).whole;
}

const fieldSpellings: readonly Trial[] = [
  fields('twice', (token) => `token=${token}&token=${token}`),
  fields('before another genuine one', (token, other) => `token=${token}&token=${other}`),
  fields('before a wrong one', (token) => `token=${token}&token=wrong`),
  fields('behind a wrong one', (token) => `token=wrong&token=${token}`),
  fields('as a list', (token) => `token[]=${token}`),
  fields('as an encoded list', (token) => `token%5B%5D=${token}`),
  fields('as an object', (token) => `token[x]=${token}`),
  fields('with NUL behind its name', (token) => `token%00=${token}`),
  fields('with its name encoded twice', (token) => `%2574oken=${token}`),
  fields('in the prototype', (token) => `__proto__[token]=${token}`),
  fields('the name alone', () => 'token'),
];
