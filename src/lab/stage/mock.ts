import { randomInt } from 'node:crypto';
import type { Server } from 'node:http';
import { urlOf } from '../../kit/http/listen.ts';
import type { Configurable } from '../../kit/program/config.ts';
import type { Environment } from '../../kit/program/reader.ts';
import type { Chaos } from '../mock/chaos.ts';
import type { Disturb } from '../mock/platforms/serve.ts';
import { createRandom } from '../mock/random.ts';
import { createSender, type Fired, type Sender } from '../mock/sender.ts';
import { createMockApp } from '../mock/server.ts';
import { listenOn } from '../rig/ports.ts';
import { credentialsFrom } from './credentials.ts';
import { apiEnvironment, createProducts, noting, type Products, type ProductsOptions } from './products.ts';

/** The senders of an app, and the products with their APIs, all of them set up for one receiver. */
export interface Mock {
  /** Where it is served. */
  readonly origin: string;
  readonly receiver: URL;
  readonly senders: readonly Sender[];
  readonly products: Products;
  /** What the products have sent, in that order. */
  readonly fired: readonly Fired[];
  close(): void;
}

export interface MockOptions extends Pick<
  ProductsOptions,
  'app' | 'env' | 'receiver' | 'seed' | 'state' | 'phenixidConfig'
> {
  readonly chaos?: Chaos | undefined;
  /** Asked before chaos is. */
  readonly disturb?: Disturb | undefined;
}

/** Serves the mock on a server that listens already. */
export function openMock(server: Server, { chaos, disturb, ...options }: MockOptions): Mock {
  const { app, env, receiver } = options;
  const origin = urlOf(server, 'http');
  const fired: Fired[] = [];
  const products = createProducts({
    ...options,
    origin,
    fireBy: (source, fire) => noting(fired, chaos?.spoil(source.name, fire) ?? fire),
  });
  const senders = sendersTo(app, receiver, env);
  server.on(
    'request',
    createMockApp(senders, [products.hotdocs, products.phenixid, products.risr], {
      disturb: (platform, request) => disturb?.(platform, request) ?? chaos?.disturb(platform, request),
      variables: apiEnvironment(origin),
    }),
  );
  return {
    origin,
    receiver,
    senders,
    products,
    fired,
    close() {
      for (const sender of senders) sender.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

function sendersTo(app: Configurable, url: URL, env: Environment): Sender[] {
  const credentialsOf = credentialsFrom(env, app);
  const random = createRandom(randomInt(2 ** 32));
  return app.sources.map((source) =>
    createSender({ source, url, random, credentialFor: credentialsOf(source) }),
  );
}

/** Listens on this port, or on a free one where somebody else does. */
export async function listenOnFree(server: Server, preferred: number): Promise<number> {
  try {
    return await listenOn(server, preferred);
  } catch (error) {
    if (!isTaken(error)) throw error;
    return listenOn(server);
  }
}

/** Somebody else listens on that port. */
export function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
