import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { beforeEach, expect, it } from '@jest/globals';
import { processorSeconds } from '../../../scripts/prove/bench/processor.ts';
import { runScript } from '../../support/command.ts';
import { newFolder } from '../../support/fixtures.ts';

let directory = '';
beforeEach(() => {
  directory = newFolder();
  chmodSync(directory, 0o755); // the server of a test may run as another user
});

async function bench(...args: readonly string[]) {
  const env = { PATH: process.env['PATH'] ?? '', TMPDIR: directory };
  return runScript('prove/bench', ['--quick', '--directory', directory, ...args], env);
}

const inboxes = ['--inbox', 'memory,sqlite'];

it('measures the kit against others, in processor time, and leaves nothing behind', async () => {
  const { code, out } = await bench('--only', 'json,form,jws,drain', ...inboxes);
  expect(code).toBe(0);
  for (const other of ['node:http and the check by hand', 'Express, .*', 'Fastify, .*']) {
    const row = new RegExp(
      `^\\| J.*: \`sqlite:\` against ${other} +\\| [\\d,]+ / [\\d,]+ µs +\\| \\d+\\.\\d\\d +\\|`,
      'gm',
    );
    expect(out.match(row)).toHaveLength(3);
  }
  expect(out.match(/^\| `(memory|sqlite):` handling alone +\| [\d,]+ µs +\|/gm)).toHaveLength(2);
  expect(out).toMatch(/^\d{4}-\d\d-\d\d, Node [\d.]+, \d+ × .+; load average before: [\d.]+/m);
  expect(readdirSync(directory)).toEqual([]);
});

it('measures how an inbox grows', async () => {
  const { code, out } = await bench(
    ...['--only', 'growth', '--inbox', 'sqlite', '--waiting', '200', '--done', '500'],
  );
  expect(code).toBe(0);
  expect(out.match(/^\| `sqlite:` accepts with [12]00 waiting, against none +\|/gm)).toHaveLength(2);
  expect(out).toMatch(/^\| `sqlite:` handles with 200 waiting, against 100 +\|/m);
  expect(out).toMatch(/^\| `sqlite:` handles while a backup reads what was before +\|/m);
  expect(out).toMatch(/^\| `sqlite:` handles with 500 done and kept +\|/m);
});

it('refuses to compare with a version that there is not', async () => {
  const { code, err } = await bench('--compare', 'no-such-version');
  expect(code).toBe(2);
  expect(err).toMatch(/^--compare: no-such-version is no version in the git history of this folder\.$/m);
});

it('counts the time of a process and of all that it has started', () => {
  if (process.platform !== 'linux') return;
  const before = processorSeconds([process.pid]);
  spawnSync(process.execPath, ['-e', 'while (process.cpuUsage().user < 300_000);']);
  expect(processorSeconds([process.pid]) - before).toBeGreaterThan(0.25);
});
