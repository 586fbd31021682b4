import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { inOneProcess } from '../support/in-one-process.ts';
import { copyProject, type ProjectCopy, type Ran } from '../support/project-copy.ts';
import type { Trip } from '../support/round-trip.ts';

let copy: ProjectCopy;
let fresh: Readonly<Record<string, string>>;

const run = inOneProcess(() => copy.root);

/** `npm run new -- <args>` in the copy. */
async function stamp(...args: readonly string[]): Promise<Ran> {
  const { code, out, err } = await run('new', args);
  return { code: code ?? -1, output: out + err };
}

beforeAll(() => {
  copy = copyProject();
  fresh = contents(copy.root);
});
afterAll(() => {
  copy.remove();
});

it.each([
  ['a source that is there', ['source', 'risr'], 'There is a source risr already'],
  ['a name that is no folder name', ['source', '../evil'], 'cannot be a source'],
  ['a name with capitals', ['source', 'Initech'], 'cannot be a source'],
  ['a name that means something in JavaScript', ['source', 'class'], 'means something else'],
  ['a name that the stamped files use', ['source', 'events'], 'means something else'],
  ['a name whose variables look like those of another', ['source', 'phenixid-north'], 'taken for'],
  ['no name', ['source'], 'Expected one name'],
  ['an unknown source', ['event', 'hotdoc', 'Something'], 'Did you mean hotdocs?'],
  ['an unknown source of a handler', ['handler', 'rizr', 'profile_updated'], 'Did you mean risr?'],
  ['an unknown event', ['handler', 'risr', 'profile_updatd'], 'Did you mean profile_updated?'],
  ['an event that is there', ['event', 'risr', 'profile_updated'], 'has the event profile_updated already'],
  ['an event with the variables of another', ['event', 'risr', 'profile.updated'], 'the same variables'],
  [
    'an event type that every object has',
    ['event', 'hotdocs', 'constructor'],
    'cannot be an event type here',
  ],
  ['an event type that is no path', ['event', 'risr', 'a/b'], 'cannot be an event type'],
  ["one of Object's own members as a source", ['event', 'constructor', 'x'], 'Unknown source'],
  ['something else', ['sauce', 'acme'], 'Did you mean source?'],
  ['an unknown option', ['source', 'acme', '--replay'], '--replay'],
  ['an option of another thing', ['event', 'risr', 'x', '--from-example'], 'is for a handler'],
  ['--reply of a handler', ['handler', 'risr', 'profile_updated', '--reply'], 'is for an event'],
])('refuses %s and changes nothing', async (_what, args, message) => {
  const before = contents(copy.root);
  const ran = await stamp(...args);
  expect(ran).toEqual({ code: 2, output: expect.stringContaining(message) });
  expect(contents(copy.root)).toEqual(before);
});

it('explains itself', async () => {
  const ran = await copy.node('scripts/new.ts', '--help');
  expect(ran).toEqual({
    code: 0,
    output: expect.stringContaining('npm run new -- source <name> [--headers]'),
  });
});

const stamps = [
  ['source', 'acme-orders'],
  ['event', 'acme-orders', 'order.shipped'],
  ['event', 'acme-orders', 'price.asked', '--reply'],
  ['event', 'phenixid', 'OrderArchived'],
  ['event', 'hotdocs', 'PriceAskedEvent', '--reply'],
  ['event', 'acme-orders', 'order.returned'],
  ['event', 'hotdocs', 'WorkItemArchived'],
  ['event', 'risr', 'booking_cancelled'],
  ['event', 'risr', 'user_deleted'],
  ['event', 'risr', 'user_blocked', '--reply'],
  ['handler', 'acme-orders', 'order.shipped'],
  ['handler', 'hotdocs', 'PriceAskedEvent'],
  ['source', 'hooli', '--headers'],
  ['event', 'hooli', 'order.shipped'],
];
const copied = ['hotdocs InterviewLoadEvent', 'risr profile_updated', 'phenixid OrderAccepted'];

it('stamps what passes its own test and travels end to end, and loses no event', async () => {
  const all = [...stamps, ...copied.map((event) => ['handler', ...event.split(' '), '--from-example'])];
  for (const args of all) expect(await stamp(...args)).toMatchObject({ code: 0 });
  const [tested, travelled] = await Promise.all([runStampedTest(), runRoundTrip()]);
  expect(tested).toMatchObject({ code: 0, output: expect.stringContaining('2 todo') });
  expect(travelled.filter(({ ok }) => !ok)).toEqual([]);
  const named = (trips: readonly Trip[]) => trips.map(({ source, type }) => `${source} ${type}`);
  const done = travelled.filter(({ entry }) => entry.startsWith('done'));
  expect(named(done).toSorted()).toEqual(copied.toSorted());
  const kept = travelled.filter(({ entry }) => entry.startsWith('dead: handler_not_written'));
  expect(done.length + kept.length).toBe(travelled.length);
  expect(named(kept)).toEqual(
    expect.arrayContaining(
      stamps.filter(([what]) => what === 'event').map(([, ...names]) => names.slice(0, 2).join(' ')),
    ),
  );
}, 300_000);

