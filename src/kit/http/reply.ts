import { hash } from 'node:crypto';
import { IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';
import { z } from 'zod';
import { rejections, type RejectionCode } from '../errors.ts';
import { tryJson } from '../reading/json.ts';
import type { ReplyContent } from '../source.ts';

/** A whole reply, built before it is needed and written with one call. */
export interface Reply {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** As text: Node writes it together with the headers, where bytes would take a second write. */
  readonly body: string;
  /** Of a page. */
  readonly scripts?: readonly string[];
}

const contentTypes = {
  json: ['Content-Type', 'application/json; charset=utf-8'],
  html: ['Content-Type', 'text/html; charset=utf-8'],
  none: [],
} as const satisfies Record<ReplyContent['type'], readonly string[]>;

// Replies carry personal data at times, and nothing that a browser should run, frame or keep.
const dataHeaders = captureHelmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
});
const pageHeaders = headersOfPage([]);

/**
 * A page that HotDocs Advance opens in a window of its own and that talks back to its opener: the default
 * Cross-Origin-Opener-Policy would cut that line. A script runs only if its very text was meant to: one that was smuggled
 * into the page has another hash.
 */
function headersOfPage(scripts: readonly string[]): readonly string[] {
  const hashes = scripts.map((script) => `'sha256-${hash('sha256', script, 'base64')}'`);
  return captureHelmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'unsafe-inline'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        ...(hashes.length > 0 && { scriptSrc: hashes }),
      },
    },
    crossOriginOpenerPolicy: false,
  });
}

/** Builds a reply with helmet's headers around it. `extra` are names and values in turn. */
export function buildReply(
  { status, type, body, scripts = [] }: ReplyContent,
  extra: readonly string[] = [],
): Reply {
  const pages = scripts.length === 0 ? pageHeaders : headersOfPage(scripts);
  return {
    status,
    headers: [
      ...(type === 'html' ? pages : dataHeaders),
      'Cache-Control',
      'no-store',
      ...contentTypes[type],
      'Content-Length',
      String(Buffer.byteLength(body)),
      ...extra,
    ],
    body,
    ...(type === 'html' && { scripts }),
  };
}

/** What is kept of a reply, so that a duplicate can get the same. */
export function keptOf({ body, scripts }: Reply): Buffer {
  return Buffer.from(scripts === undefined ? body : JSON.stringify({ body, scripts }));
}

const keptPage = z.object({ body: z.string(), scripts: z.array(z.string()) });

/** The reply of which this was kept; in all else it is like `content`. */
export function replyOfKept(kept: Buffer, content: ReplyContent): Reply {
  const body = kept.toString();
  const page = content.type === 'html' ? keptPage.safeParse(tryJson(body)).data : undefined;
  return buildReply({ ...content, body, ...page });
}

/** The constant reply to a refused delivery. */
export function rejectionReply(code: RejectionCode, extra: readonly string[] = []): Reply {
  return errorReply(rejections[code][0], extra);
}

/** The constant reply with an error status: the same bytes whatever the cause behind it. */
export function errorReply(status: ErrorStatus, extra: readonly string[] = []): Reply {
  const body = JSON.stringify({ error: STATUS_CODES[status] });
  return buildReply({ status, type: 'json', body }, [...(demandedHeaders[status] ?? []), ...extra]);
}

type ErrorStatus = (typeof rejections)[RejectionCode][0];

const demandedHeaders: Readonly<Partial<Record<ErrorStatus, readonly string[]>>> = {
  401: ['WWW-Authenticate', 'Signature'],
  429: ['Retry-After', '60'],
  503: ['Retry-After', '10'],
};

/** The same reply to one delivery, with our own name for that. */
export function named(reply: Reply, request: string): Reply {
  return { ...reply, headers: [...reply.headers, 'X-Request-Id', request] };
}

/** Writes a reply at once. */
export function sendReply(response: ServerResponse, reply: Reply): void {
  // Node's typings know only mutable arrays; writeHead reads it and leaves it alone.
  response.writeHead(reply.status, reply.headers as string[]);
  response.end(reply.body);
}

const LINGER_MS = 1000;

/**
 * Answers a request whose body has not been read to its end, and closes the connection. The reply is out at once; what
 * the sender is still sending is thrown away for a moment, because closing on unread bytes resets the connection and may
 * cost the sender the reply.
 */
export function sendAndClose(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, [...reply.headers, 'Connection', 'close']);
  if (request.complete) {
    response.end(reply.body);
    return;
  }
  response.write(reply.body);
  const finish = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.once('end', finish).once('close', finish).resume();
}

/** The headers helmet sets, taken down once: setting them one by one costs a third of the throughput. */
function captureHelmet(options: Parameters<typeof helmet>[0]): string[] {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  helmet(options)(request, response, () => undefined);
  return Object.entries(response.getHeaders()).flatMap(([name, value]) => [name, String(value)]);
}
