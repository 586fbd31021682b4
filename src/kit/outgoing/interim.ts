import type { Socket } from 'node:net';

const LONGEST_HEAD = 16 * 1024;

/**
 * Keeps `100 Continue` from undici, which ends the connection on one that it has not asked for. Servers send it all the
 * same, it says nothing, and it may come more than once (RFC 9110, 15.2.1). Other interim replies undici skips itself.
 */
export function withoutContinue(socket: Socket): Socket {
  const [read, write] = [socket.read.bind(socket), socket.write.bind(socket)];
  let isReplyNext = false;
  let held: Buffer = Buffer.alloc(0);

  socket.write = ((...written: Parameters<typeof write>) => {
    // undici writes the head of a request as text, and bodies, which are buffers here, behind it.
    if (typeof written[0] === 'string') isReplyNext = true;
    return write(...written);
  }) as typeof write;

  socket.read = (size?: number) => {
    for (;;) {
      const chunk = read(size) as Buffer | null; // without an encoding a socket yields buffers
      if (chunk === null || !isReplyNext) return chunk;
      held = afterContinue(Buffer.concat([held, chunk]));
      if (mayBecomeContinue(held)) continue;
      const reply = held;
      [isReplyNext, held] = [false, Buffer.alloc(0)];
      return reply;
    }
  };
  return socket;
}

const BEGINNINGS = ['HTTP/1.1 100', 'HTTP/1.0 100'];

/** What is behind the interim replies that are whole. */
function afterContinue(bytes: Buffer): Buffer {
  let rest = bytes;
  for (let end = endOf(rest); end !== -1; end = endOf(rest)) rest = rest.subarray(end);
  return rest;
}

function endOf(bytes: Buffer): number {
  if (!BEGINNINGS.includes(bytes.toString('latin1', 0, 12))) return -1;
  const end = /\r?\n\r?\n/.exec(bytes.toString('latin1', 0, LONGEST_HEAD));
  return end === null ? -1 : end.index + end[0].length;
}

function mayBecomeContinue(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 12);
  return bytes.length < LONGEST_HEAD && BEGINNINGS.some((beginning) => beginning.startsWith(start));
}
