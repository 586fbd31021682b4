import { createServer, type RequestListener } from 'node:http';
import { listenOn } from '../../../src/lab/rig/ports.ts';
import { closed } from '../receiver.ts';
import { all, broken, type Villain } from '../villain.ts';

/** The right receiver, beside which this answers those who ask how it is. */
function withHealth(listener: RequestListener): Villain['start'] {
  return async (credentials) => {
    const receiver = await broken({})(credentials);
    const server = createServer({ requireHostHeader: false }, listener);
    return {
      ...receiver,
      health: new URL(`http://127.0.0.1:${await listenOn(server)}/live`),
      async stop() {
        await closed(server);
        await receiver.stop();
      },
    };
  };
}

/** What goes wrong where a load balancer asks. */
export const healthVillains: readonly Villain[] = [
  {
    name: 'tells its own name only how it is',
    sources: all,
    breaks:
      'A check of the Host, made for people with browsers, stands in front of the health check as well.',
    claimedBy: ['H4-health'],
    start: withHealth(({ headers, socket }, response) => {
      response.statusCode = headers.host === `127.0.0.1:${socket.localPort ?? 0}` ? 200 : 421;
      response.end();
    }),
  },
  {
    name: 'tells how it is by GET only',
    sources: all,
    breaks: 'Compares method and target as a whole, so that HEAD and a query are something else.',
    claimedBy: ['H4-health'],
    start: withHealth(({ method, url }, response) => {
      response.statusCode = method === 'GET' && url === '/live' ? 200 : 404;
      response.end();
    }),
  },
];
