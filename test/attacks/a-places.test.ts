import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { RejectionCode } from '../../src/kit/errors.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import {
  expectAccepted,
  expectDiscreetLog,
  expectRefused,
  genuine,
  startTarget,
  withHeaders,
  type Header,
  type Sender,
  type Target,
  type Wire,
} from './support.ts';
import { tokenIn, withToken } from './token.ts';

const COMPLETE = 'NewWorkItemVersionComplete';

function carriedBy(carrier: string, verb = 'POST', type = COMPLETE): Sender {
  return { source: hotdocs, type, path: `/hotdocs/${type}`, switches: { carrier, verb } };
}

const form = carriedBy('form');
const query = carriedBy('query', 'GET', 'InterviewLoadEvent');
const body: Sender = { source: risr, type: 'profile_updated', path: '/risr/profile_updated' };

type Carrier = 'form' | 'query' | 'header' | 'json' | 'multipart' | 'body' | 'risr';
const senders: Readonly<Record<Carrier, Sender>> = {
  form,
  query,
  header: carriedBy('header'),
  json: carriedBy('json'),
  multipart: carriedBy('multipart'),
  body: carriedBy('body'),
  risr: body,
};

let target: Target;

beforeAll(async () => {
  target = await startTarget();
});

afterAll(async () => {
  expectDiscreetLog(target);
  await target.receiver.stop();
});

/** One that another event of the same kind was sent with. */
async function otherToken(sender: Sender): Promise<string> {
  return tokenIn(target, await genuine(target, sender), sender).whole;
}

async function refuses(
  sender: Sender,
  build: (token: string, request: Wire) => Wire | Promise<Wire>,
  ...codes: readonly RejectionCode[]
): Promise<void> {
  await expectRefused(
    target,
    () => genuine(target, sender),
    (request) => build(tokenIn(target, request, sender).whole, request),
    ...codes,
  );
}

async function accepts(
  sender: Sender,
  build: (token: string, request: Wire) => Wire | Promise<Wire>,
): Promise<void> {
  const request = await genuine(target, sender);
  await expectAccepted(target, await build(tokenIn(target, request, sender).whole, request));
}

/** A text that an honest library would put into that place, in that place's own spelling. */
function spelled(carrier: Carrier, text: string): string {
  if (carrier === 'form' || carrier === 'query') return encodeURIComponent(text);
  return carrier === 'json' ? JSON.stringify(text).slice(1, -1) : text;
}

interface Wrapping {
  readonly name: string;
  readonly wrap: (token: string) => string;
  /** It stands in the request as it is, and not in the place's own spelling. */
  readonly raw?: true;
  /** The places where the sender (HD-14, RI-16), HTTP, forms or JSON give it no meaning. */
  readonly passes?: readonly Carrier[];
  /** The places that it would tear apart. */
  readonly unfit?: readonly Carrier[];
}

const wrappings: readonly Wrapping[] = [
  { name: 'in double quotes', wrap: (token) => `"${token}"` },
  { name: 'in single quotes', wrap: (token) => `'${token}'` },
  { name: 'in angle brackets', wrap: (token) => `<${token}>` },
  { name: 'behind Bearer', wrap: (token) => `Bearer ${token}`, passes: ['header'] },
  { name: 'behind bearer and a tab', wrap: (token) => `bearer\t${token}`, passes: ['header'] },
  { name: 'behind Token', wrap: (token) => `Token ${token}`, passes: ['header'] },
  { name: 'behind Bearer twice', wrap: (token) => `Bearer Bearer ${token}` },
  { name: 'behind Bearer without a blank', wrap: (token) => `Bearer${token}` },
  { name: 'behind Bearer and a colon', wrap: (token) => `Bearer: ${token}` },
  { name: 'behind token=', wrap: (token) => `token=${token}`, passes: ['body'] },
  { name: 'behind a blank', wrap: (token) => ` ${token}`, passes: ['header', 'risr'] },
  { name: 'before a blank', wrap: (token) => `${token} `, passes: ['header', 'risr'] },
  { name: 'before a plus sign', wrap: (token) => `${token}+`, raw: true },
  { name: 'before a line end', wrap: (token) => `${token}\n`, passes: ['risr'], unfit: ['header'] },
  { name: 'before CR LF', wrap: (token) => `${token}\r\n`, passes: ['risr'], unfit: ['header'] },
  { name: 'behind a line end', wrap: (token) => `\r\n${token}`, passes: ['risr'], unfit: ['header'] },
  { name: 'behind a byte order mark', wrap: (token) => `\uFEFF${token}` },
  { name: 'before a no-break space', wrap: (token) => `${token}\u00A0` },
  { name: 'before NUL', wrap: (token) => `${token}\0` },
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
  { name: 'in capitals', wrap: (token) => token.toUpperCase() },
  { name: 'in UTF-16', wrap: (token) => Buffer.from(token, 'utf16le').toString('latin1') },
  { name: 'in base64 once more', wrap: (token) => Buffer.from(token).toString('base64') },
  { name: 'twice, with a comma', wrap: (token) => `${token},${token}` },
  { name: 'twice, with a blank', wrap: (token) => `${token} ${token}` },
];

