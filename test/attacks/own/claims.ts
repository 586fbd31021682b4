import { proofKindOf } from '../../../src/lab/conformance/endpoints.ts';
import { withHeaders } from '../../../src/lab/conformance/making/edit.ts';
import { forged, onTokens, underHeader } from '../../../src/lab/conformance/making/forged.ts';
import { encode, signParts, tokenIn, withToken } from '../../../src/lab/conformance/making/token.ts';
import type { EndpointUnderTest, Trial } from '../../../src/lab/conformance/rule.ts';
import type { Genuine } from '../../../src/lab/conformance/stage.ts';
import type { Header, WireRequest } from '../../../src/lab/conformance/wire.ts';
import { accepts, at, own, refuses, type Own } from './own.ts';

/** The members of a payload, by the time of day in seconds. */
type Claims = (nowS: number) => string;

/** The genuine payload with these members besides, rightly signed. */
function claiming(genuine: Genuine, here: EndpointUnderTest, claims: Claims): Genuine {
  const token = tokenIn(genuine, here);
  const members = claims(Math.floor(Date.now() / 1000));
  const payload = encode(token.payloadJson.replace('{', `{${members},`));
  return withToken(genuine, token, signParts(token.header, payload, token.secret));
}

type Named = Readonly<Record<string, Claims>>;

function refused(named: Named): Trial[] {
  return Object.entries(named).map(([name, claims]) =>
    refuses(name, (genuine, { endpoint }) => claiming(genuine, endpoint, claims)),
  );
}

function accepted(named: Named): Trial[] {
  return Object.entries(named).map(([name, claims]) =>
    accepts(`fine: ${name}`, (genuine, { endpoint }) => claiming(genuine, endpoint, claims)),
  );
}

const strict = [
  ...refused({
    'exp 100 s ago': (now) => `"exp":${now - 100}`,
    'nbf in 100 s': (now) => `"nbf":${now + 100}`,
    'iat in 100 s': (now) => `"iat":${now + 100}`,
    'iat 400 s ago': (now) => `"iat":${now - 400}`,
    'nbf 400 s ago, and no iat': (now) => `"nbf":${now - 400}`,
    'iat 400 s ago, and exp in the future': (now) => `"iat":${now - 400},"exp":${now + 600}`,
  }),
  ...accepted({
    'no times at all': () => '"times":"none"',
    'exp in the future': (now) => `"exp":${now + 600}`,
    'times within the tolerance of 90 s': (now) => `"exp":${now - 60},"nbf":${now + 60},"iat":${now + 60}`,
    'iat 300 s ago': (now) => `"iat":${now - 300}`,
    'nbf long ago, and a fresh iat': (now) => `"nbf":${now - 31_536_000},"iat":${now}`,
  }),
];

const lenient = [
  ...refused({
    'exp 400 s ago': (now) => `"exp":${now - 400}`,
    'nbf in 400 s': (now) => `"nbf":${now + 400}`,
    'iat 700 s ago': (now) => `"iat":${now - 700}`,
  }),
  // The payload is business data: a member that merely has the name of a claim is none.
  ...accepted({
    'exp as a date in words': () => '"exp":"end of term"',
    'exp null': () => '"exp":null',
    'iat as a date': () => '"iat":"2001-02-03"',
    'iat in ten years': (now) => `"iat":${now + 315_360_000}`,
    'times within the tolerance of 300 s': (now) => `"exp":${now - 240},"nbf":${now + 240}`,
  }),
];

function underOther(name: string, header: string): Trial {
  return accepts(`fine: ${name}`, (genuine, { endpoint }) => {
    const token = tokenIn(genuine, endpoint);
    return withToken(genuine, token, signParts(encode(header), token.payload, token.secret));
  });
}

function signedForOthers(others: readonly EndpointUnderTest[]): Trial[] {
  const foreign = '"sub":"evil","tenancyMoniker":"evil","environment":"test"';
  return others
    .filter((other) => proofKindOf(other) === 'token')
    .flatMap((other) => [
      forged(`its own payload, signed for ${other.name}`, ({ header, payload }) =>
        signParts(header, payload, other.credential.text),
      ),
      forged(
        `sub, tenant and environment of another one, signed for ${other.name}`,
        ({ header, payloadJson }) =>
          signParts(header, encode(payloadJson.replace('{', `{${foreign},`)), other.credential.text),
      ),
    ]);
}

