import { textTable } from '../../../src/lab/rig/table.ts';
import type { Machines } from './machines.ts';
import type { Crash } from './play.ts';
import type { EngineName } from '../../../src/lab/rig/inboxes.ts';
import { pointsOf, points, type PointName } from './points.ts';

const HEADS = [
  'killed when',
  'engine',
  'runs',
  'killed',
  'promised',
  'stored',
  'handled',
  'gone',
  'effects',
  'most runs',
  'broken',
] as const;

/** A row for each point and engine; `gone` is explained in the command's `--help`. */
export function crashTable(crashes: readonly Crash[]): string {
  const groups = Map.groupBy(crashes, ({ points: names, engine }) => `${names.join()} ${engine}`);
  return textTable([HEADS, ...[...groups.values()].map(rowOf)], 2);
}

function rowOf(crashes: readonly Crash[]): string[] {
  const [first] = crashes;
  if (first === undefined) return [];
  const sumOf = (name: 'killed' | 'promised' | 'stored' | 'handled' | 'gone' | 'effects') =>
    String(crashes.reduce((sum, crash) => sum + crash[name], 0));
  return [
    first.points.map((name) => `${name}: ${points[name].when}`).join(', '),
    first.engine,
    String(crashes.length),
    sumOf('killed'),
    sumOf('promised'),
    sumOf('stored'),
    sumOf('handled'),
    sumOf('gone'),
    sumOf('effects'),
    String(Math.max(...crashes.map(({ mostRuns }) => mostRuns))),
    String(crashes.filter(({ problems }) => problems.length > 0).length),
  ];
}

/** What is wrong with a run, and how to see it again. */
export function brokenText({ engine, points: names, seed, problems }: Crash): string {
  const point = names.join();
  return [
    `BROKEN: ${engine}, ${point}, seed ${seed}. Again: npm run prove -- crash --engine ${engine} --point ${point} --seed ${seed}`,
    ...problems.map((problem) => `  ${problem}`),
  ].join('\n');
}

/** Numbers of a run of several machines, and what is wrong with it. */
export function machinesText({ problems, ...numbers }: Machines): string {
  const lines = Object.entries(numbers).map(([name, value]) => `${name.padEnd(10)}  ${value}`);
  const verdict = problems.length === 0 ? 'Every promise kept.' : `BROKEN:\n${problems.join('\n')}`;
  return [...lines, '', verdict].join('\n');
}

/** Every point by name, for `--help`. */
export function pointList(): string {
  return all.map((name) => `  ${name.padEnd(14)}  ${points[name].when}${only(name)}`).join('\n');
}

const all = [...new Set([...pointsOf('sqlite'), ...pointsOf('postgres')])];

function only(name: PointName): string {
  const engines: readonly EngineName[] = points[name].engines;
  return engines.length === 1 ? ` (${engines.join()} only)` : '';
}
