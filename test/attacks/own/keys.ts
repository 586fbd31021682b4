import { proofKindOf } from '../../../src/lab/conformance/endpoints.ts';
import { withHeaders } from '../../../src/lab/conformance/making/edit.ts';
import { mac } from '../../../src/lab/conformance/making/signature.ts';
import type { EndpointUnderTest, Trial } from '../../../src/lab/conformance/rule.ts';
import type { Header, WireRequest } from '../../../src/lab/conformance/wire.ts';
import { NORTH_SECRET, OLDER_TOKEN } from '../houses.ts';
import { accepts, at, own, refuses, type Own } from './own.ts';

const PATH = '/phenixid';

/** A genuine notification to another target, made from the key as the target spells it. */
function targets(
  urls: Readonly<Record<string, (key: string) => string>>,
): (here: EndpointUnderTest) => Trial[] {
  return ({ switches }) =>
    Object.entries(urls).map(([name, url]) =>
      refuses(name, (genuine) => ({ ...genuine, target: PATH + url(switches['key'] ?? '') })),
    );
}

/** The same whatever the key is. */
function queries(urls: Readonly<Record<string, string>>): (here: EndpointUnderTest) => Trial[] {
  return targets(Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, () => url])));
}

const similar = targets({
  'no query behind a slash': () => '/',
  'an empty query': () => '/?',
  'the first character alone': (key) => `/?key=${key.slice(0, 1)}`,
  'one letter in another case': (key) => `/?key=${key.toLowerCase()}`,
  'the part of the variable': () => '/?key=WEST_SECRET',
  'quotes around it': (key) => `/?key="${key}"`,
  'two equals signs': (key) => `/?key==${key}`,
  'a secret in its place': () => `/?key=${NORTH_SECRET}`,
  'the key of another installation': () => '/?key=north',
});

const otherwise = targets({
  'before that of another installation': (key) => `/?key=${key}&key=north`,
  twice: (key) => `/?key=${key}&key=${key}`,
  'behind an empty one': (key) => `/?key=&key=${key}`,
  'behind one without =': (key) => `/?key&key=${key}`,
  'as a list with a comma': (key) => `/?key=${key},north`,
  'as key.x': (key) => `/?key.x=${key}`,
  'as Key': (key) => `/?Key=${key}`,
  'as xkey': (key) => `/?xkey=${key}`,
  'as a key with a blank before': (key) => `/?+key=${key}`,
  'before a semicolon': (key) => `/?key=${key};a=1`,
  'behind a second question mark': (key) => `/??key=${key}`,
  'before a fragment': (key) => `/?key=${key}#x`,
  'in the fragment': (key) => `/#?key=${key}`,
  'in the path': (key) => `/key=${key}`,
  'in the path, behind a semicolon': (key) => `;key=${key}`,
  'percent-encoded with its question mark': (key) => `/%3Fkey=${key}`,
});

/** The key somewhere else, and no query. */
function elsewhere(places: Readonly<Record<string, (genuine: WireRequest, key: string) => WireRequest>>) {
  return ({ switches, credential }: EndpointUnderTest): Trial[] =>
    Object.entries(places).map(([name, place]) =>
      refuses(name, (genuine) => {
        const placed = { ...place(genuine, switches['key'] ?? ''), target: PATH };
        const signature: Header = ['X-Signature', mac(placed.body, credential.text).toString('hex')];
        const others = placed.headers.filter(([header]) => header !== 'X-Signature');
        return withHeaders({ ...placed, headers: others }, signature);
      }),
    );
}

const otherPlaces = elsewhere({
  'in the body': (genuine, key) => ({
    ...genuine,
    body: Buffer.from(genuine.body.toString().replace('{', `{"key":"${key}",`)),
  }),
  'in a form': (genuine, key) => ({ ...genuine, body: Buffer.from(`key=${key}`) }),
  'in the Referer': (genuine, key) =>
    withHeaders(genuine, ['Referer', `http://localhost${PATH}/?key=${key}`]),
  'in the Authorization header': (genuine, key) => withHeaders(genuine, ['Authorization', `Bearer ${key}`]),
});

const oddKeys = targets({
  'a name with a percent escape': (key) => `/?%6bey=${key}`,
  'an escape of one digit': (key) => `/?key=${key}%2`,
  'a plus sign': (key) => `/?key=${key}+`,
  'a blank': (key) => `/?key=${key}%20`,
  'NUL and more': (key) => `/?key=${key}%00south`,
  'invalid UTF-8': (key) => `/?key=${key}%FF`,
  'a surrogate in UTF-8': (key) => `/?key=${key}%ED%A0%80`,
  '%u as of old scripts': (key) => `/?key=%u004b${key.slice(1)}`,
  'overlong UTF-8': (key) => `/?key=%C1%8B${key.slice(1)}`,
  'full-width letters': (key) => `/?key=%EF%BC%AB${key.slice(1)}`,
  'a combining mark': (key) => `/?key=${key}%CC%81`,
  'a value of 20 kB': (key) => `/?key=${key}${'x'.repeat(20_000)}`,
  'a value of 40 kB': (key) => `/?key=${key}${'x'.repeat(40_000)}`,
  'a blank as it is': (key) => `/?key=${key} x`,
  'NUL as it is': (key) => `/?key=${key}\0`,
  'a plus sign for a blank': () => '/?key=Site+South%2B1%25',
  'a blank for a plus sign': () => '/?key=Site%20South%201%25',
});

