import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../../kit/errors.ts';
import type { Effect, Finding, Scenario, Step, World } from './scenario.ts';

export interface PlayOptions {
  /** How long an effect may take to show. */
  readonly patienceMs?: number;
  /**
   * All that anybody waits for between two steps, apart from replies that people have to wait for; the effects are looked
   * at in the end only.
   */
  readonly breath?: () => Promise<void>;
  /** Resolves when what has been done is over, as far as that can be told. */
  readonly settle?: () => Promise<void>;
}

/** The outcome of one scenario: every effect as it was in the end, or the first that did not come. */
export interface Played {
  readonly scenario: string;
  readonly observed: readonly Observed[];
}

export type Observed = Finding & Pick<Effect, 'where' | 'what'>;

const PATIENCE_MS = 10_000;

export async function play(scenario: Scenario, world: World, options: PlayOptions = {}): Promise<Played> {
  const { patienceMs = PATIENCE_MS, breath, settle = atOnce } = options;
  const steps = scenario.begin(world);
  const failed = breath ? await actInHaste(steps, breath) : await actInTurn(steps, patienceMs, settle);
  if (failed.length > 0) return { scenario: scenario.name, observed: failed };
  await settle();
  const effects = steps.flatMap((step) => step.effects);
  return { scenario: scenario.name, observed: await lookUntilFound(effects, patienceMs) };
}

/** What is missing and where, in words; nothing if all is as it should be. */
export function missingIn({ scenario, observed }: Played): string[] {
  return observed.flatMap((one) =>
    'missing' in one ? [`${scenario}: at the ${one.where}, ${one.what} – NOT so: ${one.missing}`] : [],
  );
}

function atOnce(): Promise<void> {
  return Promise.resolve();
}

async function actInTurn(
  steps: readonly Step[],
  patienceMs: number,
  settle: () => Promise<void>,
): Promise<Observed[]> {
  for (const step of steps) {
    const failure = await failureOf(step, step.act());
    if (failure !== undefined) return [failure];
    await settle();
    const observed = await lookUntilFound(step.effects, patienceMs);
    if (observed.some(isMissing)) return observed;
  }
  return [];
}

async function actInHaste(steps: readonly Step[], breath: () => Promise<void>): Promise<Observed[]> {
  const acts: Promise<Observed | undefined>[] = [];
  for (const step of steps) {
    const act = failureOf(step, step.act());
    acts.push(act);
    if (step.waits === true) await act;
    await breath();
  }
  return (await Promise.all(acts)).filter((failure) => failure !== undefined);
}

async function failureOf({ does }: Step, act: Promise<unknown>): Promise<Observed | undefined> {
  try {
    await act;
    return undefined;
  } catch (error) {
    return { where: 'platform', what: `somebody ${does}`, missing: messageOf(error) };
  }
}

const LOOK_AGAIN_MS = 10;

async function lookUntilFound(effects: readonly Effect[], patienceMs: number): Promise<Observed[]> {
  const begun = performance.now();
  for (;;) {
    const observed = effects.map(({ where, what, look }) => ({ where, what, ...look() }));
    if (!observed.some(isMissing) || performance.now() - begun > patienceMs) return observed;
    await pause(LOOK_AGAIN_MS);
  }
}

function isMissing(observed: Observed): boolean {
  return 'missing' in observed;
}
