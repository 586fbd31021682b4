import { randomBytes, randomUUID } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { CredentialKind } from '../../src/kit/source.ts';
import { UsageError } from '../../src/lab/usage.ts';

/** One that its sender's library takes, too. */
export function freshSecret(kind: CredentialKind): string {
  for (;;) {
    const text = randomBytes(32).toString('hex');
    if (kind.doubt?.(text) === undefined) return text;
  }
}

/** One that the sender has made, from standard input: what stands on a command line is seen by every user. @throws UsageError */
export function givenSecret(): string {
  const text = readFileSync(0, 'utf8').trim();
  if (/^[\x21-\x2b\x2d-\x7e]{16,1000}$/.test(text)) return text;
  throw new UsageError(
    'Expected one secret on standard input: 16 or more characters of ASCII, no blank, no comma.',
  );
}

/** For its user only. @throws if there is a file already */
export function writeSecretFile(file: string, text: string): void {
  if (existsSync(file)) throw new Error(`${file} is there already, and is left as it is.`);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  write(file, text);
}

/** In one step: whoever reads it meanwhile has the old text or the new one. Owner and rights stay, but others lose theirs. */
export function replaceSecretFile(file: string, text: string): void {
  const path = realpathSync(file); // a link stays one
  const { uid, gid, mode } = statSync(path);
  const begun = `${path}.${randomUUID().slice(0, 8)}.begun`;
  try {
    write(begun, text, mode & 0o770);
    const made = statSync(begun);
    if (made.uid !== uid || made.gid !== gid) chownSync(begun, uid, gid); // else its receiver might not read it any more
    renameSync(begun, path);
  } finally {
    rmSync(begun, { force: true });
  }
}

/** Since when it has been as it is, at the latest: a file that was moved here keeps the time at which it was written. */
export function changedAt(file: string): number {
  const times = [statSync(file), lstatSync(file)].flatMap(({ mtimeMs, ctimeMs }) => [mtimeMs, ctimeMs]);
  return Math.max(...times);
}

function write(file: string, text: string, mode = 0o600): void {
  const descriptor = openSync(file, 'wx', mode);
  try {
    writeSync(descriptor, `${text}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
