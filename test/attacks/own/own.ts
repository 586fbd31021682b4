import type { EndpointUnderTest, Group, Rule, Trial } from '../../../src/lab/conformance/rule.ts';
import type { Genuine, Stage } from '../../../src/lab/conformance/stage.ts';
import { answered, refused, type RefusalOptions } from '../../../src/lab/conformance/trials.ts';
import type { WireRequest } from '../../../src/lab/conformance/wire.ts';
import type { Outcome, Outcomes } from '../outcomes.ts';

/** Trials that others may rightly answer otherwise: only our own receiver is judged by them. */
export interface Own {
  readonly rule: Rule;
  readonly outcomes: Outcomes;
}

/** `row` is that of the catalogue of attacks: `A4`. */
export function own(
  row: string,
  title: string,
  outcomes: Outcome | Outcomes,
  trials: Rule['trials'],
  once: Pick<Rule, 'oncePerSource'> = {},
): Own {
  return {
    rule: {
      id: `${row}-own`,
      group: row.charAt(0) as Group, // a row begins with its group
      title,
      severity: 'low',
      grade: 'hardened',
      level: 1,
      why: '',
      fix: '',
      trials,
      ...once,
    },
    outcomes: typeof outcomes === 'string' ? { '*': outcomes } : outcomes,
  };
}

/** Whatever the status: the table says which code it is, and with it which status. */
export const ANY: RefusalOptions = { also: [400, 404, 405, 413, 415, 417, 431, 0] };

export type Edit = (request: Genuine, stage: Stage) => WireRequest | Promise<WireRequest>;

export function refuses(name: string, edit: Edit, options: RefusalOptions = {}): Trial {
  return refused(name, edit, { ...ANY, ...options });
}

/** Is taken for what it is, and for nothing worse. */
export function accepts(name: string, edit: Edit, options: RefusalOptions = {}): Trial {
  return answered(name, edit, [200], options);
}

/** These trials at the doors whose names begin so. */
export function at(
  names: string,
  trials: readonly Trial[] | ((here: EndpointUnderTest) => readonly Trial[]),
) {
  return (here: EndpointUnderTest): readonly Trial[] => {
    if (!names.split(' ').some((name) => here.name.startsWith(name))) return [];
    return typeof trials === 'function' ? trials(here) : trials;
  };
}

/** One after the other. */
export function together(...trials: readonly Rule['trials'][]): Rule['trials'] {
  return (here, others) => trials.flatMap((one) => one(here, others));
}
