import { once } from 'node:events';
import type { Server } from 'node:http';

/** Where a server is to listen, and which variable says so. */
export interface Place {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly variable: string;
  /** The descriptor of a socket that listens already, in its place. */
  readonly handed?: number | undefined;
}

/** Of a socket that waits for its next process: at 200 connections a second, those of 20 s. The system may allow fewer. */
const MOST_QUEUED = 4_096;

/** Somebody else listens there. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

/** Resolves when the server listens. @throws PortTaken, or what the system says */
export async function listen(server: Server, { host, port, variable, handed }: Place): Promise<void> {
  if (handed !== undefined) return listenOn(server, handed);
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    if (!isTaken(cause)) throw cause;
    throw new PortTaken(`port ${port} on ${host} is taken; set ${variable} to another one.`, { cause });
  }
}

async function listenOn(server: Server, descriptor: number): Promise<void> {
  try {
    // Node reads `backlog` among the options only beside a port.
    server.listen({ fd: descriptor }, MOST_QUEUED);
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(
      `LISTEN_FDS says that descriptor ${descriptor} is a socket that listens, but nothing can be received on it: is it ` +
        'of the kind ListenStream, with Accept=no?',
      { cause },
    );
  }
}

function isTaken(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE';
}

/** The address of a server that listens, without a slash at the end. */
export function urlOf(server: Server, scheme: 'http' | 'https'): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no TCP port.');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${scheme}://${host}:${address.port}`;
}
