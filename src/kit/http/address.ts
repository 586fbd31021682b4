import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** The address that a request counts for. */
export type AddressOf = (request: IncomingMessage) => string;

/**
 * What the last but `hops` proxy has appended to X-Forwarded-For, if it is an address, else the other end of the connection:
 * any other text would be a name that its sender is free to change with each request.
 */
export function createAddressOf(hops: number): AddressOf {
  return ({ headers, socket }) => {
    const list = headers['x-forwarded-for'];
    const forwarded = hops === 0 || list === undefined ? undefined : String(list).split(',').slice(-hops)[0];
    return addressIn(forwarded ?? '') ?? socket.remoteAddress ?? 'gone';
  };
}

/** With a port behind it at most, as Azure's gateways write it. A zone can be any text, so there is none. */
function addressIn(entry: string): string | undefined {
  const text = entry.trim();
  const [, inBrackets, beforePort] = /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::\d{1,5})?$/i.exec(text) ?? [];
  const address = inBrackets ?? beforePort ?? text;
  return isIP(address) !== 0 && !address.includes('%') ? address : undefined;
}
