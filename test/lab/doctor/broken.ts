import { gunzipSync, gzipSync } from 'node:zlib';
import type { FaultId } from '../../../src/lab/doctor/findings.ts';
import { valueOf, without, type Doing, type Passing } from './passing.ts';

/** A way that is broken in one place, and what the doctor must say of it, and nothing else. */
export interface Broken {
  readonly way: string;
  readonly found: readonly FaultId[];
  readonly doing: Doing;
}

function broken(
  way: string,
  found: FaultId | readonly FaultId[],
  pass: Doing['pass'],
  more: Doing = {},
): Broken {
  return { way, found: [found].flat(), doing: { ...(pass && { pass }), ...more } };
}

/** Of all or of nothing, as a proxy does that means well. */
function change(how: (passing: Passing) => unknown): Doing['pass'] {
  return (passing) => {
    how(passing);
    return undefined;
  };
}

const body = (how: (body: Buffer) => Buffer) => change((passing) => (passing.body = how(passing.body)));
const path = (how: (path: string) => string) =>
  change((passing) => (passing.target = passing.target.replace(/^[^?]*/, how)));
const headers = (how: (headers: string[]) => string[]) =>
  change((passing) => (passing.headers = how(passing.headers)));

function writtenAnew(json: Buffer): Buffer {
  try {
    return Buffer.from(JSON.stringify(JSON.parse(json.toString())));
  } catch {
    return json;
  }
}

function joined(all: readonly string[]): string[] {
  const values = new Map<string, string[]>();
  all.forEach((text, at) => {
    if (at % 2 === 0) values.set(text, [...(values.get(text) ?? []), all[at + 1] ?? '']);
  });
  return [...values].flatMap(([name, each]) => [name, each.join(', ')]);
}

export const brokenWays: readonly Broken[] = [
  broken('reads JSON and writes it anew', 'body-rewritten', body(writtenAnew)),
  broken(
    'cuts off line ends',
    'body-rewritten',
    body((all) => Buffer.from(all.toString('latin1').trimEnd(), 'latin1')),
  ),
  broken(
    'puts a word before each body',
    'body-rewritten',
    body((all) => (all.length === 0 ? all : Buffer.concat([Buffer.from('data='), all]))),
  ),
  broken(
    'takes UTF-8 for Latin-1',
    'body-recoded',
    body((all) => Buffer.from(all.toString('latin1'))),
  ),
  broken(
    'hands bodies on in base64',
    'body-base64',
    body((all) => Buffer.from(all.toString('base64'))),
  ),
  broken(
    'packs what goes through',
    'body-compressed',
    change((passing) => {
      if (passing.body.length === 0 || valueOf(passing, /^content-encoding$/i) !== undefined) return;
      passing.body = gzipSync(passing.body);
      passing.headers = [...passing.headers, 'Content-Encoding', 'gzip'];
    }),
  ),
  broken(
    'unpacks what goes through',
    'body-inflated',
    change((passing) => {
      if (valueOf(passing, /^content-encoding$/i) !== 'gzip') return;
      passing.body = gunzipSync(passing.body);
      passing.headers = without(passing.headers, /^content-encoding$/i);
    }),
  ),
  broken(
    'drops bodies',
    'body-rewritten',
    body(() => Buffer.alloc(0)),
  ),
  broken(
    'keeps credentials to itself',
    'header-dropped',
    headers((all) => without(all, /^authorization$/i)),
  ),
  broken(
    'passes on no header that begins with X-',
    'header-dropped',
    headers((all) => without(all, /^x-/i)),
  ),
  broken(
    'passes on none that it does not know',
    'header-dropped',
    headers((all) => without(all, /^(?!host|content|authorization|x-|user-agent)/i)),
  ),
  broken('joins headers of one name', 'header-joined', headers(joined)),
  broken(
    'adds credentials of its own',
    'header-doubled',
    headers((all) => [...all, 'Authorization', 'Basic cHJveHk=']),
  ),
  broken(
    'sends a signature twice in one',
    'header-doubled',
    headers((all) =>
      all.map((text, at) => (/^x-signature$/i.test(all[at - 1] ?? '') ? `${text}, ${text}` : text)),
    ),
  ),
  broken(
    'says JSON of everything',
    'header-changed',
    headers((all) =>
      all.map((text, at) =>
        /^content-type$/i.test(all[at - 1] ?? '') ? 'application/json; charset=utf-8' : text,
      ),
    ),
  ),
  broken(
    'asks with GET',
    'method-changed',
    change((passing) => (passing.method = 'GET')),
  ),
  broken(
    'writes paths in lower case',
    'path-case',
    path((all) => all.toLowerCase()),
  ),
  broken(
    'merges slashes',
    'slashes-tidied',
    path((all) => all.replace(/\/+/g, '/')),
  ),
  broken(
    'ends each path with a slash',
    ['path-slashes', 'slashes-tidied'],
    path((all) => `${all}/`),
  ),
  broken(
    'takes the first segment away',
    'path-changed',
    path((all) => all.replace(/^\/[^/]+(?=\/)/, '')),
  ),
  broken('redirects to another name', 'redirected', ({ target }) => ({
    status: 308,
    headers: { Location: `https://www.example.org${target}` },
  })),
  broken(
    'drops queries',
    'query-changed',
    change((passing) => (passing.target = passing.target.split('?')[0] ?? '')),
  ),
  broken(
    'writes queries in its own way',
    'query-changed',
    change((passing) => (passing.target = passing.target.replaceAll('.', '%2E'))),
  ),
  broken('takes lines of 8 KB', 'query-limit', ({ target }) =>
    target.length > 8_190 ? { status: 414 } : undefined,
  ),
  broken('takes lines of 16 KB', 'query-limit', ({ target }) =>
    target.length > 16_380 ? { status: 400 } : undefined,
  ),
  broken('takes bodies of half a megabyte', 'body-limit', ({ body: { length } }) =>
    length > 524_288 ? { status: 413 } : undefined,
  ),
  broken('wants to know how long', 'chunked-refused', (passing) =>
    valueOf(passing, /^transfer-encoding$/i) === undefined ? undefined : { status: 411 },
  ),
  broken('does not like to be asked', 'expect-refused', undefined, { expecting: { status: 417 } }),
  broken('hangs up in place of 413', 'refusal-lost', undefined, { swallows: 413 }),
  broken('lets nobody in', 'blocked', () => ({ status: 403, body: '<h1>Forbidden</h1>' })),
  broken('shows addresses in a header', 'token-echoed', undefined, {
    adds: (target) => ({ 'X-Original-URI': target }),
  }),
  broken('shows addresses in its error page', ['query-limit', 'token-echoed'], ({ target }) =>
    target.length > 8_190 ? { status: 414, body: `<p>${target} is too long` } : undefined,
  ),
  broken(
    'puts itself before its senders',
    'address-of-proxy',
    headers((all) => [...without(all, /^x-forwarded-for$/i), 'X-Forwarded-For', '198.51.100.4']),
  ),
];
