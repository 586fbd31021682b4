import { canaryReport, describeRequest, type CanaryReport } from '../../kit/http/canary.ts';
import { CANARY_FIELD, CANARY_HEADER, canaryText, writeCanary } from '../../kit/proofs/canary.ts';
import { tryJson } from '../../kit/reading/json.ts';
import { valuesOf } from '../conformance/reply.ts';
import type { EndpointUnderTest } from '../conformance/rule.ts';
import {
  bytesOf,
  exchange,
  type Manner,
  type Observation,
  type TlsOptions,
  type WireRequest,
} from '../conformance/wire.ts';
import { createRandom } from '../mock/random.ts';
import { buildRequest } from '../mock/request.ts';

/** The way from here to the endpoints of a receiver. */
export interface Way {
  /** It shows a client certificate, unless told otherwise. */
  readonly hasCertificate: boolean;
  /** What the sender of an endpoint would send, proven with the key of its canaries. */
  genuine(at: EndpointUnderTest): Promise<WireRequest>;
  /** Sends it as a canary, over a connection of its own. Never throws. */
  send(at: EndpointUnderTest, request: WireRequest, how?: How): Promise<Seen>;
}

export interface How {
  /** The body as it travels, where that is not as it is. */
  readonly framed?: Buffer;
  readonly manner?: Manner;
  /** Without the mark of a canary. */
  readonly unmarked?: true;
  /** Without the client certificate. */
  readonly anonymous?: true;
  /** In place of the usual one, to the letter. */
  readonly path?: string;
}

export interface WayOptions {
  readonly tls?: TlsOptions | undefined;
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** One request, and what became of it. */
export interface Seen {
  readonly at: EndpointUnderTest;
  /** With the mark. */
  readonly sent: WireRequest;
  readonly sentAt: number;
  /** `undefined`: none came. */
  readonly report: CanaryReport | undefined;
  readonly reply: Observation;
  readonly showedCertificate: boolean;
  /** The reply is of our receiver: see `isOurs`. */
  readonly ours: boolean;
}

/** The path under which the receiver knows an endpoint, whatever its address from outside. */
export function innerPath({ name }: EndpointUnderTest): string {
  return `/${name}`;
}

export function createWay({ tls, timeoutMs, now }: WayOptions): Way {
  const random = createRandom(now());
  return {
    hasCertificate: tls?.cert !== undefined,
    async genuine(at) {
      const { source, type, credential, switches, url } = at;
      const proven = { kind: credential.kind, text: textOf(at) };
      const order = { type, path: url.pathname, credential: proven, switches, at: new Date(now()) };
      const { headers, ...request } = await buildRequest(source, order, random);
      return { ...request, headers: Object.entries(headers) };
    },
    async send(at, request, how = {}) {
      const sentAt = now();
      const sent = how.unmarked ? request : marked(request, writeCanary(textOf(at), sentAt));
      const target = how.path === undefined ? sent.target : sent.target.replace(/^[^?]*/, how.path);
      const bytes = bytesOf({ ...sent, target, body: how.framed ?? sent.body }, at.url);
      const { cert, key, ...others } = { ...tls, rejectUnauthorized: false };
      const showedCertificate = cert !== undefined && how.anonymous !== true;
      const shown = showedCertificate ? { ...others, cert, key } : others;
      const options = { url: at.url, timeoutMs, tls: shown, manner: how.manner, method: request.method };
      const reply = await exchange(bytes, options);
      const report = canaryReport.safeParse(tryJson(reply.body.toString())).data;
      return { at, sent: { ...sent, target }, sentAt, report, reply, showedCertificate, ours: isOurs(reply) };
    },
  };
}

function textOf(at: EndpointUnderTest): string {
  const { credential, switches, source } = at;
  return canaryText(credential.text, innerPath(at), source.installations === true ? switches['key'] : '');
}

function marked(request: WireRequest, mark: string): WireRequest {
  const { target, headers } = request;
  return {
    ...request,
    target: `${target}${target.includes('?') ? '&' : '?'}${CANARY_FIELD}=${mark}`,
    headers: [...headers, ['User-Agent', 'advance-receiver-kit doctor'], [CANARY_HEADER, mark]],
  };
}

/** No proxy's page has both. */
function isOurs(reply: Observation): boolean {
  const [policy = ''] = valuesOf(reply, 'content-security-policy');
  return policy.startsWith("default-src 'none'") && valuesOf(reply, 'cache-control').includes('no-store');
}

/** What was sent, in the words of a report. */
export function describeSent({ sent }: Pick<Seen, 'sent'>) {
  return describeRequest({ ...sent, headers: sent.headers.flat() }, sent.body);
}
