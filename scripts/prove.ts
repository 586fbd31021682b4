import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { printable } from '../src/lab/printable.ts';
import { pick, UsageError } from '../src/lab/usage.ts';

const USAGE = `The kit's own proofs; what is yours is tested by npm run test:app. Each takes --help.

  npm run prove -- bench         how fast it accepts and handles, against others
  npm run prove -- crash         kills it at every moment, and counts what is lost or done twice
  npm run prove -- soak          a day of deliveries in minutes; a full disk, a database that is away
  npm run prove -- restarts      sends evenly while it is started again and again: nothing may be refused or lost
  npm run prove -- chaos         plays all scenarios on bad days
  npm run prove -- fuzz          throws bytes at it that no sender would send
  npm run prove -- kill-matrix   receivers broken on purpose: each must be found out by the conformance suite
  npm run prove -- explain       deliveries broken on purpose: npm run explain must find out how
  npm run prove -- own-app       all of npm run check with another app in src/app
  npm run prove -- screenshots   pictures of the console, and of it for the documents
  npm run prove -- vendor-check  sends to the vendor's own example of a receiver (Python)
`;

const proofs = {
  bench: () => import('./prove/bench.ts'),
  crash: () => import('./prove/crash.ts'),
  soak: () => import('./prove/soak.ts'),
  fuzz: () => import('./prove/fuzz.ts'),
  restarts: () => import('./prove/restarts.ts'),
  chaos: () => import('./prove/chaos.ts'),
  'kill-matrix': () => runInTests('villains'),
  explain: () => runInTests('lab/explain'),
  'own-app': () => runInTests('own-app'),
  screenshots: () => import('./prove/screenshots.ts'),
  'vendor-check': () => import('./prove/vendor-check.ts'),
};

/** The proof reads the command line itself, without its own name. */
const [name] = process.argv.splice(2, 1);
if (name === '--help') console.log(USAGE);
else await load(name);

async function load(name: string | undefined): Promise<void> {
  try {
    if (name === undefined) throw new UsageError(USAGE);
    await pick('proof', name, Object.entries(proofs))();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(printable(error.message));
    process.exitCode = 2;
  }
}

/** What it works with is in the tests, of which no script imports anything. */
async function runInTests(folder: string): Promise<void> {
  const file = fileURLToPath(new URL(`../test/${folder}/command.ts`, import.meta.url));
  const proof = spawn(process.execPath, [file, ...process.argv.slice(2)], { stdio: 'inherit' });
  const [code] = (await once(proof, 'close')) as [number | null]; // as Node documents the event
  process.exitCode = code ?? 1;
}
