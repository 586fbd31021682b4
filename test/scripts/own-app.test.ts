import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { addPackage } from '../own-app/put-in.ts';
import { cloneOfOlder, OLDER, TODAY, type Clone } from '../own-app/update.ts';
import type { ProjectCopy } from '../support/project-copy.ts';
import { until } from '../support/until.ts';

// An integrator has made src/app and test/app his own: one product, a source, a setting and a package of his own. He cloned
// an older version of the kit, and has just merged today's.

const NOT_HIS = /hotdocs|phenix/i;
/** The other commands know it by the first. */
const KNOW_HIS_APP = ['scripts/the-app.ts', 'scripts/new.ts'];
const secrets = ['ACME_SECRET', 'RISR_PROFILE_UPDATED_SECRET'];

let clone: Clone;
let copy: ProjectCopy;
let conflicts: string[];
let before: string;
beforeAll(() => {
  clone = cloneOfOlder();
  copy = clone.copy;
  before = clone.git('rev-parse', 'HEAD').trim();
  conflicts = clone.merge(TODAY);
  const lines = secrets.map((name) => `${name}=${randomBytes(32).toString('hex')}`);
  copy.write('.env', [...lines, 'PORT=0', 'ADMIN_PORT=off', 'CRM_REGION=south', ''].join('\n'));
  // npm run prove -- own-app compiles the rest, which does not know his app, and lints all of it.
  const include = ['src/app', 'src/main.ts', 'src/kit/**/*.d.ts', ...KNOW_HIS_APP, 'test/app'];
  copy.write('tsconfig.own.json', JSON.stringify({ extends: './tsconfig.json', include }));
});
afterAll(() => {
  clone.remove();
});

it('is brought up to date by a merge, which leaves his files as they were and takes all others', () => {
  const changedFrom = (version: string) =>
    clone.git('diff', '--name-only', '--no-renames', version, 'HEAD').split('\n').filter(Boolean);
  const isHis = (file: string) => /^(src|test)\/app\//.test(file);
  expect(conflicts).toEqual([]);
  expect(changedFrom(before).filter(isHis)).toEqual([]);
  expect(changedFrom(TODAY).filter((file) => !isHis(file))).toEqual(['package-lock.json', 'package.json']);
  expect(changedFrom(OLDER).length).toBeGreaterThan(300);
  const merged = packagesIn(copy);
  clone.git('checkout', TODAY, '--', 'package.json', 'package-lock.json');
  addPackage(copy);
  expect(merged).toEqual(packagesIn(copy));
  clone.git('reset', '--hard', 'HEAD');
});

it('conflicts in the package files alone where an update changes the line beside his: the kit’s, then npm install again', () => {
  clone.git('checkout', '--quiet', '-b', 'next', TODAY);
  for (const file of ['package.json', 'package-lock.json'])
    copy.replace(file, /"undici": "[^"]*"/, '"undici": "99.0.0"');
  clone.git('commit', '--all', '--quiet', '--message', 'Need a newer undici');
  clone.git('checkout', '--quiet', 'main');
  expect(clone.merge('next')).toEqual(['package-lock.json', 'package.json']);
  clone.git('checkout', '--theirs', 'package.json', 'package-lock.json');
  addPackage(copy);
  expect(copy.read('package.json')).toMatch(/"undici": "99.0.0",\n {4}"yaml": /);
  clone.git('merge', '--abort');
});

it('compiles, and the commands with it', async () => {
  expect(await copy.tsc('tsconfig.own.json')).toEqual({ code: 0, output: '' });
}, 180_000);

it('has tests of its own, which run alone', async () => {
  const { code, output } = await copy.command('test:app');
  expect(output).toContain('Tests:       2 passed, 2 total');
  expect(code).toBe(0);
});

it('takes the events of its own sources, as its own setting says, and knows no other product', async () => {
  const program = copy.start({});
  const url = await program.url();
  const sent = [
    await copy.command('send', 'risr', 'profile_updated', '--url', url),
    await copy.command('send', 'acme', 'order.created', '--url', url),
  ];
  expect(sent).toMatchObject([{ code: 0 }, { code: 0 }]);
  await until('both are handled', () => program.output().match(/"outcome":"done"/g)?.length === 2);
  const { output: inbox } = await copy.command('inbox', 'list');
  expect(inbox).toContain('south: profile profile_org_demo_usr-4471');
  expect(inbox).toContain('south: order ord-1');
  program.kill('SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });

  const open = program.output().match(/^ {2}\/\S+(?= +open )/gm);
  expect(open).toEqual(['  /risr/profile_updated', '  /acme']);
  expect(program.output()).not.toMatch(/not written/);
  const printed = [program.output(), inbox, ...sent.map(({ output }) => output)].join('\n');
  expect(printed).not.toMatch(NOT_HIS);
});

it('starts all the same when a newer kit knows a further event, and says that it is not written', async () => {
  const catalogue = 'src/kit/sources/risr/events.ts';
  const known = copy.read(catalogue);
  copy.write(
    catalogue,
    `${known}
Object.assign(events, { booking_moved: events.booking_updated });
`,
  );
  const program = copy.start({});
  await program.url();
  await until('it has said which', () => program.output().includes('npm run example'));
  expect(program.output()).toContain('1 of 6 risr/advance handlers are not written: booking_moved.');
  program.kill();
  await program.ended;
  copy.write(catalogue, known);
});

it.each([
  ['a bad setting of its own', { CRM_REGION: 'west' }, 'CRM_REGION: expected north, or south'],
  ['no secret', { ACME_SECRET: '', RISR_PROFILE_UPDATED_SECRET: '' }, 'No endpoint has a secret'],
])('refuses %s in words', async (_what, env, words) => {
  const program = copy.start(env);
  expect(await program.ended).toEqual({ code: 1, signal: null });
  expect(program.output()).toMatch(/^Not started:/m);
  expect(program.output()).toContain(words);
  expect(program.output()).not.toMatch(NOT_HIS);
});

it('offers its own sources to send, and no others', async () => {
  const [help, other] = await Promise.all([
    copy.command('send', '--help'),
    copy.command('send', 'hotdocs', 'ActionLink'),
  ]);
  expect(help.output).toMatch(/^ {2}risr: .*\n {2}acme: order\.created$/m);
  expect(help.output).not.toMatch(NOT_HIS);
  expect(other).toEqual({ code: 2, output: 'Unknown source: "hotdocs". Valid: risr, acme.\n' });
});

it('leaves the demo and the tests of the kit as they are', async () => {
  const suites = ['test/kit/receiver/notify-events', 'test/scripts/mock'];
  const jest = copy.command('test', ...suites, '--testNamePattern', 'accepts|names the variable');
  const [demo, tests] = await Promise.all([copy.command('demo', '--once'), jest]);
  expect(demo).toMatchObject({ code: 0, output: expect.stringContaining('Every row is as it should be.') });
  expect(tests).toMatchObject({ code: 0, output: expect.stringMatching(/^Tests: .*[1-9]\d* passed/m) });
});

function packagesIn(project: ProjectCopy): string[] {
  return ['package.json', 'package-lock.json'].map((file) => project.read(file));
}
