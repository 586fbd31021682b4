import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { randomUuid, type Random } from '../../random.ts';
import type { TlsOptions } from '../../send.ts';
import type { Fired } from '../../sender.ts';
import { pick } from '../../../usage.ts';
import { createBackground } from '../background.ts';
import type { Choices } from '../choices.ts';
import type { Fire, Target } from '../firing.ts';
import {
  aboutClick,
  aboutCompletion,
  aboutInterview,
  aboutInterviewEvent,
  aboutProcessing,
  type Addresses,
} from './payloads.ts';
import type { HotdocsChoices, hotdocsSwitches } from './switches.ts';
import type { Occasion, Webhook, Webhooks } from './webhooks.ts';
import {
  assemble,
  guid,
  versionOf,
  type InterviewAnswers,
  type Version,
  type VersionDraft,
  type WorkItem,
  type WorkItemDraft,
  type WorkItems,
} from './work-items.ts';
import { ApiRefusal } from '../platform.ts';

/** Reads the answers of a reply, in that dialect or whichever it is, into plain JSON by variable name. */
export type ReadAnswers = (json: unknown, dialect: 'A' | 'B' | 'C' | undefined) => InterviewAnswers;

export const actionLink = z.strictObject({
  name: z.string().min(1),
  url: z.url({ protocol: /^https?$/ }),
  hmacSecret: z.string().min(1),
  active: z.boolean().default(true),
  /** Permissions; nothing listed permits all. */
  workGroups: z.array(guid).default([]),
});

type ActionLink = z.output<typeof actionLink>;

/** One event that was sent, and the outcome. */
export interface Delivered {
  /** Name of the webhook or action link. */
  readonly to: string;
  readonly workItemId: string;
  readonly fired: Fired;
}

interface ProcessParts {
  readonly fire: Fire;
  readonly random: Random;
  readonly now: () => Date;
  readonly baseUrl: string;
  readonly tls: TlsOptions | undefined;
  readonly readAnswers: ReadAnswers;
  readonly webhooks: Webhooks;
  readonly workItems: WorkItems;
  readonly actionLinks: readonly ActionLink[];
  readonly choices: Choices<typeof hotdocsSwitches>;
}

/** What happens to a work item, and which events that sends. */
export interface Process {
  /** Opens the interview; answers that come back are in it before the user sees it. */
  openInterview(item: WorkItemDraft): Promise<Version>;
  clickInterviewEvent(item: WorkItemDraft, eventName: string): Promise<Version>;
  clickActionLink(item: WorkItemDraft, name: string): Promise<Fired>;
  /** Assembles the documents. Resolves when those who are told first have replied. */
  finishAssembly(item: WorkItemDraft): Promise<Version>;
  /** @throws ApiRefusal 400, 409 */
  endPostProcessing(item: WorkItem, version: VersionDraft, status: Outcome): Promise<void>;
  readonly delivered: readonly Delivered[];
  /** Resolves when every event on its way has been replied to, or given up. */
  settled(): Promise<void>;
}

/** How post-processing can end. */
export type Outcome = 'Completed' | 'PostProcessingFailed';

