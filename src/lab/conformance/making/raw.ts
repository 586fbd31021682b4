import type { Stage } from '../stage.ts';
import { bytesOf, type WireRequest } from '../wire.ts';

export const RFC_9112 = 'https://www.rfc-editor.org/rfc/rfc9112#section-';

/** What mends most of what is wrong with framing. */
export const STRICT_PARSER =
  'Use a strict HTTP parser, in the receiver and in every proxy before it, and close the connection after an error.';

/** A genuine request in the pieces that framing rules put together in other ways. */
export interface Pieces {
  /** Request line, Host and the sender's own headers; nothing on the length of the body. */
  readonly head: readonly string[];
  readonly body: Buffer;
  /** Another genuine request, whole: hidden behind the first, it must never be found. */
  readonly hidden: Buffer;
}

export async function piecesOf(stage: Stage): Promise<Pieces> {
  const { url } = stage.endpoint;
  const genuine = await stage.genuine();
  return {
    head: headOf(genuine, url),
    body: genuine.body,
    hidden: bytesOf(await stage.genuine(), url),
  };
}

function headOf({ method, target, headers }: WireRequest, { host }: URL): string[] {
  const own = headers.map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...own];
}

/** A request of these lines, each ended as HTTP wants it, and what comes behind them. */
export function raw(lines: readonly string[], ...behind: readonly (Buffer | string)[]): Buffer {
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return Buffer.concat([head, ...behind.map((bytes) => asBytes(bytes))]);
}

/** The body in chunks of this size, without the last one, which is empty. */
export function chunked(body: Buffer, size = Math.max(body.length, 1), extension = ''): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.subarray(at, at + size);
    chunks.push(asBytes(`${chunk.length.toString(16)}${extension}\r\n`), chunk, asBytes('\r\n'));
  }
  return Buffer.concat(chunks);
}

export const LAST_CHUNK = '0\r\n\r\n';

function asBytes(bytes: Buffer | string): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
}
