import { isUtf8 } from 'node:buffer';
import { randomBytes, randomInt } from 'node:crypto';
import { z } from 'zod';
import { upperSnake, variablePrefix } from '../../kit/endpoint/definition.ts';
import type { AllHandlers } from '../../kit/handling/handle.ts';
import type { Environment } from '../../kit/program/reader.ts';
import type { Startable } from '../../kit/program/start.ts';
import type { EventDefinition } from '../../kit/source.ts';
import type { Kept } from '../../kit/tape/tape.ts';
import type { WireRequest } from '../conformance/wire.ts';
import { createRandom } from '../mock/random.ts';
import { rewriteJson } from '../json-text.ts';
import { queryOf } from '../../kit/tape/raw.ts';
import { appOf } from '../rig/app.ts';
import { withReceiver } from '../testing.ts';
import { knownTo } from './known.ts';
import { neutralRequest } from './neutral-request.ts';
import { createNeutral, type Neutral } from './neutral.ts';
import { kindsAt, placeOf } from './place.ts';
import { proofIn, provenAgain, spoiled, timesMoved, type FoundProof, type Place } from './prove-again.ts';
import { requestOf } from './request.ts';

/** A delivery that came, with neutral values, as a file keeps it for a test. */
export const witnessSchema = z.strictObject({
  /** Path of the endpoint. */
  endpoint: z.string(),
  kind: z.string(),
  /** Made for the test. */
  secret: z.string(),
  /** What `?key=` says, where it tells installations apart. */
  installation: z.string().optional(),
  /** Variables that the endpoint is read with. */
  settings: z.record(z.string(), z.string()),
  /** The times of its token are right at this moment. */
  at: z.iso.datetime(),
  request: z.strictObject({
    method: z.string(),
    target: z.string(),
    headers: z.array(z.tuple([z.string(), z.string()])),
    body: z.string(),
    /** Of bytes that are no text. */
    encoding: z.literal('base64').optional(),
  }),
  expected: z.strictObject({
    status: z.int(),
    type: z.string(),
    id: z.string().optional(),
    /** What a handler is told; nothing where none is called. */
    payload: z.unknown().optional(),
  }),
});
export type Witness = z.output<typeof witnessSchema>;

/** What was made of a delivery, for a person to check. */
export interface Made {
  readonly witness: Witness;
  readonly replaced: Neutral['replaced'];
  readonly namesLeft: Neutral['namesLeft'];
}

/** What a receiver made of it. */
interface Tried {
  readonly status: number;
  /** Nothing where it was refused. */
  readonly expected: Witness['expected'] | undefined;
  /** After one byte of what is proven was changed. */
  readonly spoiledStatus: number;
}

/** Where it is to be received: sources and endpoints; its handlers are not called. */
type Receiving = Pick<Startable, 'sources' | 'endpoints'>;

/** In the place of the moment at which it came. */
const NEUTRAL_AT = Date.UTC(2031, 1, 3, 12);

/** Makes a witness of a taped delivery, and tries it; else why none can be made. */
export async function makeWitness(
  kept: Kept,
  app: Receiving,
  env: Environment,
  rename: ReadonlySet<string> = new Set(),
): Promise<Made | string> {
  const place = placeOf(kept, app, env);
  if (place === undefined) return 'came to a path that no endpoint has.';
  if (!kept.whole) return 'was refused before its body was read, so there is no whole request.';
  const proof = proofIn(requestOf(kept), place, kindsAt(place, env));
  if (proof === undefined) return `has no proof of ${place.source.title} that could be made again.`;
  const found = await withNeutralValues(kept, place, proof, rename);
  if (found === undefined) return 'has values for which no neutral ones of their shape were found.';
  const { neutral, ...made } = found;
  const witness = { ...made, settings: settingsOf(place, env, neutral) };
  const { status, expected } = await tryWitness({ ...witness, expected: NOTHING }, app);
  if (expected === undefined) return `is answered ${status || 'not at all'} although it is signed anew.`;
  return { witness: { ...witness, expected }, replaced: neutral.replaced, namesLeft: neutral.namesLeft };
}

const NOTHING: Witness['expected'] = { status: 0, type: '' };

/** Sends a witness to a receiver of its own: first with one byte changed, then as it is, its times moved to now. */
export async function tryWitness(witness: Witness, { sources, endpoints = [] }: Receiving): Promise<Tried> {
  const place = placeOf(witness, { sources, endpoints }, witness.settings);
  const request = requestIn(witness);
  const proof = place && proofIn(request, place, [witness.kind]);
  if (place === undefined || proof === undefined)
    throw new Error('No endpoint and no proof fit this witness any more.');
  const byMs = Date.now() - Date.parse(witness.at);
  const fresh = await provenAgain(request, place, proof, witness.secret, {
    content: (json) => timesMoved(json, byMs),
  });
  let told: unknown;
  const handlers = tellers(sources, (payload) => (told = payload));
  return withReceiver(
    appOf({ handlers, sources, endpoints }),
    async ({ deliver }) => {
      const { status: spoiledStatus } = await deliver(spoiled(fresh, proof));
      const { status, entry } = await deliver(fresh);
      const { type = '', eventId } = entry ?? {};
      const payload: unknown = told === undefined ? undefined : JSON.parse(JSON.stringify(told));
      const expected = {
        status,
        type,
        ...(eventId && { id: eventId }),
        ...(told !== undefined && { payload }),
      };
      return { status, spoiledStatus, expected: entry && expected };
    },
    { ...witness.settings, ...secretOf(witness, place) },
  );
}

