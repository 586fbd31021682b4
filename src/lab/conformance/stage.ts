import { hash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createRandom, type Random } from '../mock/random.ts';
import type { Order } from '../mock/request.ts';
import type { Exchange } from './exchange.ts';
import { genuineRequest, provenRequest } from './genuine.ts';
import type { EndpointUnderTest } from './rule.ts';
import type { Ledger, SeenIn } from './ledger.ts';
import { bytesOf, type Manner, type Observation, type TlsOptions, type WireRequest } from './wire.ts';

/** What a trial has to work with at one endpoint. */
export interface Stage {
  readonly endpoint: EndpointUnderTest;
  /** The same in every run with the same seed, whatever else is run. */
  readonly random: Random;
  /** A request of this endpoint's sender about an event of its own. */
  readonly genuine: (changes?: Changes) => Promise<Genuine>;
  /** Content of a rule's own choosing, rightly proven. */
  readonly proven: (
    content: string | Buffer,
    changes?: Pick<Changes, 'at' | 'switches'>,
  ) => Promise<WireRequest>;
  /** @throws TargetGone when nothing listens any more */
  readonly send: (request: WireRequest | Buffer, role: string, options?: SendOptions) => Promise<Observation>;
  /** Asks the receiver how it is, by these bytes; needs the address of a health check. */
  readonly askHealth: (write: (url: URL) => Buffer, method: string) => Promise<Observation>;
  /** What the receiver has done so far, as its owner's probe tells; needs level 2. */
  readonly effects: () => Promise<Effects>;
  readonly effectsOf: (ref: string) => Promise<readonly Effect[]>;
  /** The effects as soon as they fulfil a condition, or as they are once none has come for so long. */
  readonly settled: (holds: (effects: Effects) => boolean, longestMs?: number) => Promise<Effects>;
  /** Kills the receiver and starts it again; needs level 3. */
  readonly restart: () => Promise<void>;
  /** Has the receiver end in order and starts it again; needs a way to do so. */
  readonly terminate: () => Promise<void>;
  /** What the replies at this endpoint were like, in this run so far. */
  readonly ledger: Ledger;
  /** The kind of genuine request that was accepted just now, with nothing sent since. */
  readonly control: Control;
}

export interface Control {
  accepted: string | undefined;
}

/** How a genuine request differs from the usual one of its endpoint. */
export interface Changes extends Partial<Pick<Order, 'payload' | 'set' | 'switches' | 'id' | 'at' | 'type'>> {
  /** Another endpoint of the run, whose request it is to be. */
  readonly of?: EndpointUnderTest;
}

export interface Genuine extends WireRequest {
  /** Names its event among the effects: HotDocs eventId, risr webhook_request_id, PhenixID taskId. */
  readonly ref: string;
}

export interface SendOptions {
  /** It is refused for its proof, if at all: its answer must be that of all others like it. */
  readonly failedProof?: boolean;
  /** Statuses from 500 that are right here. */
  readonly allows?: readonly number[];
  readonly manner?: Manner;
  readonly tls?: TlsOptions;
  readonly timeoutMs?: number;
}

/** What a probe tells, in the order in which it happened. */
export interface Effects {
  readonly effects: readonly Effect[];
  /** Accepted, and put aside for a human. */
  readonly quarantined: readonly Effect[];
}
export interface Effect {
  readonly type?: string | undefined;
  readonly ref?: string | undefined;
}

/** What the stages of a run share. */
export interface Backstage {
  readonly seed: number;
  readonly ledger: Ledger;
  /** How long the probe must have said the same for nothing to be expected any more. */
  readonly patienceMs: number;
  readonly controls: Map<string, Control>;
  /** Other cases go on meanwhile, so that their effects show all the time. */
  readonly isBusy?: boolean;
  /** Sends bytes in turn with all others of the run. */
  carry(
    bytes: Buffer,
    endpoint: EndpointUnderTest,
    method: string,
    options: SendOptions,
  ): Promise<Observation>;
  readonly probe?: (() => Promise<Effects>) | undefined;
  readonly restart?: (() => Promise<void>) | undefined;
  readonly terminate?: (() => Promise<void>) | undefined;
  readonly health?: URL | undefined;
}

