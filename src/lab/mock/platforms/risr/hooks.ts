import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Switches } from '../../../../kit/source.ts';
import { randomUuid, type Random } from '../../random.ts';
import type { TlsOptions } from '../../send.ts';
import type { Fired } from '../../sender.ts';
import type { Choices } from '../choices.ts';
import type { Fire, Target } from '../firing.ts';
import { ApiRefusal } from '../platform.ts';
import { createDocuments, type Document, type Documents } from './documents.ts';
import type { risrSwitches } from './switches.ts';

const topics = [
  'user_logged_in',
  'user_registered',
  'profile_updated',
  'booking_updated',
  'booking_state_changed',
] as const;
export type Topic = (typeof topics)[number];

/** What a third party registers. Several registrations of one topic are called all. */
export const registrationFields = z.strictObject({
  topic: z.enum(topics),
  url: z.url({ protocol: /^https?$/ }),
  secret: z.string().min(1),
});

type RegistrationFields = z.output<typeof registrationFields>;
export type Registration = Document<RegistrationFields>;

/** One hook that was called, and the outcome. */
export interface Call {
  readonly registrationId: string;
  readonly topic: string;
  readonly fired: Fired;
}

export interface Hooks {
  readonly registrations: Documents<RegistrationFields>;
  register(fields: RegistrationFields): Registration;
  /** To all registrations of a topic. */
  call(topic: Topic, payload: object): Promise<Call[]>;
  /** Nothing is tried again: a user waits for every reply. */
  callInLogin(topic: Topic, payload: object): Promise<Call[]>;
  /** Sends the example. @throws ApiRefusal 400, 404 where nothing is registered for such a topic */
  test(topic: string): Promise<Call[]>;
  readonly called: readonly Call[];
}

interface HooksOptions {
  readonly fire: Fire;
  readonly random: Random;
  readonly choices: Choices<typeof risrSwitches>;
  readonly tls: TlsOptions | undefined;
}

export function createHooks(options: HooksOptions): Hooks {
  const { random, choices } = options;
  const { own, sending } = choices;
  const conflictStatus = () => Number(own().conflict);
  const registrations = createDocuments<RegistrationFields>({ what: 'registration', random, conflictStatus });
  const called: Call[] = [];
  const caller: Caller = { ...options, called };
  const callAll = async (topic: Topic, work: (registration: Registration) => Promise<Call[]>) => {
    const wanting = registrations.all().filter((registration) => registration.topic === topic);
    if (own().several === 'parallel') return (await Promise.all(wanting.map(work))).flat();
    const calls: Call[] = [];
    for (const registration of wanting) calls.push(...(await work(registration)));
    return calls;
  };

  return {
    registrations,
    register: (fields) => registrations.add(randomUuid(random), fields),
    call: (topic, payload) =>
      callAll(topic, (registration) => deliver(caller, registration, payload, Number(own().retries))),
    callInLogin: (topic, payload) =>
      callAll(topic, (registration) => deliver(caller, registration, payload, 0)),
    async test(named) {
      const topic = topics.find((known) => known === named);
      if (topic === undefined) throw new ApiRefusal(400, `Unknown topic. Topics: ${topics.join(', ')}.`);
      const calls = await callAll(topic, async (registration) => {
        const target = targetFor(caller, registration, { ...sending(), testPayload: 'yes' });
        return [await send(caller, registration, undefined, target)];
      });
      if (calls.length === 0) throw new ApiRefusal(404, `Nothing is registered for ${topic}.`);
      return calls;
    },
    called,
  };
}

interface Caller extends HooksOptions {
  readonly called: Call[];
}

async function deliver(
  caller: Caller,
  registration: Registration,
  payload: object,
  retries: number,
): Promise<Call[]> {
  const { own, sending } = caller.choices;
  const target = targetFor(caller, registration, sending());
  const calls = await sendUntilWell(caller, registration, payload, target, retries);
  if (own().deliveries === 'once') return calls;
  const id = own().deliveries === 'duplicate' ? target.id : randomUuid(caller.random);
  return [...calls, await send(caller, registration, payload, { ...target, id })];
}

async function sendUntilWell(
  caller: Caller,
  registration: Registration,
  payload: object,
  target: Target,
  retries: number,
): Promise<Call[]> {
  const calls = [await send(caller, registration, payload, target)];
  while (calls.at(-1)?.fired.verdict.ok === false && calls.length <= retries) {
    await pause(Number(caller.choices.own().retryDelayMs));
    calls.push(await send(caller, registration, payload, target));
  }
  return calls;
}

async function send(
  { fire, called }: Caller,
  { id: registrationId, topic }: Registration,
  payload: object | undefined,
  target: Target,
): Promise<Call> {
  const call = { registrationId, topic, fired: await fire(topic, payload, target) };
  called.push(call);
  return call;
}

function targetFor({ random, tls }: Caller, { url, secret }: Registration, switches: Switches): Target {
  return {
    url: new URL(url),
    credential: { kind: 'SECRET', text: secret },
    switches,
    id: randomUuid(random),
    timeoutMs: Number(switches['timeoutMs'] ?? 10_000),
    tls,
  };
}
