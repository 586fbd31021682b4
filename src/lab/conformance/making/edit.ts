import type { EndpointUnderTest } from '../rule.ts';
import type { Header, WireRequest } from '../wire.ts';

/** Whether a usual delivery has a body at all: what travels in the query or in a header has none. */
export function hasBody({ source, type, switches, credential }: EndpointUnderTest): boolean {
  const { verb = 'usual', carrier = 'usual', tokenBody = 'usual' } = switches;
  const method = verb === 'usual' ? source.methods(type)[0] : verb;
  const place = credential.kind === 'TOKEN' ? tokenBody : carrier;
  return method !== 'GET' && place !== 'query' && place !== 'header';
}

/** The request with further headers behind its own. */
export function withHeaders<Request extends WireRequest>(
  request: Request,
  ...headers: readonly Header[]
): Request {
  return { ...request, headers: [...request.headers, ...headers] };
}

/** The request without a header; `name` in any letter case. */
function withoutHeader<Request extends WireRequest>(request: Request, name: string): Request {
  const isOther = ([own]: Header) => own.toLowerCase() !== name.toLowerCase();
  return { ...request, headers: request.headers.filter(isOther) };
}

/** The request with these values of a header in place of its own ones. */
export function withHeader<Request extends WireRequest>(
  request: Request,
  name: string,
  ...values: readonly string[]
): Request {
  return withHeaders(withoutHeader(request, name), ...values.map((value): Header => [name, value]));
}

export function withBody<Request extends WireRequest>(request: Request, body: Buffer | string): Request {
  return { ...request, body: Buffer.from(body) };
}

/** The request under another path, its query left as it is. */
export function withPath<Request extends WireRequest>(request: Request, path: string): Request {
  const query = request.target.indexOf('?');
  return { ...request, target: query < 0 ? path : path + request.target.slice(query) };
}

/** The request with further parameters behind its own. */
export function withQuery<Request extends WireRequest>(request: Request, query: string): Request {
  return { ...request, target: `${request.target}${request.target.includes('?') ? '&' : '?'}${query}` };
}

/** A request to the same path with this body, and nothing in it that proves it. */
export function unproven(
  { method, target }: WireRequest,
  body: Buffer | string,
  ...headers: readonly Header[]
): WireRequest {
  return { method, target: target.split('?')[0] ?? target, headers, body: Buffer.from(body) };
}

/** The bytes with the first `what` in them replaced. */
export function replaced(bytes: Buffer, what: string, by: string | Buffer): Buffer {
  const at = bytes.indexOf(what);
  if (at < 0) return bytes;
  return Buffer.concat([
    bytes.subarray(0, at),
    Buffer.from(by),
    bytes.subarray(at + Buffer.byteLength(what)),
  ]);
}

/** The media type of a request without parameters. */
export function mediaTypeOf({ headers }: WireRequest): string {
  const [, type = ''] = headers.find(([name]) => name.toLowerCase() === 'content-type') ?? [];
  return type.split(';')[0]?.trim() ?? '';
}