// The sheet: percent-decode once; the slash before the ? may be there, or twice.
const fineKeys = ({ switches }: EndpointUnderTest): Trial[] =>
  Object.entries({
    'escapes that are none of necessity': (key: string) => `/?key=%4B${key.slice(1)}`,
    'no slash': (key: string) => `?key=${key}`,
    'two slashes': (key: string) => `//?key=${key}`,
    'other parameters around': (key: string) => `/?a=1&key=${key}&b[]=2&__proto__[x]=3&keys=4`,
  }).map(([name, url]) =>
    accepts(`fine: ${name}`, (genuine) => ({ ...genuine, target: PATH + url(switches['key'] ?? '') })),
  );

/** Refused for other causes, with a key that may stand in no log line. */
const refusedWithKey = ({ switches }: EndpointUnderTest): Trial[] => {
  const key = switches['key'] ?? '';
  const edits: Readonly<Record<string, (genuine: WireRequest) => WireRequest>> = {
    'an unknown path': (genuine) => ({ ...genuine, target: `/nowhere?key=${key}` }),
    'an unknown path with a question mark more': (genuine) => ({
      ...genuine,
      target: `/nowhere??key=${key}?`,
    }),
    'another method': (genuine) => ({ ...genuine, method: 'GET' }),
    'an absolute target': (genuine) => ({ ...genuine, target: `http://localhost${genuine.target}` }),
    'a target that is none': (genuine) => ({ ...genuine, target: `?key=${key}` }),
    'an unknown Expect': (genuine) => withHeaders(genuine, ['Expect', key]),
    'a Content-Encoding': (genuine) => withHeaders(genuine, ['Content-Encoding', key]),
    'a body that is too large': (genuine) => ({ ...genuine, body: Buffer.alloc(20_000, key) }),
    'a header that is too large': (genuine) => withHeaders(genuine, ['X-Much', key.repeat(1_000)]),
    'a broken header': (genuine) => withHeaders(genuine, [`${key} `, key]),
    'a broken length': (genuine) => withHeaders(genuine, ['Content-Length', key]),
    'no signature': (genuine) => ({ ...genuine, headers: [] }),
    'the key twice': (genuine) => ({ ...genuine, target: `${genuine.target}&key=${key}` }),
    'the key and a bad escape': (genuine) => ({ ...genuine, target: `${genuine.target}%` }),
    'the key in a Referer': (genuine) =>
      withHeaders({ ...genuine, headers: [] }, ['Referer', genuine.target]),
  };
  return Object.entries(edits).map(([name, edit]) => refuses(name, edit));
};

const objectKeys = queries(
  Object.fromEntries(
    ['prototype', 'valueOf', 'hasOwnProperty', 'get', 'size', 'null', '[object%20Object]', '0']
      .map((name): [string, string] => [`the key ${name}`, `/?key=${name}`])
      .concat([
        ['a key of a constructor', '/?constructor[prototype][key]=north'],
        ['a key behind a dot', '/?__proto__.key=north'],
      ]),
  ),
);

function authorized(
  name: string,
  values: (token: string, others: readonly EndpointUnderTest[]) => readonly string[],
) {
  return (others: readonly EndpointUnderTest[]): Trial =>
    refuses(name, (genuine, { endpoint }) =>
      withAuthorization(genuine, ...values(endpoint.credential.text, others)),
    );
}

function withAuthorization(genuine: WireRequest, ...values: readonly string[]): WireRequest {
  const others = genuine.headers.filter(([name]) => name.toLowerCase() !== 'authorization');
  return withHeaders(
    { ...genuine, headers: others },
    ...values.map((value): Header => ['Authorization', value]),
  );
}

const wrongTokens = [
  authorized('a blank', () => [' ']),
  authorized('the secret of another webhook', (_token, others) => [
    others.find((other) => proofKindOf(other) === 'token')?.credential.text ?? '',
  ]),
];

const fineTokens = Object.entries({
  'with blanks around, which HTTP takes off': (token: string) => `  Bearer ${token}\t`,
  'in its older form, still live': () => OLDER_TOKEN,
}).map(([name, value]) =>
  accepts(`fine: ${name}`, (genuine, { endpoint }) =>
    withAuthorization(genuine, value(endpoint.credential.text)),
  ),
);

