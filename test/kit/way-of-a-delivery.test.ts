import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { sources } from '../../src/kit/sources/index.ts';
import { filesNamed, MOST_FILES, unnamed } from './named-files.ts';

/** What child-way.ts prints: by event. */
const run = JSON.parse(
  execFileSync(process.execPath, [join(import.meta.dirname, 'child-way.ts')], { encoding: 'utf8' }),
) as Readonly<Record<string, readonly string[]>>;

const events = sources.flatMap(({ name, events }) => Object.keys(events).map((type) => `${name} ${type}`));

it.each(events)('%s: executes at most 30 files to its reply, each of them named on the page', (event) => {
  const files = run[event] ?? [];
  expect(files.length).toBeGreaterThan(15);
  expect(unnamed(files)).toEqual([]);
  expect(files.length).toBeLessThanOrEqual(MOST_FILES);
});

it('names no file on the page that no delivery executes', () => {
  const all = new Set(Object.values(run).flat());
  const beside = [
    'log.ts',
    'http/tls.ts',
    'inbox/worker/attempt.ts',
    'handling/run-stored.ts',
    'handling/run-step.ts',
  ];
  expect([...filesNamed()].filter((file) => !all.has(file) && !beside.includes(file))).toEqual([]);
});
