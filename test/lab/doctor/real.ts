import type { FaultId } from '../../../src/lab/doctor/findings.ts';
import {
  proxies,
  requireProxy,
  startProxy,
  startSample,
  type Proxy,
  type Room,
} from '../../support/proxies.ts';

/** A real proxy, set up in some way; as its sample unless `server` says otherwise. */
export interface RealWay {
  readonly way: string;
  readonly proxy: Proxy;
  readonly found: readonly FaultId[];
  readonly server?: (at: At) => string;
}

interface At {
  readonly port: number;
  readonly receiver: string;
}

const { nginx, HAProxy: haproxy, Apache: apache } = proxies;

const ofNginx =
  (inside: string, pass = '') =>
  ({ port, receiver }: At) =>
    `server { listen 127.0.0.1:${port}; ${inside} location / { proxy_pass http://${receiver}${pass}; } }`;
const ofHaproxy =
  (inside: string) =>
  ({ port, receiver }: At) => `
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend hooks
    bind 127.0.0.1:${port}
    ${inside}
    default_backend receiver
backend receiver
    server receiver ${receiver}
`;

export const realWays: readonly RealWay[] = [
  { way: 'the sample for nginx', proxy: nginx, found: [] },
  { way: 'the sample for HAProxy', proxy: haproxy, found: [] },
  // mod_proxy has no way to leave them apart; no sender has two of one name.
  { way: 'the sample for Apache', proxy: apache, found: ['header-joined'] },
  { way: 'nginx as it comes', proxy: nginx, found: ['query-limit'], server: ofNginx('') },
  {
    way: 'nginx with a slash behind proxy_pass',
    proxy: nginx,
    found: ['slashes-tidied'],
    server: ofNginx('large_client_header_buffers 4 33k;', '/'),
  },
  {
    way: 'nginx with room for small bodies',
    proxy: nginx,
    found: ['body-limit'],
    server: ofNginx('large_client_header_buffers 4 33k; client_max_body_size 200k;'),
  },
  {
    way: 'nginx that keeps signatures to itself',
    proxy: nginx,
    found: ['header-dropped'],
    server: ofNginx('large_client_header_buffers 4 33k; proxy_set_header X-Signature "";'),
  },
  { way: 'HAProxy as it comes', proxy: haproxy, found: ['query-limit'], server: ofHaproxy('') },
  {
    way: 'HAProxy that redirects to https',
    proxy: haproxy,
    found: ['redirected'],
    server: ofHaproxy('http-request redirect scheme https'),
  },
  {
    way: 'Apache as it comes',
    proxy: apache,
    found: ['query-limit', 'slashes-tidied', 'header-joined'],
    server: ({ receiver }) => `ProxyPass / http://${receiver}/`,
  },
];

/** Says loudly what is not tested. */
export function canStart({ way, proxy }: RealWay): boolean {
  return requireProxy(`the doctor before ${way}`, proxy);
}

/** Starts it before a receiver, until the test is over. Resolves with its address. */
export async function startReal({ proxy, server }: RealWay, room: Room): Promise<URL> {
  const { receiver } = room;
  const { port } =
    server === undefined
      ? await startSample(proxy, room)
      : await startProxy(proxy, (_folder, port) => server({ port, receiver }));
  return new URL(`${server === undefined ? 'https' : 'http'}://127.0.0.1:${port}`);
}
