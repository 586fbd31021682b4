import { stagedExample } from '../../src/example/staged.ts';
import { readOptions, runCommand, wholeNumber } from '../../src/lab/command.ts';
import { dayText, playSeed } from '../../src/lab/stage/play-seed.ts';

const USAGE = `Plays all scenarios on bad days: events come late, out of order, twice or broken off, and APIs are slow, refuse,
fail and hang up. Each day must end as a calm one does: nothing lost, nothing twice.

  npm run prove -- chaos [--seed n] [--days n]

  --seed n  the first day's seed (default 1); the same seed does the same again
  --days n  so many days, each with the next seed (default 1)
`;

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: {
      seed: { type: 'string', default: '1' },
      days: { type: 'string', default: '1' },
    },
  });
  const first = wholeNumber('--seed', values.seed, { min: 0, max: 2 ** 31 });
  const days = wholeNumber('--days', values.days, { min: 1, max: 100_000 });
  let failed = 0;
  for (let seed = first; seed < first + days; seed++) {
    const day = await playSeed(stagedExample, seed);
    if (day.missing.length > 0) failed++;
    console.log(dayText(day));
  }
  console.log(
    failed === 0
      ? `\n${days} of ${days} days as they should be.`
      : `\n${failed} of ${days} days are NOT as they should be.`,
  );
  return failed === 0 ? 0 : 1;
}, USAGE);
