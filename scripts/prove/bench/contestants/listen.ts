import { createServer, type RequestListener, type Server } from 'node:http';

/** Serves, until nobody is left to measure it, on a free port and says where in the words of the kit, so that all contestants are started alike. */
export function listen(listener: RequestListener): void {
  serve(createServer(listener));
}

/** The same with a server that is there already. */
export function serve(server: Server): void {
  process.on('disconnect', () => process.exit());
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    process.stderr.write(`Listening on http://127.0.0.1:${port ?? ''}\n`);
  });
}

/** A secret from the environment. */
export function secretIn(variable: string): string {
  const secret = process.env[variable];
  if (!secret) throw new Error(`${variable} is not set; contestants are started by scripts/prove/bench.ts.`);
  return secret;
}
