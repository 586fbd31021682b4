import { signCompact } from '../../kit/proofs/compact.ts';
import { signHmacHeader, type HmacScheme } from '../../kit/proofs/hmac-header.ts';
import { importSecret, type Secret } from '../../kit/proofs/secrets.ts';
import { objectIn } from '../../kit/reading/json.ts';
import type { EndpointDefinition, Settings, Source } from '../../kit/source.ts';
import { contentsOf } from '../../kit/tape/raw.ts';
import type { WireRequest } from '../conformance/wire.ts';
import { rewriteJson } from '../json-text.ts';
import { everywhere, inBytes, inText, type TextRequest } from './request.ts';

// A request that came, proven anew: what proves it stands in the same place and is spelled in the same way.

/** Where a request came to, as far as its proof depends on it. */
export interface Place {
  readonly source: Source;
  readonly definition: EndpointDefinition;
  readonly settings: Settings;
}

/** What proves a request. */
export interface FoundProof {
  /** The kind of credential: `SECRET`, `TOKEN`. */
  readonly kind: string;
  readonly scheme: Scheme;
  /** The headers that hold it, in lower case. */
  readonly headers: readonly string[];
  /** The signed tokens in the request, each once. */
  readonly tokens: readonly string[];
}

type Scheme = 'compact' | 'access-token' | HmacScheme;

/** What is to become of a request before it is proven anew. */
export interface Changes {
  /** What a token says, and its header. */
  readonly content?: (json: string) => string;
  readonly head?: (json: string) => string;
  /** All else; in the place of each token is a mark, which must stay. */
  readonly around?: (request: TextRequest) => TextRequest;
}

/** Finds what proves a request, by the first of these kinds of credential that fits; `undefined` where none does. */
export function proofIn(
  request: WireRequest,
  { source, settings }: Place,
  kinds: readonly string[],
): FoundProof | undefined {
  for (const kind of kinds) {
    const { scheme: named = '', header = 'authorization' } = source.proof.kinds[kind]?.proof(settings) ?? {};
    const scheme = schemes.get(named);
    if (scheme === undefined) continue;
    const tokens = scheme === 'compact' ? tokensIn(request) : [];
    const headers = scheme === 'compact' ? [] : [header];
    const isThere =
      tokens.length > 0 || request.headers.some(([name]) => headers.includes(name.toLowerCase()));
    if (isThere) return { kind, scheme, headers, tokens };
  }
  return undefined;
}

/** The same request, changed as is wanted and proven by this secret. */
export async function provenAgain(
  request: WireRequest,
  { source, settings }: Place,
  proof: FoundProof,
  secretText: string,
  { around = (whole) => whole, ...inside }: Changes = {},
): Promise<WireRequest> {
  const [encoding = 'utf8'] = source.proof.kinds[proof.kind]?.keyEncodings(settings) ?? [];
  const secret = await importSecret(secretText, 1, encoding);
  const marked = everywhere(inText(request), (text) => proof.tokens.reduce(marking, text));
  const tokens = await Promise.all(proof.tokens.map((token) => signedAgain(token, secret, inside)));
  const whole = inBytes(everywhere(around(marked), (text) => tokens.reduce(unmarking, text)));
  const { scheme } = proof;
  if (scheme === 'compact') return whole;
  return withProof(whole, proof, (value) =>
    scheme === 'access-token' ? withToken(value, secretText) : hmacLike(value, whole.body, secret, scheme),
  );
}

/** The same request with one byte changed of what is proven, or of what proves it. */
export function spoiled(request: WireRequest, proof: FoundProof): WireRequest {
  if (proof.scheme === 'compact') {
    const spoil = (text: string, token: string) =>
      text.replaceAll(token, changedAt(token, token.indexOf('.') + 2));
    return inBytes(everywhere(inText(request), (text) => tokensIn(request).reduce(spoil, text)));
  }
  if (proof.scheme === 'access-token' || request.body.length === 0) {
    return withProof(request, proof, (value) => changedAt(value, value.length - 1));
  }
  const body = Buffer.from(request.body);
  const middle = Math.floor(body.length / 2);
  body.writeUInt8(body.readUInt8(middle) ^ 1, middle);
  return { ...request, body };
}

