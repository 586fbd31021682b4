import { pickOne } from '../../src/lab/usage.ts';
import { ContestantFailed } from './bench/load.ts';
import { inWorkplace } from './bench/workplace.ts';
import { readOptions, runCommand, wholeNumber } from '../../src/lab/command.ts';
import { liveDay, type DayOptions } from './soak/day.ts';
import { dayHead, dayLine, judgeDay } from './soak/day-text.ts';
import { findingText, isBroken, type Finding } from './soak/finding.ts';
import { liveHardTimes } from './soak/hard-times.ts';
import { engineNames } from '../../src/lab/rig/inboxes.ts';

const USAGE = `A day in minutes: a receiver of its own takes what three senders deliver, a twentieth of it twice, handles it and
forgets it again. Nothing may be lost or handled twice, and neither memory nor inbox may grow.

  npm run prove -- soak [--deliveries n] [--engine sqlite|postgres] [--per-second n]
  npm run prove -- soak --hard-times [--waiting n] [--deliveries n] [--seconds-away n]

  --deliveries n    default 1000000, for each hard time 20000
  --engine name     of ${engineNames.join(', ')}; default sqlite
  --per-second n    no faster than this, default 4000; slower where handling is slower
  --hard-times      instead: a full disk, a database that is away, nothing but duplicates, an inbox full of waiting
                    entries; what should be, and whether it was
  --waiting n       so many entries wait in the full inbox, default 1000000
  --seconds-away n  so long the database is away, default 10
  --directory path  for inbox files; default data. A PostgreSQL server is started below TMPDIR, and removed in the end

The exit code is 0 only if every promise was kept. How long something takes is a target: one that is missed is marked, and
holds on a machine that does nothing else.
`;

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: {
      deliveries: { type: 'string' },
      engine: { type: 'string', default: 'sqlite' },
      'per-second': { type: 'string', default: '4000' },
      'hard-times': { type: 'boolean', default: false },
      waiting: { type: 'string', default: '1000000' },
      'seconds-away': { type: 'string', default: '10' },
      directory: { type: 'string', default: 'data' },
    },
  });
  const usual = values['hard-times'] ? '20000' : '1000000';
  const deliveries = wholeNumber('--deliveries', values.deliveries ?? usual, { min: 100, max: 100_000_000 });
  const engine = pickOne('--engine', values.engine, engineNames);
  const perSecond = wholeNumber('--per-second', values['per-second'], { min: 1, max: 1_000_000 });
  const waiting = wholeNumber('--waiting', values.waiting, { min: 100, max: 10_000_000 });
  const secondsAway = wholeNumber('--seconds-away', values['seconds-away'], { min: 1, max: 120 });
  return reported(() =>
    inWorkplace(values.directory, (place) =>
      values['hard-times']
        ? liveHardTimes({ ...place, deliveries, waiting, secondsAway })
        : day({ ...place, engine, deliveries, perSecond }),
    ),
  );
}, USAGE);

async function reported(work: () => Promise<readonly Finding[]>): Promise<number> {
  try {
    const findings = await work();
    return findings.some(isBroken) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof ContestantFailed)) throw error;
    console.error(error.message);
    return 1;
  }
}

async function day(options: Omit<DayOptions, 'onPart'>): Promise<Finding[]> {
  console.log(dayHead);
  const lived = await liveDay({
    ...options,
    onPart: (sample) => console.log(dayLine(sample)),
  });
  const findings = judgeDay(lived);
  console.log(`\n${findings.map(findingText).join('\n')}`);
  return findings;
}