/** In the place of all handlers: they would look for ids that nobody has. */
function tellers(sources: Receiving['sources'], tell: (payload: unknown) => void): AllHandlers {
  const teller = (definition: EventDefinition) => (event: { readonly payload: unknown }) => {
    tell(event.payload);
    if (definition.mode === 'notify') return undefined;
    return [undefined, {}, ''].find((answer) => definition.answer.safeParse(answer).success);
  };
  return Object.fromEntries(
    sources.map(({ name, events }) => [
      name,
      Object.fromEntries(Object.entries(events).map(([type, definition]) => [type, teller(definition)])),
    ]),
  );
}

function secretOf({ kind, secret, installation }: Witness, { definition, source }: Place): Environment {
  const prefix = variablePrefix(definition);
  if (installation !== undefined) {
    return { [`${prefix}_WITNESS_${kind}`]: secret, [`${prefix}_WITNESS_KEY`]: installation };
  }
  const others = Object.keys(source.proof.kinds).map((other) => [`${prefix}_${other}`, ''] as const);
  return { ...Object.fromEntries(others), [`${prefix}_${kind}`]: secret };
}

function requestIn({ request: { body, encoding, ...request } }: Witness): WireRequest {
  return { ...request, body: Buffer.from(body, encoding ?? 'utf8') };
}

type Unsettled = Omit<Witness, 'settings' | 'expected'> & { readonly neutral: Neutral };

async function withNeutralValues(
  kept: Kept,
  place: Place,
  proof: FoundProof,
  rename: ReadonlySet<string>,
): Promise<Unsettled | undefined> {
  const known = knownTo(place);
  const headers = { proof: proof.headers, content: Object.keys(place.source.envelope.headers ?? {}) };
  const secret = randomBytes(32).toString('hex');
  for (let tries = 0; tries < TRIES; tries += 1) {
    const neutral = createNeutral({ known, rename, random: createRandom(randomInt(2 ** 32)) });
    const request = await provenAgain(requestOf(kept), place, proof, secret, {
      content: (json) => timesMoved(neutral.claims(json), NEUTRAL_AT - kept.at),
      head: (json) =>
        rewriteJson(json, { text: (text, { name }) => (name === 'kid' ? neutral.text(text) : text) }),
      around: (around) => neutralRequest(around, neutral, headers),
    });
    if (isNeutral(neutral)) return { ...unsettled(request, place, proof, secret), neutral };
  }
  return undefined;
}

const TRIES = 20;

/** By chance a new value may have one of the old ones in it: shorter ones are in many a word, longer ones in none. */
function isNeutral({ replaced }: Neutral): boolean {
  const originals = [...replaced.keys()].filter(({ length }) => length >= 4 && length <= 16);
  return [...replaced.values()].every((value) => !originals.some((original) => value.includes(original)));
}

function unsettled(
  { method, target, headers, body }: WireRequest,
  { source, definition }: Place,
  { kind }: FoundProof,
  secret: string,
): Omit<Unsettled, 'neutral'> {
  const installation = source.installations === true ? new URLSearchParams(queryOf(target)).get('key') : null;
  const written = isUtf8(body)
    ? { body: body.toString() }
    : { body: body.toString('base64'), encoding: 'base64' as const };
  return {
    endpoint: definition.path,
    kind,
    secret,
    ...(installation !== null && installation !== '' && { installation }),
    at: new Date(NEUTRAL_AT).toISOString(),
    request: { method, target, headers: headers.map(([name, value]) => [name, value]), ...written },
  };
}

/** What is set for the endpoint, with the neutral value of what stands in the delivery as well: an issuer. */
function settingsOf(
  { source, definition }: Place,
  env: Environment,
  { replaced }: Neutral,
): Record<string, string> {
  const prefix = variablePrefix(definition);
  return Object.fromEntries(
    Object.keys(source.settings)
      // The delivery of a witness has no connection that a certificate could be shown on.
      .filter((name) => !name.startsWith('CLIENT_CERTIFICATE'))
      .flatMap((name) => {
        const value = env[`${prefix}_${name}`] ?? env[`${upperSnake(source.name)}_${name}`] ?? '';
        return value === '' ? [] : [[`${prefix}_${name}`, replaced.get(value) ?? value] as const];
      }),
  );
}
