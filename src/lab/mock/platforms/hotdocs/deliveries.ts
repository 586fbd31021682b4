import { setTimeout as pause } from 'node:timers/promises';
import { randomUuid, type Random } from '../../random.ts';
import type { TlsOptions } from '../../send.ts';
import type { Fired } from '../../sender.ts';
import type { Choices } from '../choices.ts';
import type { Fire, Target } from '../firing.ts';
import type { hotdocsSwitches } from './switches.ts';
import type { Occasion, Webhook, Webhooks } from './webhooks.ts';
import type { WorkItem } from './work-items.ts';

/** One event that was sent, and the outcome. */
export interface Delivered {
  /** Name of the webhook or action link. */
  readonly to: string;
  readonly workItemId: string;
  readonly fired: Fired;
}

/** Who is told of an event. */
export interface Addressee {
  readonly name: string;
  readonly target: Target;
  readonly retries: number;
}

export interface DeliveryParts {
  readonly fire: Fire;
  readonly random: Random;
  readonly now: () => Date;
  readonly tls: TlsOptions | undefined;
  readonly webhooks: Webhooks;
  readonly choices: Choices<typeof hotdocsSwitches>;
}

/** Sends events, and keeps what was sent. */
export interface Deliveries {
  deliver(item: WorkItem, type: string, payload: object, to: Addressee): Promise<Fired>;
  /** To all webhooks of this type at the same time; what fails is sent again. */
  notify(item: WorkItem, type: string, payload: object): Promise<Fired[]>;
  /** To each webhook that wants it, one after the other; people wait, so nothing is sent again. */
  ask(item: WorkItem, type: string, payload: object, occasion: Occasion): AsyncGenerator<Fired>;
  readonly delivered: readonly Delivered[];
}

export function createDeliveries(parts: DeliveryParts): Deliveries {
  const { webhooks, choices } = parts;
  const delivered: Delivered[] = [];

  async function deliver(item: WorkItem, type: string, payload: object, to: Addressee): Promise<Fired> {
    const fired = await fireUntilWell(parts, type, payload, to);
    delivered.push({ to: to.name, workItemId: item.id, fired });
    return fired;
  }

  return {
    delivered,
    deliver,
    notify(item, type, payload) {
      const retries = Number(choices.own().retries);
      const addressees = webhooks.matching(type, item).map((webhook) => addresseeOf(parts, webhook, retries));
      return Promise.all(addressees.map((to) => deliver(item, type, payload, to)));
    },
    async *ask(item, type, payload, occasion) {
      for (const webhook of webhooks.matching(type, occasion)) {
        yield await deliver(item, type, payload, addresseeOf(parts, webhook, 0));
      }
    },
  };
}

async function fireUntilWell(
  { fire, random, now, choices }: DeliveryParts,
  type: string,
  payload: object,
  { target, retries }: Addressee,
): Promise<Fired> {
  const event = { ...target, id: randomUuid(random), at: now() };
  let fired = await fire(type, payload, event);
  for (let left = retries; left > 0 && !fired.verdict.ok; left -= 1) {
    await pause(Number(choices.own().retryDelayMs));
    fired = await fire(type, payload, event);
  }
  return fired;
}

function addresseeOf(parts: DeliveryParts, webhook: Webhook, retries: number): Addressee {
  const target = targetFor(parts, webhook.url, parts.webhooks.credentialOf(webhook));
  const verb = webhook.eventType === 'CustomInterviewEvent' ? { verb: webhook.requestVerb } : {};
  return {
    name: webhook.name,
    retries,
    target: {
      ...target,
      switches: { ...target.switches, payloadFormat: webhook.payloadFormat, ...verb },
      tls: { ...parts.tls, rejectUnauthorized: webhook.untrustedCertificates === 'Block' },
    },
  };
}

export function targetFor(
  { choices, tls }: DeliveryParts,
  url: string,
  credential: Target['credential'],
): Target {
  const sending = choices.sending();
  const timeoutMs = Number(sending['timeoutMs'] ?? 10_000);
  return { url: new URL(url), credential, switches: sending, timeoutMs, tls };
}
