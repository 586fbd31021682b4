import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Delivery } from '../../src/kit/delivery.ts';
import { importSecret } from '../../src/kit/proofs/secrets.ts';
import { acme } from './acme.ts';
import { listenOn } from '../../src/lab/rig/ports.ts';

export interface SmallReceiver {
  readonly url: URL;
  /** What arrived whole, in order, refused or not. */
  readonly deliveries: readonly Delivery[];
  stop(): Promise<void>;
}

const MOST_BYTES = 65_536;

/** A correct receiver of acme's events in a few lines: what the mock is tried against. */
export async function startSmallReceiver(secret: string): Promise<SmallReceiver> {
  const secrets = [await importSecret(secret)];
  const deliveries: Delivery[] = [];
  return startReceiver(deliveries, (delivery) => {
    try {
      void acme.proof.kinds['SECRET']?.proof({}).verify(delivery, secrets);
      return 204;
    } catch {
      return 401;
    }
  });
}

/** A receiver that answers every whole delivery as told. */
export async function startReceiver(
  deliveries: Delivery[],
  answer: (delivery: Delivery) => number,
): Promise<SmallReceiver> {
  const server = createServer((request, response) => {
    readBody(request).then(
      (body) => {
        const delivery = deliveryOf(request, body);
        deliveries.push(delivery);
        response.writeHead(answer(delivery)).end();
      },
      (error: unknown) => {
        response.writeHead(error instanceof RangeError ? 413 : 400, { Connection: 'close' }).end();
      },
    );
  });
  const port = await listenOn(server);
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    deliveries,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    // Without an encoding a request yields buffers.
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MOST_BYTES) throw new RangeError('too large');
  }
  return Buffer.concat(chunks);
}

function deliveryOf({ method = '', url = '', rawHeaders }: IncomingMessage, body: Buffer): Delivery {
  const query = new URL(url, 'http://localhost').search.slice(1);
  return { method, query, headers: rawHeaders, body, receivedAt: Date.now() };
}