/** What a token says, its times moved and nothing else. */
export function timesMoved(json: string, byMs: number): string {
  const byS = Math.round(byMs / 1000);
  return rewriteJson(json, {
    number: (digits, { name, depth }) =>
      depth === 1 && /^(iat|exp|nbf)$/.test(name ?? '')
        ? digits.replace(/^\d+/, (whole) => String(Number(whole) + byS))
        : digits,
  });
}

/** By the scheme that a proof names. */
const schemes: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  ['jwt-hs256', 'compact'],
  ['jws-hs256', 'compact'],
  ['access-token', 'access-token'],
  ['hmac-sha256', 'hmac-sha256'],
  ['sha256-body-secret', 'sha256-body-secret'],
  ['sha256-secret-body', 'sha256-secret-body'],
]);

const COMPACT = /(?<![\w-])[\w-]{4,}\.[\w-]{2,}\.[\w-]*/g;

function tokensIn(request: WireRequest): string[] {
  const { target, headers, body } = inText(request);
  const texts = [target, ...headers.map(([, value]) => value), body];
  return [...new Set(texts.flatMap((text) => text.match(COMPACT) ?? []))].filter(isSigned);
}

function isSigned(token: string): boolean {
  const [header, payload] = contentsOf(token);
  return Object.hasOwn(objectIn(header) ?? {}, 'alg') && objectIn(payload) !== undefined;
}

async function signedAgain(token: string, secret: Secret, { content, head }: Changes): Promise<string> {
  const [header, payload] = contentsOf(token);
  const said = content === undefined ? payload : Buffer.from(content(payload.toString()));
  return signCompact(said, secret, head?.(header.toString()) ?? header.toString());
}

/** Of the private use area: no letter, no digit, and in no token. */
function markOf(index: number): string {
  return String.fromCharCode(0xe000 + index);
}

function marking(text: string, token: string, index: number): string {
  return text.replaceAll(token, markOf(index));
}

function unmarking(text: string, token: string, index: number): string {
  const mark = markOf(index);
  return text.replaceAll(mark, token).replaceAll(encodeURIComponent(mark), token);
}

function withProof(
  request: WireRequest,
  { headers }: FoundProof,
  change: (value: string) => string,
): WireRequest {
  return {
    ...request,
    headers: request.headers.map(
      ([name, value]) => [name, headers.includes(name.toLowerCase()) ? change(value) : value] as const,
    ),
  };
}

function withToken(value: string, token: string): string {
  return (/^(?:bearer|token)[ \t]+/i.exec(value)?.[0] ?? '') + token;
}

const PREFIX = /^(?:sha256|sha-256|hmac-sha256)[=:]/i;

/** In the spelling of the one that came; in hex digits, where that was none. */
function hmacLike(value: string, body: Buffer, { bytes }: Secret, scheme: HmacScheme): string {
  const prefix = PREFIX.exec(value)?.[0] ?? '';
  const text = value.slice(prefix.length);
  const spelling = { scheme, prefix, letterCase: /^[\dA-F]{64}$/.test(text) ? 'upper' : 'lower' } as const;
  if (!/^[\w+/-]{43}=?$/.test(text)) return signHmacHeader(body, bytes, { ...spelling, encoding: 'hex' });
  const encoding = /[+/=]/.test(text) ? 'base64' : 'base64url';
  const signature = signHmacHeader(body, bytes, { ...spelling, encoding });
  return text.endsWith('=') ? signature : signature.replace(/=$/, '');
}

function changedAt(text: string, at: number): string {
  return text.slice(0, at) + (text.charAt(at) === 'A' ? 'B' : 'A') + text.slice(at + 1);
}
