import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RejectionCode } from '../errors.ts';
import { rejectionReply, type Reply } from './reply.ts';

/** Whoever resets a connection may have had every reply, and behind a request that ends its connection nothing is read. */
export const UNTOLD: readonly (string | undefined)[] = ['ECONNRESET', 'HPE_CLOSED_CONNECTION'];

export function codeOfBrokenHttp({ code }: NodeJS.ErrnoException): RejectionCode {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'body_late';
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'body_too_large';
  return 'request_malformed';
}

export function answerBrokenHttp(socket: Duplex, code: RejectionCode): void {
  const response = responseOn(socket);
  // A second reply in the middle of a first would be read as part of it.
  if (!socket.writable || response?.headersSent === true) socket.destroy();
  // What is broken came behind a whole request: that one gets its own reply, and the connection ends with it.
  else if (response?.req.complete === true) response.shouldKeepAlive = false;
  else
    socket.end(onTheWire(rejectionReply(code)), () => {
      socket.destroy();
    });
}

/** The request that has reached the route, and has not come to its end. */
export function cutShortOn(socket: Duplex): IncomingMessage | undefined {
  const request = responseOn(socket)?.req;
  return request?.complete === false ? request : undefined;
}

/** The response that a connection is busy with. Node keeps it on the socket, and has no public name for it. */
function responseOn(socket: Duplex): ServerResponse | null | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage;
}

function onTheWire({ status, headers, body }: Reply): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, 'Connection: close'];
  for (let at = 0; at + 1 < headers.length; at += 2)
    lines.push(`${headers[at] ?? ''}: ${headers[at + 1] ?? ''}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
