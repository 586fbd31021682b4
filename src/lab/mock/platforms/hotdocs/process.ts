import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Fired } from '../../sender.ts';
import { pick } from '../../../usage.ts';
import { createBackground } from '../background.ts';
import {
  createDeliveries,
  targetFor,
  type Deliveries,
  type Delivered,
  type DeliveryParts,
} from './deliveries.ts';
import {
  aboutClick,
  aboutCompletion,
  aboutInterview,
  aboutInterviewEvent,
  aboutProcessing,
  type Addresses,
} from './payloads.ts';
import type { HotdocsChoices } from './switches.ts';
import type { Occasion } from './webhooks.ts';
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

interface ProcessParts extends DeliveryParts {
  readonly baseUrl: string;
  readonly readAnswers: ReadAnswers;
  readonly workItems: WorkItems;
  readonly actionLinks: readonly ActionLink[];
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
  const background = createBackground();
  const deliveries = createDeliveries(parts);
  const sending: Sending = { parts, deliveries };

  return {
    delivered: deliveries.delivered,
    settled: () => background.settled(),
    openInterview: (item) =>
      prefill(sending, item, workItems.open(item), 'InterviewLoadEvent', aboutInterview(item), item),
    clickInterviewEvent(item, eventName) {
      const version = workItems.open(item);
      const asked = choices.sending()['includeAnswers'] === 'true';
      const payload = {
        ...aboutInterviewEvent(item, version, eventName),
        ...(asked && { answers: version.answers }),
      };
      return prefill(sending, item, version, 'CustomInterviewEvent', payload, { ...item, eventName });
    },
    async clickActionLink(item, name) {
      const { url, hmacSecret } = linkFor(parts.actionLinks, item, name);
      const target = targetFor(parts, url, { kind: 'SECRET', text: hmacSecret });
      const payload = aboutClick(item, versionOf(item, 'active'), name, parts.baseUrl);
      return deliveries.deliver(item, 'ActionLink', payload, { name, target, retries: 0 });
    },
    async finishAssembly(item) {
      const version = workItems.open(item);
      version.documents = assemble(item, version);
      if (webhooks.matching(POST_PROCESSING, item).length > 0) await postProcess(sending, item, version);
      else await complete(sending, item, version);
      return version;
    },
    async endPostProcessing(item, version, outcome) {
      if (version.status === outcome) return;
      await demandProcessing(version);
      if (outcome === 'PostProcessingFailed' && choices.own().allowFailed === 'false') {
        throw new ApiRefusal(400, 'The status can be set to Complete only.');
      }
      version.status = outcome;
      if (outcome === 'Completed') background.run(complete(sending, item, version));
    },
  };
}

/** What the events of a process are sent with. */
interface Sending {
  readonly parts: ProcessParts;
  readonly deliveries: Deliveries;
}

async function prefill(
  { parts, deliveries }: Sending,
  item: WorkItem,
  version: VersionDraft,
  type: string,
  payload: object,
  occasion: Occasion,
): Promise<Version> {
  for await (const fired of deliveries.ask(item, type, payload, occasion)) {
    if (fired.verdict.ok) version.answers = { ...version.answers, ...answersIn(fired, parts) };
    else tell(version, fired, parts.choices.own());
  }
  return version;
}

function complete({ parts, deliveries }: Sending, item: WorkItem, version: VersionDraft): Promise<Fired[]> {
  version.status = 'Completed';
  const payload = aboutCompletion(item, version, addressesOf(parts));
  return deliveries.notify(item, 'NewWorkItemVersionComplete', payload);
}

async function postProcess(
  { parts, deliveries }: Sending,
  item: WorkItem,
  version: VersionDraft,
): Promise<void> {
  version.status = 'PostProcessing';
  const payload = aboutProcessing(item, version, addressesOf(parts));
  const replied = deliveries.notify(item, POST_PROCESSING, payload);
  // A call to the API is refused until then; the failure itself is for the one who waits here.
  version.acknowledged = replied.then(
    (all) => all.every(({ verdict }) => verdict.ok),
    () => false,
  );
  const failed = (await replied).find(({ verdict }) => !verdict.ok);
  if (failed) giveUp(version, failed, parts.choices.own());
}

function addressesOf({ baseUrl, choices }: ProcessParts): Addresses {
  return { baseUrl, docUrl: choices.own().docUrl };
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