export function createProcess(parts: ProcessParts): Process {
  const { webhooks, workItems, choices } = parts;
  const delivered: Delivered[] = [];
  const background = createBackground();
  const addresses = (): Addresses => ({ baseUrl: parts.baseUrl, docUrl: choices.own().docUrl });

  const deliver = async (item: WorkItem, type: string, payload: object, to: Addressee) => {
    const fired = await fireUntilWell(parts, type, payload, to);
    delivered.push({ to: to.name, workItemId: item.id, fired });
    return fired;
  };
  const notify = (item: WorkItem, type: string, payload: object): Promise<Fired[]> => {
    const retries = Number(choices.own().retries);
    const addressees = webhooks.matching(type, item).map((webhook) => addresseeOf(parts, webhook, retries));
    return Promise.all(addressees.map((to) => deliver(item, type, payload, to)));
  };
  const prefill = async (
    item: WorkItem,
    version: VersionDraft,
    type: string,
    payload: object,
    occasion: Occasion,
  ) => {
    for (const webhook of webhooks.matching(type, occasion)) {
      const fired = await deliver(item, type, payload, addresseeOf(parts, webhook, 0));
      if (fired.verdict.ok) version.answers = { ...version.answers, ...answersIn(fired, parts) };
      else tell(version, fired, choices.own());
    }
    return version;
  };
  const complete = (item: WorkItem, version: VersionDraft): Promise<Fired[]> => {
    version.status = 'Completed';
    return notify(item, 'NewWorkItemVersionComplete', aboutCompletion(item, version, addresses()));
  };
  const postProcess = async (item: WorkItem, version: VersionDraft): Promise<void> => {
    version.status = 'PostProcessing';
    const replied = notify(item, POST_PROCESSING, aboutProcessing(item, version, addresses()));
    // A call to the API is refused until then; the failure itself is for the one who waits here.
    version.acknowledged = replied.then(
      (all) => all.every(({ verdict }) => verdict.ok),
      () => false,
    );
    const failed = (await replied).find(({ verdict }) => !verdict.ok);
    if (failed) giveUp(version, failed, choices.own());
  };

  return {
    delivered,
    settled: () => background.settled(),
    openInterview: (item) =>
      prefill(item, workItems.open(item), 'InterviewLoadEvent', aboutInterview(item), item),
    clickInterviewEvent(item, eventName) {
      const version = workItems.open(item);
      const asked = choices.sending()['includeAnswers'] === 'true';
      const about = aboutInterviewEvent(item, version, eventName);
      const payload = { ...about, ...(asked && { answers: version.answers }) };
      return prefill(item, version, 'CustomInterviewEvent', payload, { ...item, eventName });
    },
    async clickActionLink(item, name) {
      const { url, hmacSecret } = linkFor(parts.actionLinks, item, name);
      const target = targetFor(parts, url, { kind: 'SECRET', text: hmacSecret });
      const payload = aboutClick(item, versionOf(item, 'active'), name, parts.baseUrl);
      return deliver(item, 'ActionLink', payload, { name, target, retries: 0 });
    },
    async finishAssembly(item) {
      const version = workItems.open(item);
      version.documents = assemble(item, version);
      if (webhooks.matching(POST_PROCESSING, item).length > 0) await postProcess(item, version);
      else await complete(item, version);
      return version;
    },
    async endPostProcessing(item, version, outcome) {
      if (version.status === outcome) return;
      await demandProcessing(version);
      if (outcome === 'PostProcessingFailed' && choices.own().allowFailed === 'false') {
        throw new ApiRefusal(400, 'The status can be set to Complete only.');
      }
      version.status = outcome;
      if (outcome === 'Completed') background.run(complete(item, version));
    },
  };
}

const POST_PROCESSING = 'PostProcessingEvent';
const PATIENCE_MS = 1000;

/**
 * The reply to the event may still be on its way when its receiver calls.
 * @throws ApiRefusal 409
 */
export async function demandProcessing(version: VersionDraft): Promise<void> {
  if (version.status !== 'PostProcessing') {
    throw new ApiRefusal(409, `This version is ${version.status}, not in post-processing.`);
  }
  const waited = pause(PATIENCE_MS, false, { ref: false });
  if (await Promise.race([version.acknowledged, waited])) return;
  throw new ApiRefusal(409, 'PostProcessingEvent must be answered with success first.');
}

/** Who is told of an event. */
interface Addressee {
  readonly name: string;
  readonly target: Target;
  readonly retries: number;
}

async function fireUntilWell(
  { fire, random, now, choices }: ProcessParts,
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

function addresseeOf(parts: ProcessParts, webhook: Webhook, retries: number): Addressee {
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

function targetFor({ choices, tls }: ProcessParts, url: string, credential: Target['credential']): Target {
  const sending = choices.sending();
  const timeoutMs = Number(sending['timeoutMs'] ?? 10_000);
  return { url: new URL(url), credential, switches: sending, timeoutMs, tls };
}

const DIALECTS = ['A', 'B', 'C'] as const;

function answersIn({ reply }: Fired, { readAnswers, choices }: ProcessParts): InterviewAnswers {
  const dialect = DIALECTS.find((name) => name === choices.sending()['answerDialect']);
  return reply === undefined ? {} : readAnswers(JSON.parse(reply.body.toString()), dialect);
}

function tell(version: VersionDraft, { verdict }: Fired, { onError }: HotdocsChoices): void {
  if (onError !== 'continue') version.notice = verdict.says;
}

/** Otherwise the version stays in post-processing: nobody has been asked to end it. */
function giveUp(version: VersionDraft, fired: Fired, own: HotdocsChoices): void {
  tell(version, fired, own);
  if (own.onError === 'mark-failed') version.status = 'PostProcessingFailed';
}

function linkFor(links: readonly ActionLink[], { workGroupId }: WorkItem, name: string): ActionLink {
  const named = links.map((link) => [link.name, link] as const);
  const link = pick('action link', name, named);
  if (!link.active) throw new ApiRefusal(409, 'This action link is not active.');
  if (link.workGroups.length === 0 || link.workGroups.includes(workGroupId)) return link;
  throw new ApiRefusal(403, 'This action link is for other work groups.');
}
