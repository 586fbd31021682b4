import { createHmac } from 'node:crypto';
import type { Exchange } from './exchange.ts';
import type { Kept } from './keep.ts';
import type { Redact } from './redact.ts';
import type { TlsOptions, WireRequest } from './wire.ts';

// A forged proof is no secret, and whoever is to mend the receiver needs it: it stands in the command line. What holds must
// not get into a report, and neither must a piece of it that gives it away: it stays in the files of `--keep`.

export interface ResendOptions {
  /** Of the endpoint. */
  readonly url: URL;
  /** Takes out what must not be shown. */
  readonly mask: Redact;
  readonly kept: Kept | undefined;
  readonly tls?: TlsOptions | undefined;
}

/** A command line for a POSIX shell that sends a request again. */
export function resendLine({ request, bytes, url }: Exchange, options: ResendOptions): string {
  const at = { ...options, url: url ?? options.url };
  if (request === undefined || !curlCanSend(request)) return rawLine(bytes, at);
  // What must not be shown of headers and body can come from files, and an address cannot.
  const isOpen = maskedTarget(request.target, at.url, at.mask) === request.target;
  return isOpen || at.kept === undefined ? curlLine(request, at) : rawLine(bytes, at);
}

const INCOMPLETE = '# something is left out here: it is in the files that --keep FOLDER writes';
const MOST_INLINE = 2_000;

function curlLine(
  { method, target, headers, body }: WireRequest,
  { url, mask, kept, tls }: ResendOptions,
): string {
  const has = (name: string) => headers.some(([candidate]) => candidate.toLowerCase() === name);
  const own = headers.map(([name, value]) => (value === '' ? `${name};` : `${name}: ${value}`));
  const isOpen = own.every((line) => mask(line) === line);
  const shownTarget = maskedTarget(target, url, mask);
  const sent = method === 'GET' && body.length === 0 ? undefined : bodyPart(body, mask, kept);
  const isWhole = (isOpen || kept !== undefined) && shownTarget === target && sent?.isWhole !== false;
  return [
    ...(sent?.before ?? []),
    'curl -i',
    ...(url.protocol === 'https:' ? ['--http1.1', ...tlsPart(tls, ['--cacert', '--cert', '--key'])] : []),
    ...(/\/\.{1,2}(?:[/?]|$)/.test(target) ? ['--path-as-is'] : []),
    ...(/[[\]{}]/.test(target) ? ['-g'] : []),
    `-X ${method}`,
    quoted(`${url.origin}${shownTarget}`),
    ...(isOpen || kept === undefined
      ? own.map((line) => `-H ${quoted(mask(line))}`)
      : [`-H @${quoted(kept.headers)}`]),
    // What curl would add by itself.
    ...(sent === undefined || has('content-type') ? [] : ['-H Content-Type:']),
    ...(body.length > 1_000_000 && !has('expect') ? ['-H Expect:'] : []),
    ...(sent?.after ?? []),
    ...(isWhole ? [] : [INCOMPLETE]),
  ].join(' ');
}

