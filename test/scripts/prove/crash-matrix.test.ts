import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startEngine } from '../../../scripts/prove/crash/engine.ts';
import { countSyncs, hasStrace } from '../../../scripts/prove/crash/fsync.ts';
import { playCrash } from '../../../scripts/prove/crash/play.ts';
import { runScript } from '../../support/command.ts';
import { describeCrashes } from './crash-contract.ts';

describe('sqlite', () => describeCrashes('sqlite'));

it('notices a receiver that answers before it commits', async () => {
  const engine = await startEngine('sqlite');
  const liar = join(import.meta.dirname, 'child-answers-before-commit.ts');
  const crash = await playCrash({ engine, points: ['before-commit'], seed: 1, preloads: [liar] });
  expect(crash.killed).toBe(1);
  expect(crash.problems.join('\n')).toMatch(/[1-9] promises, 0 stored/);
});

it('notices a receiver that does not die', async () => {
  const engine = await startEngine('sqlite');
  // A SQLite inbox never passes this point.
  const crash = await playCrash({ engine, points: ['in-doubt'], seed: 1, patienceMs: 300 });
  expect(crash.killed).toBe(0);
  expect(crash.problems.join('\n')).toContain('did not die');
});

it('prints a row for each point, and succeeds when every promise was kept', async () => {
  const { code, out } = await runScript('prove/crash', [
    '--engine',
    'sqlite',
    '--point',
    'outside',
    '--seed',
    '3',
  ]);
  expect(out).toMatch(/^outside: .* sqlite +1 +1 /m);
  expect(out).toContain('1 runs, every promise kept.');
  expect(code).toBe(0);
});

(hasStrace() ? it : it.skip)('brings every delivery to disk before it is answered', async () => {
  const { replies, fewest } = await countSyncs(1);
  expect(replies).toBeGreaterThan(10);
  expect(fewest).toBeGreaterThanOrEqual(1);
});
