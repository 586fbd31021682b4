import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import Ajv from 'ajv';
import { reports } from '../../../src/lab/conformance/reports/index.ts';
import type { RunEvent } from '../../../src/lab/conformance/result.ts';
import { end, ended, recorded, started, unreachable } from './recorded.ts';

const folder = join(import.meta.dirname, 'schemas');
const require = createRequire(import.meta.url);

/** Everything that a report can be about: also a run of nothing, and one that broke off in the middle. */
const runs: Readonly<Record<string, readonly RunEvent[]>> = {
  'every outcome': recorded,
  'nothing answered': unreachable,
  'nothing tried': [{ ...started, cases: 0 }, end('inconclusive', 'Nothing was tried.', {})],
  'broken off': [
    started,
    ended('A1-none/risr/profile_updated/alg-none', 'passed', { ms: 1234 }),
    end('broken', 'A defect.', { passed: 1 }),
  ],
};

it.each(Object.keys(runs).flatMap((run) => [['ctrf', run] as const, ['sarif', run] as const]))(
  '%s fits its schema: %s',
  (format, run) => {
    // Of draft 4 and draft 7; this version of ajv knows both, and the formats that they name.
    const ajv = new Ajv({ schemaId: 'auto', allErrors: true });
    ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-04.json') as object);
    const fits = ajv.compile(
      JSON.parse(readFileSync(join(folder, `${format}.schema.json`), 'utf8')) as object,
    );
    fits(JSON.parse(written(format, run)));
    expect(fits.errors ?? []).toEqual([]);
    fits({});
    expect(fits.errors).not.toEqual([]);
  },
);

const hasXmllint = spawnSync('xmllint', ['--version']).status === 0;
if (!hasXmllint) process.stderr.write('NOT TESTED: the schema of JUnit; xmllint is not installed here.\n');
(hasXmllint ? it : it.skip).each(Object.keys(runs))('junit fits its schema: %s', (run) => {
  const validated = validate(written('junit', run));
  expect(validated).toMatchObject({ stderr: '- validates\n', status: 0 });
  expect(validate('<testsuites skipped="1"/>').status).not.toBe(0);
});

function validate(input: string) {
  return spawnSync('xmllint', ['--noout', '--schema', join(folder, 'junit-10.xsd'), '-'], {
    input,
    encoding: 'utf8',
  });
}

function written(format: string, run: string): string {
  const [, create] = reports.find(([name]) => name === format) ?? [];
  const report = create?.();
  return (runs[run] ?? []).map((event) => report?.(event) ?? '').join('');
}
