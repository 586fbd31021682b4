import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { parseEnv } from 'node:util';
import { expect, it } from '@jest/globals';
import { upperSnake } from '../../src/kit/endpoints.ts';
import { readConfig } from '../../src/kit/program/config.ts';
import { deadLetterReasons, rejections } from '../../src/kit/errors.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { copyProject } from '../support/project-copy.ts';
import { secretsFor } from '../support/receiver.ts';

const readme = readFileSync('README.md', 'utf8');
const code = globSync('src/**/*.ts')
  .filter((file) => !file.endsWith('errors.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');
const failures = readFileSync('src/kit/errors.ts', 'utf8').split('export function describeFailure')[1] ?? '';

it('has its tables and templates/env.example up to date, and says which are not', async () => {
  const copy = copyProject();
  try {
    expect(await copy.node('scripts/docs.ts', '--check')).toEqual({ code: 0, output: '' });
    copy.replace('README.md', '`proof_stale`', '`proof_old`');
    copy.replace('templates/env.example', '# PORT=3000', '# PORT=80');
    const check = await copy.node('scripts/docs.ts', '--check');
    expect(check).toEqual({
      code: 1,
      output: 'Out of date: README.md, section rejections; templates/env.example. Run "npm run docs".\n',
    });
    expect(await copy.node('scripts/docs.ts')).toEqual({ code: 0, output: '' });
    expect(await copy.node('scripts/docs.ts', '--check')).toEqual({ code: 0, output: '' });
    copy.replace('README.md', '<!-- generated:rejections -->', '');
    expect(await copy.node('scripts/docs.ts', '--check')).toMatchObject({ code: 2 });
  } finally {
    copy.remove();
  }
}, 20_000);

it.each(Object.keys(rejections))('can refuse a delivery with %s', (name) => {
  expect(code).toContain(`'${name}'`);
});

it.each(Object.keys(deadLetterReasons).filter((reason) => reason !== 'handler_gave_up'))(
  'can make an entry a dead letter with %s',
  (reason) => {
    expect(code + failures).toContain(`'${reason}'`);
  },
);

it('has every code it refuses with in its table', () => {
  const used = [...code.matchAll(/new DeliveryRejected\(\s*'(\w+)'|rejectionReply\('(\w+)'/g)];
  const names = used.map(([, thrown, replied]) => thrown ?? replied);
  expect(names.length).toBeGreaterThan(20);
  expect(Object.keys(rejections)).toEqual(expect.arrayContaining(names));
});

it('has every reason for a dead letter in its table', () => {
  const used = [...code.matchAll(/new DeadLetter\(\s*'(\w+)'|parse\([^;]*?, '([a-z]+_[a-z]+)'\)/g)];
  const names = used.map(([, thrown, parsed]) => thrown ?? parsed);
  expect(names.length).toBeGreaterThan(10);
  expect(Object.keys(deadLetterReasons)).toEqual(expect.arrayContaining(names));
});

it('gives as an example what the receiver has by default', () => {
  const example = readFileSync('templates/env.example', 'utf8').replace(/^# (?=[A-Z][A-Z_]+=)/gm, '');
  const needed = sources.flatMap(({ name, api }) =>
    (api?.needed ?? []).map((setting) => `${upperSnake(name)}_${setting}`),
  );
  const apis = Object.fromEntries(
    needed.map((variable) => [variable, variable.endsWith('_URL') ? 'https://api.example' : 'agreed']),
  );
  const { warnings, general } = readConfig(
    { ...parseEnv(example), ...secretsFor(sources), ...apis },
    { sources },
  );
  expect(warnings).toEqual([]);
  expect(general).toEqual(readConfig(secretsFor(sources), { sources }).general);
});

it('names no variable in the README that the receiver does not have', () => {
  const named = readme.match(/\b(?:HOTDOCS|PHENIXID|RISR)(?:_[A-Z]+)+\b/g) ?? [];
  const env = Object.fromEntries(named.map((name) => [name, '']));
  expect(named.length).toBeGreaterThan(20);
  expect(readConfig({ ...env, ...secretsFor(sources) }, { sources }).warnings).toEqual([]);
});

it('names no command in the README that does not exist', () => {
  // npm's own file.
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
  const named = [...readme.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name);
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
});

it('names no file in the README that does not exist', () => {
  const named = [...readme.matchAll(/`((?:src|test|templates|scripts)\/[\w./-]+)`/g)].map(
    ([, file = '']) => file,
  );
  // What `npm run new` would write.
  const stamped = 'test/kit/sources/acme.test.ts';
  expect(named.filter((file) => file !== stamped && globSync(file).length === 0)).toEqual([]);
});

it("compiles and answers as the README's first hour says", async () => {
  const copy = copyProject();
  const handler = /^ *InterviewLoadEvent: .*$/m;
  copy.replace('src/example/handlers/hotdocs.ts', handler, handler.exec(readme)?.[0] ?? '');
  copy.write(
    '.env',
    'HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET=0123456789abcdef0123456789abcdef\nPORT=0\nADMIN_PORT=off\n',
  );
  const receiver = spawn(process.execPath, ['--env-file=.env', 'src/main.ts'], { cwd: copy.root });
  try {
    const url = await addressOf(receiver.stderr);
    const command = ['--env-file=.env', 'scripts/send.ts', 'hotdocs', 'InterviewLoadEvent', '--url', url];
    const [compiled, sent] = await Promise.all([
      copy.tsc(),
      copy.node(...command, '--set', 'user.name=Ada Lovelace'),
    ]);
    expect(compiled).toEqual({ code: 0, output: '' });
    expect(sent).toEqual({ code: 0, output: expect.stringContaining('Ada Lovelace') });
    expect(await copy.node(...command, '--fault', 'tampered-byte')).toMatchObject({ code: 0 });
    const { output } = await copy.node('--env-file=.env', 'scripts/inbox.ts', 'list');
    expect(output).toContain('1 answer');
  } finally {
    receiver.kill();
    await once(receiver, 'exit');
    copy.remove();
  }
}, 30_000);

/** Where a receiver says that it listens. */
async function addressOf(lines: Readable): Promise<string> {
  let text = '';
  for await (const chunk of lines.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    const address = /Listening on (\S+)/.exec(text)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error(`The receiver did not start: ${text}`);
}
