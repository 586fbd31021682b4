import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

// HTTP on bare sockets: a client would cost as much as the servers that are measured with it.

export interface WireReply {
  readonly status: number;
  /** Of its body. */
  readonly start: string;
}

/** @throws what connecting failed with */
export async function openConnection(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** The reply in these bytes, once it is there to its end. No second one is on its way. */
export function replyIn(received: Buffer): WireReply | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = received.toString('latin1', 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0;
  if (received.length < headEnd + 4 + Number(length)) return undefined;
  return {
    status: Number(head.slice(9, 12)),
    start: received.toString('latin1', headEnd + 4, headEnd + 204),
  };
}