const carriers = Object.keys(senders) as Carrier[]; // a record has exactly these keys

describe.each(carriers)('A24, %s', (carrier) => {
  const fitting = wrappings.filter(({ unfit }) => unfit?.includes(carrier) !== true);
  const passing = fitting.filter(({ passes }) => passes?.includes(carrier) === true);
  const failing = fitting.filter(({ passes }) => passes?.includes(carrier) !== true);
  const sender = senders[carrier];

  function wrapped(request: Wire, { wrap, raw }: Wrapping): Wire {
    const token = tokenIn(target, request, sender);
    const text = wrap(token.whole);
    return withToken(request, token, raw === true ? text : spelled(carrier, text));
  }

  it.each(failing.map((wrapping): [string, Wrapping] => [wrapping.name, wrapping]))(
    'refuses a token %s',
    async (_name, wrapping) => {
      await refuses(
        sender,
        (_token, request) => wrapped(request, wrapping),
        'proof_malformed',
        'proof_missing', // where only what looks like a token is taken for one
        'request_malformed', // a header with NUL
      );
    },
  );

  if (passing.length > 0)
    it.each(passing.map((wrapping): [string, Wrapping] => [wrapping.name, wrapping]))(
      'accepts a token %s',
      async (_name, wrapping) => {
        await accepts(sender, (_token, request) => wrapped(request, wrapping));
      },
    );
});

