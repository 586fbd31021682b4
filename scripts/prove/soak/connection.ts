import type { Socket } from 'node:net';
import { openConnection, replyIn } from '../bench/wire.ts';

/** A connection that is kept alive, and opened anew when it was lost. */
export interface Connection {
  /** Resolves with the status of the reply; `undefined`: there was none. */
  exchange(request: Buffer): Promise<number | undefined>;
  close(): void;
}

/** Longer than the receiver waits for its database. */
const PATIENCE_MS = 30_000;

export function createConnection(port: number): Connection {
  let socket: Socket | undefined;

  async function exchange(request: Buffer): Promise<number | undefined> {
    try {
      socket ??= await openConnection(port);
    } catch {
      return undefined;
    }
    const status = await exchangeOn(socket, request);
    if (status !== undefined && !socket.destroyed) return status;
    close();
    return status;
  }

  function close(): void {
    socket?.destroy();
    socket = undefined;
  }

  return { exchange, close };
}

function exchangeOn(socket: Socket, request: Buffer): Promise<number | undefined> {
  return new Promise((resolve) => {
    let received: Buffer | undefined;
    const end = (status: number | undefined) => {
      socket.off('data', hear).off('error', lose).off('close', lose).off('timeout', lose).setTimeout(0);
      socket.on('error', ignore);
      resolve(status);
    };
    const hear = (chunk: Buffer) => {
      received = received ? Buffer.concat([received, chunk]) : chunk;
      const reply = replyIn(received);
      if (reply) end(reply.status);
    };
    const lose = () => end(undefined);
    socket.off('error', ignore).on('data', hear).on('error', lose).on('close', lose).on('timeout', lose);
    socket.setTimeout(PATIENCE_MS);
    socket.write(request);
  });
}

/** Between two exchanges: whoever sends next notices. */
function ignore(): void {
  return undefined;
}
