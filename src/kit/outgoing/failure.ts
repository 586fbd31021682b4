import { errors } from 'undici';
import { messageOf } from '../errors.ts';
import { CallFailed, CallRefused, nameOf, shown, type CallFailureCode } from './errors.ts';
import { retryAfterMs } from './retry-after.ts';

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
  return new CallFailed('status', `${nameOf(call)} was answered ${status}.`, {
    status,
    retryAfterMs: retryAfterMs(headers['retry-after'], now),
  });
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
    `${nameOf(call)}: ${says}${advice(failure, code, call.url)}`,
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

function advice(failure: CallFailureCode, code: string, { protocol }: URL): string {
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
  return thrown instanceof errors.HTTPParserError ? {} : { cause: thrown };
}