/** A POST to where the form goes, with nothing of the form left. */
function posted(content: string, contentType: string, ...headers: readonly Header[]): Wire {
  return {
    method: 'POST',
    target: form.path,
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

type Place = readonly [name: string, build: (token: string, request: Wire) => Wire, code: RejectionCode];

describe('A25: a token in the wrong place', () => {
  it.each<Place>([
    [
      'the query of a POST',
      (token) => ({ ...empty(), target: `${form.path}?token=${token}` }),
      'proof_ambiguous',
    ],
    [
      'the query of a PUT',
      (token) => ({ ...empty(), method: 'PUT', target: `${form.path}?token=${token}` }),
      'proof_ambiguous',
    ],
    [
      'query and form of a POST',
      (token, request) => ({ ...request, target: `${form.path}?token=${token}` }),
      'proof_ambiguous',
    ],
    ['a cookie', (token) => empty(['Cookie', `token=${token}`]), 'proof_missing'],
    ['X-Token', (token) => empty(['X-Token', token]), 'proof_missing'],
    ['a header called token', (token) => empty(['token', token]), 'proof_missing'],
    ['Proxy-Authorization', (token) => empty(['Proxy-Authorization', `Bearer ${token}`]), 'proof_missing'],
    ['X-Forwarded-Authorization', (token) => empty(['X-Forwarded-Authorization', token]), 'proof_missing'],
    ['X-Signature', (token) => empty(['X-Signature', token]), 'proof_missing'],
    ['the password of Basic', (token) => empty(['Authorization', `Basic x:${token}`]), 'proof_missing'],
    ['a field called jwt', (token) => urlencoded(`jwt=${token}`), 'proof_missing'],
    ['a field called access_token', (token) => urlencoded(`access_token=${token}`), 'proof_missing'],
    ['a field called id_token', (token) => urlencoded(`id_token=${token}`), 'proof_missing'],
    ['the name of a field', (token) => urlencoded(`${token}=token`), 'proof_missing'],
    ['another part of a multipart form', (token) => multipart(['name="jwt"', token]), 'proof_missing'],
    [
      'a file of a multipart form',
      (token) => multipart(['name="token"; filename="token"', token]),
      'proof_missing',
    ],
    [
      'a multipart form that says it is another',
      (token) => urlencoded(multipart(['name="token"', token]).body.toString()),
      'proof_missing',
    ],
    [
      'a multipart form with another boundary',
      (token) =>
        posted(multipart(['name="token"', token]).body.toString(), 'multipart/form-data; boundary=other'),
      'proof_malformed',
    ],
    [
      'a multipart form without a boundary',
      (token) => posted(multipart(['name="token"', token]).body.toString(), 'multipart/form-data;'),
      'proof_malformed',
    ],
    ['a member of a member', (token) => json(JSON.stringify({ data: { token } })), 'proof_missing'],
    ['a member of a list', (token) => json(JSON.stringify([{ token }])), 'proof_malformed'],
    ['a JSON string', (token) => json(JSON.stringify(token)), 'proof_missing'],
    ['a JSON member called jwt', (token) => json(JSON.stringify({ jwt: token })), 'proof_missing'],
    ['the fragment', (token) => ({ ...empty(), target: `${form.path}#token=${token}` }), 'path_unknown'],
    ['the path', (token) => ({ ...empty(), target: `${form.path}/${token}` }), 'path_unknown'],
  ])('HotDocs: refuses it in %s', async (_name, build, code) => {
    await refuses(form, build, code);
  });

  it.each(['jwt', 'access_token', 'key', 'token[]', ' token', 'xtoken'])(
    'HotDocs: refuses it in the query of a GET as "%s"',
    async (name) => {
      await refuses(
        query,
        (token, request) => ({
          ...request,
          target: `${query.path}?${encodeURIComponent(name)}=${token}`,
        }),
        'proof_missing',
      );
    },
  );

  it.each<[string, (token: string, other: string) => Wire]>([
    [
      'form and header',
      (token, other) => withHeaders(urlencoded(`token=${token}`), ['Authorization', other]),
    ],
    [
      'form and header, behind Bearer',
      (token, other) => withHeaders(urlencoded(`token=${token}`), ['Authorization', `Bearer ${other}`]),
    ],
    ['header twice', (token, other) => empty(['Authorization', token], ['Authorization', other])],
    [
      'JSON and header',
      (token, other) => withHeaders(json(JSON.stringify({ token })), ['Authorization', other]),
    ],
    [
      'query and body of a GET',
      (token, other) => ({
        method: 'GET',
        target: `${form.path}?token=${token}`,
        headers: [],
        body: Buffer.from(`token=${other}`),
      }),
    ],
  ])('HotDocs: refuses two tokens, both genuine, in %s', async (_name, build) => {
    const other = await otherToken(form);
    await refuses(form, (token) => build(token, other), 'proof_ambiguous');
    await refuses(form, (token) => build(other, token), 'proof_ambiguous');
  });

  it('HotDocs: accepts one token in two of its places', async () => {
    await accepts(form, (token, request) => withHeaders(request, ['Authorization', `Bearer ${token}`]));
  });

  it.each<Place>([
    [
      'the query',
      (token, request) => ({ ...request, target: `${body.path}?token=${token}`, body: Buffer.alloc(0) }),
      'proof_missing',
    ],
    [
      'the Authorization header',
      (token, request) => ({
        ...withHeaders(request, ['Authorization', `Bearer ${token}`]),
        body: Buffer.alloc(0),
      }),
      'proof_missing',
    ],
    [
      'a cookie beside its payload',
      (token, request) => ({ ...withHeaders(request, ['Cookie', token]), body: Buffer.from('{"id":"1"}') }),
      'proof_malformed',
    ],
    ['a form', (token, request) => ({ ...request, body: Buffer.from(`token=${token}`) }), 'proof_malformed'],
    [
      'a multipart form',
      (token, request) => ({ ...request, body: multipart(['name="token"', token]).body }),
      'proof_malformed',
    ],
    [
      'a JSON member',
      (token, request) => ({ ...request, body: Buffer.from(JSON.stringify({ token })) }),
      'proof_malformed',
    ],
    [
      'a JSON string',
      (token, request) => ({ ...request, body: Buffer.from(JSON.stringify(token)) }),
      'proof_malformed',
    ],
  ])('risr: refuses it in %s', async (_name, build, code) => {
    await refuses(body, build, code);
  });

  it('risr: lets nothing outside the body decide', async () => {
    const other = await otherToken(form);
    await accepts(body, (_token, request) => ({
      ...withHeaders(request, ['Authorization', `Bearer ${other}`], ['Cookie', `token=${other}`]),
      target: `${body.path}?token=${other}`,
    }));
  });
});

type Fields = readonly [name: string, build: (token: string, other: string) => string, code: RejectionCode];

const fields: readonly Fields[] = [
  ['it twice', (token) => `token=${token}&token=${token}`, 'proof_ambiguous'],
  ['it before another one', (token, other) => `token=${token}&token=${other}`, 'proof_ambiguous'],
  ['it before a wrong one', (token) => `token=${token}&token=wrong`, 'proof_ambiguous'],
  ['it behind a wrong one', (token) => `token=wrong&token=${token}`, 'proof_ambiguous'],
  ['it behind an empty one', (token) => `token=&token=${token}`, 'proof_ambiguous'],
  ['it in both spellings', (token, other) => `TOKEN=${token}&token=${other}`, 'proof_ambiguous'],
  ['it as token[]', (token) => `token[]=${token}`, 'proof_missing'],
  ['it as token%5B%5D', (token) => `token%5B%5D=${token}`, 'proof_missing'],
  ['it as token[0]', (token) => `token[0]=${token}`, 'proof_missing'],
  ['it as token[x]', (token) => `token[x]=${token}`, 'proof_missing'],
  ['it as token.x', (token) => `token.x=${token}`, 'proof_missing'],
  ['it as token%00', (token) => `token%00=${token}`, 'proof_missing'],
  ['it as a token with a blank before', (token) => `+token=${token}`, 'proof_missing'],
  ['it as a token with a blank behind', (token) => `token+=${token}`, 'proof_missing'],
  ['it under a Kelvin sign', (token) => `to%E2%84%AAen=${token}`, 'proof_missing'],
  ['it under a Cyrillic letter', (token) => `t%D0%BEken=${token}`, 'proof_missing'],
  ['it percent-encoded in name twice', (token) => `%2574oken=${token}`, 'proof_missing'],
  ['it behind a semicolon', (token) => `a=1;token=${token}`, 'proof_missing'],
  ['it as __proto__[token]', (token) => `__proto__[token]=${token}`, 'proof_missing'],
  ['it as constructor', (token) => `constructor=${token}`, 'proof_missing'],
  ['an empty one', () => 'token=', 'proof_missing'],
  ['the name alone', () => 'token', 'proof_missing'],
  ['it behind 1,000 other fields', (token) => `${'a=1&'.repeat(1_000)}token=${token}`, 'proof_malformed'],
];

describe('A26: the field written otherwise', () => {
  it.each(fields)('refuses a form with %s', async (_name, build, code) => {
    const other = await otherToken(form);
    await refuses(form, (token) => urlencoded(build(token, other)), code);
  });

  it.each(fields)('refuses a query with %s', async (_name, build, code) => {
    const other = await otherToken(query);
    await refuses(
      query,
      (token, request) => ({ ...request, target: `${query.path}?${build(token, other)}` }),
      code,
    );
  });

  it.each<[string, (token: string) => string]>([
    ['TOKEN', (token) => `TOKEN=${token}`],
    ['Token', (token) => `Token=${token}`],
    ['%74oken', (token) => `%74oken=${token}`],
    ['token among odd fields', (token) => `__proto__[a]=1&&=&a[]=2&token=${token}&constructor&toString=3`],
  ])('accepts the field name %s', async (_name, build) => {
    await accepts(form, (token) => urlencoded(build(token)));
    await accepts(query, (token, request) => ({ ...request, target: `${query.path}?${build(token)}` }));
  });

  it.each<Fields>([
    ['a list of it', (token) => JSON.stringify({ token: [token] }), 'proof_malformed'],
    ['a list of two', (token, other) => JSON.stringify({ token: [token, other] }), 'proof_malformed'],
    ['an object of it', (token) => JSON.stringify({ token: { value: token } }), 'proof_malformed'],
    ['an object with toString', (token) => JSON.stringify({ token: { toString: token } }), 'proof_malformed'],
    ['null', () => '{"token":null}', 'proof_malformed'],
    ['a number', () => '{"token":1}', 'proof_malformed'],
    ['it in both spellings', (token) => `{"token":"${token}","Token":"${token}"}`, 'proof_ambiguous'],
    ['it behind a wrong one', (token) => `{"token":"wrong","token":"${token}"}`, 'proof_malformed'],
    ['it before a wrong one', (token) => `{"token":"${token}","token":"wrong"}`, 'proof_malformed'],
    ['it behind another one', (token, other) => `{"token":"${other}","token":"${token}"}`, 'proof_malformed'],
    ['it in __proto__', (token) => `{"__proto__":{"token":"${token}"}}`, 'proof_malformed'],
    ['JSON cut off', (token) => `{"token":"${token}"`, 'proof_malformed'],
    ['a comma behind', (token) => `{"token":"${token}",}`, 'proof_malformed'],
    ['a byte order mark before', (token) => `\uFEFF{"token":"${token}"}`, 'proof_missing'],
  ])('refuses JSON with %s', async (_name, build, code) => {
    const other = await otherToken(form);
    await refuses(form, (token) => json(build(token, other)), code);
  });

  it.each<[string, (token: string, other: string) => Wire, RejectionCode]>([
    ['it twice', (token) => multipart(['name="token"', token], ['name="token"', token]), 'proof_ambiguous'],
    [
      'it before another one',
      (token, other) => multipart(['name="token"', token], ['name="token"', other]),
      'proof_ambiguous',
    ],
    ['it as token[]', (token) => multipart(['name="token[]"', token]), 'proof_missing'],
    ['no name', (token) => multipart(['filename="token"', token]), 'proof_malformed'],
  ])('refuses a multipart form with %s', async (_name, build, code) => {
    const other = await otherToken(form);
    await refuses(form, (token) => build(token, other), code, 'proof_missing');
  });
});
