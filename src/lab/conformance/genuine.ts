import { randomUuid, type Random } from '../mock/random.ts';
import { buildRequest, switchesOf } from '../mock/request.ts';
import type { OutgoingRequest, Switches } from '../../kit/source.ts';
import type { EndpointUnderTest } from './rule.ts';
import type { Changes, Genuine } from './stage.ts';
import type { WireRequest } from './wire.ts';

/** A request of an endpoint's sender about an event of its own. */
export async function genuineRequest(
  { of: endpoint, ...order }: Changes & { readonly of: EndpointUnderTest },
  random: Random,
): Promise<Genuine> {
  const { source, credential, url } = endpoint;
  const type = order.type ?? endpoint.type;
  const { payload, renamed } = ownPayload(order.payload ?? source.events[type]?.example, random);
  const id = order.id ?? randomUuid(random);
  const request = await buildRequest(
    source,
    {
      ...order,
      type,
      path: url.pathname,
      credential,
      payload,
      id,
      switches: { ...endpoint.switches, ...order.switches },
    },
    random,
  );
  const travels = source.envelope
    .write({ type, id, payload, at: order.at ?? new Date() }, switchesOf(source, endpoint.switches))
    .includes(id);
  return { ...wire(request), ref: travels ? id : (renamed ?? id) };
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/**
 * The payload about things of its own: each UUID in it is another one, the same everywhere, so that no receiver has a
 * reason to take two events for one. `renamed` is the first of them.
 */
function ownPayload(payload: unknown, random: Random): { payload: unknown; renamed: string | undefined } {
  const fresh = new Map<string, string>();
  const text = JSON.stringify(payload ?? {}).replace(UUID, (known) => {
    const own = fresh.get(known) ?? randomUuid(random);
    fresh.set(known, own);
    return own;
  });
  const [renamed] = fresh.values();
  return { payload: JSON.parse(text) as unknown, renamed };
}

/** The request that would carry this content. */
export async function provenRequest(
  { source, type, url, credential, switches }: EndpointUnderTest,
  content: Buffer,
  changes: { readonly switches?: Switches },
): Promise<WireRequest> {
  const all = switchesOf(source, { ...switches, ...changes.switches });
  return wire(await source.proof.sign(content, { path: url.pathname, type, credential }, all));
}

/** As it goes over the wire. */
export function wire({ headers, ...request }: OutgoingRequest): WireRequest {
  return { ...request, headers: Object.entries(headers) };
}
