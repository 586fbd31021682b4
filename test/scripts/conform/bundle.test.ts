import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { RunEvent } from '../../../src/lab/conformance/result.ts';
import { ended, type Ended } from '../../support/command.ts';
import { later, newFolder } from '../../support/fixtures.ts';
import { runHere } from '../../support/in-one-process.ts';
import { startServer } from '../../lab/conformance/servers.ts';
import { requirePython, startPython } from '../../villains/python.ts';

const secrets = {
  HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: 'of-an-interview-that-is-only-for-tests',
  PHENIXID_SECRET: 'of-a-signature-that-is-only-for-tests',
  RISR_BOOKING_UPDATED_SECRET: 'of-a-booking-that-is-only-for-tests',
};
const credentials = new Map([
  ['/hotdocs/InterviewLoadEvent', { kind: 'SECRET', text: secrets.HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET }],
  ['/phenixid', { kind: 'SECRET', text: secrets.PHENIXID_SECRET }],
  ['/risr/booking_updated', { kind: 'SECRET', text: secrets.RISR_BOOKING_UPDATED_SECRET }],
]);

/** Takes away what Node has had only since some 20.x or later. */
const LATE = `
import util, { styleText } from 'node:util';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
for (const [owner, name] of [[util, 'parseEnv'], [util, 'styleText'], [crypto, 'hash'], [Map, 'groupBy'], [URL, 'parse']])
  delete owner[name];
syncBuiltinESMExports();
if (styleText !== undefined) throw new Error('still there');`;

/** The Node of the kit, as it is and with no more than 20.0 had; and the usual one of this machine if it will do. */
const nodes: (readonly [name: string, node: string, ...args: string[]])[] = [
  ['the Node of the kit', process.execPath],
  [
    'it without what is late',
    process.execPath,
    '--import',
    `data:text/javascript,${encodeURIComponent(LATE)}`,
  ],
  ...usualNode(),
];

function usualNode(): (readonly [name: string, node: string])[] {
  const folders = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'));
  const told = '`${process.execPath} ${process.version}`';
  const { stdout } = spawnSync('node', ['-p', told], {
    env: { PATH: folders.join(delimiter) },
    encoding: 'utf8',
  });
  const [, path = '', version = '', major = ''] = /^(.+) (v(\d+)\S+)$/m.exec(stdout) ?? [];
  return Number(major) >= 20 && version !== process.version ? [['the Node of this machine', path]] : [];
}

let made: string;
let file: string;
beforeAll(async () => {
  made = mkdtempSync(join(tmpdir(), 'bundle-'));
  file = join(made, 'conform.mjs');
  expect(await runHere('conform', ['--bundle'], {}, made)).toMatchObject({ code: 0, err: '' });
});
afterAll(() => rmSync(made, { recursive: true, force: true }));

/** Runs the file where nothing else is, unless `folder` says where. */
function runAlone(
  args: readonly string[],
  node: readonly string[],
  { env = {}, folder = newFolder() } = {},
): Promise<Ended> {
  const [command = '', ...before] = node;
  return ended(
    spawn(command, [...before, file, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
}

it('is one file of less than a megabyte, with the licences of what is in it, that imports only what comes with Node', () => {
  expect(readdirSync(made)).toEqual(['conform.mjs']);
  expect(statSync(file).size).toBeLessThan(1_000_000);
  const code = readFileSync(file, 'utf8');
  expect(code).toMatch(
    /^#!.*\n\/\*\nadvance-receiver-kit \S+\n\nMIT License[^]*\njose \S+\n\n[^]*\nzod \S+\n\n[^]*?\n\*\/\n/,
  );
  const imported = [...code.matchAll(/^(?:import|export)\b.*?["'](.*)["'];$/gm)].map(([, name = '']) => name);
  expect(imported.length).toBeGreaterThan(0);
  expect(imported.filter((name) => !name.startsWith('node:'))).toEqual([]);
  expect(code).not.toMatch(/\b(?:import|require)\(/);
});

const hasPython = requirePython('the suite as one file');
const ONLY = ['A1-*', 'A11-*', 'B2-*', 'E4-*', 'G10-*', 'H1-*', 'I3-at-once', 'U2-*'].flatMap((rule) => [
  '--only',
  rule,
]);
let within: ReturnType<typeof triedBy> | undefined;

(hasPython ? it.each(nodes) : it.skip.each(nodes))(
  'finds from an empty folder what it finds within the kit: on %s',
  async (_name, ...node) => {
    within ??= triedBy((args) => runHere('conform', args, secrets));
    const { code, outcomes } = await within;
    expect(code).toBe(0);
    expect(outcomes.length).toBeGreaterThan(50);
    expect(await triedBy((args) => runAlone(args, node, { env: secrets }))).toEqual(await within);
  },
  300_000,
);

/** What a run finds at a receiver that has seen none before. */
async function triedBy(run: (args: readonly string[]) => Promise<Ended>) {
  const receiver = await startPython(credentials);
  later(() => receiver.stop());
  const report = join(newFolder(), 'report');
  const at = ['--url', receiver.url.origin, '--probe', receiver.probe.href, '--seed', '1'];
  const { code, err } = await run([...at, ...ONLY, '--report', `ndjson=${report}`]);
  const events = readFileSync(report, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent); // as the suite has just written it
  return {
    code,
    err,
    outcomes: events.flatMap((one) => (one.event === 'case' ? [`${one.outcome} ${one.id}`] : [])).toSorted(),
  };
}

it.each(nodes)(
  'calls itself by its name, and knows what is there within the kit only: on %s',
  async (_name, ...node) => {
    const { out } = await runAlone(['--help'], node);
    expect(out).toMatch(/^ {2}node conform\.mjs --url http/m);
    expect(out).toMatch(/^ {2}npm run conform -- --kit +within advance-receiver-kit: /m);
    for (const option of ['--kit', '--bundle']) {
      const { code, err } = await runAlone([option], node);
      expect(code).toBe(2);
      expect(err).toMatch(/^--kit and --bundle are there within advance-receiver-kit only/);
    }
  },
);

it.each(nodes)('reads .env where it runs, and tells how to run it again: on %s', async (_name, ...node) => {
  const server = await startServer(200);
  later(() => server.stop());
  const folder = newFolder();
  const only = ['--url', server.url, '--source', 'phenixid', '--only', 'B1-missing'];
  const without = await runAlone(only, node, { folder });
  expect(without).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^No endpoint has a secret[^]*\n {2}PHENIXID_SECRET\n$/),
  });

  writeFileSync(
    join(folder, '.env'),
    `export PHENIXID_SECRET="${secrets.PHENIXID_SECRET}" # of the laptop\n`,
  );
  const { code, out, err } = await runAlone(only, node, { folder });
  expect({ code, err }).toEqual({ code: 1, err: '' });
  expect(out).toMatch(/Reproduce: +node conform\.mjs --url http/);
  expect(out).not.toContain('npm run');
});

it('is the same within the kit, where npm says which command it is', async () => {
  const server = await startServer(200);
  later(() => server.stop());
  const folder = newFolder();
  const run = (args: readonly string[]) =>
    runHere('conform', args, { npm_lifecycle_event: 'conform' }, folder);
  const only = ['--url', server.url, '--source', 'phenixid', '--only', 'B1-missing'];
  expect((await run(only)).err).toMatch(/^No endpoint has a secret/);
  writeFileSync(join(folder, '.env'), `PHENIXID_SECRET=${secrets.PHENIXID_SECRET}\n`);
  expect(await run(only)).toMatchObject({ code: 1, err: '' });
});
