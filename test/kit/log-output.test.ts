import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { createLogOutput, type LogOutput, type WriteText } from '../../src/kit/log-output.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { projectFile, startProgram, type ProgramProcess } from '../../src/lab/rig/program.ts';
import { newFolder } from '../support/fixtures.ts';
import { enough, senderTo } from '../support/processes.ts';

const programs: ProgramProcess[] = [];
const files: number[] = [];
afterEach(async () => {
  for (const program of programs.splice(0)) {
    program.kill();
    await program.ended;
  }
  for (const file of files.splice(0)) closeSync(file);
});

/** Windows has neither a full device nor pipes with names. */
const itOnUnix = existsSync('/dev/full') ? it : it.skip;

function opened(path: string, flags: string | number): number {
  const file = openSync(path, flags);
  files.push(file);
  return file;
}

function startWithLogTo(stdout: number): ProgramProcess {
  const program = startProgram({
    main: projectFile('src/example/main.ts'),
    folder: newFolder(),
    env: { ...enough, ADMIN_PORT: 'off', INBOX_URL: 'memory:', SHUTDOWN_MS: '500' },
    stdout,
  });
  programs.push(program);
  return program;
}

async function sendSome(program: ProgramProcess, count: number): Promise<void> {
  const sender = senderTo(await program.url());
  for (let n = 0; n < count; n += 1) {
    const payload = { id: `p${n}`, rev: '1-a' };
    expect((await sender.fire(risr, 'profile_updated', { payload })).status).toBe(200);
  }
}

itOnUnix('takes deliveries and ends in order while the disk of its log is full', async () => {
  const program = startWithLogTo(opened('/dev/full', 'w'));
  await sendSome(program, 50);
  program.kill('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

/** Both ends of a pipe that nobody reads. */
function unreadPipe(): { readonly reader: number; readonly writer: number } {
  const path = join(newFolder(), 'log');
  execFileSync('mkfifo', [path]);
  const reader = opened(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: opened(path, constants.O_WRONLY) };
}

itOnUnix('takes deliveries and ends in order while nobody reads its log', async () => {
  const program = startWithLogTo(unreadPipe().writer);
  await sendSome(program, 600);
  program.kill('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

itOnUnix('takes deliveries and ends in order when the reader of its log is gone', async () => {
  const { reader, writer } = unreadPipe();
  const program = startWithLogTo(writer);
  await sendSome(program, 1);
  files.splice(files.indexOf(reader), 1);
  closeSync(reader);
  await sendSome(program, 50);
  program.kill('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

it('has written every line when it has ended', async () => {
  const path = join(newFolder(), 'log');
  const program = startWithLogTo(opened(path, 'a'));
  await sendSome(program, 3);
  program.kill('SIGTERM');
  await program.ended;
  expect(readFileSync(path, 'utf8').match(/"outcome":"accepted"/g)).toHaveLength(3);
});

/** Resolves when nothing is left to write. */
function flushed(output: LogOutput): Promise<void> {
  return new Promise((resolve) => {
    output.flush(resolve);
  });
}

it('counts what it could not write, and says so once it can again', async () => {
  let failure: Parameters<Parameters<WriteText>[1]>[0] = {
    error: Object.assign(new Error('no'), { code: 'ENOSPC' }),
    whole: false,
  };
  let written = '';
  const output = createLogOutput(
    (text, done) => {
      if (failure === undefined) written += text;
      done(failure);
    },
    () => undefined,
  );
  for (const line of ['a\n', 'b\n', 'c\n']) output.write(line);
  await flushed(output);
  failure = undefined;
  for (const line of ['d\n', 'e\n']) {
    output.write(line);
    await flushed(output);
  }
  const [rest, said = '', ...lines] = written.split('\n');
  expect([rest, lines]).toEqual(['', ['d', 'e', '']]);
  expect(JSON.parse(said)).toMatchObject({
    level: 'warn',
    outcome: 'trouble',
    why: '3 lines are missing in this log, as they could not be written: ENOSPC.',
  });
});

it('keeps no more than a megabyte for a reader that stands still', async () => {
  const held: (() => void)[] = [];
  let written = '';
  const output = createLogOutput(
    (text, done) => {
      written += text;
      held.push(done);
    },
    () => undefined,
  );
  const line = `${'x'.repeat(99_999)}\n`;
  for (let n = 0; n < 30; n += 1) output.write(line);
  const end = flushed(output);
  while (held.length > 0) held.shift()?.();
  await end;
  expect(written.split('\n').filter((text) => text.startsWith('x'))).toHaveLength(11);
  expect(written).toContain('19 lines are missing');
});
