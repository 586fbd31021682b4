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
  'status' | 'late' | 'too_large' | 'encoded' | 'connection' | 'tls' | 'truncated';

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
