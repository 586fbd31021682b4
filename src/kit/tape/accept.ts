import { headerValues } from '../delivery.ts';
import { isOpen, type EndpointConfig } from '../endpoint/definition.ts';
import { openEndpoint, type Endpoint } from '../endpoint/endpoint.ts';
import { DeliveryRejected } from '../errors.ts';
import { refuseUnfit } from '../http/router.ts';
import type { Inbox } from '../inbox/inbox.ts';
import { prove } from '../receiver/receive.ts';
import { queryOf } from './raw.ts';
import type { Kept } from './tape.ts';

/** What came of putting a taped delivery into the inbox. */
export type Acceptance =
  | { readonly accepted: true; readonly seq: number; readonly duplicate: boolean }
  | { readonly accepted: false; readonly why: string };

interface AcceptParts {
  readonly endpoints: readonly EndpointConfig[];
  readonly inbox: Inbox;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A token that has expired since is taken if it was right when it came. */
  readonly althoughStale: boolean;
}

/**
 * Puts a delivery that was refused, and that verifies now, into the inbox as if it had come now: by the rules of the receiver,
 * every one of them. Whoever calls this tells the tape, which then knows that it is there.
 * @throws InboxUnavailable
 */
export async function acceptTaped(kept: Kept, parts: AcceptParts): Promise<Acceptance> {
  if (kept.seq !== undefined) return refused(`It is in the inbox already, as entry ${kept.seq}.`);
  if (!kept.whole)
    return refused('It was refused before its body was read, so there is nothing whole to take.');
  const config = parts.endpoints.find(({ definition }) => definition.path === kept.endpoint);
  if (config === undefined) return refused('It came to a path that no endpoint has.');
  if (!isOpen(config)) return refused('Its endpoint is closed: no secret is set for it.');
  const endpoint = await openEndpoint(config);
  if (endpoint.event?.mode === 'reply') return refused(NOBODY_WAITS);
  try {
    refuseEarly(kept, endpoint);
    return await acceptAt(endpoint, kept, parts);
  } catch (error) {
    if (!(error instanceof DeliveryRejected)) throw error;
    return refused(error.message);
  }
}

const NOBODY_WAITS = 'Somebody waited for its answer, and does not wait any more.';
const STALE = 'Its token was in time when it came, and is not any more.';

function refused(why: string): Acceptance {
  return { accepted: false, why };
}

/** What is refused before the proof. @throws DeliveryRejected */
function refuseEarly({ method, httpVersion, headers, body }: Kept, endpoint: Endpoint): void {
  refuseUnfit({ method, httpVersion, rawHeaders: [...headers] }, endpoint, false);
  const { maxBodyBytes } = endpoint.limits;
  if (body.length > maxBodyBytes) {
    throw new DeliveryRejected(
      'body_too_large',
      `It has ${body.length} bytes, and the limit is ${maxBodyBytes}.`,
    );
  }
  const isPlain = headerValues({ headers }, 'content-encoding').every((coding) =>
    /^(identity)?$/i.test(coding),
  );
  if (!isPlain) throw new DeliveryRejected('body_encoded', 'It has a Content-Encoding, and none is undone.');
}

/** @throws DeliveryRejected */
async function acceptAt(
  endpoint: Endpoint,
  kept: Kept,
  { inbox, now, althoughStale }: AcceptParts,
): Promise<Acceptance> {
  const { method, target, headers, body, at } = kept;
  const provenAt = (receivedAt: number) =>
    prove({ method, query: queryOf(target), headers, body, receivedAt }, endpoint);
  const { entry, definition } = await provenAt(now).catch(async (error: unknown) => {
    if (!(error instanceof DeliveryRejected) || error.code !== 'proof_stale') throw error;
    const then = await provenAt(at);
    if (!althoughStale) throw new DeliveryRejected('proof_stale', STALE);
    return then;
  });
  if (definition?.mode === 'reply') return refused(NOBODY_WAITS);
  // Without a key of the sender's nothing would tell a second time: whoever accepts it may not live to tell the tape.
  const { key = `tape:${kept.number}@${new Date(at).toISOString()}` } = entry;
  const { entry: stored, duplicate } = await inbox.store({ ...entry, key, receivedAt: now });
  return { accepted: true, seq: stored.seq, duplicate };
}