/** Nothing listens at the target any more. */
export class TargetGone extends Error {
  override readonly name = 'TargetGone';
}

const NOT_LISTENING = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

export function isUnreachable({ trouble, status }: Observation): boolean {
  return status === 0 && trouble !== undefined && NOT_LISTENING.test(trouble);
}

/** `exchanges` takes up everything that is sent. */
export function createStage(
  endpoint: EndpointUnderTest,
  { caseId, grade }: SeenIn,
  backstage: Backstage,
  exchanges: Exchange[],
): Stage {
  const random = createRandom(Number.parseInt(hash('sha256', `${backstage.seed} ${caseId}`).slice(0, 8), 16));
  const control = backstage.controls.get(endpoint.name) ?? { accepted: undefined };
  backstage.controls.set(endpoint.name, control);
  const effects = async () => {
    if (backstage.probe === undefined) throw new Error('This rule needs a probe, and there is none.');
    return backstage.probe();
  };
  return {
    endpoint,
    random,
    control,
    genuine: (changes = {}) => genuineRequest({ of: endpoint, ...changes }, random),
    proven: (content, changes = {}) => provenRequest(endpoint, Buffer.from(content), changes),
    async send(request, role, options = {}) {
      const method = Buffer.isBuffer(request) ? methodIn(request) : request.method;
      const bytes = Buffer.isBuffer(request) ? request : bytesOf(request, endpoint.url);
      control.accepted = undefined;
      const observation = await backstage.carry(bytes, endpoint, method, options);
      const exchange: Exchange = {
        role,
        bytes,
        request: Buffer.isBuffer(request) ? undefined : request,
        observation,
        failedProof: options.failedProof ?? false,
        allows: options.allows ?? [],
      };
      exchanges.push(exchange);
      if (isUnreachable(observation))
        throw new TargetGone(`${observation.trouble ?? ''} at ${endpoint.url.host}`);
      backstage.ledger.take(exchange, endpoint, { caseId, grade });
      return observation;
    },
    askHealth: (write, method) => askHealth(write, method, { backstage, endpoint, exchanges }),
    effects,
    effectsOf: async (ref) => (await effects()).effects.filter((effect) => effect.ref === ref),
    settled: (holds, longestMs = backstage.patienceMs) =>
      settle(effects, holds, { longestMs, isBusy: backstage.isBusy ?? false }),
    async restart() {
      if (backstage.restart === undefined) throw new Error('This rule needs a restart, and there is none.');
      await backstage.restart();
    },
    async terminate() {
      if (backstage.terminate === undefined)
        throw new Error('This rule needs a way to have the receiver end.');
      await backstage.terminate();
    },
    ledger: backstage.ledger,
  };
}

/** Not for the ledger: what asks is no sender. */
async function askHealth(
  write: (url: URL) => Buffer,
  method: string,
  { backstage, endpoint, exchanges }: Asking,
): Promise<Observation> {
  const { health: url } = backstage;
  if (url === undefined) throw new Error('This rule needs the address of a health check, and there is none.');
  const bytes = write(url);
  const observation = await backstage.carry(bytes, { ...endpoint, url }, method, {});
  exchanges.push({
    role: 'health',
    url,
    bytes,
    request: undefined,
    observation,
    failedProof: false,
    allows: [],
  });
  return observation;
}

interface Asking {
  readonly backstage: Backstage;
  readonly endpoint: EndpointUnderTest;
  readonly exchanges: Exchange[];
}

function methodIn(bytes: Buffer): string {
  return /^[A-Z]+/.exec(bytes.toString('latin1', 0, 16))?.[0] ?? 'POST';
}

async function settle(
  effects: () => Promise<Effects>,
  holds: (effects: Effects) => boolean,
  { longestMs, isBusy }: { readonly longestMs: number; readonly isBusy: boolean },
): Promise<Effects> {
  let count = -1;
  let since = performance.now();
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 500)) {
    const now = await effects();
    const total = now.effects.length + now.quarantined.length;
    if (total !== count && !isBusy) [count, since] = [total, performance.now()];
    if (holds(now) || performance.now() - since > longestMs) return now;
    await pause(waitMs);
  }
}
