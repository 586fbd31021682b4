import { createServer, type Server } from 'node:http';

/** Starts a receiver that says 200 to everything that is whole; `take` is given each body, as latin1. */
export function startFlawed(take: (body: string) => unknown): Server {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      take(body);
      response.end();
    });
  });
  return server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    process.stderr.write(`Listening on http://127.0.0.1:${port}\n`);
  });
}
