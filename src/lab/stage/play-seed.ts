import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { scenarios } from '../mock/scenarios/index.ts';
import { missingIn, play } from '../mock/scenarios/play.ts';
import { newFolder } from '../rig/folder.ts';
import { setUp, type Stage, type Staged } from './stage.ts';

/** What came of all scenarios on one bad day. */
export interface Day {
  readonly seed: number;
  /** Nothing, if it ended as a calm day does. */
  readonly missing: readonly string[];
  /** What went wrong on purpose. */
  readonly deeds: readonly string[];
}

/** Plays all scenarios at the same time, with everything going wrong that the seed says. */
export async function playSeed<Tools>(staged: Staged<Tools>, seed: number): Promise<Day> {
  const { path: folder, remove } = newFolder('advance-receiver-kit');
  const stage = await setUp(staged, folder, { chaosSeed: seed, fleeting: true });
  try {
    const missing = [
      ...(await playAll(stage)),
      ...(await deadLetters(stage)),
      ...leftIn(join(folder, 'archive')),
    ];
    return { seed, missing, deeds: stage.chaos?.deeds ?? [] };
  } finally {
    await stage.tearDown();
    remove();
  }
}

/** A day in words: one line, or all there is to know of one that failed. */
export function dayText({ seed, missing, deeds }: Day): string {
  if (missing.length === 0) return `seed ${seed}: ${deeds.length} things went wrong, nothing is missing`;
  const indented = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
  return [
    `seed ${seed}: NOT as on a calm day (npm run prove -- chaos --seed ${seed} does the same again)`,
    ...indented(missing),
    'What went wrong on purpose:',
    ...indented(deeds),
  ].join('\n');
}

const PATIENCE_MS = 500;

async function playAll(stage: Stage): Promise<string[]> {
  const { world, chaos } = stage;
  const settle = () => stage.settle();
  const breath = () => chaos?.breath() ?? Promise.resolve();
  const played = await Promise.all(
    scenarios.map((scenario) => play(scenario, world, { patienceMs: PATIENCE_MS, breath, settle })),
  );
  return played.flatMap(missingIn);
}

async function deadLetters({ app }: Stage): Promise<string[]> {
  const dead = await app.inbox.list({ status: 'dead', limit: 100 });
  return dead.map(({ source, type, note }) => `${source} ${type} is a dead letter: ${note ?? ''}`);
}

/** Files have names of 64 digits once they are whole. */
function leftIn(archive: string): string[] {
  const odd = readdirSync(archive).filter((name) => !/^[0-9a-f]{64}$/.test(name));
  return odd.map((name) => `${name} was left in the archive`);
}