interface BodyPart {
  /** What is piped into curl. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly isWhole: boolean;
}

function bodyPart(body: Buffer, mask: Redact, kept: Kept | undefined): BodyPart {
  const whole = { before: [], isWhole: true };
  if (kept !== undefined && body.length > 0)
    return { ...whole, after: [`--data-binary @${quoted(kept.body)}`] };
  const text = body.toString('latin1');
  if (text.length > MOST_INLINE || mask(text) !== text)
    return { before: [], isWhole: false, after: ['--data-binary @request.body'] };
  if (PLAIN.test(text)) return { ...whole, after: [`--data-raw ${quoted(text)}`] };
  return { before: [`printf ${octal(text)} |`], isWhole: true, after: ['--data-binary @-'] };
}

/** Bytes that no HTTP client would send. */
function rawLine(bytes: Buffer, { url, mask, kept, tls }: ResendOptions): string {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const client =
    url.protocol === 'https:'
      ? [
          'openssl s_client -quiet',
          `-connect ${url.hostname}:${port}`,
          ...tlsPart(tls, ['-CAfile', '-cert', '-key']),
        ].join(' ')
      : `nc -w 10 ${host} ${port}`;
  if (kept !== undefined) return `${client} < ${quoted(kept.request)}`;
  const text = bytes.toString('latin1', 0, MOST_INLINE + 1);
  const [path] = text.split(/[\r\n]/, 1);
  const shown = maskedTarget(path ?? '', url, mask) + mask(text.slice(path?.length));
  return text.length > MOST_INLINE || shown !== text
    ? `${client} < request.http ${INCOMPLETE}`
    : `printf ${octal(text)} | ${client}`;
}

/** The path of the endpoint is no secret, whatever the secret may look like. */
function maskedTarget(target: string, { pathname }: URL, mask: Redact): string {
  return target.split(pathname).map(mask).join(pathname);
}

function tlsPart(
  { files = {} }: TlsOptions = {},
  options: readonly [ca: string, cert: string, key: string],
): string[] {
  const [ca, cert, key] = options;
  return [[ca, files.ca] as const, [cert, files.cert] as const, [key, files.key] as const].flatMap(
    ([option, file]) => (file === undefined ? [] : [`${option} ${quoted(file)}`]),
  );
}

const PLAIN = /^[\x20-\x7e]*$/;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
/** It would find a meaning of its own in them. */
const OWN_TO_CURL = /^(?:host|content-length|transfer-encoding|connection|expect)$/i;

/** Whether curl sends the request as it is. */
function curlCanSend({ method, target, headers }: WireRequest): boolean {
  const isPlain = ([name, value]: readonly [string, string]) =>
    TOKEN.test(name) && !OWN_TO_CURL.test(name) && PLAIN.test(value) && value === value.trim();
  return (
    /^[A-Z]+$/.test(method) &&
    method !== 'HEAD' &&
    /^\/[^\s\\"<>^`|#]*$/.test(target) &&
    PLAIN.test(target) &&
    headers.every(isPlain)
  );
}

/** For a shell. */
export function quoted(text: string): string {
  // Two hashes in a row are an order to build servers, which read reports: here they stand apart.
  return /^[\w./:=@-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", `'\\''`).replaceAll(/#(?=#)/g, `#''`)}'`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\r': '\\r', '\n': '\\n', '%': '%%', '\\': '\\\\' };

/** For `printf`, which makes any bytes of it. */
function octal(text: string): string {
  const escaped = text.replace(
    /[^\x20-\x7e]|[\\%'#]/g,
    (unit) => ESCAPES[unit] ?? `\\${unit.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `'${escaped}'`;
}

const SIGNATURE = /(?<=[.:=\s])[\w+/-]{40,}={0,2}(?![\w+/=.-])/g;
/** From where a word begins: else a megabyte of letters would be looked through from each of them. */
const SIGNED_PARTS = /(?<![\w-])[\w-]{8,}\.[\w-]*(?=\.)/g;
const MOST_SEARCHED = 100_000;

/** Signatures that must not be shown: those that were sent as genuine in a case, and what the secrets would make of this request. */
export function signaturesAround(
  { bytes, request }: Exchange,
  exchanges: readonly Exchange[],
  secrets: readonly string[],
): string[] {
  const searched = (one: Buffer) => one.toString('latin1', 0, MOST_SEARCHED);
  const shown = exchanges
    .filter(({ failedProof }) => !failedProof)
    .flatMap((exchange) => searched(exchange.bytes).match(SIGNATURE) ?? []);
  const signable = [request?.body ?? bytes, ...(searched(bytes).match(SIGNED_PARTS) ?? [])];
  const made = secrets
    .flatMap((secret) => signable.map((text) => createHmac('sha256', secret).update(text).digest()))
    .flatMap((mac) => (['hex', 'base64', 'base64url'] as const).map((encoding) => mac.toString(encoding)));
  return [...shown, ...made];
}
