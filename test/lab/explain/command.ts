import { readOptions, runCommand, wholeNumber } from '../../../src/lab/command.ts';
import { cases } from './broken/index.ts';
import { nameOf, pairsBy, tryPair } from './pairs.ts';
import { explained, flawIn } from './run.ts';
import { forgery, randomBody } from './strangers.ts';

const USAGE = `Breaks deliveries on purpose, and shows whether npm run explain finds out how.

  npm run prove -- explain                      every mistake, 1,000 pairs, 1,000 forgeries, 1,000 random bodies
  npm run prove -- explain --pairs 5000         so many with two mistakes at once
  npm run prove -- explain --strangers 100      so many forgeries and random bodies
  npm run prove -- explain --seed 7             others of them

Ends with 0 if each mistake is found, nine of ten pairs within 10 s each, and nothing is said to make a forgery verify.`;

const MS = 10_000;

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: {
      pairs: { type: 'string', default: '1000' },
      strangers: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
    },
  });
  const most = { min: 0, max: 100_000 };
  const seed = wholeNumber('--seed', values.seed, { min: 1, max: 1_000_000 });
  const strangers = wholeNumber('--strangers', values.strangers, most);
  const isRight = [
    await tryMistakes(),
    await tryPairs(wholeNumber('--pairs', values.pairs, most), seed),
    await tryStrangers('forgeries', forgery, strangers, seed),
    await tryStrangers('random bodies', randomBody, strangers, seed),
  ];
  return isRight.every(Boolean) ? 0 : 1;
}, USAGE);

async function tryMistakes(): Promise<boolean> {
  let wrong = 0;
  for (const each of cases) {
    const { id, way, lane, mistake } = each;
    const flaw = flawIn(await explained(each.build(), MS), mistake);
    if (flaw === undefined) continue;
    wrong += 1;
    console.log(`  ${id}, ${way}, ${lane}: ${flaw}`);
  }
  console.log(
    `${cases.length} deliveries broken in one way: ${cases.length - wrong} explained by it and nothing else.`,
  );
  return wrong === 0;
}

async function tryPairs(count: number, seed: number): Promise<boolean> {
  const times: number[] = [];
  let found = 0;
  for (const pair of pairsBy(seed).take(count)) {
    const { isExplained, says, ms } = await tryPair(pair, MS);
    times.push(ms);
    if (isExplained) found += 1;
    else console.log(`  ${nameOf(pair)}: ${says}`);
  }
  const [median = 0, slowest = 0] = [0.5, 1].map((share) => quantile(times, share));
  const share = times.length === 0 ? 1 : found / times.length;
  console.log(
    `${times.length} broken in two ways: ${found} explained by both (${(share * 100).toFixed(1)} %), ` +
      `half of them within ${median} ms, all within ${slowest} ms.`,
  );
  return share >= 0.9;
}

function quantile(times: readonly number[], share: number): number | undefined {
  return times.toSorted((one, other) => one - other)[Math.ceil(share * times.length) - 1];
}

async function tryStrangers(
  what: string,
  make: (seed: number) => ReturnType<typeof randomBody> | ReturnType<typeof forgery>,
  count: number,
  seed: number,
): Promise<boolean> {
  let wrong = 0;
  for (let at = 0; at < count; at += 1) {
    const { verdict, fits } = await explained(await make(seed * 100_000 + at), MS);
    if (verdict === 'none') continue;
    wrong += 1;
    console.log(`  ${what}, ${at}: ${fits.map(({ ids }) => ids.join(' + ')).join('; ') || verdict}`);
  }
  console.log(`${count} ${what}: ${wrong} explained.`);
  return wrong === 0;
}
