import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../../kit/errors.ts';
import { UsageError } from '../../usage.ts';
import {
  ApiRefusal,
  replyJson,
  type Platform,
  type PlatformReply,
  type PlatformRequest,
} from './platform.ts';

/** What goes wrong with one call on purpose. */
export interface Disturbance {
  readonly delayMs?: number;
  /** Instead of the platform's own reply: nothing has happened there. */
  readonly reply?: PlatformReply;
  /** Hangs up after this many bytes of the reply's body; what was asked for has happened. */
  readonly cutAfterBytes?: number;
}

/** Chaos' way in: asked once for every call. */
export type Disturb = (platform: string, request: PlatformRequest) => Disturbance | undefined;

export interface ServeOptions {
  readonly disturb?: Disturb | undefined;
  readonly maxBodyBytes?: number;
}

const MOST_BODY_BYTES = 64 * 1024 * 1024;

/** Serves one platform at `/`: as the listener of a server of its own, or mounted below its name. */
export function listenerOf(platform: Platform, options: ServeOptions = {}): RequestListener {
  return (incoming, outgoing) => {
    // Whatever fails outside the platform's own work is a broken connection: there is nobody to tell.
    answer(platform, incoming, outgoing, options).catch(() => outgoing.destroy());
  };
}

async function answer(
  platform: Platform,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { disturb, maxBodyBytes = MOST_BODY_BYTES }: ServeOptions,
): Promise<void> {
  let cutAfterBytes: number | undefined;
  const reply = await orRefusal(async () => {
    const request = await readRequest(incoming, maxBodyBytes);
    const disturbance = disturb?.(platform.name, request) ?? {};
    ({ cutAfterBytes } = disturbance);
    if (disturbance.delayMs !== undefined) await pause(disturbance.delayMs);
    return disturbance.reply ?? platform.handle(request);
  });
  write(outgoing, reply, cutAfterBytes);
}

async function orRefusal(work: () => Promise<PlatformReply>): Promise<PlatformReply> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiRefusal)
      return replyJson(error.status, { message: error.message }, error.headers);
    if (error instanceof UsageError) return replyJson(400, { message: error.message });
    return replyJson(500, { message: messageOf(error) });
  }
}

async function readRequest(incoming: IncomingMessage, maxBodyBytes: number): Promise<PlatformRequest> {
  const { method = '', url = '/', headers } = incoming;
  const [path = '', ...query] = url.split('?');
  return {
    method,
    path: segmentsOf(path),
    query: new URLSearchParams(query.join('?')),
    headers,
    body: await readBody(incoming, maxBodyBytes),
  };
}

function segmentsOf(path: string): string[] {
  try {
    return path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    throw new ApiRefusal(400, 'The address is not percent-encoded UTF-8.');
  }
}

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    // Without an encoding a request yields buffers.
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) {
      throw new ApiRefusal(413, `A body may have ${maxBytes} bytes.`, { Connection: 'close' });
    }
  }
  return Buffer.concat(chunks);
}

function write(outgoing: ServerResponse, reply: PlatformReply, cutAfterBytes: number | undefined): void {
  const { status, headers, body } = reply;
  const length = status === 204 ? {} : { 'Content-Length': String(body.length) };
  outgoing.writeHead(status, { ...headers, ...length });
  if (cutAfterBytes === undefined) {
    outgoing.end(body);
    return;
  }
  outgoing.flushHeaders();
  outgoing.write(body.subarray(0, cutAfterBytes), () => outgoing.destroy());
}
