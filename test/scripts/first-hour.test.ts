import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ProgramProcess } from '../../src/lab/rig/program.ts';
import { putFreshApp } from '../support/fresh-app.ts';
import { copyProject, type ProjectCopy } from '../support/project-copy.ts';
import { until } from '../support/until.ts';

let copy: ProjectCopy;
beforeAll(() => {
  copy = copyProject(['src', 'scripts', 'package.json', 'test/support/print-loaded.mjs']);
  putFreshApp(copy);
  const secrets = ['RISR_PROFILE_UPDATED_SECRET', 'HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET'];
  const lines = secrets.map((name) => `${name}=${randomBytes(32).toString('hex')}`);
  copy.write('.env', [...lines, 'PORT=0', 'ADMIN_PORT=off', ''].join('\n'));
});
afterAll(() => {
  copy.remove();
});

async function stop(program: ProgramProcess): Promise<void> {
  program.kill('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
}

it('loads nothing of the lab and the example, and no package that a receiver on a file has no use for', async () => {
  const program = copy.start({}, '--import', './test/support/print-loaded.mjs');
  await program.url();
  await stop(program);
  const loaded = program.output().match(/^loaded .*$/gm) ?? [];
  const rooms = loaded.filter((line) => !/ node:|\/node_modules\//.test(line));
  expect(rooms.length).toBeGreaterThan(50);
  expect(rooms.filter((line) => !/\/src\/(main\.ts$|app\/|kit\/)/.test(line))).toEqual([]);
  const unused = /\/node_modules\/(pg|undici|pdf-lib)\/|\/kit\/(inbox\/postgres|sources\/\w+\/api\/api\.ts)/;
  expect(loaded.filter((line) => unused.test(line))).toEqual([]);
});

it('keeps the events of handlers that nobody has written, and handles them once they are there', async () => {
  const first = copy.start({});
  const url = await first.url();
  const send = (...args: string[]) => copy.command('send', ...args, '--url', url);
  await until('it has said which handlers are not written', () =>
    first.output().includes('npm run example runs'),
  );
  expect(first.output()).toContain('5 of 5 risr/advance handlers are not written.');
  const [notified, asked] = await Promise.all([
    send('risr', 'profile_updated'),
    send('hotdocs', 'InterviewLoadEvent'),
  ]);
  const kept = expect.stringMatching(
    /^reply +200 [^]*^inbox +WRONG: entry \d is a dead letter: handler_not_written/m,
  );
  expect(notified).toMatchObject({ code: 1, output: kept });
  // Whoever opens the interview can go on: it is empty.
  expect(asked).toMatchObject({ code: 1, output: kept });
  await until('both are dead', () => first.output().match(/"outcome":"(dead|failed)"/g)?.length === 2);
  const dead = await copy.command('inbox', 'list', '--status', 'dead');
  expect(dead.output.match(/handler_not_written/g)).toHaveLength(2);
  await stop(first);

  write('risr', 'profile_updated: ({ payload }) => `kept ${payload.id}`,');
  write('hotdocs', 'InterviewLoadEvent: () => ({}),');
  const second = copy.start({});
  await second.url();
  await until('it has said which handlers are not written', () =>
    second.output().includes('npm run example'),
  );
  expect(second.output()).toContain(
    '4 of 5 risr/advance handlers are not written: user_logged_in, user_registered, booking_updated, booking_state_changed.',
  );
  expect(await copy.command('inbox', 'replay', '--dead')).toMatchObject({ code: 0, output: '2 replayed\n' });
  await until('both are done', () => second.output().match(/"outcome":"done"/g)?.length === 2);
  const done = await copy.command('inbox', 'list', '--status', 'done');
  expect(done.output).toMatch(/kept profile_org_demo_usr-4471/);
  await stop(second);
});

function write(source: string, handler: string): void {
  const type = handler.split(':')[0] ?? '';
  copy.replace(`src/app/handlers/${source}.ts`, `${type}: notWritten,`, handler);
}
