import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { compiled } from '../../src/lab/rig/program.ts';
import { ended, printed, startScript, type Running } from '../support/command.ts';
import { newFolder } from '../support/fixtures.ts';
import { copyProject, type ProjectCopy } from '../support/project-copy.ts';
import { until } from '../support/until.ts';

let copy: ProjectCopy;

beforeAll(() => {
  copy = copyProject();
  const hangs = "() => (console.log('It hangs.'), new Promise<never>(() => undefined))";
  copy.replace(
    'src/example/handlers/phenixid.ts',
    "OrderCreated: follow('PENDING')",
    `OrderCreated: ${hangs}`,
  );
});
afterAll(() => {
  copy.remove();
});

/** The demo of the copy, in which a handler never ends. */
function startHanging(TMPDIR: string): Running {
  const options = { cwd: copy.root, env: { ...compiled, TMPDIR } };
  return spawn(process.execPath, ['scripts/demo.ts'], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
}

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'ends with %s while a row waits for its handler, and leaves nothing behind',
  async (signal) => {
    const temporary = newFolder();
    const demo = startHanging(temporary);
    const end = ended(demo);
    await printed(demo, /It hangs\./);
    demo.kill(signal);
    const { code, out } = await end;
    expect(code).toBe(130);
    expect(out).not.toContain('as it should be');
    expect(readdirSync(temporary)).toEqual([]);
  },
);

it('ends while it starts, and leaves nothing behind', async () => {
  const temporary = newFolder();
  const demo = startScript('demo', [], { TMPDIR: temporary });
  const end = ended(demo);
  await until('the demo has its folder', () => readdirSync(temporary).length > 0);
  demo.kill('SIGINT');
  expect(await end).toMatchObject({ code: 130 });
  expect(readdirSync(temporary)).toEqual([]);
});

it('keeps running with a console that explains what was refused', async () => {
  const demo = startScript('demo', [], { TMPDIR: newFolder() });
  const end = ended(demo);
  const out = await printed(demo, /look at it +http/);
  const [, console = ''] = /look at it +(\S+)/.exec(out) ?? [];
  const [page = ''] = out.match(/http\S+\/refused\/\d+/g)?.toReversed() ?? [];
  expect(await (await fetch(`${console}/mock`)).text()).toContain('In HotDocs Advance');
  const asked = { method: 'POST', body: new URLSearchParams(), headers: { Origin: console } };
  const explained = await fetch(`${page}/explain`, asked);
  expect(await explained.text()).toContain('It would verify if PHENIXID_SECRET had a blank at its end');
  demo.kill('SIGINT');
  expect(await end).toMatchObject({ code: 0 });
});
