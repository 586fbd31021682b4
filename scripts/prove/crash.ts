import { pickSome, UsageError } from '../../src/lab/usage.ts';
import { readOptions, runCommand, wholeNumber } from '../../src/lab/command.ts';
import { startEngine } from './crash/engine.ts';
import { countSyncs, hasStrace } from './crash/fsync.ts';
import { playMachines } from './crash/machines.ts';
import { playCrash, type Crash } from './crash/play.ts';
import { engineNames, type EngineName } from '../../src/lab/rig/inboxes.ts';
import { isPoint, pointsOf, type PointName } from './crash/points.ts';
import { brokenText, crashTable, machinesText, pointList } from './crash/table.ts';

const USAGE = `Kills the receiver with SIGKILL at chosen points while it receives and handles, starts it again, and compares: what
was answered 2xx is stored, what is stored is handled and has its effect once, in order, and nothing forged is stored.

  npm run prove -- crash [--engine sqlite,postgres] [--seeds n] [--seed n] [--point name]
  npm run prove -- crash --machines [--deliveries n] [--kills n] [--seed n]
  npm run prove -- crash --fsync

  --engine a,b   of ${engineNames.join(', ')} (default: both)
  --seeds n      so many runs of each point, each with the next seed (default 10)
  --seed n       the first seed (default 1), or with no --seeds the only one; the same seed sends the same and dies
                 when it passes the point for the same time
  --point name   only this one of
${pointList()
  .split('\n')
  .map((line) => `               ${line}`)
  .join('\n')}
  --machines     instead: two receivers and two workers on one PostgreSQL; one of each is killed again and again, and
                 the sender goes to the other receiver
  --deliveries n so many for them (default 20000)
  --kills n      so often one of each (default 4)
  --fsync        instead: counts with strace how often the SQLite inbox was brought to disk before each reply

A row adds up its runs. "gone": somebody waited for an answer while the receiver died, and nobody waits any more; such
an entry is recorded as a dead letter, which is no broken promise. "most runs": how often a handler ran for one event.
"effects" may be a few less than "handled": what a sender without ids repeats within a millisecond is one to a handler.
`;

// Whatever ends this process ends what it has started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: {
      engine: { type: 'string', default: engineNames.join() },
      seeds: { type: 'string' },
      seed: { type: 'string' },
      point: { type: 'string' },
      machines: { type: 'boolean', default: false },
      deliveries: { type: 'string', default: '20000' },
      kills: { type: 'string', default: '4' },
      fsync: { type: 'boolean', default: false },
    },
  });
  const first = wholeNumber('--seed', values.seed ?? '1', { min: 0, max: 2 ** 31 });
  if (values.fsync) return reportSyncs(first);
  if (values.machines) {
    const deliveries = wholeNumber('--deliveries', values.deliveries, { min: 10, max: 1_000_000 });
    return reportMachines(deliveries, wholeNumber('--kills', values.kills, { min: 1, max: 100 }), first);
  }
  const usual = values.seed === undefined ? '10' : '1';
  const seeds = wholeNumber('--seeds', values.seeds ?? usual, { min: 1, max: 100_000 });
  const engines = pickSome('--engine', values.engine, engineNames);
  const point = values.point === undefined ? undefined : pointNamed(values.point);
  const crashes: Crash[] = [];
  for (const engine of engines) crashes.push(...(await playAll(engine, point, { first, seeds })));
  return report(crashes);
}, USAGE);

async function playAll(
  name: EngineName,
  only: PointName | undefined,
  { first, seeds }: { readonly first: number; readonly seeds: number },
): Promise<Crash[]> {
  const chosen = pointsOf(name).filter((point) => only === undefined || point === only);
  if (chosen.length === 0) return [];
  const engine = await startEngine(name);
  const crashes: Crash[] = [];
  try {
    for (const point of chosen) {
      process.stderr.write(`${name}, ${point} …\n`);
      for (let seed = first; seed < first + seeds; seed++) {
        const crash = await playCrash({ engine, points: [point], seed });
        if (crash.problems.length > 0) process.stderr.write(`${brokenText(crash)}\n`);
        crashes.push(crash);
      }
    }
  } finally {
    await engine.close();
  }
  return crashes;
}

function report(crashes: readonly Crash[]): number {
  if (crashes.length === 0) throw new UsageError('--point: none of these engines has that point.');
  const broken = crashes.filter(({ problems }) => problems.length > 0);
  console.log(crashTable(crashes));
  console.log(
    broken.length === 0
      ? `\n${crashes.length} runs, every promise kept.`
      : `\n${broken.length} of ${crashes.length} runs are BROKEN:\n${broken.map(brokenText).join('\n')}`,
  );
  return broken.length === 0 ? 0 : 1;
}

async function reportMachines(deliveries: number, kills: number, seed: number): Promise<number> {
  const engine = await startEngine('postgres');
  try {
    process.stderr.write('what a dead worker held is given back after a minute …\n');
    const machines = await playMachines({ engine, deliveries, kills, seed, leases: 'wait' });
    console.log(machinesText(machines));
    return machines.problems.length === 0 ? 0 : 1;
  } finally {
    await engine.close();
  }
}

async function reportSyncs(seed: number): Promise<number> {
  if (!hasStrace()) {
    console.error('--fsync needs strace, and the right to trace a process; neither is given here.');
    return 1;
  }
  const { replies, fewest, most } = await countSyncs(seed);
  console.log(`${replies} replies, each after ${fewest} to ${most} syncs of the inbox file.`);
  if (fewest >= 1) return 0;
  console.log('BROKEN: a reply left before its delivery was on disk.');
  return 1;
}

function pointNamed(text: string): PointName {
  if (isPoint(text)) return text;
  throw new UsageError(`--point: expected one of\n${pointList()}`);
}
