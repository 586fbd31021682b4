import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { startOtherSide } from '../outgoing/other-side.ts';

/** A request as it reached an API. */
export interface Seen {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface ApiSide {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly seen: readonly Seen[];
  /** `PUT /path?query` of each request so far. */
  readonly calls: () => string[];
  readonly stop: () => Promise<void>;
}

/** An API on a free port that answers as the test says; nothing to answer cuts the connection. */
export async function startApi(
  answer: (seen: Seen) => Answer | undefined | Promise<Answer | undefined>,
): Promise<ApiSide> {
  const seen: Seen[] = [];
  const side = await startOtherSide((request, response) => {
    void (async () => {
      const { method = '', url: target = '', headers } = request;
      const arrived = { method, target, headers, body: await text(request) };
      seen.push(arrived);
      const reply = await answer(arrived);
      if (reply === undefined) request.socket.destroy();
      else response.writeHead(reply.status ?? 200, reply.headers).end(reply.body);
    })();
  });
  return {
    origin: side.origin,
    seen,
    calls: () => seen.map(({ method, target }) => `${method} ${target}`),
    stop: side.stop,
  };
}

/** JSON as an API answers it. */
export function json(value: unknown, status = 200): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}

/** Time that moves only when somebody waits, and chance that is none. */
export function manualTime() {
  let clock = 0;
  const waits: number[] = [];
  return {
    waits,
    move: (ms: number) => {
      clock += ms;
    },
    now: () => clock,
    random: () => 0.5,
    sleep: async (ms: number, signal: AbortSignal | undefined) => {
      signal?.throwIfAborted();
      waits.push(ms);
      clock += ms;
    },
  };
}
