import type { IncomingMessage, ServerResponse } from 'node:http';
import { DeliveryRejected } from '../errors.ts';
import { isEncoded } from '../reading/text.ts';
import type { BodyBudget, BodyShare } from './body-budget.ts';

const EMPTY = Buffer.alloc(0);

/**
 * Reads a request's bytes as they came, and stops at the limit while reading. No content type, charset or encoding is
 * looked at to decide what the bytes mean: those headers are not signed.
 * @throws DeliveryRejected `body_…`, `receiver_busy`, `request_malformed`
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  budget: BodyBudget,
): Promise<Buffer> {
  refuseEncoded(request.headers['content-encoding']);
  const coding = request.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    throw new DeliveryRejected('request_malformed', 'A Transfer-Encoding other than chunked.');
  }
  const length = request.headers['content-length'];
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);
  if (length === '0' || !hasBody(request)) return EMPTY;
  if (request.readableDidRead) throw alreadyRead();
  if (expecting.delete(request)) response.writeContinue();
  return collect(request, response, maxBytes, budget);
}

/**
 * The bytes are verified as they came, whatever the header says, so a name that encodes nothing decides nothing.
 * @throws DeliveryRejected `body_encoded`
 */
export function refuseEncoded(codings: string | undefined): void {
  if (codings === undefined || !isEncoded(codings)) return;
  throw new DeliveryRejected(
    'body_encoded',
    'A Content-Encoding; this sender signs and sends plain bytes. Does a proxy on the way pack them?',
  );
}

const expecting = new WeakSet<IncomingMessage>();

/** Marks a request whose sender waits to be told that its body is wanted; a server that is not ours tells it by itself. */
export function expectContinue(request: IncomingMessage): void {
  // HTTP/1.0 has no interim replies: its Expect is to be ignored (RFC 9110, 10.1.1).
  if (request.httpVersion !== '1.0') expecting.add(request);
}

const brokenOff = new WeakMap<IncomingMessage, DeliveryRejected>();

/** Says why there will be no more of a body; who reads it learns so when the connection is closed. */
export function breakOff(request: IncomingMessage, reason: DeliveryRejected): void {
  brokenOff.set(request, reason);
}

/** Whether bytes follow the headers. */
export function hasBody(request: IncomingMessage): boolean {
  return (
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
  );
}

const begun = new WeakMap<IncomingMessage, Buffer>();

/**
 * What else comes of the body of a request that is refused, or has come of one that was not read to its end: as long as
 * the connection is open, and no more than may be read. Never rejects.
 */
export async function readRest(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  budget: BodyBudget,
): Promise<{ readonly body: Buffer; readonly whole: boolean }> {
  const beginning = begun.get(request);
  if (beginning !== undefined) return { body: beginning, whole: false };
  if (!hasBody(request)) return { body: EMPTY, whole: true };
  if (request.readableDidRead) return { body: EMPTY, whole: false };
  try {
    return { body: await collect(request, response, maxBytes, budget), whole: true };
  } catch {
    return { body: begun.get(request) ?? EMPTY, whole: false };
  }
}

function collect(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  budget: BodyBudget,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const body = new Body(maxBytes, () => budget.open(request));
    const onData = (piece: Buffer) => {
      const refusal = body.add(piece);
      if (refusal !== undefined) settle(refusal, piece);
    };
    const onEnd = () => {
      settle(undefined);
    };
    const onClose = () => {
      const ended = new DeliveryRejected('request_malformed', 'The connection ended before the body did.');
      settle(brokenOff.get(request) ?? ended);
    };
    const settle = (refusal: DeliveryRejected | undefined, refused: Buffer = EMPTY) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      const { share } = body;
      if (refusal !== undefined) {
        share?.giveBack();
        begun.set(request, body.beginning(refused));
        reject(refusal);
        return;
      }
      if (share !== undefined) {
        response.once('close', () => {
          share.giveBack();
        });
      }
      resolve(body.bytes());
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose);
    // A broken request is told through 'close'; without a listener here it would end the process.
    request.on('error', () => undefined);
  });
}

/** So much of each body costs nothing of the budget, which small deliveries therefore never meet: connections are counted. */
export const FREE_BYTES = 16_384;
const SMALLEST_ROOM = 4_096;
/** Each piece costs time, however small; a megabyte in the smallest packets that networks have is half of this. */
const MAX_PIECES = 4_096;

/** What has come of a body: a piece kept on its own takes hundreds of bytes, however small it is. */
class Body {
  readonly #maxBytes: number;
  readonly #openShare: () => BodyShare;
  #room: Buffer = EMPTY;
  #size = 0;
  /** Less than that once a piece was refused. */
  #placed = 0;
  #pieces = 0;
  /** What it takes of the budget; `undefined` as long as it takes nothing. */
  share: BodyShare | undefined;

  constructor(maxBytes: number, openShare: () => BodyShare) {
    this.#maxBytes = maxBytes;
    this.#openShare = openShare;
  }

  /** Why there may be no more of it, if so. */
  add(piece: Buffer): DeliveryRejected | undefined {
    const start = this.#size;
    this.#size += piece.length;
    this.#pieces += 1;
    if (this.#size > this.#maxBytes) return tooLarge(this.#maxBytes);
    if (this.#pieces > MAX_PIECES) return tooManyPieces();
    // Most bodies come in one piece, and then there is nothing to copy.
    const needed = start === 0 ? piece.length : this.#roomFor(this.#size);
    if (needed > this.#room.length && !this.#mayTake(needed)) return tooManyBodies();
    if (start === 0) this.#room = piece;
    else this.#put(piece, start, needed);
    this.#placed = this.#size;
    return undefined;
  }

  bytes(): Buffer {
    return this.#room.subarray(0, this.#size);
  }

  /** How one began that was refused, with this piece or between two. */
  beginning(refused: Buffer): Buffer {
    const placed = this.#room.subarray(0, Math.min(this.#placed, FREE_BYTES));
    return Buffer.concat([placed, refused.subarray(0, FREE_BYTES - placed.length)]);
  }

  #roomFor(size: number): number {
    const { length } = this.#room;
    return size <= length ? length : Math.min(this.#maxBytes, Math.max(size, 2 * length, SMALLEST_ROOM));
  }

  #mayTake(bytes: number): boolean {
    if (bytes <= FREE_BYTES) return true;
    this.share ??= this.#openShare();
    return this.share.grow(bytes);
  }

  #put(piece: Buffer, start: number, needed: number): void {
    if (needed > this.#room.length) {
      const larger = Buffer.alloc(needed);
      this.#room.copy(larger);
      this.#room = larger;
    }
    piece.copy(this.#room, start);
  }
}

function tooManyPieces(): DeliveryRejected {
  return new DeliveryRejected(
    'body_too_large',
    `More than ${MAX_PIECES} pieces; no sender cuts a body up so.`,
  );
}

function tooManyBodies(): DeliveryRejected {
  return new DeliveryRejected(
    'receiver_busy',
    'The bodies that are being read take all of BODY_BUDGET_BYTES, or those of this address half of it.',
  );
}

function alreadyRead(): DeliveryRejected {
  return new DeliveryRejected(
    'body_taken',
    'Something in front of the receiver has read the body, and the bytes that were signed are gone. Put the receiver ' +
      "before every body parser: app.use('/hooks', receiver.listener) above app.use(express.json()).",
  );
}

export function tooLarge(maxBytes: number): DeliveryRejected {
  return new DeliveryRejected(
    'body_too_large',
    `More than ${maxBytes} bytes, this endpoint's MAX_BODY_BYTES.`,
  );
}
