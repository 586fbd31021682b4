import { isTokenBody } from '../../../src/lab/conformance/endpoints.ts';
import { withHeader, withHeaders } from '../../../src/lab/conformance/making/edit.ts';
import { tokenIn, withToken } from '../../../src/lab/conformance/making/token.ts';
import type { EndpointUnderTest, Trial } from '../../../src/lab/conformance/rule.ts';
import type { Stage } from '../../../src/lab/conformance/stage.ts';
import type { Header, WireRequest } from '../../../src/lab/conformance/wire.ts';
import { accepts, at, own, refuses, type Edit, type Own } from './own.ts';

interface Wrapping {
  readonly name: string;
  readonly wrap: (token: string) => string;
  /** It stands in the request as it is, and not in the place's own spelling. */
  readonly raw?: true;
  /** The places where the sheet, HTTP, forms or JSON give it no meaning. */
  readonly passes?: readonly string[];
  /** The places that it would tear apart. */
  readonly unfit?: readonly string[];
}

const wrappings: readonly Wrapping[] = [
  { name: 'in single quotes', wrap: (token) => `'${token}'` },
  { name: 'behind bearer and a tab', wrap: (token) => `bearer\t${token}`, passes: ['header'] },
  { name: 'behind Token', wrap: (token) => `Token ${token}`, passes: ['header'] },
  { name: 'behind Bearer without a blank', wrap: (token) => `Bearer${token}` },
  { name: 'behind Bearer and a colon', wrap: (token) => `Bearer: ${token}` },
  { name: 'behind token=', wrap: (token) => `token=${token}`, passes: ['body'] },
  { name: 'behind a blank', wrap: (token) => ` ${token}`, passes: ['header', 'risr'] },
  { name: 'before a blank', wrap: (token) => `${token} `, passes: ['header', 'risr'] },
  { name: 'before a plus sign', wrap: (token) => `${token}+`, raw: true },
  { name: 'before a line end', wrap: (token) => `${token}\n`, passes: ['risr'], unfit: ['header'] },
  { name: 'before CR LF', wrap: (token) => `${token}\r\n`, passes: ['risr'], unfit: ['header'] },
  { name: 'behind a line end', wrap: (token) => `\r\n${token}`, passes: ['risr'], unfit: ['header'] },
  { name: 'before a no-break space', wrap: (token) => `${token}\u00A0` },
  {
    name: 'percent-encoded',
    wrap: (token) => token.replace(/^e/, '%65'),
    raw: true,
    passes: ['form', 'query'],
  },
  { name: 'percent-encoded twice', wrap: (token) => token.replace(/^e/, '%2565'), raw: true },
  {
    name: 'with a JSON escape',
    wrap: (token) => token.replace(/^e/, '\\u0065'),
    raw: true,
    passes: ['json'],
  },
  { name: 'in UTF-16', wrap: (token) => Buffer.from(token, 'utf16le').toString('latin1') },
];

function carrierOf(here: EndpointUnderTest): string {
  return isTokenBody(here) ? 'risr' : (here.switches['carrier'] ?? '');
}

function wrapped(here: EndpointUnderTest): Trial[] {
  const carrier = carrierOf(here);
  const scheme: Wrapping = { name: 'behind Bearer', wrap: (token) => `Bearer ${token}`, passes: ['header'] };
  const all = carrier === 'header' ? [scheme, ...wrappings] : wrappings;
  return all
    .filter(({ unfit }) => unfit?.includes(carrier) !== true)
    .map(({ name, wrap, raw, passes }) => {
      const edit: Edit = (genuine) => {
        const token = tokenIn(genuine, here);
        const text = wrap(token.whole);
        return raw === true ? asItIs(genuine, token.whole, text) : withToken(genuine, token, text);
      };
      return passes?.includes(carrier) === true
        ? accepts(`${name}, which is fine`, edit)
        : refuses(name, edit);
    });
}

function asItIs(request: WireRequest, token: string, text: string): WireRequest {
  return {
    ...request,
    target: request.target.replace(token, () => text),
    headers: request.headers.map(([name, value]): Header => [name, value.replace(token, () => text)]),
    body: Buffer.from(
      request.body.toString('latin1').replace(token, () => text),
      'latin1',
    ),
  };
}

/** What a request is made into, from its own token and that of another genuine one. */
type Build = (token: string, other: string, genuine: WireRequest) => WireRequest;

function built(build: Build): Edit {
  return async (genuine, stage) =>
    build(tokenIn(genuine, stage.endpoint).whole, await otherToken(stage), genuine);
}

async function otherToken(stage: Stage): Promise<string> {
  return tokenIn(await stage.genuine(), stage.endpoint).whole;
}

function refused(builds: Readonly<Record<string, Build>>): Trial[] {
  return Object.entries(builds).map(([name, build]) => refuses(name, built(build)));
}

function accepted(builds: Readonly<Record<string, Build>>): Trial[] {
  return Object.entries(builds).map(([name, build]) => accepts(name, built(build)));
}

const PATH = '/hotdocs/NewWorkItemVersionComplete';

/** A POST to where the form goes, with nothing of the form left. */
function posted(content: string, contentType: string, ...headers: readonly Header[]): WireRequest {
  return {
    method: 'POST',
    target: PATH,
    headers: [['Content-Type', contentType], ...headers],
    body: Buffer.from(content),
  };
}

const urlencoded = (content: string) => posted(content, 'application/x-www-form-urlencoded');
const json = (content: string) => posted(content, 'application/json');
const empty = (...headers: readonly Header[]) => posted('', 'application/json', ...headers);
const multipart = (...parts: readonly [disposition: string, value: string][]) =>
  posted(
    [
      ...parts.map(
        ([disposition, value]) =>
          `--edge\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${value}\r\n`,
      ),
      '--edge--\r\n',
    ].join(''),
    'multipart/form-data; boundary=edge',
  );