const tokenPlaces = (here: EndpointUnderTest): Trial[] => {
  const token = here.credential.text;
  const places: Readonly<Record<string, (genuine: WireRequest) => WireRequest>> = {
    twice: (genuine) => withAuthorization(genuine, token, token),
    'behind an empty one': (genuine) => withAuthorization(genuine, '', token),
    'in the query as Authorization': (genuine) => ({
      ...withAuthorization(genuine),
      target: `${genuine.target}?Authorization=${token}&key=${token}`,
    }),
    'in a form': (genuine) => ({ ...withAuthorization(genuine), body: Buffer.from(`token=${token}`) }),
    'in other headers': (genuine) =>
      withHeaders(withAuthorization(genuine), ['X-Authorization', token], ['Authorization_', token]),
    'in the user part of the target': (genuine) => ({
      ...withAuthorization(genuine),
      target: `http://x:${token}@localhost${genuine.target}`,
    }),
    'in the trailer section': (genuine) => ({
      ...withHeaders(
        withAuthorization(genuine),
        ['Transfer-Encoding', 'chunked'],
        ['Trailer', 'Authorization'],
      ),
      body: Buffer.from(
        `${genuine.body.length.toString(16)}\r\n${genuine.body.toString()}\r\n0\r\nAuthorization: ${token}\r\n\r\n`,
      ),
    }),
  };
  return Object.entries(places).map(([name, place]) => refuses(name, place));
};

const brokenToken = authorized('a line end inside', (token) => [`${token.slice(0, 8)}\n${token.slice(8)}`]);

/** Refused for other causes, with an access token that may stand in no log line. */
const refusedWithToken = ({ credential: { text: token } }: EndpointUnderTest): Trial[] => {
  const edits: Readonly<Record<string, (genuine: WireRequest) => WireRequest>> = {
    'an unknown path': (genuine) => ({ ...genuine, target: `/nowhere?token=${token}` }),
    'another method': (genuine) => ({ ...genuine, method: 'DELETE' }),
    'a wrong access token': (genuine) => withAuthorization(genuine, `${token}-wrong`),
    'an access token in query and body': (genuine) => ({
      ...withAuthorization(genuine),
      target: `${genuine.target}?token=${token}`,
      body: Buffer.from(token),
    }),
    'an unknown Expect': (genuine) => withHeaders(genuine, ['Expect', token]),
    'a Content-Encoding': (genuine) => withHeaders(genuine, ['Content-Encoding', token]),
    'a header that is too large': (genuine) => withHeaders(genuine, ['X-Much', token.repeat(1_100)]),
    'a broken header': (genuine) => withHeaders(genuine, [`${token} `, token]),
  };
  return Object.entries(edits).map(([name, edit]) => refuses(name, edit));
};

/** Group C. */
export const ownKeys: readonly Own[] = [
  own(
    'C1',
    'refuses further keys and access tokens that are only similar',
    {
      '*: the key of another installation': 'proof_mismatch',
      'phenixid*': 'installation_unknown',
      '*: fine: *': 'done',
      '*: a blank': 'proof_missing',
      '*': 'proof_mismatch',
    },
    (here, others) => [
      ...at('phenixid/key', similar)(here),
      ...at('hotdocs/token', [...wrongTokens.map((make) => make(others)), ...fineTokens])(here),
    ],
  ),
  own(
    'C2',
    'takes neither key nor access token from elsewhere',
    {
      '*: in the fragment': 'path_unknown',
      'phenixid/key: in the path*': 'path_unknown',
      '*: percent-encoded with its question mark': 'path_unknown',
      'phenixid*': 'installation_unknown',
      '*: twice': 'proof_ambiguous',
      '*: behind an empty one': 'proof_ambiguous',
      '*: in the user part of the target': 'request_malformed',
      '*': 'proof_missing',
    },
    (here) => [
      ...at('phenixid/key', otherwise)(here),
      ...at('phenixid/key', otherPlaces)(here),
      ...at('hotdocs/token', tokenPlaces)(here),
    ],
  ),
  own(
    'C3',
    'accepts one spelling of key and access token',
    {
      '*: fine: *': 'done',
      '*: * as it is': 'request_malformed',
      '*: a line end inside': 'request_malformed',
      '*40 kB': 'headers_too_large',
      '*': 'installation_unknown',
    },
    (here, others) => [
      ...at('phenixid/key', oddKeys)(here),
      ...at('phenixid/key', fineKeys)(here),
      ...at('hotdocs/token', [brokenToken(others)])(here),
    ],
  ),
  own(
    'C4',
    'writes neither key nor access token into its log',
    {
      '*: an unknown path*': 'path_unknown',
      '*: another method': 'method_not_allowed',
      '*: an absolute target': 'request_malformed',
      '*: a target that is none': 'request_malformed',
      '*: an unknown Expect': 'expectation_unknown',
      '*: a Content-Encoding': 'body_encoded',
      '*: a body that is too large': 'body_too_large',
      '*: a header that is too large': 'headers_too_large',
      '*: a broken *': 'request_malformed',
      '*: the key twice': 'installation_unknown',
      '*: the key and a bad escape': 'installation_unknown',
      '*: a wrong access token': 'proof_mismatch',
      '*': 'proof_missing',
    },
    (here) => [...at('phenixid/key', refusedWithKey)(here), ...at('hotdocs/token', refusedWithToken)(here)],
  ),
  own('C5', 'finds no member of Object by key', 'installation_unknown', at('phenixid/key', objectKeys)),
];
