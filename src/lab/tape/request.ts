import { isUtf8 } from 'node:buffer';
import type { Taped } from '../../kit/tape/tape.ts';
import type { WireRequest } from '../conformance/wire.ts';
import { pairsOf } from '../../kit/tape/raw.ts';

/** Of the connection, not of the request (RFC 9110, 7.6.1): whoever sends it again has a connection of his own. */
const OF_THE_CONNECTION =
  /^(host|connection|keep-alive|proxy-connection|proxy-authorization|te|trailer|transfer-encoding|upgrade|expect)$/i;

/** A taped delivery as it can be sent again: headers as they came, without what belongs to its connection. */
export function requestOf({ method, target, headers, body }: Taped): WireRequest {
  return {
    method,
    target,
    headers: pairsOf({ headers }).filter(([name]) => !OF_THE_CONNECTION.test(name)),
    body,
  };
}

/** A request that can be written in: its body as a text that gives the same bytes again. */
export interface TextRequest extends Omit<WireRequest, 'body'> {
  readonly body: string;
  readonly encoding: 'utf8' | 'latin1';
}

export function inText(request: WireRequest): TextRequest {
  const encoding = isUtf8(request.body) ? 'utf8' : 'latin1';
  return { ...request, body: request.body.toString(encoding), encoding };
}

/** Its length is left for whoever sends it to say: it may be another one now. */
export function inBytes({ method, target, headers, body, encoding }: TextRequest): WireRequest {
  return {
    method,
    target,
    headers: headers.filter(([name]) => !/^content-length$/i.test(name)),
    body: Buffer.from(body, encoding),
  };
}

/** Changes target, values of headers, and body. */
export function everywhere(request: TextRequest, change: (text: string) => string): TextRequest {
  return {
    ...request,
    target: change(request.target),
    headers: request.headers.map(([name, value]) => [name, change(value)] as const),
    body: change(request.body),
  };
}
