import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { FaultId } from '../../../src/lab/doctor/findings.ts';
import { freePort } from '../../../src/lab/rig/ports.ts';
import { projectFile } from '../../../src/lab/rig/program.ts';
import { later, newFolder } from '../../support/fixtures.ts';
import { until } from '../../support/until.ts';

/** What the settings of a proxy are made of. */
interface Room {
  readonly folder: string;
  readonly port: number;
  /** Host and port of the receiver. */
  readonly receiver: string;
  /** A certificate and its key. */
  readonly pem: string;
}

interface Program {
  readonly program: string;
  arguments(file: string): readonly string[];
  /** What it needs around the settings of one server to run alone. */
  around(server: string, room: Room): string;
}

const user = process.getuid?.() === 0 ? 'user root;' : '';
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const modules = ['mpm_event', 'authz_core', 'ssl', 'proxy', 'proxy_http'];

const nginx: Program = {
  program: 'nginx',
  arguments: (file) => ['-c', file, '-e', 'stderr'],
  around: (server, { folder }) => `
    daemon off; ${user} pid ${folder}/pid; error_log ${folder}/main.log; events {}
    http { ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')} access_log off; ${server} }`,
};
const haproxy: Program = {
  program: 'haproxy',
  arguments: (file) => ['-db', '-f', file],
  around: (server) => server,
};
const apache: Program = {
  program: 'apache2',
  arguments: (file) => ['-f', file, '-D', 'FOREGROUND'],
  around: (server, { folder, port }) => `
    ServerRoot ${folder}\nServerName localhost\nPidFile ${folder}/pid\nDefaultRuntimeDir ${folder}\nErrorLog ${folder}/main.log
    ${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
    Listen 127.0.0.1:${port}\n${server}`,
};

/** A real proxy, set up in some way. */
export interface RealWay {
  readonly way: string;
  readonly program: Program;
  readonly found: readonly FaultId[];
  /** One of templates/proxies, over TLS. */
  readonly sample?: string;
  readonly server?: (room: Room) => string;
}

const ofNginx =
  (inside: string, pass = '') =>
  ({ port, receiver }: Room) =>
    `server { listen 127.0.0.1:${port}; ${inside} location / { proxy_pass http://${receiver}${pass}; } }`;
const ofHaproxy =
  (inside: string) =>
  ({ port, receiver }: Room) => `
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
  { way: 'the sample for nginx', program: nginx, sample: 'nginx.conf', found: [] },
  { way: 'the sample for HAProxy', program: haproxy, sample: 'haproxy.cfg', found: [] },
  // mod_proxy has no way to leave them apart; no sender has two of one name.
  { way: 'the sample for Apache', program: apache, sample: 'apache.conf', found: ['header-joined'] },
  { way: 'nginx as it comes', program: nginx, found: ['query-limit'], server: ofNginx('') },
  {
    way: 'nginx with a slash behind proxy_pass',
    program: nginx,
    found: ['slashes-tidied'],
    server: ofNginx('large_client_header_buffers 4 33k;', '/'),
  },
  {
    way: 'nginx with room for small bodies',
    program: nginx,
    found: ['body-limit'],
    server: ofNginx('large_client_header_buffers 4 33k; client_max_body_size 200k;'),
  },
  {
    way: 'nginx that keeps signatures to itself',
    program: nginx,
    found: ['header-dropped'],
    server: ofNginx('large_client_header_buffers 4 33k; proxy_set_header X-Signature "";'),
  },
  { way: 'HAProxy as it comes', program: haproxy, found: ['query-limit'], server: ofHaproxy('') },
  {
    way: 'HAProxy that redirects to https',
    program: haproxy,
    found: ['redirected'],
    server: ofHaproxy('http-request redirect scheme https'),
  },
  {
    way: 'Apache as it comes',
    program: apache,
    found: ['query-limit', 'slashes-tidied', 'header-joined'],
    server: ({ receiver }) => `ProxyPass / http://${receiver}/`,
  },
];

/** Whether it is installed; says loudly what is not tested if it is not. */
export function requireProxy({ way, program: { program } }: RealWay): boolean {
  const runs = spawnSync(program, ['-v']).error === undefined;
  if (!runs)
    process.stderr.write(`NOT TESTED: the doctor before ${way}; ${program} is not installed here.\n`);
  return runs;
}

/** Starts it before a receiver, until the test is over. Resolves with its address. */
export async function startReal(
  { way, program, sample, server }: RealWay,
  receiver: string,
  pem: string,
  health = '',
): Promise<URL> {
  const room = { folder: newFolder(), port: await freePort(), receiver: new URL(receiver).host, pem };
  const inside = sample === undefined ? (server?.(room) ?? '') : fitted(sample, room, health);
  const file = join(room.folder, 'proxy.conf');
  writeFileSync(file, `${program.around(inside, room)}\n`);
  // nginx takes a variable of its own name for sockets that it inherits.
  const child = spawn(program.program, program.arguments(file), {
    env: { PATH: process.env['PATH'] },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  later(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await until(`${way} listens`, () => answers(room.port));
  return new URL(`${sample === undefined ? 'http' : 'https'}://127.0.0.1:${room.port}`);
}

/** A sample as it is, but for addresses and files. */
function fitted(sample: string, { folder, port, receiver, pem }: Room, health: string): string {
  return readFileSync(projectFile(`templates/proxies/${sample}`), 'utf8')
    .replaceAll(/\/var\/log\/(?:nginx|apache2)\//g, `${folder}/`)
    .replace('/dev/log local0', 'stdout format raw local0')
    .replace('listen 443', `listen 127.0.0.1:${port}`)
    .replace('bind :443', `bind 127.0.0.1:${port}`)
    .replace('*:443', `127.0.0.1:${port}`)
    .replaceAll(/\/etc\/ssl\/receiver(?:-key)?\.pem/g, pem)
    .replaceAll('127.0.0.1:3000', receiver)
    .replaceAll('port 3001', `port ${health}`);
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const connected = once(socket, 'connect').then(
    () => true,
    () => false,
  );
  const isThere = await connected;
  socket.destroy();
  return isThere;
}
