import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from '@jest/globals';
import { openOutputs, wishesIn, type Outputs } from '../../../scripts/conform/outputs.ts';
import { reports } from '../../../src/lab/conformance/reports/index.ts';
import { recorded } from '../../lab/conformance/recorded.ts';
import { newFolder } from '../../support/fixtures.ts';

let folder = '';
beforeEach(() => void (folder = newFolder()));

const names = reports.map(([name]) => name);
const fileOf = (name: string) => join(folder, name);

function opened(...more: readonly string[]): Outputs {
  // The terminal's report is not what is looked at here.
  return openOutputs(wishesIn([...more, ...names.map((name) => `${name}=${fileOf(name)}`)]), {
    write: () => true,
  });
}

it.each([1, 4])('completes every report of a run that breaks off after %i of its events', (count) => {
  const outputs = opened();
  for (const event of recorded.slice(0, count)) outputs.take(event);
  outputs.close();
  const signs: Readonly<Record<string, RegExp>> = {
    ndjson: /"verdict":"broken".*\n$/,
    junit: /The suite broke off before its last case.*\n.*\n.*\n<\/testsuites>\n$/,
    tap: /^Bail out! The suite broke off/m,
    ctrf: /"verdict": "broken"[^]*\}\n$/,
    html: /The suite itself broke off[^]*<\/html>\n$/,
    markdown: /Receiver broken/,
    sarif: /"executionSuccessful": false[^]*\}\n$/,
    badge: /broken[^]*<\/svg>\n$/,
  };
  for (const name of names)
    expect(readFileSync(fileOf(name), 'utf8')).toMatch(signs[name] ?? 'a sign for each');
});

it('completes no report of a run that has ended by itself', () => {
  const outputs = opened();
  for (const event of recorded) outputs.take(event);
  outputs.close();
  expect(readFileSync(fileOf('ndjson'), 'utf8').match(/"event":"ended"/g)).toHaveLength(1);
});

const hasFull = existsSync('/dev/full');
if (!hasFull)
  process.stderr.write('NOT TESTED: a report for which there is no room; there is no /dev/full here.\n');
(hasFull ? it : it.skip)(
  'writes all other reports where there is no room for one, and says so in the end',
  () => {
    const outputs = opened('tap=/dev/full');
    for (const event of recorded) outputs.take(event);
    expect(() => outputs.close()).toThrow(/--report: \/dev\/full could not be written to its end: ENOSPC/);
    for (const name of names) expect(readFileSync(fileOf(name), 'utf8')).not.toBe('');
  },
);
