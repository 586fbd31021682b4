import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/lab/rig/ports.ts';
import { createRandom } from '../../src/lab/mock/random.ts';
import { createSender, type Sender } from '../../src/lab/mock/sender.ts';
import type { Switches } from '../../src/kit/source.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { runCommand } from '../../src/lab/command.ts';
import { credentialsFrom } from '../../src/lab/stage/credentials.ts';

const USAGE = `Sends every event of risr/advance, in every spelling that the mock knows, to a receiver that shares no code with
this kit: Python with aiohttp and python-jose, as in the vendor's documentation. It must verify each of them, and refuse
one that is signed with another secret.

  npm run prove -- vendor-check                 what must be accepted is
  npm run prove -- vendor-check --conform    the conformance suite names the weaknesses of that receiver

Needs Python with both libraries; on Debian: apt-get install python3-aiohttp python3-jose
Exit code: 0 all as it should be, 1 not so, 2 the libraries are not there; with --conform that of npm run conform.
`;

await runCommand(async (args) => {
  if (args.includes('--help')) return say(USAGE, 0);
  const python = pythonWithLibraries();
  if (python === undefined) return say(`No Python here has aiohttp and python-jose.\n\n${USAGE}`, 2);
  const secrets = Object.fromEntries(
    Object.keys(risr.events).map((topic) => [
      `RISR_${topic.toUpperCase()}_SECRET`,
      `wh_${topic.padEnd(40, '-')}`,
    ]),
  );
  const port = await freePort();
  const receiver = spawn(
    python,
    [fileURLToPath(new URL('../../test/witnesses/vendor/risr_receiver.py', import.meta.url)), `${port}`],
    {
      env: { ...process.env, ...secrets },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    await once(createInterface(receiver.stdout), 'line');
    const url = new URL(`http://127.0.0.1:${port}`);
    if (args.includes('--conform')) return await conform(url, secrets);
    const credentialFor = credentialsFrom(secrets, { sources: [risr] })(risr);
    return await sendAll(createSender({ source: risr, url, credentialFor, random: createRandom(1) }));
  } finally {
    receiver.kill();
  }
});

async function conform({ href }: URL, secrets: Readonly<Record<string, string>>): Promise<number> {
  const script = fileURLToPath(new URL('../conform.ts', import.meta.url));
  const suite = spawn(process.execPath, [script, '--url', href, '--source', 'risr'], {
    env: { ...process.env, ...secrets },
    stdio: 'inherit',
  });
  const [code] = (await once(suite, 'close')) as [number | null]; // as Node's documentation has it
  return code ?? 1;
}

async function sendAll(sender: Sender): Promise<number> {
  let wrong = 0;
  for (const type of Object.keys(risr.events)) {
    for (const switches of spellings()) {
      const { verdict } = await sender.fire(type, { switches });
      wrong += report(type, JSON.stringify(switches), verdict);
    }
    const { verdict } = await sender.fire(type, { fault: 'wrong-secret' });
    wrong += report(type, 'signed with another secret', verdict);
  }
  sender.close();
  console.log(wrong === 0 ? '\nAll as it should be.' : `\n${wrong} not as they should be.`);
  return wrong === 0 ? 0 : 1;
}

/** The usual request, and every choice of every switch that changes it, one at a time. */
function spellings(): Switches[] {
  // RI-17: python-jose refuses a line end behind the token; our receiver forgives it.
  const choices = Object.entries(risr.switches)
    .filter(([name]) => name !== 'newline')
    .flatMap(([name, { values = [] }]) => values.slice(1).map((value) => ({ [name]: value })));
  return [{}, ...choices];
}

function report(type: string, what: string, { ok, says }: { ok: boolean; says: string }): number {
  console.log(`${ok ? '✓' : '✗'} ${type.padEnd(22)} ${what.padEnd(36)} ${says}`);
  return ok ? 0 : 1;
}

function pythonWithLibraries(): string | undefined {
  return ['python3', '/usr/bin/python3'].find((python) => {
    try {
      execFileSync(python, ['-c', 'import aiohttp, jose'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

function say(text: string, code: number): number {
  console.log(text);
  return code;
}
