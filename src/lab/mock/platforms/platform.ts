import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';

/** One of the products, played in memory: the API that a receiver calls back. Its state changes nowhere else. */
export interface Platform {
  /** First segment of its addresses at the mock. */
  readonly name: string;
  /** What people do in the product's own pages, each as `POST /hotdocs/admin/workitems`. */
  readonly admin: readonly string[];
  /** @throws ApiRefusal, which becomes the reply */
  handle(request: PlatformRequest): Promise<PlatformReply>;
}

export interface PlatformRequest {
  readonly method: string;
  /** The segments behind the platform's own address, percent-decoded once; empty ones are left out. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface PlatformReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

type Headers = Readonly<Record<string, string>>;

/** The API's refusal of a call. A platform whose errors look otherwise catches it and writes its own. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;
  readonly headers: Headers;

  constructor(status: number, message: string, headers: Headers = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

export function replyJson(status: number, value: unknown, headers: Headers = {}): PlatformReply {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers }, body };
}

export function replyText(status: number, text: string, type = 'text/plain; charset=utf-8'): PlatformReply {
  return replyBytes(status, Buffer.from(text), { 'Content-Type': type });
}

export function replyBytes(status: number, body: Buffer, headers: Headers): PlatformReply {
  return { status, headers, body };
}

export function replyEmpty(status: number, headers: Headers = {}): PlatformReply {
  return { status, headers, body: Buffer.alloc(0) };
}

/** @throws ApiRefusal 400 that names the members that do not fit */
export function readJsonBody<Schema extends z.ZodType>(
  { body }: Pick<PlatformRequest, 'body'>,
  schema: Schema,
): z.output<Schema> {
  const result = schema.safeParse(jsonOf(body));
  if (result.success) return result.data;
  throw new ApiRefusal(400, z.prettifyError(result.error));
}

/**
 * The same where the body may be left out: then everything is as usual.
 * @throws ApiRefusal 400
 */
export function readOr<Schema extends z.ZodType>(
  schema: Schema,
  usual: z.input<Schema>,
  request: PlatformRequest,
): z.output<Schema> {
  return request.body.length === 0 ? schema.parse(usual) : readJsonBody(request, schema);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new ApiRefusal(400, 'The body is not JSON.');
  }
}
