import { engineNames, type EngineName } from '../../../src/lab/rig/inboxes.ts';

/** Where on the way of a delivery the process may die. */
export interface Point {
  readonly when: string;
  readonly engines: readonly EngineName[];
  /** The latest time of passing at which it dies: a run passes the point at least so often. */
  readonly latest: number;
}

/** In the order of a delivery's life. */
export const points = {
  'before-write': {
    when: 'a delivery is about to be written',
    engines: engineNames,
    latest: 5,
  },
  'before-commit': {
    when: 'it is written, and not committed',
    engines: ['sqlite'], // to PostgreSQL a transaction goes in one write, with its commit
    latest: 5,
  },
  'in-doubt': {
    when: 'the commit is on its way to the server, and its answer is not read',
    engines: ['postgres'],
    latest: 5,
  },
  'after-commit': {
    when: 'it is committed, and no reply has begun',
    engines: engineNames,
    latest: 5,
  },
  'reply-sent': {
    when: 'the reply to a notification has left',
    engines: engineNames,
    latest: 12,
  },
  'before-effect': {
    when: 'a handler runs, without an effect so far',
    engines: engineNames,
    latest: 16,
  },
  'after-effect': {
    when: 'a handler has had its effect, and is not done',
    engines: engineNames,
    latest: 16,
  },
  'before-answer': {
    when: 'the answer to someone who waits is made, and not written',
    engines: engineNames,
    latest: 4,
  },
  'answer-sent': {
    when: 'the answer to someone who waits has left',
    engines: engineNames,
    latest: 4,
  },
  'before-done': {
    when: 'done is written, and not committed',
    engines: ['sqlite'], // to PostgreSQL a transaction goes in one write, with its commit
    latest: 3,
  },
  'done-in-doubt': {
    when: 'done is on its way to the server, and its answer is not read',
    engines: ['postgres'],
    latest: 3,
  },
  'after-done': {
    when: 'done is committed',
    engines: engineNames,
    latest: 3,
  },
  outside: {
    when: 'any moment: killed by somebody else',
    engines: engineNames,
    latest: 24,
  },
} as const satisfies Readonly<Record<string, Point>>;

export type PointName = keyof typeof points;

export function isPoint(name: string): name is PointName {
  return Object.hasOwn(points, name);
}

export function pointsOf(engine: EngineName): PointName[] {
  const names = Object.keys(points).filter(isPoint);
  return names.filter((name) => (points[name].engines as readonly EngineName[]).includes(engine)); // each tuple is part of all
}