const wrongPlaces = refused({
  'the query of a POST': (token) => ({ ...empty(), target: `${PATH}?token=${token}` }),
  'the query of a PUT': (token) => ({ ...empty(), method: 'PUT', target: `${PATH}?token=${token}` }),
  'query and form of a POST': (token, _other, genuine) => ({ ...genuine, target: `${PATH}?token=${token}` }),
  'X-Forwarded-Authorization': (token) => empty(['X-Forwarded-Authorization', token]),
  'X-Signature': (token) => empty(['X-Signature', token]),
  'the password of Basic': (token) => empty(['Authorization', `Basic x:${token}`]),
  'a field called id_token': (token) => urlencoded(`id_token=${token}`),
  'another part of a multipart form': (token) => multipart(['name="jwt"', token]),
  'a multipart form that says it is another': (token) =>
    urlencoded(multipart(['name="token"', token]).body.toString()),
  'a multipart form with another boundary': (token) =>
    posted(multipart(['name="token"', token]).body.toString(), 'multipart/form-data; boundary=other'),
  'a multipart form without a boundary': (token) =>
    posted(multipart(['name="token"', token]).body.toString(), 'multipart/form-data;'),
  'a member of a list': (token) => json(JSON.stringify([{ token }])),
  'a JSON string': (token) => json(JSON.stringify(token)),
  'a JSON member called jwt': (token) => json(JSON.stringify({ jwt: token })),
  'the fragment': (token) => ({ ...empty(), target: `${PATH}#token=${token}` }),
  'the path': (token) => ({ ...empty(), target: `${PATH}/${token}` }),
});

const twoPlaces: Readonly<Record<string, (token: string, other: string) => WireRequest>> = {
  'form and header': (token, other) => withHeaders(urlencoded(`token=${token}`), ['Authorization', other]),
  'form and header, behind Bearer': (token, other) =>
    withHeaders(urlencoded(`token=${token}`), ['Authorization', `Bearer ${other}`]),
  'header twice': (token, other) => empty(['Authorization', token], ['Authorization', other]),
  'JSON and header': (token, other) => withHeaders(json(JSON.stringify({ token })), ['Authorization', other]),
  'query and body of a GET': (token, other) => ({
    method: 'GET',
    target: `${PATH}?token=${token}`,
    headers: [],
    body: Buffer.from(`token=${other}`),
  }),
};

const bothWays = Object.entries(twoPlaces).flatMap(([name, build]) =>
  refused({
    [`two tokens: ${name}`]: (token, other) => build(token, other),
    [`two tokens, exchanged: ${name}`]: (token, other) => build(other, token),
  }),
);

const queryNames = ['jwt', 'access_token', 'key', 'token[]', ' token', 'xtoken'].map((name) =>
  refuses(
    `the query as ${name === ' token' ? 'token behind a blank' : name}`,
    built((token, _other, genuine) => {
      const [path = ''] = genuine.target.split('?');
      return { ...genuine, target: `${path}?${encodeURIComponent(name)}=${token}` };
    }),
  ),
);

const besideBody = [
  ...refused({
    'a cookie beside its payload': (token, _other, genuine) => ({
      ...withHeaders(genuine, ['Cookie', token]),
      body: Buffer.from('{"id":"1"}'),
    }),
    'a multipart form': (token, _other, genuine) => ({
      ...genuine,
      body: multipart(['name="token"', token]).body,
    }),
    'a JSON string': (token, _other, genuine) => ({ ...genuine, body: Buffer.from(JSON.stringify(token)) }),
  }),
  ...accepted({
    'other tokens outside the body, which decides nothing': (_token, other, genuine) => ({
      ...withHeaders(genuine, ['Authorization', `Bearer ${other}`], ['Cookie', `token=${other}`]),
      target: `${genuine.target}?token=${other}`,
    }),
  }),
];

/** Group A, second part: where a token travels, and in what. */
export const ownPlaces: readonly Own[] = [
  own(
    'A24',
    'takes off no further wrapping',
    { '*, which is fine': 'done', 'hotdocs/header: in UTF-16': 'request_malformed', '*': 'proof_malformed' },
    at('hotdocs/form hotdocs/query hotdocs/header hotdocs/json hotdocs/multipart hotdocs/body risr', wrapped),
  ),
  own(
    'A25',
    'takes a token from one place',
    {
      '*: the query of a *': 'proof_ambiguous',
      '*: query and form of a POST': 'proof_ambiguous',
      '*: two tokens*': 'proof_ambiguous',
      '*: a multipart form with*': 'proof_malformed',
      '*: a member of a list': 'proof_malformed',
      '*: the fragment': 'path_unknown',
      '*: the path': 'path_unknown',
      '*which decides nothing': 'done',
      '*: one token in two of its places': 'done',
      'risr*': 'proof_malformed',
      '*': 'proof_missing',
    },
    (here) => [
      ...at('hotdocs/form', [
        ...wrongPlaces,
        ...bothWays,
        ...accepted({
          'one token in two of its places': (token, _other, genuine) =>
            withHeaders(genuine, ['Authorization', `Bearer ${token}`]),
          // The sheet takes for a token only what looks like one.
          'a foreign Authorization header, which decides nothing': (_token, _other, genuine) =>
            withHeader(genuine, 'Authorization', 'Basic cHJveHk6cHJveHk='),
        }),
      ])(here),
      ...at('hotdocs/query', queryNames)(here),
      ...at('risr', besideBody)(here),
    ],
  ),
];
