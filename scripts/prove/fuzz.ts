import { randomInt } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { resolve } from 'node:path';
import { example } from '../../src/example/index.ts';
import { UsageError } from '../../src/lab/usage.ts';
import { readOptions, runCommand, wholeNumber } from '../../src/lab/command.ts';
import { inNewFolder } from '../../src/lab/rig/folder.ts';
import { projectFile, startProgram } from '../../src/lab/rig/program.ts';
import { secretsFor } from '../../src/lab/rig/secrets.ts';
import { targetsOf } from '../conform/targets.ts';
import type { Attack } from './fuzz/attack.ts';
import { play, type FuzzOptions } from './fuzz/play.ts';

const USAGE = `Throws bytes at the receiver, as a process of its own on SQLite, that no sender would send: noise, odd framing, large heads
and bodies, pipelines, mutated deliveries, in pieces, half closed or broken off. Meanwhile it must live, answer a genuine
delivery ten times a second, and give back the memory that it took.

  npm run prove -- fuzz [--minutes n] [--seed n] [--within-ms n] [--growth-mb n] [--main file]

  --minutes n    default 10, after one to warm up; fractions are allowed
  --seed n       the same attacks again; else another one each time, which is printed
  --within-ms n  a genuine delivery must be answered within this time; default 1000
  --growth-mb n  so much more memory it may hold after each minute than after the first; default 50
  --main file    another program: it reads the same secrets, and prints "Listening on http://…"

Exit code: 0 if nothing was broken. Else 1, and the seed and the last attacks are printed.
`;

const MOST_SEED = 2 ** 31 - 1;

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(randomInt(MOST_SEED)) },
      'within-ms': { type: 'string', default: '1000' },
      'growth-mb': { type: 'string', default: '50' },
      main: { type: 'string' },
    },
  });
  const ms = Number(values.minutes) * 60_000;
  if (!(ms > 0)) throw new UsageError('--minutes: expected a number above 0.');
  const rounds = Math.ceil(ms / 60_000);
  const seed = wholeNumber('--seed', values.seed, { min: 0, max: MOST_SEED });
  const withinMs = wholeNumber('--within-ms', values['within-ms'], { min: 1, max: 600_000 });
  const growthMb = wholeNumber('--growth-mb', values['growth-mb'], { min: 1, max: 1_000_000 });
  const main = values.main === undefined ? projectFile('src/example/main.ts') : resolve(values.main);
  console.log(`Seed ${seed}.`);
  const { broken, last } = await inNewFolder('fuzz', (folder) =>
    fuzz(folder, { main, seed, withinMs, growthMb, rounds, roundMs: ms / rounds }),
  );
  const fault = [`BROKEN: ${broken ?? ''}`, `Seed ${seed}. The last attacks:`, ...last.map(shown)];
  console.log(broken === undefined ? 'Nothing was broken.' : fault.join('\n'));
  return broken === undefined ? 0 : 1;
}, USAGE);

type Chosen = Omit<FuzzOptions, 'program' | 'url' | 'endpoints'> & { readonly main: string };

async function fuzz(folder: string, { main, ...options }: Chosen): ReturnType<typeof play> {
  const secrets = secretsFor(example);
  const env = { ...secrets, PORT: '0', ADMIN_PORT: 'off' };
  // Its log is written, and kept nowhere.
  const stdout = openSync(devNull, 'w');
  const program = startProgram({ main, env, folder, stdout });
  try {
    const url = new URL(await program.url());
    const none = { further: [], endpoint: [], switch: [], accepts: [], maxBody: [] };
    const { endpoints } = targetsOf({ ...none, sources: example.sources, url, env: secrets });
    return await play({ ...options, program, url, endpoints });
  } finally {
    program.kill();
    await program.ended;
    closeSync(stdout);
  }
}

function shown({ number, what, bytes }: Attack): string {
  const start = JSON.stringify(bytes.toString('latin1', 0, 300));
  return `  ${number}. ${what}; ${bytes.length} bytes: ${start}`;
}
