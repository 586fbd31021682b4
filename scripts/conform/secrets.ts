import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Environment } from '../../src/kit/program/reader.ts';
import { UsageError } from '../../src/lab/usage.ts';
import type { Source } from '../../src/kit/source.ts';

// Not read as our own receiver reads them: the one under test may have shorter secrets than ours would start with, or
// one for two endpoints, and finding that out is what the rules are for.

/** Where secrets come from: a file has all of them, so that none of another receiver gets in. @throws UsageError */
export function secretsIn(file: string | undefined, env: Environment): Environment {
  if (file === undefined) return env;
  return parseEnv(readOr(file, '--secrets'));
}

export interface Credential {
  readonly kind: string;
  readonly text: string;
}

/** The newest secret behind the beginning of a variable, of whichever kind is set. @throws UsageError */
export function credentialOf(source: Source, prefix: string, env: Environment): Credential | undefined {
  const found = kindsOf(source, prefix).flatMap(({ kind, variable }) => {
    const text = textOf(variable, env);
    return text === undefined ? [] : [{ kind, text }];
  });
  if (found.length > 1) {
    const names = kindsOf(source, prefix).map(({ variable }) => variable);
    throw new UsageError(`${names.join(' and ')} are both set: an endpoint has one kind of proof.`);
  }
  return found[0];
}

/** What could be set for an endpoint. */
export function variablesFor(source: Source, prefix: string): string[] {
  return kindsOf(source, prefix).map(({ variable }) => variable);
}

function kindsOf(source: Source, prefix: string) {
  return Object.keys(source.proof.kinds).map((kind) => ({ kind, variable: `${prefix}_${kind}` }));
}

function textOf(variable: string, env: Environment): string | undefined {
  const file = env[`${variable}_FILE`] ?? '';
  // Editors end a file with a line end; it is not part of the secret.
  const text = file === '' ? env[variable] : readOr(file, `${variable}_FILE`).replace(/\r?\n$/, '');
  const [newest = ''] = (text ?? '').split(',');
  return newest === '' ? undefined : newest;
}

/** @throws UsageError that names where the file was named */
export function readOr(file: string, named: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code =
      typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown cause';
    throw new UsageError(`${named} names a file that cannot be read (${code}).`);
  }
}
