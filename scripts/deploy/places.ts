import { UsageError } from '../../src/lab/usage.ts';
import type { Needs } from './needs.ts';

/** What a template is filled in with. */
export interface Filling {
  /** What stands for each line that is there for one of several; see `fillIn`. */
  readonly each: Readonly<Record<string, readonly string[]>>;
  /** Texts that stand for others, wherever they are. */
  readonly words: Readonly<Record<string, string>>;
}

/** A file to write, by its name in the folder, and the one below `templates` that it comes from. */
type Files = Readonly<Record<string, string>>;

/** A place where an app can run. */
export interface Place {
  readonly files: Files;
  /** The proxies that can stand in front of it there, the usual one first. */
  readonly proxies: readonly ProxyName[];
  /** Where the proxy finds receivers. */
  readonly receivers: readonly string[];
  /** Secrets that are always needed there. */
  readonly secrets: readonly string[];
  /** What is left to do. */
  next(folder: string, host: string): readonly string[];
}

/** What a proxy's sample is called, and how it differs in an image: nobody reads files of a log there, and receivers are two. */
interface Proxy {
  readonly file: string;
  readonly inImage?: Readonly<Record<string, string>>;
}

const proxies = {
  nginx: {
    file: 'nginx.conf',
    inImage: {
      'caddy:2': 'nginx:1',
      './Caddyfile:/etc/caddy/Caddyfile': './nginx.conf:/etc/nginx/conf.d/default.conf',
      '/var/log/nginx/receiver.log': '/dev/stdout',
      '/var/log/nginx/receiver-error.log': '/dev/stderr',
    },
  },
  haproxy: {
    file: 'haproxy.cfg',
    inImage: {
      'caddy:2': 'haproxy:3.2',
      './Caddyfile:/etc/caddy/Caddyfile': './haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg',
      '/dev/log local0': 'stdout format raw local0',
    },
  },
  caddy: {
    file: 'Caddyfile',
    inImage: { 'file /var/log/caddy/receiver.log': 'stdout', '# health_': 'health_' },
  },
  apache: { file: 'apache.conf' },
} as const satisfies Readonly<Record<string, Proxy>>;

export type ProxyName = keyof typeof proxies;
export const proxyNames = Object.keys(proxies) as readonly ProxyName[]; // the names of an object that is written here

const IMAGE = 'docker build --tag advance-receiver --file templates/deploy/docker/Dockerfile .';

export const places: Readonly<Record<string, Place>> = {
  docker: {
    files: {
      Dockerfile: 'deploy/docker/Dockerfile',
      'Dockerfile.dockerignore': 'deploy/docker/Dockerfile.dockerignore',
      'conform.Dockerfile': 'deploy/docker/conform.Dockerfile',
      'conform.Dockerfile.dockerignore': 'deploy/docker/conform.Dockerfile.dockerignore',
      'receiver.env': 'deploy/receiver.env',
    },
    proxies: [],
    receivers: [],
    secrets: [],
    next: (folder) => [
      `docker build --tag advance-receiver --file ${folder}/Dockerfile .`,
      secretsIn(folder),
      `To prove it, or any receiver: npm run conform -- --bundle && docker build --tag conform --file ${folder}/conform.Dockerfile .`,
    ],
  },
  compose: {
    files: {
      'compose.yaml': 'deploy/compose/compose.yaml',
      'receiver.env': 'deploy/receiver.env',
      'prometheus.yml': 'deploy/compose/prometheus.yml',
      'alerts.yml': 'deploy/prometheus/alerts.yml',
      'dashboard.json': 'deploy/prometheus/dashboard.json',
      'grafana-source.yml': 'deploy/compose/grafana-source.yml',
      'grafana-boards.yml': 'deploy/compose/grafana-boards.yml',
    },
    proxies: ['caddy', 'nginx', 'haproxy'],
    receivers: ['172.31.250.11', '172.31.250.12'],
    secrets: ['INBOX_URL'],
    next: (folder, host) => [
      IMAGE,
      secretsIn(folder),
      `${folder}/tls/receiver.pem and receiver.pem.key: the certificate of ${host}, and its key.`,
      `docker compose --project-directory ${folder} up --detach`,
    ],
  },
  kubernetes: {
    files: Object.fromEntries([
      ...['kustomization', 'namespace', 'receiver', 'worker', 'network', 'ingress'].map((name) => [
        `${name}.yaml`,
        `deploy/kubernetes/${name}.yaml`,
      ]),
      ['receiver.env', 'deploy/receiver.env'],
    ]) as Files,
    proxies: [],
    receivers: [],
    secrets: ['INBOX_URL'],
    next: (folder) => [
      `${IMAGE} Then push it, and name it under images in ${folder}/kustomization.yaml.`,
      secretsIn(folder),
      `Put the namespaces of your ingress controller and of Prometheus into ${folder}/network.yaml.`,
      `kubectl apply --kustomize ${folder}`,
    ],
  },
  systemd: {
    files: {
      'receiver.socket': 'deploy/systemd/receiver.socket',
      'receiver.service': 'deploy/systemd/receiver.service',
      'receiver-worker.service': 'deploy/systemd/receiver-worker.service',
      'receiver.env': 'deploy/receiver.env',
    },
    proxies: ['nginx', 'haproxy', 'apache', 'caddy'],
    receivers: ['127.0.0.1'],
    secrets: [],
    next: (folder) => [
      'This project to /opt/receiver, npm ci --omit=dev there; useradd --system receiver.',
      `${folder}/receiver.env to /etc/receiver, a file for each secret to /etc/receiver/secrets: npm run keys -- new <endpoint>.`,
      `${folder}/*.socket and *.service to /etc/systemd/system; systemctl enable --now receiver.socket receiver.service`,
    ],
  },
};

function secretsIn(folder: string): string {
  return `A file for each secret into ${folder}/secrets, for user 1500: npm run keys -- new <endpoint> --folder ${folder}/secrets`;
}

/** What is passed on unopened, to a receiver that speaks TLS itself. */
const UNOPENED: Proxy = { ...proxies.haproxy, file: 'haproxy-tls.cfg' };

/** The files of a place with this proxy before it, and what goes into them. @throws UsageError where they do not fit */
export function planFor(
  place: Place,
  needs: Needs,
  { host, proxy }: { readonly host: string; readonly proxy: ProxyName | undefined },
): { readonly files: Files; readonly filling: Filling } {
  const speaksTls = needs.certified.length > 0;
  if (speaksTls && proxy !== undefined && proxy !== 'haproxy')
    throw new UsageError(
      `${needs.certified.join(', ')} demands a client certificate, so TLS must reach the receiver: --proxy haproxy does that here.`,
    );
  const { file, inImage = {} }: Proxy = speaksTls ? UNOPENED : proxies[proxy ?? 'apache'];
  const each = {
    product: needs.products,
    secret: [
      ...new Set([
        ...place.secrets,
        ...needs.secrets.filter((name) => speaksTls || !name.startsWith(OF_TLS)),
      ]),
    ],
    receiver: place.receivers,
  };
  const words = {
    'hooks.example.org': host,
    ...('compose.yaml' in place.files && inImage),
    ...(speaksTls && { 'TRUST_PROXY_HOPS=1': 'TRUST_PROXY_HOPS=0', './haproxy.cfg': './haproxy-tls.cfg' }),
  };
  const files = proxy === undefined ? place.files : { ...place.files, [file]: `proxies/${file}` };
  return { files, filling: { each, words } };
}

/** Behind a proxy that opens TLS the receiver speaks none. */
const OF_TLS = 'TLS_';
