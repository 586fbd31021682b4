import { endpointsOf } from '../../kit/endpoint/definition.ts';
import type { OutgoingRequest, ReceivedReply, Source, Switches, Verdict } from '../../kit/source.ts';
import { checkMembers, type Assignment } from './assign.ts';
import { faultOf, judgeReplies, transmissionsOf, type Fault } from './faults.ts';
import { describeProof, withoutProof } from './proof-place.ts';
import type { Random } from './random.ts';
import { eventOf, prepare, switchesOf, type Credential, type Order, type Prepared } from './request.ts';
import { runAll, supplyOf, type Run, type RunSize } from './run.ts';
import { createConnections, send, type Connections, type Outcome, type TlsOptions } from './send.ts';
import { UsageError } from '../usage.ts';

/** The mock of one sending system: sends its events to a receiver, and judges the replies as that system would. */
export interface Sender {
  readonly source: Source;
  /** @throws UsageError */
  fire(type: string, options?: FireOptions): Promise<Fired>;
  /** What `fire` would send, and sends nothing. @throws UsageError */
  preview(type: string, options?: FireOptions): Promise<Preview>;
  /** Sends many events of one type, each with an id of its own. @throws UsageError */
  run(type: string, options: FireOptions & RunSize): Promise<Run>;
  /** Closes the connections it has kept. */
  close(): void;
}

export interface SenderOptions {
  readonly source: Source;
  /** The receiver's origin; with a path, that path is the endpoint instead of the usual one. */
  readonly url: URL;
  readonly credentialFor: CredentialFor;
  readonly random: Random;
  readonly now?: () => Date;
  readonly timeoutMs?: number;
  readonly tls?: TlsOptions;
}

/** @throws UsageError where no secret is known */
export type CredentialFor = (to: {
  readonly type: string;
  readonly path: string;
  readonly switches: Switches;
}) => Credential;

/** What to change about an event or its sending; nothing means the source's example, sent as the source usually does. */
export interface FireOptions {
  readonly payload?: unknown;
  readonly set?: readonly Assignment[] | undefined;
  readonly switches?: Switches | undefined;
  readonly fault?: string | undefined;
  /** The event's own id and time: a platform that sends an event again repeats them. */
  readonly id?: string | undefined;
  readonly at?: Date | undefined;
}

/** One event as it would be sent. */
export interface Preview extends Pick<Prepared, 'event' | 'content' | 'misfit'> {
  /** With `<proof>` in the place of what proves it. */
  readonly request: OutgoingRequest;
  /** Of its body as it would be sent. */
  readonly bytes: number;
}

/** One event sent, and the outcome. */
export interface Fired {
  readonly source: string;
  readonly type: string;
  readonly id: string;
  readonly request: RequestSummary;
  /** How it proved itself: the scheme, and where the proof stood; under a fault, what was wrong with it. */
  readonly proof: string;
  readonly fault: string | undefined;
  /** The last reply, if there was one. */
  readonly reply: ReceivedReply | undefined;
  /** What this sender makes of it; under a fault, whether a correct receiver does that. */
  readonly verdict: Verdict;
  /** The receiver could not be reached at all. */
  readonly unreachable: boolean;
  readonly misfit: string | undefined;
  readonly ms: number;
}

/** A request as it may be shown: no secret, no token, no signature. */
interface RequestSummary {
  readonly method: string;
  readonly target: string;
  readonly bytes: number;
}

export function createSender(options: SenderOptions): Sender {
  const { source, random } = options;
  const connections = createConnections(options.tls);
  const prepareOne = (type: string, chosen: FireOptions) =>
    prepare(source, orderFor(options, type, chosen), random);
  const deliver = (prepared: Prepared, fault: Fault | undefined) =>
    exchangeAll(options, connections, prepared, fault);
  return {
    source,
    async fire(type, chosen = {}) {
      const prepared = prepareOne(type, chosen);
      const fault = faultFor(source, chosen.fault, 1);
      return firedFrom(source, prepared, fault, await deliver(prepared, fault), random);
    },
    async preview(type, chosen = {}) {
      const prepared = prepareOne(type, chosen);
      const [{ request }] = await transmissionsOf(
        source,
        prepared,
        faultFor(source, chosen.fault, 2),
        random,
      );
      const { event, content, misfit } = prepared;
      const masked = await withoutProof(source, prepared, request, random);
      return { event, content, misfit, request: masked, bytes: request.body.length };
    },
    async run(type, chosen) {
      const fault = faultFor(source, chosen.fault, chosen.count);
      const next = supplyOf(() => prepareOne(type, chosen), chosen.count, fault, random);
      return runAll(next, chosen, async (prepared) => sentFrom(await deliver(prepared, fault)));
    },
    close: () => connections.close(),
  };
}

