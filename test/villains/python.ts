import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Effects } from '../../src/lab/conformance/stage.ts';
import type { Credentials } from './parts.ts';
import type { Running } from './receiver.ts';

/** Whether this machine has the Python that the receiver needs, 3.9; says loudly what is not tested if it has not. */
export function requirePython(what: string): boolean {
  const runs = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0;
  if (!runs) process.stderr.write(`NOT TESTED: ${what}; there is no python3 of 3.9 or later here.\n`);
  return runs;
}

/** Starts `receiver.py` as a process of its own. */
export async function startPython(credentials: Credentials): Promise<Running> {
  const child = spawn('python3', [join(import.meta.dirname, 'receiver.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(Object.fromEntries(credentials)));
  const [, port = '', probe = ''] = (await firstLine(child.stdout)).split(' ');
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    effects: async () => {
      const reply = await fetch(`http://127.0.0.1:${probe}/effects`);
      return (await reply.json()) as Effects; // as receiver.py writes it
    },
    async stop() {
      child.kill();
      await once(child, 'close');
    },
  };
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes('\n')) return text.split('\n')[0] ?? '';
  }
  throw new Error('receiver.py ended before it listened.');
}
