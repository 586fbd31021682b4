import type { Delivery } from '../delivery.ts';
import { DeadLetter } from '../errors.ts';
import { subjectOf, type NewEntry } from '../inbox/inbox.ts';
import type { Proven } from '../proofs/proof.ts';
import type { JsonObject } from '../reading/json.ts';
import { definitionOf, type Envelope, type EventDefinition } from '../source.ts';
import { since } from '../log.ts';
import { answer, type Received, type ReceiverParts } from './answer.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';

/** What became of a genuine delivery, with what its proof has shown. */
export interface Genuine extends Received {
  readonly proven: Proven;
}

/**
 * What happens to every delivery, in this order, whoever sent it: proof, envelope, inbox, reply.
 * @throws DeliveryRejected, InboxUnavailable
 */
export async function receive(
  delivery: Delivery,
  endpoint: Endpoint,
  tools: ReceiverParts,
): Promise<Genuine> {
  const { request, method, body } = delivery;
  const began = performance.now();
  tools.step?.(request, 'came', { path: endpoint.definition.path, method, bytes: body.length });
  const { entry, definition, proven } = await prove(delivery, endpoint);
  tools.step?.(request, 'proven', { secret: proven.secret, ms: since(began) });
  if (definition?.mode === 'reply') return { ...(await answer(entry, definition, endpoint, tools)), proven };
  const storing = performance.now();
  const { duplicate, entry: stored } = await tools.inbox.store(entry);
  tools.step?.(request, 'stored', { seq: stored.seq, duplicate, ms: since(storing) });
  const outcome = duplicate ? 'duplicate' : 'accepted';
  return { outcome, reply: endpoint.accepted, entry: stored, proven };
}

/**
 * Proof and envelope: what is to be stored, and what is known of its event.
 * @throws DeliveryRejected
 */
export async function prove(
  delivery: Delivery,
  endpoint: Endpoint,
): Promise<{
  readonly entry: NewEntry;
  readonly definition: EventDefinition | undefined;
  readonly proven: Proven;
}> {
  const { installation, proof, secrets } = endpoint.demand(delivery);
  const proven = await proof.verify(delivery, secrets);
  const entry = entryOf(proven, delivery, endpoint, installation);
  return { entry, definition: endpoint.event ?? definitionOf(endpoint.source, entry.type), proven };
}

/**
 * What is stored: the authenticated bytes, and from them only what finding and ordering need. Content that cannot be
 * read is stored all the same: the sender is genuine, so it is for us to find out why.
 */
function entryOf(
  proven: Proven,
  delivery: Delivery,
  endpoint: Endpoint,
  installation: string | undefined,
): NewEntry {
  const { source, definition } = endpoint;
  const content = endpoint.kept(proven.content, delivery);
  const envelope = readable(endpoint, content, proven.value);
  return {
    source: source.name,
    endpoint: definition.path,
    installation,
    type: envelope?.type ?? definition.type ?? '?',
    eventId: envelope?.id,
    key: envelope?.key,
    subject: envelope && subjectIn(envelope, endpoint, installation),
    secret: proven.secret,
    receivedAt: delivery.receivedAt,
    content,
    request: delivery.request,
    trace: delivery.trace,
  };
}

/** What a handler would be told; `undefined` where it would be a dead letter. */
export function readable(endpoint: Endpoint, content: Buffer, value?: JsonObject): Envelope | undefined {
  try {
    return endpoint.read(content, value);
  } catch (error) {
    if (error instanceof DeadLetter) return undefined;
    throw error;
  }
}

function subjectIn(
  { type, payload }: Envelope,
  { source }: Endpoint,
  installation: string | undefined,
): string | undefined {
  const definition = definitionOf(source, type);
  if (definition?.subject === undefined) return undefined;
  const parsed = definition.schema.safeParse(payload);
  if (!parsed.success) return undefined;
  return subjectOf({ source: source.name, installation }, definition.subject(parsed.data));
}