const JSON_TYPE: Header = ['Content-Type', 'application/json'];

/** The legacy method in place of a signature: `by` is the endpoint that has it. */
function downgrades(by: EndpointUnderTest): Trial[] {
  return [
    refuses("another endpoint's access token", (genuine, { endpoint }) => ({
      method: 'POST',
      target: endpoint.url.pathname,
      headers: [['Authorization', by.credential.text], JSON_TYPE],
      body: Buffer.from(tokenIn(genuine, endpoint).payloadJson),
    })),
    refuses("another endpoint's access token beside a wrong signature", (genuine, { endpoint }) => {
      const token = tokenIn(genuine, endpoint);
      const wrong = withToken(genuine, token, signParts(token.header, token.payload, 'wrong'));
      return withHeaders(wrong, ['Authorization', by.credential.text]);
    }),
  ];
}

/** And a signature in place of an access token: `signed` is an endpoint that has one. */
function upgrades(signed: EndpointUnderTest): Trial[] {
  const asForm = (genuine: WireRequest, token: string): WireRequest => ({
    ...genuine,
    headers: [],
    body: Buffer.from(`token=${token}`),
  });
  return [
    refuses('a token signed with its access token', (genuine, { endpoint }) => {
      const header = encode('{"alg":"HS256","typ":"JWT"}');
      return asForm(genuine, signParts(header, encode(genuine.body), endpoint.credential.text));
    }),
    refuses('a genuine token of another endpoint, in the form', async (_genuine, stage) => ({
      ...(await stage.genuine({ of: signed })),
      target: stage.endpoint.url.pathname,
    })),
    refuses('a genuine token of another endpoint, in the Authorization header', async (_genuine, stage) => ({
      ...(await stage.genuine({ of: signed, switches: { carrier: 'header', verb: 'POST' } })),
      target: stage.endpoint.url.pathname,
    })),
    refuses('a genuine token of another endpoint beside a wrong access token', async (_genuine, stage) => ({
      ...withHeaders(await stage.genuine({ of: signed }), ['Authorization', 'wrong']),
      target: stage.endpoint.url.pathname,
    })),
  ];
}

function endpointOf(others: readonly EndpointUnderTest[], name: string): EndpointUnderTest[] {
  return others.filter((other) => other.name === name);
}

/** Group A, third part: when a token is valid, and for whom. */
export const ownClaims: readonly Own[] = [
  own(
    'A19',
    'keeps the times that its sender keeps',
    {
      '*: fine: *': 'done',
      '*': 'proof_stale',
    },
    (here) => [...at('hotdocs/form', strict)(here), ...at('risr', lenient)(here)],
  ),
  own(
    'A22',
    'refuses tokens of another kind where kinds are told',
    { '*: fine: *': 'done', '*': 'proof_foreign' },
    (here) => [
      ...at('hotdocs/form', [
        underHeader('an access token', '{"alg":"HS256","typ":"at+jwt"}'),
        underOther('no typ', '{"alg":"HS256"}'),
      ])(here),
      // The risr sheet ignores typ.
      ...at('risr', [
        underOther('another typ', '{"alg":"HS256","typ":"at+jwt"}'),
        underOther('typ before alg', '{"typ":"JWT","alg":"HS256"}'),
      ])(here),
    ],
  ),
  own('A23', 'refuses what is signed for another endpoint', 'proof_mismatch', (here, others) =>
    onTokens(signedForOthers(others))(here),
  ),
  own(
    'A27',
    'takes no proof for another kind of proof',
    {
      'hotdocs/form: *wrong signature': 'proof_mismatch',
      'hotdocs/form: *': 'proof_missing',
      '*: a token signed with its access token': 'proof_missing',
      '*, in the form': 'proof_missing',
      '*': 'proof_mismatch',
    },
    (here, others) => [
      ...at('hotdocs/form', endpointOf(others, 'hotdocs/token').flatMap(downgrades))(here),
      ...at('hotdocs/token', endpointOf(others, 'hotdocs/form').flatMap(upgrades))(here),
    ],
  ),
];
