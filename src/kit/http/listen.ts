import { once } from 'node:events';
import type { Server } from 'node:http';

/** Where a server is to listen, and which variable says so. */
export interface Place {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly variable: string;
}

/** Somebody else listens there. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

/** Resolves when the server listens. @throws PortTaken, or what the system says */
export async function listen(server: Server, { host, port, variable }: Place): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    if (!isTaken(cause)) throw cause;
    throw new PortTaken(`port ${port} on ${host} is taken; set ${variable} to another one.`, { cause });
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
