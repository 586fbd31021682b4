import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { Readable } from 'node:stream';
import { parseEnv } from 'node:util';
import { expect, it } from '@jest/globals';
import { upperSnake } from '../../src/kit/endpoint/definition.ts';
import { readConfig } from '../../src/kit/program/config.ts';
import { deadLetterReasons, rejections } from '../../src/kit/errors.ts';
import { example } from '../../src/example/index.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { hotdocsSwitches } from '../../src/lab/mock/platforms/hotdocs/switches.ts';
import { phenixidSwitches } from '../../src/lab/mock/platforms/phenixid/switches.ts';
import { risrSwitches } from '../../src/lab/mock/platforms/risr/switches.ts';
import { writeFirstHandler } from '../support/first-handler.ts';
import { copyProject } from '../support/project-copy.ts';
import { secretsFor } from '../support/receiver.ts';

const readme = readFileSync('README.md', 'utf8');
const pages = globSync(['*.md', '{src,scripts,templates,test}/**/*.md'])
  .sort()
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
const productSwitches: Readonly<Record<string, object>> = {
  hotdocs: hotdocsSwitches,
  phenixid: phenixidSwitches,
  risr: risrSwitches,
};
const allPages = pages.map(({ text }) => text).join('\n');
// The decisions and the changelog also name what was there before.
const presentPages = pages.filter(({ file }) => !/(DECISIONS|CHANGELOG)\.md$/.test(file));
const code = globSync('src/**/*.ts')
  .filter((file) => !file.endsWith('errors.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');
const failures = readFileSync('src/kit/errors.ts', 'utf8').split('export function failureCode')[1] ?? '';

it('has its generated sections and templates/env.example up to date, and says which are not', async () => {
  const copy = copyProject();
  const page = 'src/kit/http/README.md';
  try {
    expect(await copy.node('scripts/docs.ts', '--check')).toEqual({ code: 0, output: '' });
    copy.replace(page, '`proof_stale`', '`proof_old`');
    copy.replace('templates/env.example', '# PORT=3000', '# PORT=80');
    const check = await copy.node('scripts/docs.ts', '--check');
    expect(check).toEqual({
      code: 1,
      output: `Out of date: ${page}, section rejections; templates/env.example. Run "npm run docs".\n`,
    });
    expect(await copy.node('scripts/docs.ts')).toEqual({ code: 0, output: '' });
    expect(await copy.node('scripts/docs.ts', '--check')).toEqual({ code: 0, output: '' });
  } finally {
    copy.remove();
  }
});

it.each([
  ['without a place', '', 'No page has a place for the section rejections.'],
  ['with two places', `${place('rejections')}\n${place('rejections')}`, 'more than one place'],
  ['that nothing computes', `${place('rejections')}\n${place('reject')}`, 'a section reject that nothing'],
])('refuses a section %s', async (_what, by, message) => {
  const copy = copyProject();
  try {
    copy.replace('src/kit/http/README.md', /<!-- generated:rejections -->[^]*<!-- \/generated -->/, by);
    const check = await copy.node('scripts/docs.ts', '--check');
    expect(check).toEqual({ code: 2, output: expect.stringContaining(message) });
  } finally {
    copy.remove();
  }
});

function place(section: string): string {
  return `<!-- generated:${section} -->\n<!-- /generated -->`;
}

it.each(Object.keys(rejections))('can refuse a delivery with %s', (name) =>
  expect(code).toContain(`'${name}'`),
);

it.each(Object.keys(deadLetterReasons).filter((reason) => reason !== 'handler_gave_up'))(
  'can make an entry a dead letter with %s',
  (reason) => expect(code + failures).toContain(`'${reason}'`),
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
  const text = readFileSync('templates/env.example', 'utf8').replace(/^# (?=[A-Z][A-Z_]+=)/gm, '');
  const needed = sources.flatMap(({ name, api }) =>
    (api?.needed ?? []).map((setting) => `${upperSnake(name)}_${setting}`),
  );
  const apis = Object.fromEntries(
    needed.map((variable) => [variable, variable.endsWith('_URL') ? 'https://api.example' : 'agreed']),
  );
  const { warnings, general } = readConfig({ ...parseEnv(text), ...secretsFor(sources), ...apis }, example);
  expect(warnings).toEqual([]);
  expect(general).toEqual(readConfig(secretsFor(sources), { sources }).general);
});

it('names no variable that the receiver does not have', () => {
  const named = allPages.match(/\b(?:HOTDOCS|PHENIXID|RISR)(?:_[A-Z]+)+\b/g) ?? [];
  const env = Object.fromEntries(named.map((name) => [name, '']));
  expect(named.length).toBeGreaterThan(20);
  expect(readConfig({ ...env, ...secretsFor(sources) }, example).warnings).toEqual([]);
});

it('names no command that does not exist', () => {
  // npm's own file.
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
  const named = [
    ...presentPages
      .map(({ text }) => text)
      .join('\n')
      .matchAll(/npm run (?:--silent )?([\w:-]+)/g),
  ].map(([, name]) => name);
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
});

it('has a sample for CI that runs the two commands of the root README, and no other that does not exist', () => {
  const sample = readFileSync('templates/github-actions.yml', 'utf8');
  const run = [...sample.matchAll(/^ +- run: (.+)$/gm)].map(([, command = '']) => command);
  expect(run).toEqual(['npm ci', 'npm run demo -- --once', 'npm test']);
  for (const command of ['npm ci && npm run demo', 'npm ci && npm test']) expect(readme).toContain(command);
});

it('has a root README of two screens', () => expect(Buffer.byteLength(readme)).toBeLessThanOrEqual(10_000));

it.each(pages)('$file has no link that leads nowhere', ({ file, text }) => {
  const links = [...withoutCode(text).matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
  const broken = links.filter((target) => !/^https?:/.test(target) && !leadsSomewhere(file, target));
  expect(broken).toEqual([]);
});

it.each(pages)('$file gives every reference that it uses an address', ({ text }) => {
  const used = [...withoutCode(text).matchAll(/\[([\w-]+)\](?![(:\]])/g)].map(([, name = '']) => name);
  expect(used.filter((name) => !text.includes(`\n[${name}]: https://`))).toEqual([]);
});

it.each(presentPages)('$file names no file that does not exist', ({ text }) => {
  const named = [...text.matchAll(/`((?:src|test|templates|scripts)(?:\/[\w.-]+)+)`/g)].map(
    ([, name = '']) => name,
  );
  expect(named.filter((name) => !existsSync(name))).toEqual([]);
});

it('cites no fact about a sender that its page does not have, and gives each its own number', () => {
  const known = [...allPages.matchAll(/^- \*\*((?:HD|PX|RI)-\d+)\*\*/gm)].map(([, id = '']) => id);
  const texts = globSync('{src,scripts,test,templates}/**/*.{ts,tpl,md}').map((file) =>
    readFileSync(file, 'utf8'),
  );
  const cited = texts.flatMap((text) => text.match(/\b(?:HD|PX|RI)-\d+\b/g) ?? []);
  expect(known.length).toBeGreaterThan(100);
  expect(new Set(known).size).toBe(known.length);
  expect(cited.filter((id) => !known.includes(id))).toEqual([]);
});

it.each(sources.map((source) => [source.title, source] as const))(
  '%s: each switch of the mock stands for a fact, and no fact names another',
  (_title, { name, switches }) => {
    const page = readFileSync(`src/kit/sources/${name}/README.md`, 'utf8');
    const named = [...page.matchAll(/\b[Mm]ock:((?:\s+`\w+`,?)+)/g)].flatMap(
      ([, list = '']) => list.match(/\w+/g) ?? [],
    );
    const { [name]: ofProduct = {} } = productSwitches;
    expect(new Set(named)).toEqual(new Set([...Object.keys(switches), ...Object.keys(ofProduct)]));
  },
);

function leadsSomewhere(from: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : normalize(join(dirname(from), path));
  if (!existsSync(file)) return false;
  if (anchor === undefined) return true;
  return statSync(file).isFile() && anchorsIn(readFileSync(file, 'utf8')).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsIn(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Code blocks may hold what looks like a link or a heading. */
function withoutCode(text: string): string {
  return text.replace(/^ *```[^]*?^ *```$/gm, '').replace(/`[^`\n]*`/g, '');
}

// types.test.ts compiles it.
it("answers as the README's first hour says", async () => {
  const copy = copyProject();
  writeFirstHandler(copy);
  copy.write(
    '.env',
    'HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET=0123456789abcdef0123456789abcdef\nPORT=0\nADMIN_PORT=off\n',
  );
  const receiver = spawn(process.execPath, ['--env-file=.env', 'src/main.ts'], { cwd: copy.root });
  try {
    const url = await addressOf(receiver.stderr);
    const command = ['--env-file=.env', 'scripts/send.ts', 'hotdocs', 'InterviewLoadEvent', '--url', url];
    const sent = await copy.node(...command, '--set', 'user.name=Ada Lovelace');
    expect(sent).toEqual({ code: 0, output: expect.stringContaining('Ada Lovelace') });
    expect(await copy.node(...command, '--fault', 'tampered-byte')).toMatchObject({ code: 0 });
    const { output } = await copy.node('--env-file=.env', 'scripts/inbox.ts', 'list');
    expect(output).toContain('1 answer');
  } finally {
    receiver.kill();
    await once(receiver, 'exit');
    copy.remove();
  }
});

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
