import { messageOf } from '../errors.ts';

/** Why a call was not made. */
export type RefusalCode =
  | 'url_invalid'
  | 'scheme_refused'
  | 'host_not_listed'
  | 'port_refused'
  | 'address_private'
  | 'redirect_refused';

/** Our own no: nothing was sent to the address in question, and trying again cannot help. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** How a call that was made ended without a usable reply. */
export type CallFailureCode =
  'status' | 'late' | 'too_large' | 'encoded' | 'connection' | 'tls' | 'truncated' | 'content';

/** The other side, or the way to it, failed us; `isTemporary` in retry.ts says when trying again may help. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  readonly code: CallFailureCode;
  /** Of the reply, where its head had come. */
  readonly status: number | undefined;
  /** How long the reply asks us to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: CallFailureCode,
    message: string,
    { status, retryAfterMs, ...options }: CallFailureDetails = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

interface CallFailureDetails extends ErrorOptions {
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

interface Named {
  readonly method: string;
  readonly url: URL;
}

interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What a reply is thrown as when its status is not the one that was needed. */
export function statusFailure(call: Named, { status, headers }: Head, now = Date.now()): CallFailed {
  // Not ready yet, nothing, a part: a success that does not have what was asked for.
  const isOther = status >= 201 && status <= 299;
  const how = isOther ? `${status}, and only 200 has what was asked for` : String(status);
  return new CallFailed('status', `${nameOf(call)} was answered ${how}.`, {
    status,
    retryAfterMs: retryAfterMs(headers['retry-after'], now),
  });
}

/** How long a Retry-After header asks us to wait: seconds, or a date (RFC 9110, 10.2.3). */
export function retryAfterMs(value: string | string[] | undefined, now: number): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  // Date.parse reads almost anything as some date; HTTP's all end like this.
  const at = value.endsWith(' GMT') ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** What undici, TLS or a socket threw, in our words. `otherwise` is what it is if nothing about it is special. */
export function failureOf(call: Named, thrown: unknown, otherwise: 'connection' | 'truncated'): unknown {
  if (thrown instanceof CallRefused || thrown instanceof CallFailed) return thrown;
  const code = codeOf(thrown);
  if (code === 'UND_ERR_INVALID_ARG') return thrown; // a method or header of ours that HTTP does not know
  const failure = failureCode(code) ?? otherwise;
  const says = shown(messageOf(thrown) || code); // Node's "all addresses failed" has a code only
  return new CallFailed(
    failure,
    `${nameOf(call)}: ${says}${advice(failure, { code, says, url: call.url })}`,
    causeOf(thrown),
  );
}

function codeOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return '';
  const { code } = thrown as { readonly code?: unknown }; // any object may be asked for any member
  return typeof code === 'string' ? code : '';
}

// Node's own prefixes, and OpenSSL's names: https://nodejs.org/api/tls.html#x509-certificate-error-codes
const TLS_CODE =
  /^(ERR_(TLS|SSL|OSSL)|EPROTO$|(CERT|CRL|UNABLE_TO|ERROR_IN|DEPTH_ZERO|SELF_SIGNED|INVALID|PATH_LENGTH|HOSTNAME)_)/;

function failureCode(code: string): CallFailureCode | undefined {
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'late';
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'too_large';
  return TLS_CODE.test(code) ? 'tls' : undefined;
}

interface Failed {
  readonly code: string;
  readonly says: string;
  readonly url: URL;
}

function advice(failure: CallFailureCode, { code, says, url: { protocol } }: Failed): string {
  if (says.startsWith('Proxy response'))
    return ' (the proxy of API_PROXY refused: check its user and password, and whether it lets this host pass)';
  if (failure === 'tls') {
    return ' (check the authority we trust for this host, its name, and the client certificate we show)';
  }
  const hungUp = code === 'UND_ERR_SOCKET' || code === 'ECONNRESET';
  if (failure === 'connection' && hungUp && protocol === 'https:') {
    return ' (a server that demands a client certificate hangs up like this on others)';
  }
  return '';
}

/** undici's parser attaches the bytes that it could not read; they have no place in a log. */
function causeOf(thrown: unknown): ErrorOptions {
  const isParser = thrown instanceof Error && thrown.name === 'HTTPParserError';
  return isParser ? {} : { cause: thrown };
}

const MOST_SHOWN = 200;

/** Text from outside as it may stand in a message: on one line, printable, and not too long. */
export function shown(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?');
  return printable.length <= MOST_SHOWN ? printable : `${printable.slice(0, MOST_SHOWN)}…`;
}

/** A call as messages name it: without its query, which may hold a token or a person's name. */
export function nameOf({ method, url }: { readonly method: string; readonly url: URL }): string {
  return `${method} ${shown(url.origin + url.pathname)}`;
}
