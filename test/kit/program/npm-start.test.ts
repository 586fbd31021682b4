import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { projectFile } from '../../../src/lab/rig/program.ts';
import { enough } from '../../support/processes.ts';

type Npm = ChildProcessByStdio<null, null, Readable>;

function npm(command: string): Npm {
  return spawn('npm', ['run', command], {
    cwd: projectFile(''),
    env: { ...enough, PATH: process.env['PATH'], ADMIN_PORT: 'off', INBOX_URL: 'memory:' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
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
