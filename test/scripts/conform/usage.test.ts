import { expect, it } from '@jest/globals';
import { readCommandLine } from '../../../scripts/conform/options.ts';
import { ownerOf, prepare } from '../../../scripts/conform/prepare.ts';
import { tryTarget } from '../../../scripts/conform/try-target.ts';
import { rules } from '../../../src/lab/conformance/rules/index.ts';
import { sources } from '../../../src/kit/sources/index.ts';

const env = { PHENIXID_SECRET: 'a-secret-that-is-only-for-tests-0123456789' };
const phenixid = ['--source', 'phenixid'];
const place = { command: 'npm run conform --', version: '0', app: { sources }, environment: {} };

it.each<readonly [args: readonly string[], words: RegExp]>([
  [['--source', 'rissr'], /Unknown --source: "rissr"\. Did you mean risr\?/],
  [['--unknown'], /Unknown option: "--unknown"\. Valid: --url, /],
  [['--url', 'localhost:3000'], /--url: expected an address as http/],
  [['--url', 'http://user:word@127.0.0.1/'], /leave user and password out/],
  [['--url', 'http://127.0.0.1/?key=north'], /\?key= goes into --endpoint/],
  [['--url', 'http://192.0.2.1', ...phenixid], /192\.0\.2\.1 is another machine.*--i-own-this-target/],
  [[...phenixid, '--endpoint', 'phenixid=http://receiver.example/x'], /--i-own-this-target/],
  [[...phenixid, '--endpoint', 'phenix=http://127.0.0.1/x'], /Did you mean phenixid\?/],
  [[...phenixid, '--endpoint', 'phenixid=http://127.0.0.1/x?y=1'], /has a query/],
  [[...phenixid, '--only', 'B1-mising'], /No case of level 1 fits B1-mising.*--list/],
  [[...phenixid, '--case', 'B1-missing/phenixid/nothing'], /No case of level 1 fits B1-missing/],
  [[...phenixid, '--accepts', 'phenixid:encoding=base46'], /Did you mean base64\?/],
  [[...phenixid, '--switch', 'phenixid:encodin=hex'], /Did you mean encoding\?/],
  [[...phenixid, '--switch', 'encoding=hex'], /expected something like phenixid:encoding=base64/],
  [[...phenixid, '--max-body', 'phenixid:many'], /--max-body: expected a whole number/],
  [[...phenixid, '--level', '2'], /--level 2 needs --probe/],
  [[...phenixid, '--level', '3', '--probe', 'true'], /--level 3 needs --probe, .* and --restart/],
  [[...phenixid, '--restart', 'true'], /--restart needs --probe/],
  [[...phenixid, '--probe', 'echo hello'], /The probe did not tell \{"effects"/],
  [[...phenixid, '--report', 'pdf=x'], /Unknown report: "pdf".*Valid: ndjson, junit/],
  [[...phenixid, '--report', 'html'], /expected something like html=report\.html/],
  [[...phenixid, '--report', 'tap=-', '--report', 'html=-'], /only one report/],
  [[...phenixid, '--waivers', 'nowhere.json'], /--waivers names a file that cannot be read \(ENOENT\)/],
  [[...phenixid, '--secrets', 'nowhere.env'], /--secrets names a file that cannot be read/],
  [[...phenixid, '--cert', 'cert.pem'], /--cert and --key belong together/],
  [[...phenixid, '--max-failures', '0'], /--max-failures: expected a whole number from 1/],
  [[...phenixid, '--health', 'http://receiver.example/live'], /receiver\.example is another machine/],
  [[...phenixid, '--health', 'live'], /--health: expected an address/],
  [['--kit', '--url', 'http://127.0.0.1:3000'], /--kit starts a receiver with an address/],
])('refuses %j in words, before anything is sent', async (args, words) => {
  await expect(conform(args)).rejects.toThrow(words);
});

it('refuses two kinds of proof for one endpoint', async () => {
  const both = { HOTDOCS_ACTION_LINK_SECRET: 'one'.repeat(12), HOTDOCS_ACTION_LINK_TOKEN: 'two'.repeat(12) };
  await expect(conform([], both)).rejects.toThrow(
    'HOTDOCS_ACTION_LINK_SECRET and HOTDOCS_ACTION_LINK_TOKEN are both set',
  );
});

it.each([
  ['--secret=hunter2hunter2'],
  ['--token', 'hunter2hunter2'],
  ['--risr-user-registered-secret', 'hunter2hunter2'],
  ['PHENIXID_SECRET=hunter2hunter2'],
])('takes no secret from the command line: %s', (...args) => {
  expect(() => readCommandLine(args)).toThrow('A secret does not belong on a command line');
  expect(() => readCommandLine(args)).not.toThrow('hunter2');
});

it('tells how to make a part of a run again, without what chose another part of it', () => {
  const args = [
    '--url',
    'http://127.0.0.1:1',
    '--only',
    'A*',
    '--report',
    'tap=-',
    '--probe',
    "it's",
    '--exhausting',
  ];
  expect(readCommandLine(args).again('npm run conform --', '--case x', 7)).toBe(
    "npm run conform -- --url http://127.0.0.1:1 --probe 'it'\\''s' --exhausting --seed 7 --case x",
  );
});

async function conform(
  args: readonly string[],
  secrets: Readonly<Record<string, string>> = env,
): Promise<number> {
  const line = readCommandLine(args);
  const prepared = prepare(line.values, sources);
  const owner = ownerOf(line.values, secrets);
  return tryTarget({ line, prepared, owner, signal: AbortSignal.abort(), further: [], rules, place });
}