function orderFor(options: SenderOptions, type: string, chosen: FireOptions): Order {
  const { source, url, credentialFor, now = () => new Date() } = options;
  const { schema, example } = eventOf(source, type);
  const { payload = example, set = [], id, at = now() } = chosen;
  const switches = switchesOf(source, chosen.switches ?? {});
  checkMembers(schema, payload, set);
  const path = pathFor(source, url, type);
  const credential = credentialFor({ type, path, switches });
  return { type, path, credential, switches, at, payload, set, ...(id !== undefined && { id }) };
}

function pathFor(source: Source, url: URL, type: string): string {
  if (url.pathname !== '/') return url.pathname;
  const usual = endpointsOf(source).find((endpoint) => endpoint.type === undefined || endpoint.type === type);
  return usual?.path ?? `/${source.name}`;
}

function faultFor(source: Source, name: string | undefined, count: number): Fault | undefined {
  if (name === undefined) return undefined;
  const fault = faultOf(source, name);
  if (fault.needsSeveral && count < 2) {
    throw new UsageError(`The fault ${name} needs a count of 2 or more (--count 10).`);
  }
  return fault;
}

/** What went over the wire for one event, and what came back each time. */
interface Exchange {
  readonly request: OutgoingRequest;
  readonly outcomes: readonly Outcome[];
  readonly verdict: Verdict;
}

const TIMEOUT_MS = 30_000;

async function exchangeAll(
  { source, url, random, timeoutMs = TIMEOUT_MS }: SenderOptions,
  connections: Connections,
  prepared: Prepared,
  fault: Fault | undefined,
): Promise<Exchange> {
  const transmissions = await transmissionsOf(source, prepared, fault, random);
  const outcomes: Outcome[] = [];
  for (const { request, manner } of transmissions) {
    outcomes.push(await send(url, request, { timeoutMs, connections, ...(manner && { manner }) }));
  }
  const judged = outcomes.map((outcome) => ({ outcome, verdict: judge(source, prepared, outcome) }));
  return { request: transmissions[0].request, outcomes, verdict: judgeReplies(fault, judged) };
}

function judge(source: Source, { event, switches }: Prepared, outcome: Outcome): Verdict {
  if (outcome.kind === 'failure') return { ok: false, says: outcome.says };
  return source.reply.judge(outcome.reply, event.type, switches);
}

async function firedFrom(
  source: Source,
  prepared: Prepared,
  fault: Fault | undefined,
  exchange: Exchange,
  random: Random,
): Promise<Fired> {
  const { request, outcomes } = exchange;
  const { method, target, body } = request;
  return {
    source: source.name,
    type: prepared.event.type,
    id: prepared.event.id,
    request: { method, target: redacted(target), bytes: body.length },
    proof: fault?.summary ?? (await describeProof(source, prepared, request, random)),
    fault: fault?.name,
    unreachable: outcomes.every(isUnreachable),
    misfit: prepared.misfit,
    ...sentFrom(exchange),
  };
}

function sentFrom({ outcomes, verdict }: Exchange): Pick<Fired, 'reply' | 'verdict' | 'ms'> {
  const replies = outcomes.flatMap((outcome) => (outcome.kind === 'reply' ? [outcome.reply] : []));
  const times = outcomes.map((outcome) => (outcome.kind === 'reply' ? outcome.reply.ms : outcome.ms));
  return { reply: replies.at(-1), verdict, ms: Math.max(...times) };
}

/** Query values may be tokens or signatures, and the name of an installation is nobody's business either. */
function redacted(target: string): string {
  return target.replace(/=[^&]*/g, '=…');
}

function isUnreachable(outcome: Outcome): boolean {
  return outcome.kind === 'failure' && (outcome.cause === 'not_running' || outcome.cause === 'unreachable');
}
