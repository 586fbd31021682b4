import type { IncomingMessage, ServerResponse } from 'node:http';
import { DeliveryRejected } from '../errors.ts';

const EMPTY = Buffer.alloc(0);

/**
 * Reads a request's bytes as they came, and stops at the limit while reading. No content type, charset or encoding is
 * looked at to decide what the bytes mean: those headers are not signed.
 * @throws DeliveryRejected `body_encoded`, `body_too_large`, `body_taken`, `request_malformed`
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): Promise<Buffer> {
  if (request.headers['content-encoding'] !== undefined) {
    throw new DeliveryRejected(
      'body_encoded',
      'A Content-Encoding; this sender signs and sends plain bytes.',
    );
  }
  const coding = request.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    throw new DeliveryRejected('request_malformed', 'A Transfer-Encoding other than chunked.');
  }
  const length = request.headers['content-length'];
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);
  if (length === '0' || !hasBody(request)) return EMPTY;
  if (request.readableDidRead) throw alreadyRead();
  if (expecting.delete(request)) response.writeContinue();
  return collect(request, maxBytes);
}

const expecting = new WeakSet<IncomingMessage>();

/** Marks a request whose sender waits to be told that its body is wanted; a server that is not ours tells it by itself. */
export function expectContinue(request: IncomingMessage): void {
  // HTTP/1.0 has no interim replies: its Expect is to be ignored (RFC 9110, 10.1.1).
  if (request.httpVersion !== '1.0') expecting.add(request);
}

/** Whether bytes follow the headers. */
export function hasBody(request: IncomingMessage): boolean {
  return (
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
  );
}

function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let room: Buffer = EMPTY;
    let size = 0;
    let pieces = 0;
    const onData = (piece: Buffer) => {
      const start = size;
      size += piece.length;
      pieces += 1;
      if (size > maxBytes) settle(tooLarge(maxBytes));
      else if (pieces > MAX_PIECES) settle(tooManyPieces());
      // Most bodies come in one piece, and then there is nothing to copy.
      else if (start === 0) room = piece;
      else {
        if (size > room.length) room = enlarged(room, size, maxBytes);
        piece.copy(room, start);
      }
    };
    const onEnd = () => {
      settle(undefined);
    };
    const onClose = () => {
      settle(new DeliveryRejected('request_malformed', 'The connection ended before the body did.'));
    };
    const settle = (error: DeliveryRejected | undefined) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      if (error !== undefined) reject(error);
      else resolve(room.subarray(0, size));
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose);
    // A broken request is told through 'close'; without a listener here it would end the process.
    request.on('error', () => undefined);
  });
}

/** A piece on its own takes hundreds of bytes: kept as they came, small ones are most of what they cost. */
function enlarged(room: Buffer, size: number, maxBytes: number): Buffer {
  const larger = Buffer.alloc(Math.min(maxBytes, Math.max(size, 2 * room.length, SMALLEST_ROOM)));
  room.copy(larger);
  return larger;
}

const SMALLEST_ROOM = 4_096;
/** Each piece costs time, however small; a megabyte in the smallest packets that networks have is half of this. */
const MAX_PIECES = 4_096;

function tooManyPieces(): DeliveryRejected {
  return new DeliveryRejected(
    'body_too_large',
    `More than ${MAX_PIECES} pieces; no sender cuts a body up so.`,
  );
}

function alreadyRead(): DeliveryRejected {
  return new DeliveryRejected(
    'body_taken',
    'Something in front of the receiver has read the body, and the bytes that were signed are gone. Put the receiver ' +
      "before every body parser: app.use('/hooks', receiver.listener) above app.use(express.json()).",
  );
}

function tooLarge(maxBytes: number): DeliveryRejected {
  return new DeliveryRejected(
    'body_too_large',
    `More than ${maxBytes} bytes, this endpoint's MAX_BODY_BYTES.`,
  );
}
