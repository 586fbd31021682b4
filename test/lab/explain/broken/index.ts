import { bodyMistakes } from './bodies.ts';
import { endpointMistakes } from './endpoints.ts';
import { build, lanes, type Broken, type Lane, type Mistake } from './plan.ts';
import { secretMistakes } from './secrets.ts';
import { settingMistakes } from './settings.ts';
import { signatureMistakes } from './signatures.ts';
import { timeMistakes } from './times.ts';
import { tokenMistakes } from './tokens.ts';

export const mistakes: readonly Mistake[] = [
  ...secretMistakes,
  ...bodyMistakes,
  ...signatureMistakes,
  ...tokenMistakes,
  ...timeMistakes,
  ...endpointMistakes,
  ...settingMistakes,
];

/** One delivery, broken in exactly one way. */
export interface Case {
  readonly id: string;
  readonly way: string;
  readonly lane: Lane;
  readonly source: string;
  readonly mistake: Mistake;
  build(): Broken;
}

export const cases: readonly Case[] = mistakes.flatMap((mistake) =>
  lanesOf(mistake).map((lane) => ({
    id: mistake.id,
    way: mistake.way,
    lane,
    source: lanes[lane].source.name,
    mistake,
    build: () => build(lane, [mistake]),
  })),
);

export function lanesOf({ on }: Mistake): Lane[] {
  return (Object.keys(lanes) as Lane[]).filter((lane) => on.includes(lane));
}
