import { hash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { EndpointUnderTest } from '../conformance/rule.ts';
import { bytesOf, type WireRequest } from '../conformance/wire.ts';
import type { Found } from './findings.ts';
import { answerOf, judge, type Expectation } from './judge.ts';
import { innerPath, type How, type Way } from './way.ts';

/** One question to the way, asked at one endpoint. */
export interface Probe {
  readonly name: string;
  /** Only with this, since it takes as long as the receiver keeps a connection. */
  readonly patient?: true;
  /** Where it is asked, of those whose canaries arrive; nowhere if none will do. */
  where(endpoints: readonly EndpointUnderTest[]): readonly EndpointUnderTest[];
  ask(way: Way, at: EndpointUnderTest): Promise<Found[]>;
}

type Endpoints = readonly EndpointUnderTest[];

const taking = (method: string, endpoints: Endpoints) =>
  endpoints.filter(({ source, type }) => source.methods(type).includes(method));
const posting = (endpoints: Endpoints) => taking('POST', endpoints).slice(0, 1);
/** A proxy may have a rule for each. */
const postingOfEach = (endpoints: Endpoints) =>
  [...Map.groupBy(taking('POST', endpoints), ({ source }) => source).values()].flatMap(posting);
const largest = (endpoints: Endpoints) =>
  taking('POST', endpoints)
    .toSorted((one, other) => other.maxBodyBytes - one.maxBodyBytes)
    .slice(0, 1);

/** Blanks, escapes, letters of one to four bytes, and a line end: whatever reads and writes it anew changes it. */
const BODY = Buffer.from('{ "a" : "Åß€😀",\t"b": 1.0, "c":"\\u00e5\\/", "d": 10000000000000001 }\r\n');

function post({ url }: EndpointUnderTest, body: Buffer, headers: WireRequest['headers'] = []): WireRequest {
  return {
    method: 'POST',
    target: url.pathname,
    headers: [['Content-Type', 'application/json'], ...headers],
    body,
  };
}

function asking(make: (at: EndpointUnderTest) => WireRequest, expected: Expectation = {}, how: How = {}) {
  return async (way: Way, at: EndpointUnderTest) => judge(await way.send(at, make(at), how), expected);
}

export const probes: readonly Probe[] = [
  { name: 'the body, byte by byte', where: postingOfEach, ask: asking((at) => post(at, BODY)) },
  {
    name: 'headers, one of them twice',
    where: postingOfEach,
    ask: asking((at) =>
      post(at, BODY, [
        ['Authorization', 'Bearer not-a-token-but-a-canary'],
        ['X-Signature', hash('sha256', BODY)],
        ['X-Canary-Twice', 'one'],
        ['X-Canary-Twice', 'two'],
      ]),
    ),
  },
  {
    name: 'slashes before the query',
    where: (endpoints) => endpoints.filter(({ source }) => source.installations === true),
    async ask(way, at) {
      const request = await way.genuine(at);
      const seen = await way.send(at, request, { path: `${at.url.pathname.replace(/\/$/, '')}//` });
      return judge(seen, { path: `${innerPath(at)}//` });
    },
  },
  ...[8_000, 28_000].map((bytes): Probe => ({
    name: `a query of ${bytes / 1000} KB`,
    where: (endpoints) => taking('GET', endpoints).slice(0, 1),
    ask: asking(
      ({ url }) => ({
        method: 'GET',
        target: `${url.pathname}?token=${'x'.repeat(bytes)}`,
        headers: [],
        body: Buffer.alloc(0),
      }),
      { refused: 'query-limit' },
    ),
  })),
  {
    name: 'the largest body',
    where: largest,
    ask: asking((at) => post(at, Buffer.alloc(at.maxBodyBytes, 'x')), { refused: 'body-limit' }),
  },
  {
    name: 'a body that is too large',
    where: largest,
    async ask(way, at) {
      const bytes = at.maxBodyBytes + BEYOND_BYTES;
      const manner = { pieceBytes: BEYOND_BYTES, pauseMs: 1 };
      const seen = await way.send(at, post(at, Buffer.alloc(bytes, 'x')), { unmarked: true, manner });
      const { status } = seen.reply;
      if (status >= 400 && status < 500) return []; // whatever it is refused for
      return [{ id: 'refusal-lost', detail: `a body of ${bytes} bytes: ${answerOf(seen)}` }];
    },
  },
  {
    name: 'a body in chunks',
    where: posting,
    ask: asking(
      (at) => post(at, BODY, [['Transfer-Encoding', 'chunked']]),
      { refused: 'chunked-refused' },
      { framed: chunked(BODY) },
    ),
  },
  { name: 'Expect: 100-continue', where: posting, ask: askFirst },
  { name: 'a packed body', where: posting, ask: askPacked },
  { name: 'the address of the sender', where: posting, ask: askAddress },
  {
    name: 'the client certificate',
    where: (endpoints) => endpoints.filter(({ source }) => source.clientCertificate !== undefined),
    ask: askCertificate,
  },
  { name: 'connections that are kept', patient: true, where: posting, ask: askKeepAlive },
];

const BEYOND_BYTES = 65_536;

function chunked(body: Buffer): Buffer {
  const half = body.length >> 1;
  const pieces = [body.subarray(0, half), body.subarray(half)];
  const framed = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece.toString('latin1')}\r\n`);
  return Buffer.from(`${framed.join('')}0\r\n\r\n`, 'latin1');
}

/** .NET waits so long for the interim reply, and then sends its body all the same. */
const CONTINUE_MS = 350;

async function askFirst(way: Way, at: EndpointUnderTest): Promise<Found[]> {
  const request = post(at, BODY, [['Expect', '100-continue']]);
  const { length } = bytesOf({ ...request, body: Buffer.alloc(0) }, at.url);
  const hold = { sent: () => undefined, until: pause(CONTINUE_MS) };
  const seen = await way.send(at, request, { manner: { stopAfterBytes: length, hold } });
  return judge(seen, { refused: 'expect-refused' });
}

/** No sender packs, and the receiver unpacks nothing: it must say so itself. */
async function askPacked(way: Way, at: EndpointUnderTest): Promise<Found[]> {
  const seen = await way.send(at, post(at, gzipSync(BODY), [['Content-Encoding', 'gzip']]));
  const { report } = seen;
  if (report === undefined || report.outcome === 'body_encoded') return [];
  if (report.body?.sha256 !== hash('sha256', BODY)) return judge(seen);
  return [
    { id: 'body-inflated', detail: `${seen.sent.body.length} bytes were sent, ${BODY.length} arrived` },
  ];
}

/** Of no network: https://www.rfc-editor.org/rfc/rfc5737 */
const NOBODY = '203.0.113.77';

async function askAddress(way: Way, at: EndpointUnderTest): Promise<Found[]> {
  const { report: plain } = await way.send(at, post(at, BODY));
  const { report: claimed } = await way.send(at, post(at, BODY, [['X-Forwarded-For', NOBODY]]));
  if (claimed?.client === NOBODY) {
    return [{ id: 'address-believed', detail: `X-Forwarded-For: ${NOBODY} was sent, and counts` }];
  }
  const told = plain?.headers.find(({ name }) => name.toLowerCase() === 'x-forwarded-for')?.value;
  if (plain === undefined || told === undefined || plain.client !== plain.peer) return [];
  const before = told.split(',').at(-1)?.trim();
  if (before === plain.client) return [];
  return [{ id: 'address-of-proxy', detail: `X-Forwarded-For: ${told} arrived, and ${plain.client} counts` }];
}

/** Headers in which proxies hand on what they have seen of a certificate. */
const CERTIFICATE_HEADERS: WireRequest['headers'] = [
  ['X-SSL-Client-Verify', 'SUCCESS'],
  ['X-Client-Verify', 'SUCCESS'],
  ['X-SSL-Client-Cert', 'canary'],
  ['X-Forwarded-Client-Cert', 'Hash=canary'],
  ['X-ARR-ClientCert', 'canary'],
  ['Client-Cert', ':canary:'],
];

async function askCertificate(way: Way, at: EndpointUnderTest): Promise<Found[]> {
  const outcomeOf = async (how: How = {}, headers: WireRequest['headers'] = []) => {
    const request = await way.genuine(at);
    const seen = await way.send(at, { ...request, headers: [...request.headers, ...headers] }, how);
    return seen.report?.outcome ?? 'nothing arrived';
  };
  const shown = await outcomeOf();
  const bare = await outcomeOf({ anonymous: true });
  if (bare === 'accepted') {
    if (!way.hasCertificate) return [];
    return [{ id: 'certificate-not-demanded', detail: `${at.name} takes a delivery without it` }];
  }
  if (shown !== 'accepted' && bare !== 'certificate_missing') return [];
  const { pathname } = at.url;
  for (const path of waysAround(pathname)) {
    if ((await outcomeOf({ anonymous: true, path })) !== 'accepted') continue;
    return [{ id: 'certificate-bypassed', detail: `without it ${pathname} is refused, ${path} is not` }];
  }
  for (const header of CERTIFICATE_HEADERS) {
    if ((await outcomeOf({ anonymous: true }, [header])) !== 'accepted') continue;
    return [{ id: 'certificate-bypassed', detail: `without it, the header ${header[0]} will do` }];
  }
  return [];
}

/** Other spellings of a path, which a proxy may take for another one, and pass on as the same. */
function waysAround(path: string): string[] {
  const encoded = `${path.slice(0, -1)}%${path.charCodeAt(path.length - 1).toString(16)}`;
  return [`${path}/`, `${path}//`, `/${path}`, `/.${path}`, path.toUpperCase(), encoded];
}

/** Two canaries with a pause that is nearly as long as the receiver keeps a connection: the second must come on another one. */
async function askKeepAlive(way: Way, at: EndpointUnderTest): Promise<Found[]> {
  const { report: first } = await way.send(at, post(at, BODY));
  if (first === undefined) return [];
  const { id, keepAliveMs } = first.connection;
  const pauseMs = keepAliveMs - Math.min(1_000, keepAliveMs / 4);
  await pause(pauseMs);
  const { report: second } = await way.send(at, post(at, BODY));
  if (second?.connection.id !== id) return [];
  const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;
  return [
    {
      id: 'keep-alive',
      detail: `after ${seconds(pauseMs)} it was still used, the receiver keeps it ${seconds(keepAliveMs)}`,
    },
  ];
}
