import type { Socket } from 'node:net';

const LONGEST_HEAD = 16 * 1024;

/**
 * Keeps interim replies from undici, which ends the connection on a `100 Continue` that it has not asked for. Servers send
 * it all the same, and more than once; it says nothing (RFC 9110, 15.2).
 */
export function withoutInterim(socket: Socket): Socket {
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
      held = behindInterim(Buffer.concat([held, chunk]));
      if (mayBecomeInterim(held)) continue;
      const reply = held;
      [isReplyNext, held] = [false, Buffer.alloc(0)];
      return reply;
    }
  };
  return socket;
}

/** 101 changes the protocol: the last of HTTP. */
const BEGINNING = /^HTTP\/1\.[01] 1(?!01)\d\d/;
const EXAMPLE = 'HTTP/1.1 100';
const WHOLE = /HTTP\/1\.[01] 1(?!01)\d\d[^]*?\r?\n\r?\n/gy;

/** What is behind the interim replies that are whole. */
function behindInterim(bytes: Buffer): Buffer {
  const whole = bytes.toString('latin1').match(WHOLE) ?? [];
  return bytes.subarray(whole.join('').length);
}

/** Whether it may be one, once there is more of it. */
function mayBecomeInterim(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, EXAMPLE.length);
  return bytes.length < LONGEST_HEAD && BEGINNING.test(start + EXAMPLE.slice(start.length));
}
