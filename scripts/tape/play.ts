import { isGenuine, type Kept, type Tape } from '../../src/kit/tape/tape.ts';
import { bytesOf, exchange, type WireRequest } from '../../src/lab/conformance/wire.ts';
import type { Credential } from '../../src/lab/mock/request.ts';
import { credentialsFrom } from '../../src/lab/stage/credentials.ts';
import { queryOf } from '../../src/kit/tape/raw.ts';
import { kindsAt, placeOf } from '../../src/lab/tape/place.ts';
import { proofIn, provenAgain, timesMoved, type Place } from '../../src/lab/tape/prove-again.ts';
import { maskedPath } from '../../src/kit/tape/masked.ts';
import { requestOf } from '../../src/lab/tape/request.ts';
import { UsageError } from '../../src/lab/usage.ts';
import { readOr } from '../conform/secrets.ts';
import { failed, table } from '../inbox/print.ts';
import { keptUnder, type Chosen } from './command.ts';

const TIMEOUT_MS = 60_000;

export async function play(tape: Tape, numbers: readonly number[], chosen: Chosen): Promise<number> {
  const { url } = chosen;
  if (url === undefined) throw new UsageError('play needs --url.');
  const { kept, problems } = await keptUnder(tape, numbers);
  const rows: string[][] = [];
  let accepted = 0;
  for (const one of kept) {
    const request = isForeign(one, chosen) ? REFUSED : await requestAgain(one, chosen);
    const status = typeof request === 'string' ? 0 : await statusOf(request, url);
    if (status >= 200 && status < 300) accepted += 1;
    const answer =
      typeof request === 'string' ? `not sent: ${request}` : status ? `answered ${status}` : 'no answer';
    rows.push([`#${one.number}`, one.method, maskedPath(one.target), answer]);
  }
  if (rows.length > 0) console.log(table(rows));
  console.log(`${accepted} of ${kept.length + problems.length} accepted`);
  if (problems.length > 0) failed(problems.join('\n'));
  return accepted === kept.length && problems.length === 0 ? 0 : 1;
}

/** With `--all` nobody has looked at it: signed by us, a forgery would be genuine. */
function isForeign(one: Kept, { all, asIs }: Chosen): boolean {
  return all && !asIs && !isGenuine(one);
}

const REFUSED =
  'it was refused, and signed anew it would be genuine. Name its number if you know that it is.';

async function statusOf(request: WireRequest, url: URL): Promise<number> {
  const target =
    url.pathname === '/' ? request.target : `${url.pathname}${withMark(queryOf(request.target))}`;
  const bytes = bytesOf({ ...request, target }, url);
  return (await exchange(bytes, { url, timeoutMs: TIMEOUT_MS, method: request.method })).status;
}

function withMark(query: string): string {
  return query === '' ? '' : `?${query}`;
}

/** What to send; else why nothing can be. */
async function requestAgain(kept: Kept, { asIs, secretFile }: Chosen): Promise<WireRequest | string> {
  if (!kept.whole) return 'it was refused before its body was read.';
  const request = requestOf(kept);
  if (asIs) return request;
  // Only now: the tape can be looked at while the app does not compile.
  const { app, environment } = await import('../the-app.ts');
  const place = placeOf(kept, app, environment);
  if (place === undefined) return 'no endpoint of the app has its path. --as-is sends it unchanged.';
  const credential =
    secretFile === undefined
      ? credentialOr(() => credentialsFrom(environment, app)(place.source)(nameOf(kept, place)))
      : { kind: undefined, text: secretIn(secretFile) };
  if (typeof credential === 'string') return credential;
  const kinds = credential.kind === undefined ? kindsAt(place, environment) : [credential.kind];
  const proof = proofIn(request, place, kinds);
  if (proof === undefined)
    return 'there is no proof in it that could be made again. --as-is sends it unchanged.';
  const byMs = Date.now() - kept.at;
  return provenAgain(request, place, proof, credential.text, { content: (json) => timesMoved(json, byMs) });
}

function secretIn(file: string): string {
  const text = readOr(file, '--secret-file').replace(/\r?\n$/, '');
  if (text === '') throw new UsageError(`--secret-file: ${file} is empty.`);
  return text;
}

/** Else why there is none: of another delivery there may be one. */
function credentialOr(find: () => Credential): Credential | string {
  try {
    return find();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

function nameOf({ target }: Kept, { source, definition }: Place) {
  const key = new URLSearchParams(queryOf(target)).get('key') ?? '';
  const type = definition.type ?? Object.keys(source.events)[0] ?? '';
  return { type, path: definition.path, switches: { key } };
}
