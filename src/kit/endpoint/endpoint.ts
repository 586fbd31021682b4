import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { headerValues, type Delivery } from '../delivery.ts';
import { importCredential, type EndpointConfig } from './definition.ts';
import { DeliveryRejected } from '../errors.ts';
import { canaryText, importCanaryKey, type CanaryKey } from '../proofs/canary.ts';
import { withCertificate } from '../proofs/client-certificate.ts';
import type { Proof } from '../proofs/proof.ts';
import type { JsonObject } from '../reading/json.ts';
import { importSecret, type Secret } from '../proofs/secrets.ts';
import {
  definitionOf,
  type EndpointDefinition,
  type Envelope,
  type EventDefinition,
  type Limits,
  type Source,
} from '../source.ts';
import { buildReply, replyOfKept, type Reply } from '../http/reply.ts';

/** One path, ready to receive: settings applied, keys imported, constant replies built. */
export interface Endpoint {
  readonly definition: EndpointDefinition;
  readonly source: Source;
  readonly limits: Limits;
  readonly methods: readonly string[];
  /** A delivery must come over a connection that was opened with a client certificate. */
  readonly demandsCertificate: boolean;
  /** What a delivery must prove, and with which secrets, by the installation it names. */
  demand(delivery: Delivery): Demand;
  /** One for each of its live secrets. */
  readonly canaryKeys: readonly CanaryKey[];
  /** What is kept of a delivery: the proven content, and with it the headers that its envelope is read from. */
  kept(content: Buffer, delivery: Delivery): Buffer;
  /** Reads what was kept. @throws DeadLetter */
  read(kept: Buffer, value?: JsonObject): Envelope;
  /** The one event it serves, where that is fixed. */
  readonly event: EventDefinition | undefined;
  readonly accepted: Reply;
  /** For each of its reply events, what is said when the handler fails. */
  readonly harmless: ReadonlyMap<string, Reply>;
  /** @throws DeadLetter `answer_too_large` */
  answer(answer: unknown, type: string): Reply;
  /** The reply of which this was recorded. */
  recorded(kept: Buffer, type: string): Reply;
}

/** What one delivery has to show. */
export interface Demand {
  readonly installation: string | undefined;
  readonly proof: Proof;
  readonly secrets: readonly Secret[];
}

/** Makes an endpoint ready; once, at start-up. */
export async function openEndpoint(config: EndpointConfig): Promise<Endpoint> {
  const { definition, source, settings } = config;
  const { type } = definition;
  const found = await demands(config);
  return {
    definition,
    source,
    limits: source.limits(settings),
    methods: source.methods(type, settings),
    demandsCertificate: config.certificate !== undefined,
    demand: source.installations === true ? byInstallation(found, await unknown(found)) : single(found),
    canaryKeys: await canaryKeys(config),
    ...envelopeOf(config),
    event: type === undefined ? undefined : definitionOf(source, type),
    accepted: buildReply(source.reply.accepted),
    harmless: new Map(
      Object.entries(source.events)
        .filter(([, { mode }]) => mode === 'reply')
        .map(([of]) => [of, buildReply(source.reply.harmless(of, settings))]),
    ),
    answer: (answer, of) => buildReply(source.reply.answer(answer, of, settings)),
    recorded: (kept, of) => replyOfKept(kept, source.reply.harmless(of, settings)),
  };
}

function envelopeOf({ definition, source, settings }: EndpointConfig): Pick<Endpoint, 'kept' | 'read'> {
  const { envelope } = source;
  const names = Object.keys(envelope.headers ?? {});
  if (names.length === 0) {
    return {
      kept: (content) => content,
      read: (kept, value) => envelope.read(kept, definition, settings, {}, value),
    };
  }
  return {
    kept: (content, delivery) => withHeaders(content, delivery, names),
    read(kept, value) {
      const at = kept.indexOf(BEHIND_HEADERS);
      const { headers } = keptHeaders.parse(JSON.parse(`${kept.toString('utf8', 0, at)}}}`));
      const content = kept.subarray(at + BEHIND_HEADERS.length, -1);
      return envelope.read(content, definition, settings, headers, value);
    },
  };
}

