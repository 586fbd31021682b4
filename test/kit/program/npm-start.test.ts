import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { projectFile } from '../../../src/lab/rig/program.ts';
import { later, newFolder } from '../../support/fixtures.ts';
import { enough } from '../../support/processes.ts';

type Npm = ChildProcessByStdio<null, null, Readable>;

function npm(command: string): Npm {
  return spawn('npm', ['run', command], {
    cwd: projectFile(''),
    env: { ...enough, PATH: process.env['PATH'], ADMIN_PORT: 'off', INBOX_URL: 'memory:' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

it('leaves no receiver behind when the terminal of npm run dev is closed', async () => {
  const args = ['--watch', projectFile('src/example/main.ts')];
  const env = { ...enough, ADMIN_PORT: 'off', INBOX_URL: 'memory:', RECORDS_FILE: ':memory:' };
  const child: Npm = spawn(process.execPath, args, {
    ...{ cwd: newFolder(), env, detached: true },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  later(() => {
    // Of its group whoever is left, if anybody.
    if (isThere(child)) process.kill(-(child.pid ?? 0), 'SIGKILL');
  });
  const at = await url(child);
  child.stderr.resume();
  process.kill(-(child.pid ?? 0), 'SIGHUP'); // to all of its group, as a terminal does
  await once(child, 'close');
  await expect(fetch(at)).rejects.toThrow('fetch failed');
});

function isThere({ pid = 0 }: Npm): boolean {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}

async function url({ stderr }: Npm): Promise<string> {
  let said = '';
  for await (const text of stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += String(text);
    const [, found] = /^Listening on (\S+)$/m.exec(said) ?? [];
    if (found !== undefined) return found;
  }
  throw new Error(`It never listened: ${said}`);
}

it.each(['start', 'example'])(
  'npm run %s leaves no receiver behind when npm is told to end',
  async (name) => {
    const child = npm(name);
    const at = await url(child);
    child.kill('SIGTERM');
    // A receiver left behind would hold this pipe open.
    child.stderr.resume();
    await once(child, 'close');
    await expect(fetch(at)).rejects.toThrow('fetch failed');
  },
);
