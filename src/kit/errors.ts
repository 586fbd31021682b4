/**
 * Every way a delivery can be refused: the status its sender gets and what it means. The code goes to our log and
 * console, never into the reply. The table of src/kit/http/README.md is printed from here.
 */
export const rejections = {
  path_unknown: [404, 'No endpoint has this path.'],
  endpoint_closed: [404, 'The endpoint of this path has no secret configured.'],
  method_not_allowed: [405, 'The endpoint exists, its sender uses another method.'],
  request_malformed: [
    400,
    'Not HTTP that we accept: broken framing, absolute target, body shorter than announced. Before that, not TLS that ' +
      'we accept: closed without a reply.',
  ],
  headers_too_large: [431, 'Request line and headers are larger than the receiver reads.'],
  expectation_unknown: [417, 'An Expect header other than 100-continue.'],
  body_too_large: [413, 'The body is larger than this sender ever sends.'],
  body_late: [408, 'The request did not arrive in time.'],
  body_encoded: [
    415,
    'A Content-Encoding: signatures are over plain bytes, so none is undone. `identity` is none.',
  ],
  proof_missing: [401, 'No signature or token where this sender puts it.'],
  proof_malformed: [401, 'A signature or token that is not spelled as this sender spells it.'],
  proof_ambiguous: [401, 'More than one signature or token, or one in a place where none belongs.'],
  proof_header_refused: [
    401,
    'A JWS header with another algorithm, or with members that try to choose key or rules.',
  ],
  proof_mismatch: [401, 'Well-formed, but not made with any live secret of this endpoint over these bytes.'],
  proof_stale: [
    401,
    'Signed by the right secret, outside its time: expired, not yet valid, or issued in the future.',
  ],
  proof_foreign: [401, 'Signed by the right secret, for another issuer, audience or kind of token.'],
  certificate_missing: [
    401,
    'The connection was opened without the client certificate that this endpoint demands.',
  ],
  certificate_refused: [
    401,
    'A client certificate of another authority, out of date, of another subject, or not made for clients.',
  ],
  installation_unknown: [401, '?key= is missing, repeated, or names no configured installation.'],
  rate_limited: [429, 'Too many failed proofs from this address; a genuine delivery is still accepted.'],
  receiver_busy: [
    503,
    'Bodies that are being read take as much memory as they may, in all or from one network.',
  ],
  inbox_full: [503, 'The inbox holds as many waiting entries as it may.'],
  inbox_unavailable: [503, 'The inbox could not write: disk full, file locked, database away.'],
  draining: [503, 'The receiver is shutting down.'],
  body_taken: [
    500,
    'Mounted behind something that has read the body, so nothing can be verified: put the receiver in front of it.',
  ],
  internal_error: [500, 'A defect of the receiver itself; the log line has the stack.'],
} as const satisfies Record<string, readonly [status: number, meaning: string]>;

/** Why a delivery was refused. */
export type RejectionCode = keyof typeof rejections;

/** The sender's mistake, or our not being able to store: answered with the code's status, and not stored. */
export class DeliveryRejected extends Error {
  override readonly name = 'DeliveryRejected';
  readonly code: RejectionCode;

  /** `message` is for our own log: what was expected, what came; never a secret, a signature or a payload. */
  constructor(code: RejectionCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Every way an accepted entry can end as a dead letter, and what to do about it: the table of src/kit/inbox/README.md. */
export const deadLetterReasons = {
  json_invalid: 'The authentic content is not a JSON object. Ask the sender; replay cannot help.',
  json_forbidden:
    'Duplicate members, a forbidden name, deeper than 32 levels, or a number that would change when read.',
  event_unknown: 'The sender has an event type that the catalogue does not know. Add it, then replay.',
  event_mismatch:
    'The content names another event type than its endpoint serves. Check the URL registered there.',
  payload_invalid:
    'The payload does not fit the schema. Widen the schema if the sender changed, then replay.',
  answer_invalid: 'The handler answered something its answer schema forbids. Mend the handler.',
  answer_too_large:
    'The answer is larger than the sender reads. Answer less, or raise the limit on both sides.',
  content_unreadable:
    'The stored content cannot be decrypted: its key is gone, or its bytes were changed. Put the key back or restore ' +
    'them, then replay.',
  step_unknown: 'Follow-up work of a step that the app does not have. Add it to its `steps`, then replay.',
  step_data_invalid:
    'Data of follow-up work do not fit the schema of its step. Mend handler or schema, then replay.',
  handler_late: 'The handler was not done within its time.',
  handler_failed: 'The handler threw on every attempt. Mend the cause, then replay.',
  handler_not_written: 'Nobody has written the handler of this event yet. Write it, then replay.',
  handler_gave_up: 'The handler itself threw DeadLetter: trying again would not help.',
} as const satisfies Record<string, string>;

/** Why an entry is a dead letter. */
export type DeadLetterReason = keyof typeof deadLetterReasons;

/** Our problem that trying again cannot cure: the entry waits for a human. Handlers may throw it too. */
export class DeadLetter extends Error {
  override readonly name = 'DeadLetter';
  readonly reason: DeadLetterReason;

  constructor(reason: DeadLetterReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** A handler was not done within its time; it may still be running. */
export class HandlerLate extends Error {
  override readonly name = 'HandlerLate';
}

/** A handler was cut short from outside, as on shutdown: its attempt does not count. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export function shuttingDown(): Interrupted {
  return new Interrupted('the receiver is shutting down');
}

/** By which a failed attempt is told in the log and with the entry. */
export function failureCode(thrown: unknown): DeadLetterReason {
  if (thrown instanceof DeadLetter) return thrown.reason;
  const late = thrown instanceof HandlerLate || thrown instanceof Interrupted;
  return late ? 'handler_late' : 'handler_failed';
}

/** What a thrown value says, for a log: handlers may throw anything, and not everything becomes text. */
export function messageOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  const { message } = thrown as { readonly message?: unknown }; // any object may be asked for any member
  return typeof message === 'string' ? message : Object.prototype.toString.call(thrown);
}
