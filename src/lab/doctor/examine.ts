import type { Verdict } from '../conformance/result.ts';
import type { EndpointUnderTest } from '../conformance/rule.ts';
import type { TlsOptions } from '../conformance/wire.ts';
import { faults, type FaultId, type Found } from './findings.ts';
import { judge } from './judge.ts';
import { probes } from './probes.ts';
import { examineTls } from './tls.ts';
import { createWay, type Seen } from './way.ts';

export interface ExamineOptions {
  readonly endpoints: readonly EndpointUnderTest[];
  readonly tls?: TlsOptions | undefined;
  /** Waits also for what takes as long as the receiver keeps a connection. */
  readonly patient: boolean;
  /** For a reply to come. */
  readonly timeoutMs: number;
  readonly now?: () => number;
  readonly signal?: AbortSignal;
  /** Told of each group of requests when it has ended. */
  readonly onAsked?: (asked: Asked) => void;
}

export interface Asked {
  readonly name: string;
  /** Where; `undefined`: at no endpoint, since none will do. */
  readonly at: string | undefined;
  readonly found: readonly Found[];
}

export interface Examination {
  readonly verdict: Verdict;
  readonly asked: readonly Asked[];
  /** Each fault once, with all that shows it. */
  readonly found: ReadonlyMap<FaultId, readonly string[]>;
}

/** Sends canaries to the endpoints of a receiver, and says what the way makes of them. */
export async function examine(options: ExamineOptions): Promise<Examination> {
  const { endpoints, tls, patient, timeoutMs, now = Date.now, signal, onAsked } = options;
  const way = createWay({ tls, timeoutMs, now });
  const asked: Asked[] = [];
  const seen: Seen[] = [];
  const tell = (one: Asked) => {
    asked.push(one);
    onAsked?.(one);
  };
  const going = () => signal?.aborted !== true;
  for (const url of securedBy(endpoints)) {
    tell({ name: 'TLS', at: url.host, found: await examineTls(url, tls, now()) });
  }
  for (const at of endpoints) {
    if (!going()) break;
    const one = await way.send(at, await way.genuine(at));
    seen.push(one);
    tell({ name: 'a delivery', at: at.name, found: judge(one, { genuine: true }) });
    if (isUnreachable(one) && seen.every(isUnreachable)) break;
  }
  const reached = seen.filter(({ report }) => report !== undefined).map(({ at }) => at);
  for (const probe of probes) {
    if (reached.length === 0) break;
    if (!going() || (probe.patient === true && !patient)) continue;
    const places = probe.where(reached);
    if (places.length === 0) tell({ name: probe.name, at: undefined, found: [] });
    for (const at of places) tell({ name: probe.name, at: at.name, found: await probe.ask(way, at) });
  }
  const found = together(asked);
  return { verdict: going() ? verdictOf(seen, found) : 'interrupted', asked, found };
}

/** One address for each host that speaks TLS. */
function securedBy(endpoints: readonly EndpointUnderTest[]): URL[] {
  const secured = endpoints.map(({ url }) => url).filter(({ protocol }) => protocol === 'https:');
  return [...new Map(secured.map((url) => [url.host, url])).values()];
}

function isUnreachable({ reply: { status, trouble } }: Seen): boolean {
  return (
    status === 0 &&
    /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|TIMEOUT)$/.test(trouble ?? '')
  );
}

function together(asked: readonly Asked[]): Map<FaultId, string[]> {
  const found = new Map<FaultId, string[]>();
  for (const { id, detail } of asked.flatMap((one) => one.found)) {
    found.set(id, [...new Set([...(found.get(id) ?? []), detail])]);
  }
  return found;
}

function verdictOf(seen: readonly Seen[], found: ReadonlyMap<FaultId, unknown>): Verdict {
  if (seen.every(isUnreachable)) return 'unreachable';
  const real = [...found.keys()].filter((id) => !isHarmless(id));
  const unseen = seen.every(({ report }) => report === undefined);
  if (unseen && real.every((id) => id === 'unrecognised')) return 'inconclusive';
  return real.length === 0 ? 'conformant' : 'not conformant';
}

export function isHarmless(id: FaultId): boolean {
  return 'harmless' in faults[id];
}
