import { setImmediate as immediately, setTimeout as sleep } from 'node:timers/promises';
import type { Delivery } from '../delivery.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { objectIn } from '../reading/json.ts';
import { readable, type Genuine } from '../receiver/receive.ts';
import { definitionOf, type Source } from '../source.ts';
import { driftKinds, driftOf, type Drift } from './drift.ts';
import { isShown, type Seen, type ShownFact } from './fact.ts';
import { differing } from './findings.ts';
import { CAME, DELIVERIES, EVENT, EXAMINED, type FactStore } from './store.ts';
import { createTally, OTHERS, type Tally } from './tally.ts';

/** A genuine delivery, and what came of it. */
export interface Came {
  readonly delivery: Delivery;
  /** Path and query as they were written. */
  readonly target: string;
  readonly endpoint: Endpoint;
  readonly received: Genuine;
}

/** As much of it as facts need. */
interface CameSo extends Omit<Came, 'received'> {
  readonly received: Pick<Genuine, 'proven' | 'outcome'> & {
    readonly entry: Pick<Genuine['entry'], 'receivedAt' | 'type'>;
  };
}

/** Looks at deliveries whose senders were answered, and counts what they show. */
export interface Observer {
  /** Never throws, and is done with what is heavy a moment later. */
  readonly observed: (came: Came) => void;
  /** How many facts were not as assumed when it began. */
  readonly differing: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** So many deliveries of each endpoint are looked at, then one in several; since the start of the process. */
export const LOOKED_AT = 1_000;
export const THEN_ONE_IN = 100;

/** A database that is away must not hold up the end of the process. */
const PATIENCE_MS = 1_000;

const MOST_VARIANTS = 32;
const MOST_PATHS = 200;

/** @throws if what is kept cannot be read */
export async function createObserver(
  store: FactStore,
  sources: readonly Source[],
  log: Log,
): Promise<Observer> {
  const say = sayOnce(log);
  const kept = await store.read();
  const tally = createTally(store, {
    kept,
    mostOf: (fact) =>
      driftKinds.some((kind) => fact.startsWith(`${kind} `)) ? MOST_PATHS - 1 : MOST_VARIANTS - 1,
    onFailure: (error) => say('What deliveries show of their senders cannot be kept now', error),
  });
  const seen = new Map<string, number>();

  return {
    differing: differing(sources, kept),
    observed(came) {
      const { definition, source } = came.endpoint;
      const count = (seen.get(definition.path) ?? 0) + 1;
      seen.set(definition.path, count);
      const of = { source: source.name, endpoint: definition.path };
      const at = came.delivery.receivedAt;
      tally.count({ ...of, fact: DELIVERIES, variant: CAME }, at);
      if (count > LOOKED_AT && count % THEN_ONE_IN !== 0) return;
      // Others are answered first.
      setImmediate(() => {
        tally.count({ ...of, fact: DELIVERIES, variant: EXAMINED }, at);
        examine(came, tally, say);
      });
    },
    async [Symbol.asyncDispose]() {
      await immediately(); // after those that were to be looked at
      const closed = tally.settled().then(() => store.close());
      await Promise.race([closed.catch(() => undefined), sleep(PATIENCE_MS, undefined, { ref: false })]);
    },
  };
}

type Say = (what: string, error: unknown) => void;

/** One line for each kind of trouble: it would be the same with every delivery. */
function sayOnce(log: Log): Say {
  const said = new Set<string>();
  return (what, error) => {
    if (said.has(what)) return;
    said.add(what);
    log.warn({
      outcome: 'trouble',
      why: `${what}, deliveries are not concerned: ${messageOf(error)} Said once.`,
    });
  };
}

function examine(came: Came, tally: Tally, say: Say): void {
  const { endpoint, delivery } = came;
  const of = { source: endpoint.source.name, endpoint: endpoint.definition.path };
  const count = (fact: string, variant: string) => tally.count({ ...of, fact, variant }, delivery.receivedAt);
  const tried = (what: string, step: () => void) => {
    try {
      step();
    } catch (error) {
      say(`${what} cannot be observed`, error);
    }
  };
  tried('A delivery', () => {
    const seen = seenIn(came);
    for (const fact of (endpoint.source.facts ?? []).filter(isShown)) {
      tried(fact.id, () => {
        for (const variant of variantsIn(fact, seen)) count(fact.id, variant);
      });
    }
    tried('The payload', () => countDrift(seen, endpoint.source, count));
  });
}

/** What a delivery shows of a fact. @throws what the fact does not expect */
export function variantsIn(fact: ShownFact, seen: Seen): readonly string[] {
  return [fact.observe(seen) ?? []].flat();
}

/** A genuine delivery as facts look at it. */
export function seenIn({ delivery, target, endpoint, received }: CameSo): Seen {
  const { proven, outcome, entry } = received;
  const content = endpoint.kept(proven.content, delivery);
  return {
    delivery,
    target,
    scheme: endpoint.demand(delivery).proof.scheme,
    proven,
    value: proven.value ?? objectIn(proven.content),
    type: entry.type,
    envelope: readable(endpoint, content, proven.value),
    first: outcome === 'duplicate' ? entry.receivedAt : undefined,
  };
}

function countDrift(
  { envelope }: Seen,
  source: Source,
  count: (fact: string, variant: string) => void,
): void {
  if (envelope === undefined || envelope.test === true) return;
  const event = definitionOf(source, envelope.type);
  const { type, payload } = envelope;
  if (event === undefined) count(EVENT, /^\w[\w.:-]{0,63}$/.test(type) ? type : OTHERS);
  else for (const drift of driftOf(event, payload)) count(`${drift.kind} ${type}`, written(drift));
}

function written({ path, came }: Drift): string {
  return came === '' ? path : `${path} ${came}`;
}
