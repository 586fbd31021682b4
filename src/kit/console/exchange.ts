import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Nothing that a sender wrote is ever a script, a style or an address to fetch, should it ever get where it could be one; and
 * no other page can show this one inside it.
 */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'";

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  // Its own pages are told; of forms the Origin would be missing without.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

const HTML_TYPE = 'text/html; charset=utf-8';

export function send(
  response: ServerResponse,
  { status, body, type = HTML_TYPE, headers = {} }: Answer,
): void {
  response.writeHead(status, {
    ...HEADERS,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

/** What follows is streamed. */
export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
}

export function goTo(address: string, headers: Answer['headers'] = {}): Answer {
  return { status: 303, body: '', headers: { ...headers, Location: address } };
}

/** More fields take a time that grows with the square of their number. */
const MOST_FIELDS = 1_000;

/** What a form posts; `undefined`: it is none, larger than this, or broken off. */
export async function readForm(
  request: IncomingMessage,
  maxBytes: number,
): Promise<URLSearchParams | undefined> {
  if (!/^application\/x-www-form-urlencoded(;|$)/i.test(request.headers['content-type'] ?? ''))
    return undefined;
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    // Whoever sends more is still to be told.
    for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > maxBytes) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  const text = Buffer.concat(parts).toString();
  return text.split('&', MOST_FIELDS + 1).length > MOST_FIELDS ? undefined : new URLSearchParams(text);
}
