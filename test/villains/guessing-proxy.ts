import { connect, createServer, type Socket } from 'node:net';
import type { Villain } from './villain.ts';
import { listenOn } from '../../src/lab/rig/ports.ts';

/** Puts a proxy in front of a receiver that tidies what comes in, by guesses; one request for each connection. */
export async function behindGuess(
  start: Villain['start'],
  credentials: Parameters<Villain['start']>[0],
): ReturnType<Villain['start']> {
  const inner = await start(credentials);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(inner.url.port), inner.url.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    upstream.pipe(client);
    let head: Buffer | undefined = Buffer.alloc(0);
    client.on('data', (bytes: Buffer) => {
      if (head === undefined) {
        upstream.write(bytes);
        return;
      }
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      upstream.write(
        Buffer.concat([Buffer.from(tidied(head.toString('latin1', 0, end)), 'latin1'), head.subarray(end)]),
      );
      head = undefined;
    });
  });
  const port = await listenOn(server);
  return {
    ...inner,
    url: new URL(`http://127.0.0.1:${port}`),
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await inner.stop();
    },
  };
}

function tidied(head: string): string {
  const [line = '', ...fields] = head.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const named = fields.map((field) => field.replace(/\s*:/, ':'));
  const lengths = named.filter((field) => /^content-length:/i.test(field));
  const others = named.filter((field) => !/^(?:content-length|connection):/i.test(field));
  const chunked = others.some((field) => /^transfer-encoding:\s*chunked$/i.test(field));
  const length = chunked ? undefined : /\d+/.exec(lengths[0] ?? '')?.[0];
  const kept = others.filter((field) => chunked || !/^transfer-encoding:/i.test(field));
  const framed = length === undefined ? kept : [...kept, `Content-Length: ${Number(length)}`];
  return [line, ...framed.filter((field) => /^[\w-]+:/.test(field)), 'Connection: close'].join('\r\n');
}
