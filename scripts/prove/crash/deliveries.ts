import { hash } from 'node:crypto';
import { endpointsOf } from '../../../src/kit/endpoint/definition.ts';
import { createRandom, randomBelow, shuffled, type Random } from '../../../src/lab/mock/random.ts';
import { prepare } from '../../../src/lab/mock/request.ts';
import type { OutgoingRequest, Source } from '../../../src/kit/source.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { secretOf } from './receiver.ts';

/** One event, as its sender would put it on the wire, or as somebody who only pretends to be that sender. */
export interface Delivery {
  readonly request: OutgoingRequest;
  /** What only its content has. */
  readonly digest: string;
  readonly genuine: boolean;
}

/** How many of an event, over how many subjects; the fewer, the more wait for each other. */
interface Share {
  readonly source: Source;
  readonly type: string;
  readonly parts: number;
  readonly payload: (subject: number) => object;
}

const SUBJECTS = 2;

/** Of about thirty: notifications and events somebody waits for, of all three senders. */
const shares: readonly Share[] = [
  { source: risr, type: 'profile_updated', parts: 7, payload: (id) => ({ id: `profile-${id}` }) },
  { source: risr, type: 'booking_updated', parts: 3, payload: (id) => ({ id: `booking-${id}` }) },
  { source: risr, type: 'user_registered', parts: 3, payload: (id) => ({ user: `user-${id}` }) },
  {
    source: hotdocs,
    type: 'NewWorkItemVersionComplete',
    parts: 5,
    payload: (id) => ({ workItemVersionId: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}` }),
  },
  { source: hotdocs, type: 'InterviewLoadEvent', parts: 2, payload: () => ({}) },
  { source: hotdocs, type: 'CustomInterviewEvent', parts: 2, payload: () => ({}) },
  { source: phenixid, type: 'OrderSigned', parts: 4, payload: taskOf },
  { source: phenixid, type: 'OrderDocumentUpdated', parts: 2, payload: taskOf },
];
const PARTS = shares.reduce((sum, { parts }) => sum + parts, 0);
/** Of all deliveries, sent once more with the same bytes. */
const REPEATED = 0.15;
const FORGED = 3;

/** What is sent in a run, in this order; the same seed gives the same. */
export async function deliveriesOf(seed: number, size = PARTS): Promise<Delivery[]> {
  const random = createRandom(seed);
  const subjects = Math.max(SUBJECTS, Math.round(size / PARTS));
  const genuine: Delivery[] = [];
  for (const share of shares) {
    const count = Math.round((share.parts * size) / PARTS);
    for (let number = 0; number < count; number++) genuine.push(await deliveryOf(share, subjects, random));
  }
  const again = shuffled(genuine, random).slice(0, Math.ceil(genuine.length * REPEATED));
  const forged = await Promise.all(
    shuffled(shares, random)
      .slice(0, FORGED)
      .map((share) => forgeryOf(share, random)),
  );
  return shuffled([...genuine, ...again, ...forged], random);
}

function taskOf(id: number): object {
  return { taskId: `task-${id}`, orderId: `task-${id}` };
}

async function deliveryOf(share: Share, subjects: number, random: Random): Promise<Delivery> {
  const { source } = share;
  const { content, to, switches } = prepared(share, randomBelow(subjects, random), random);
  return {
    request: await source.proof.sign(content, to, switches),
    digest: digestOf(content),
    genuine: true,
  };
}

async function forgeryOf(share: Share, random: Random): Promise<Delivery> {
  const { proof } = share.source;
  const { content, to, switches } = prepared(share, FORGED_SUBJECT, random);
  const forgery = proof.forgeries[randomBelow(proof.forgeries.length, random)] ?? '';
  return {
    request: await proof.forge(forgery, content, to, switches),
    digest: digestOf(content),
    genuine: false,
  };
}

/** No genuine one is about it, so that its content is its own even where there is no id. */
const FORGED_SUBJECT = 999_999;

function prepared({ source, type, payload }: Share, subject: number, random: Random) {
  const path = endpointsOf(source).find((one) => one.type === undefined || one.type === type)?.path ?? '';
  const credential = { kind: 'SECRET', text: secretOf(path) };
  const example = source.events[type]?.example;
  const order = { type, path, credential, payload: { ...(example as object), ...payload(subject) } };
  return prepare(source, order, random);
}

export function digestOf(content: Buffer): string {
  return hash('sha256', content);
}