/** In JSON text of headers every quotation mark of a value has a backslash before it, so that it ends where this comes first. */
const BEHIND_HEADERS = '},"body":';
const keptHeaders = z.object({ headers: z.record(z.string(), z.string()) });

/** Where the content is JSON, so is this. A header that comes twice says nothing. */
function withHeaders(content: Buffer, delivery: Delivery, names: readonly string[]): Buffer {
  const found = names.flatMap((name) => {
    const [value, ...others] = headerValues(delivery, name);
    return value === undefined || others.length > 0 ? [] : [[name, value] as const];
  });
  const headers = JSON.stringify(Object.fromEntries(found)).slice(0, -1);
  return Buffer.concat([Buffer.from(`{"headers":${headers}${BEHIND_HEADERS}`), content, Buffer.from('}')]);
}

async function demands(config: EndpointConfig): Promise<Map<string, Demand>> {
  const { definition, source, settings, credentials, certificate } = config;
  const complete = (proof: Proof) => (certificate ? withCertificate(proof, certificate) : proof);
  const found = new Map<string, Demand>();
  const without = source.proof.without?.(settings);
  if (without)
    found.set('', { installation: definition.installation, proof: complete(without), secrets: [] });
  for (const [installation, credential] of credentials) {
    const kind = source.proof.kinds[credential.kind];
    if (kind === undefined) continue;
    found.set(installation, {
      installation: installation || definition.installation,
      proof: complete(kind.proof(settings)),
      secrets: await importCredential(credential, config),
    });
  }
  return found;
}

async function canaryKeys({ definition, credentials }: EndpointConfig): Promise<CanaryKey[]> {
  const { path } = definition;
  const keys = [...credentials].flatMap(([installation, { texts }]) =>
    texts.map((secret, index) =>
      importCanaryKey(canaryText(secret, path, installation), index + 1, {
        path,
        installation: installation || definition.installation,
      }),
    ),
  );
  return Promise.all(keys);
}

function single(demands: ReadonlyMap<string, Demand>): Endpoint['demand'] {
  const demand = demands.get('');
  return () => {
    if (demand === undefined) throw new Error('A closed endpoint was asked to receive.');
    return demand;
  };
}

/** `?key=` selects whose secrets apply. It is no proof of anything: it stands in every access log. */
function byInstallation(demands: ReadonlyMap<string, Demand>, unknown: Demand): Endpoint['demand'] {
  return ({ query }) => demands.get(installationIn(query)) ?? unknown;
}

/** Does the work of a known installation with keys that nobody has: the time of a refusal does not tell which are known. */
async function unknown(demands: ReadonlyMap<string, Demand>): Promise<Demand> {
  const [known] = [...demands.values()].filter(({ secrets }) => secrets.length > 0);
  const keys = known?.secrets.map(() => importSecret(randomBytes(32).toString('hex'))) ?? [];
  // Made once: to make a second error each time would be work that a known one does not have.
  const refusal = new DeliveryRejected(
    'installation_unknown',
    'No secret is configured for what ?key= names. Check the key in the sender against the variables here.',
  );
  const proof: Proof = {
    scheme: known?.proof.scheme ?? 'none',
    async verify(delivery, secrets) {
      try {
        await known?.proof.verify(delivery, secrets);
      } catch (error) {
        if (!(error instanceof DeliveryRejected)) throw error;
      }
      throw refusal;
    },
  };
  return { installation: undefined, proof, secrets: await Promise.all(keys) };
}

/** The one value of `key` in a query, percent-decoded once; `''` when there is none. */
function installationIn(query: string): string {
  if (query === '') return '';
  const keys = query.split('&').filter((pair) => pair === 'key' || pair.startsWith('key='));
  if (keys.length > 1)
    throw new DeliveryRejected('installation_unknown', 'The query has more than one key=.');
  const written = keys[0]?.slice('key='.length) ?? '';
  try {
    return decodeURIComponent(written);
  } catch (cause) {
    throw new DeliveryRejected('installation_unknown', 'key= is not percent-encoded text.', { cause });
  }
}
