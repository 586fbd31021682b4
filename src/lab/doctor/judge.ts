import { hash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { CanaryReport, Described } from '../../kit/http/canary.ts';
import { tryJson } from '../../kit/reading/json.ts';
import { valuesOf } from '../conformance/reply.ts';
import type { FaultId, Found } from './findings.ts';
import { describeSent, innerPath, type Seen } from './way.ts';

export interface Expectation {
  /** What it shows when something in front refuses it; else it is blocked. */
  readonly refused?: FaultId;
  /** The path at the receiver, if not that of the endpoint alone. */
  readonly path?: string;
  /** It is proven, so that the receiver would have accepted it. */
  readonly genuine?: boolean;
}

/** What a canary shows of its way: the difference between what was sent and what arrived, or why nothing did. */
export function judge(seen: Seen, expected: Expectation = {}): Found[] {
  const { report } = seen;
  const echoed = findEcho(seen);
  if (report === undefined) return [...refusalOf(seen, expected), ...echoed];
  const different = differences(seen, report, expected);
  const last = expected.genuine === true && different.length === 0 ? outcomeOf(seen, report) : [];
  return [...different, ...last, ...clockOf(seen, report.receivedAt), ...echoed];
}

function refusalOf(seen: Seen, { refused = 'blocked' }: Expectation): Found[] {
  const { reply, ours, sent } = seen;
  const what = `${sent.method} with ${sent.target.length} bytes of target, ${sent.body.length} of body: ${answerOf(seen)}`;
  if (reply.status >= 300 && reply.status < 400) {
    const [to = '?'] = valuesOf(reply, 'location');
    return [{ id: 'redirected', detail: `${reply.status} to ${to.split('?')[0] ?? ''}` }];
  }
  if (!ours || refused !== 'blocked') return [{ id: refused, detail: what }];
  const [date = ''] = valuesOf(reply, 'date');
  const clock = clockOf(seen, Date.parse(date));
  return clock.length > 0 ? clock : [{ id: 'unrecognised', detail: what }];
}

export function answerOf({ reply, ours }: Seen): string {
  const { status, trouble } = reply;
  if (status === 0) return `no reply${trouble === undefined ? '' : ` (${trouble})`}`;
  const [server = 'something else'] = valuesOf(reply, 'server');
  return `${status} of ${ours ? 'the receiver' : server.slice(0, 40)}`;
}

const MOST_DRIFT_MS = 60_000;

/** `theirs`: milliseconds since 1970; not a number where nothing tells. */
function clockOf({ sentAt }: Seen, theirs: number): Found[] {
  const driftMs = theirs - sentAt;
  if (!(Math.abs(driftMs) > MOST_DRIFT_MS)) return [];
  const seconds = Math.round(Math.abs(driftMs) / 1000);
  return [{ id: 'clock', detail: `there it is ${seconds} s ${driftMs > 0 ? 'later' : 'earlier'} than here` }];
}

function differences(seen: Seen, report: CanaryReport, expected: Expectation): Found[] {
  const sent = describeSent(seen);
  return [
    ...methodOf(sent, report),
    ...pathOf(expected.path ?? innerPath(seen.at), report),
    ...queryOf(sent, report),
    ...headersOf(seen, report),
    ...bodyOf(seen.sent.body, report),
  ];
}

function methodOf(sent: Described, { method, outcome }: CanaryReport): Found[] {
  if (sent.method !== method)
    return [{ id: 'method-changed', detail: `${sent.method} arrived as ${method}` }];
  return outcome === 'method_not_allowed' ? [{ id: 'settings', detail: `${method} is not taken` }] : [];
}

function pathOf(path: string, { path: arrived, outcome }: CanaryReport): Found[] {
  if (arrived === path) return [];
  const isUnknown = outcome === 'path_unknown';
  const detail = `${path} arrived as ${arrived}, which is ${isUnknown ? 'no endpoint' : 'the same to the receiver'}`;
  if (arrived.toLowerCase() === path.toLowerCase()) return [{ id: 'path-case', detail }];
  if (tidied(arrived) !== tidied(path)) return [{ id: 'path-changed', detail }];
  return [{ id: isUnknown ? 'path-slashes' : 'slashes-tidied', detail }];
}

function tidied(path: string): string {
  return path.replace(/\/+/g, '/').replace(/(?<=.)\/$/, '');
}

function queryOf({ query: sent }: Described, { query }: CanaryReport): Found[] {
  const named = (fields: Described['query']) =>
    fields.map(({ name, length }) => `${name}=(${length})`).join('&');
  const same =
    sent.length === query.length &&
    sent.every(({ name, sha256 }, at) => {
      const arrived = query[at];
      return arrived?.name === name && arrived.sha256 === sha256;
    });
  if (same) return [];
  const arrived = query.length === 0 ? 'nothing' : named(query);
  return [
    { id: 'query-changed', detail: `?${named(sent)} was sent, ${arrived} arrived (lengths of values)` },
  ];
}

/** Of one connection only, or to be written by those on the way. */
const FREE = /^(?:host|connection|content-length|transfer-encoding|expect|keep-alive|te|x-forwarded-.*)$/i;

function headersOf({ sent }: Seen, { headers }: CanaryReport): Found[] {
  const names = new Set(sent.headers.map(([name]) => name.toLowerCase()).filter((name) => !FREE.test(name)));
  return [...names].flatMap((name): Found[] => {
    const values = sent.headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
    const arrived = headers.filter((one) => one.name.toLowerCase() === name).map(({ sha256 }) => sha256);
    const id = headerFault(values, arrived);
    const said = `${name} was sent ${times(values.length)} and arrived ${times(arrived.length)}`;
    return id === undefined
      ? []
      : [{ id, detail: id === 'header-changed' ? `${name} has another value` : said }];
  });
}

function headerFault(values: readonly string[], arrived: readonly string[]): FaultId | undefined {
  const isValue = (text: string, at = 0) => digest(text) === arrived[at];
  if (arrived.length === 0) return 'header-dropped';
  if (values.every((value, at) => isValue(value, at)) && arrived.length === values.length) return undefined;
  const [value = ''] = values;
  if (values.length > 1) {
    const joined = [', ', ',', '; '].some((mark) => isValue(values.join(mark)));
    return arrived.length === 1 ? (joined ? 'header-joined' : 'header-dropped') : 'header-changed';
  }
  const twiceInOne = [', ', ','].some((mark) => isValue(`${value}${mark}${value}`));
  return arrived.length > 1 || twiceInOne ? 'header-doubled' : 'header-changed';
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function digest(text: string): string {
  return hash('sha256', text).slice(0, 16);
}

/** What can be made of a body on its way; the first that fits what arrived names the fault. */
const CHANGES: readonly (readonly [
  id: FaultId,
  words: string,
  change: (body: Buffer) => Buffer | undefined,
])[] = [
  ['body-base64', 'in base64', (body) => Buffer.from(body.toString('base64'))],
  ['body-base64', 'in base64url', (body) => Buffer.from(body.toString('base64url'))],
  ['body-recoded', 'its UTF-8 taken for Latin-1', (body) => Buffer.from(body.toString('latin1'))],
  ['body-recoded', 'in Latin-1', (body) => Buffer.from(body.toString('utf8'), 'latin1')],
  ['body-recoded', 'in UTF-16', (body) => Buffer.from(body.toString('utf8'), 'utf16le')],
  ['body-recoded', 'behind a byte order mark', (body) => Buffer.concat([Buffer.from('\ufeff'), body])],
  ['body-compressed', 'packed', (body) => gzipSync(body)],
  ['body-compressed', 'packed', (body) => brotliCompressSync(body)],
  ['body-rewritten', 'its JSON written anew', (body) => asText(JSON.stringify(tryJson(body.toString())))],
  ['body-rewritten', 'without the blanks around it', (body) => Buffer.from(body.toString().trim())],
  ['body-rewritten', 'with other line ends', (body) => Buffer.from(body.toString().replaceAll('\r\n', '\n'))],
];

function asText(json: string | undefined): Buffer | undefined {
  return json === undefined ? undefined : Buffer.from(json);
}

function bodyOf(sent: Buffer, { body, outcome, headers }: CanaryReport): Found[] {
  if (outcome === 'body_encoded') {
    const coding = headers.find(({ name }) => name.toLowerCase() === 'content-encoding')?.value;
    return [{ id: 'body-compressed', detail: `it arrived with Content-Encoding: ${coding ?? '?'}` }];
  }
  if (outcome === 'body_too_large') {
    const length = headers.find(({ name }) => name.toLowerCase() === 'content-length')?.value;
    // Whatever has made it larger is found with a smaller one.
    if (length !== undefined && length !== String(sent.length)) return [];
    return [{ id: 'settings', detail: `no body of ${sent.length} bytes is taken: say so with --max-body` }];
  }
  if (body === null || body.sha256 === hash('sha256', sent)) return [];
  const lengths = `${sent.length} bytes were sent, ${body.length} arrived`;
  const found = CHANGES.find(([, , change]) => {
    const changed = change(sent);
    return changed !== undefined && hash('sha256', changed) === body.sha256;
  });
  if (found !== undefined) return [{ id: found[0], detail: `${lengths}: ${found[1]}` }];
  const first = JSON.stringify(Buffer.from(body.first, 'base64').toString('latin1').slice(0, 40));
  return [{ id: 'body-rewritten', detail: `${lengths}, beginning with ${first}` }];
}

/** Everything arrived, and it is the receiver that would have refused it. */
function outcomeOf({ at, showedCertificate }: Seen, { outcome }: CanaryReport): Found[] {
  if (outcome === 'accepted') return [];
  if (outcome !== 'certificate_missing') return [{ id: 'settings', detail: `${at.name}: ${outcome}` }];
  if (showedCertificate) return [{ id: 'certificate-lost', detail: 'one was shown, none arrived' }];
  const hint = 'show the client certificate with --cert and --key';
  return [{ id: 'settings', detail: `${at.name}: ${outcome}: ${hint}` }];
}

const SHORTEST_TOKEN = 20;

/** Whether the reply has a piece of what proves the request. A redirect may have the query: that is its purpose. */
function findEcho({ sent, reply, report }: Seen): Found[] {
  const values = [
    ...sent.headers.filter(([name]) => !/^(?:user-agent|content-)/i.test(name)).map(([, value]) => value),
    ...sent.target
      .split(/[?&]/)
      .slice(1)
      .map((pair) => pair.slice(pair.indexOf('=') + 1)),
  ].filter((value) => value.length >= SHORTEST_TOKEN);
  const places: readonly (readonly [string, string])[] = [
    ...reply.headers
      .filter(([name]) => name !== 'location')
      .map(([name, value]) => [`the header ${name}`, value] as const),
    ...(report === undefined ? [['the page', reply.body.toString('latin1')] as const] : []),
  ];
  const place = places.find(([, text]) => values.some((value) => text.includes(value)));
  return place === undefined
    ? []
    : [{ id: 'token-echoed', detail: `${place[0]} of a reply ${reply.status}` }];
}
