import { spawn } from 'node:child_process';
import { freePort } from '../../../src/lab/rig/ports.ts';
import { Unavailable } from './unavailable.ts';

/** A Redis that writes every order to disk before it answers; ended with this process. @throws Unavailable */
export async function startRedis(
  directory: string,
): Promise<{ readonly port: string; readonly pid: number }> {
  const port = String(await freePort());
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  process.once('exit', () => server.kill('SIGKILL'));
  let said = '';
  await new Promise<void>((resolve, reject) => {
    server.on('error', () =>
      reject(new Unavailable('redis-server is not installed (on Debian: apt-get install redis-server)')),
    );
    server.on('exit', () => reject(new Unavailable(`redis-server ended:\n${said}`)));
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
      if (said.includes('eady to accept connections')) resolve();
    });
  });
  return { port, pid: server.pid ?? 0 };
}
