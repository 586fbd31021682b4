import { fileURLToPath } from 'node:url';
import { newFolder } from '../../src/lab/rig/folder.ts';
import { startProgram } from '../../src/lab/rig/program.ts';
import type { Villain } from './villain.ts';

/** One of `burdened` as a process of its own: what keeps it busy keeps nobody else waiting, and ends with it. */
export function apart(name: string): Villain['start'] {
  return async (credentials) => {
    const { path: folder, remove } = newFolder('villain');
    const program = startProgram({
      main: fileURLToPath(new URL('child-apart.ts', import.meta.url)),
      env: { TMPDIR: folder, VILLAIN: name, CREDENTIALS: JSON.stringify([...credentials]) },
    });
    return {
      url: new URL(await program.url()),
      async stop() {
        program.kill();
        await program.ended;
        remove();
      },
    };
  };
}
