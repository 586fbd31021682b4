import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../src/lab/rig/ports.ts';
import { projectFile } from '../../src/lab/rig/program.ts';
import { later, newFolder } from './fixtures.ts';
import { until } from './until.ts';

/** A real proxy. */
export interface Proxy {
  readonly program: string;
  /** Of templates/proxies. */
  readonly sample: string;
  /** Where the sample writes its logs; in place of it, the folder. */
  readonly logs: string;
  /** What its settings need around them to run alone, in a folder of its own. */
  around(settings: string, folder: string): string;
  arguments(file: string): readonly string[];
}

const isRoot = process.getuid?.() === 0;
const modules = '/usr/lib/apache2/modules';
const apacheModules =
  'mpm_event authz_core alias ssl proxy proxy_http slotmem_shm proxy_balancer lbmethod_byrequests'.split(' ');

export const proxies = {
  nginx: {
    program: 'nginx',
    sample: 'nginx.conf',
    logs: '/var/log/nginx/',
    around: (settings, folder) => `
      daemon off; ${isRoot ? 'user root;' : ''} pid ${folder}/pid; error_log ${folder}/main.log;
      events {}
      http {
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
        ${settings}
      }`,
    arguments: (file) => ['-c', file, '-e', 'stderr'],
  },
  HAProxy: {
    program: 'haproxy',
    sample: 'haproxy.cfg',
    logs: '/dev/log local0',
    around: (settings) => settings,
    arguments: (file) => ['-db', '-f', file],
  },
  Apache: {
    program: 'apache2',
    sample: 'apache.conf',
    logs: '/var/log/apache2/',
    around: (settings, folder) => `
      ServerRoot ${folder}
      ServerName localhost
      PidFile ${folder}/pid
      DefaultRuntimeDir ${folder}
      ErrorLog ${folder}/main.log
      ${apacheModules.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
      Listen 127.0.0.1:PORT
      ${settings}`,
    arguments: (file) => ['-f', file, '-D', 'FOREGROUND'],
  },
  Caddy: {
    program: 'caddy',
    sample: 'Caddyfile',
    logs: '/var/log/caddy/',
    around: (settings) =>
      settings
        .replace('{\n', '{\nadmin off\n')
        .replace('hooks.example.org', 'https://127.0.0.1:PORT')
        .replace('lb_try_duration 5s', 'lb_try_duration 1s'),
    arguments: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
  },
} as const satisfies Readonly<Record<string, Proxy>>;

/** Whether it is installed; says loudly what is not tested if it is not. */
export function requireProxy(tested: string, { program }: Proxy): boolean {
  const runs = spawnSync(program, ['-v']).error === undefined;
  if (!runs) process.stderr.write(`NOT TESTED: ${tested}; ${program} is not installed here.\n`);
  return runs;
}

/** What a proxy is started with. */
export interface Room {
  /** Host and port of the receiver. */
  readonly receiver: string;
  /** Where it is asked how it is. */
  readonly adminPort: string;
  /** For senders. */
  readonly certificate: { readonly cert: string | Buffer; readonly key: string | Buffer };
}

/** Everything that the proxy has written, to its output or to files. */
export interface StartedProxy {
  readonly port: number;
  written(): string;
}

/** Its sample, fitted to this machine. */
export function startSample(proxy: Proxy, { receiver, adminPort, certificate }: Room): Promise<StartedProxy> {
  const sample = readFileSync(projectFile(`templates/proxies/${proxy.sample}`), 'utf8');
  return startProxy(proxy, (folder, port) => {
    const pem = join(folder, 'receiver.pem');
    writeFileSync(pem, certificate.cert);
    writeFileSync(`${pem}.key`, certificate.key);
    return sample
      .replaceAll(proxy.logs, proxy.program === 'haproxy' ? 'stdout format raw local0' : `${folder}/`)
      .replace('listen 443', `listen 127.0.0.1:${port}`)
      .replace('bind :443', `bind 127.0.0.1:${port}`)
      .replace('*:443', `127.0.0.1:${port}`)
      .replaceAll('/etc/receiver/tls/receiver.pem', pem)
      .replaceAll('127.0.0.1:3000', receiver)
      .replace(/(?<=port )3001\b/, adminPort);
  });
}

/** Starts it until the test is over, with the settings that are made for its folder and port. */
export async function startProxy(
  proxy: Proxy,
  settingsFor: (folder: string, port: number) => string,
): Promise<StartedProxy> {
  const folder = newFolder();
  const port = await freePort();
  const file = join(folder, 'proxy.conf');
  writeFileSync(
    file,
    `${proxy.around(settingsFor(folder, port), folder).replaceAll('PORT', String(port))}\n`,
  );
  const child = spawn(proxy.program, proxy.arguments(file), {
    // nginx takes a variable of its own name for sockets that it inherits; Caddy writes into its home.
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => (output += more));
  const ended = once(child, 'exit');
  later(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await until(`${proxy.program} listens`, () => {
    if (child.exitCode !== null) throw new Error(`${proxy.program} has ended: ${output}`);
    return answers(port);
  });
  return {
    port,
    written: () =>
      readdirSync(folder)
        .filter((entry) => entry.endsWith('.log'))
        .reduce((all, entry) => all + readFileSync(join(folder, entry), 'utf8'), output),
  };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const connected = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return connected;
}
