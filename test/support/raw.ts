import { connect, type Socket } from 'node:net';

/** What came back over one connection. */
export interface RawReply {
  /** 0 when the connection ended without a reply. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** All bytes received, for replies to more than one request. */
  readonly text: string;
  /** Milliseconds to the first byte of the reply. */
  readonly firstByteMs: number;
  /** Whether the receiver closed the connection. */
  readonly closed: boolean;
}

export interface RawOptions {
  /** Sent one after another with a pause between, for what arrives slowly. */
  readonly pauseMs?: number;
  /** Returns when the receiver has closed or, if it keeps the connection open, after this much silence. */
  readonly silenceMs?: number;
  /** Ends our side after sending. */
  readonly halfClose?: boolean;
}

/** Sends exactly these bytes to a receiver over a socket of its own, and reads what comes until it is silent. */
export async function exchange(
  url: string,
  bytes: string | Buffer | readonly (string | Buffer)[],
  { pauseMs = 0, silenceMs = 400, halfClose = false }: RawOptions = {},
): Promise<RawReply> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setNoDelay(true);
  const received: Buffer[] = [];
  const started = performance.now();
  let firstByteMs = 0;
  socket.on('data', (chunk: Buffer) => {
    if (received.length === 0) firstByteMs = performance.now() - started;
    received.push(chunk);
  });
  // A reset is one of the ways in which a receiver may close.
  socket.on('error', () => undefined);
  const ended = endOf(socket, silenceMs);
  for (const part of parts(bytes)) {
    if (socket.destroyed) break;
    socket.write(part);
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  if (halfClose) socket.end();
  const closed = await ended;
  socket.destroy();
  return { ...parseReply(Buffer.concat(received).toString('latin1')), firstByteMs, closed };
}

/** A POST of these bytes with these headers, as text to send. */
export function post(
  path: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  const lines = Object.entries({
    Host: 'localhost',
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
  });
  const head = [`POST ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), '', ''].join(
    '\r\n',
  );
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]);
}

function parts(bytes: string | Buffer | readonly (string | Buffer)[]): readonly (string | Buffer)[] {
  return typeof bytes === 'string' || Buffer.isBuffer(bytes) ? [bytes] : bytes;
}

/** Resolves true when the other side closes, false after this much silence since its last byte. */
function endOf(socket: Socket, silenceMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = false;
    let timer: NodeJS.Timeout | undefined;
    const listen = () => {
      clearTimeout(timer);
      // Before the first byte there is nothing to be silent after; a receiver that hangs ends in the test's time-out.
      if (heard) timer = setTimeout(() => resolve(false), silenceMs);
    };
    socket.on('data', () => {
      heard = true;
      listen();
    });
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function parseReply(text: string): Pick<RawReply, 'status' | 'headers' | 'body' | 'text'> {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers: Object.fromEntries(headers),
    body: rest.join('\r\n\r\n'),
    text,
  };
}