it('gives a stamped event the subject by which it is handled in turn with others about the same thing', async () => {
  expect(copy.read('src/kit/sources/phenixid/events.ts')).toContain('  OrderArchived: taskEvent(');
  const program =
    "const { app } = await import('./src/app/index.ts');" +
    'const subjects = app.sources.flatMap(({ name, events }) => Object.entries(events).map(' +
    '([type, { subject, example }]) => [`${name} ${type}`, subject?.(example)]));' +
    'process.stdout.write(JSON.stringify(Object.fromEntries(subjects)));';
  const { output } = await copy.node('--no-warnings', '--input-type=module', '--eval', program);
  const subjects = JSON.parse(output) as Record<string, string>;
  expect(subjects['phenixid OrderArchived']).toBe(subjects['phenixid OrderSigned']);
  expect(subjects['hotdocs WorkItemArchived']).toBe(subjects['hotdocs PostProcessingEvent']);
  expect(subjects['risr booking_cancelled']).toBe(subjects['risr booking_updated']);
  expect(subjects['risr user_blocked']).toBe(subjects['risr user_logged_in']);
  expect(subjects['risr user_deleted']).toMatch(/^profile:/);
  expect(subjects['acme-orders order.returned']).toBe(subjects['acme-orders order.shipped']);
  expect(subjects).not.toHaveProperty(['hotdocs PriceAskedEvent']);
});

it('leaves what it stamps as the formatter and the linter would', async () => {
  const files = Object.entries(contents(copy.root))
    .filter(([file, text]) => fresh[file] !== text)
    .map(([file]) => file);
  const [formatted, linted] = await Promise.all([
    copy.node('node_modules/prettier/bin/prettier.cjs', '--check', ...files),
    copy.lint(...files.filter((file) => file.endsWith('.ts'))),
  ]);
  expect(formatted).toMatchObject({ code: 0 });
  expect(linted).toEqual({ code: 0, output: '' });
}, 120_000);

it.each([
  ['is written', ['handler', 'risr', 'profile_updated'], 'has a handler already'],
  ['is begun', ['handler', 'acme-orders', 'order.shipped'], 'has a handler already'],
  ['the example does not have', ['handler', 'phenixid', 'OrderArchived', '--from-example'], 'no handler for'],
])('refuses a handler that %s, and changes nothing', async (_what, args, message) => {
  const before = contents(copy.root);
  const ran = await stamp(...args);
  expect(ran).toEqual({ code: 2, output: expect.stringContaining(message) });
  expect(contents(copy.root)).toEqual(before);
});

it('says what to add by hand where the app no longer looks as it did', async () => {
  const before = copy.read('src/app/index.ts');
  copy.replace('src/app/index.ts', /sources: (\[.*\]),/, 'sources: [...$1] as const,');
  const after = copy.read('src/app/index.ts');
  const ran = await stamp('source', 'initech');
  expect(copy.read('src/app/index.ts')).toBe(after);
  copy.write('src/app/index.ts', before);
  expect(ran.code).toBe(1);
  expect(ran.output).toContain("'initech': initechHandlers(tools),");
  expect(ran.output).not.toContain('written  src/app/index.ts');
  expect(ran.output).toContain('written  src/app/handlers/initech.ts');
});

it('writes nothing at all when one of the files cannot be read', async () => {
  const intact = copy.read('src/app/tools.ts');
  copy.replace('src/app/tools.ts', 'export interface Tools {', 'export interface Tools { {');
  const before = contents(copy.root);
  const ran = await stamp('handler', 'hotdocs', 'ActionLink', '--from-example');
  expect(ran).toEqual({ code: 2, output: expect.stringContaining('src/app/tools.ts cannot be read') });
  expect(contents(copy.root)).toEqual(before);
  copy.write('src/app/tools.ts', intact);
});

it('says what a copied handler needs where the app opens its tools in a way of its own: with that, all that was stamped compiles', async () => {
  copy.replace('src/app/index.ts', /return (\{ apis,.*\});/, 'const opened = $1;\n    return opened;');
  const ran = await stamp('handler', 'hotdocs', 'ActionLink', '--from-example');
  expect(ran).toEqual({ code: 1, output: expect.stringContaining('Add by hand:\nin open:\nsettings\n') });
  copy.replace('src/app/index.ts', 'const opened = {', 'const opened = { settings,');
  expect(await copy.tsc()).toEqual({ code: 0, output: '' });
}, 120_000);

function runStampedTest() {
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--ci'];
  return copy.node(...jest, 'test/app/acme-orders.test.ts', 'test/app/hooli.test.ts');
}

async function runRoundTrip(): Promise<Trip[]> {
  const program =
    "const { roundTrip } = await import('./test/support/round-trip.ts');" +
    'process.stdout.write(JSON.stringify(await roundTrip()));';
  const { code, output } = await copy.node('--no-warnings', '--input-type=module', '--eval', program);
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^\[/) });
  // Written by `roundTrip`, one line above.
  return JSON.parse(output) as Trip[];
}

/** Every file below a folder with what is in it; not the linked packages. */
function contents(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => !file.startsWith('node_modules'))
    .filter((file) => statSync(join(root, file)).isFile());
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}
