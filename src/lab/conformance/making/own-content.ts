import { randomText, randomUuid, type Random } from '../../mock/random.ts';
import { switchesOf } from '../../mock/request.ts';
import { proofKindOf } from '../endpoints.ts';
import { DoesNotApply, type EndpointUnderTest, type Trial } from '../rule.ts';
import type { Changes, Genuine, Stage } from '../stage.ts';
import { answered, type Statuses } from '../trials.ts';
import { hasBody } from './edit.ts';

/** JSON that an endpoint's sender would write, about things of its own. */
export interface OwnContent {
  readonly json: string;
  /** Names its event among the effects. */
  readonly ref: string;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

export function ownContent({ endpoint, random }: Stage): OwnContent {
  const fresh = new Map<string, string>();
  const json = sampleOf(endpoint).replace(UUID, (known) => {
    const own = fresh.get(known) ?? randomUuid(random);
    fresh.set(known, own);
    return own;
  });
  const id = fresh.get(SAMPLE_ID);
  const [first = ''] = fresh.values();
  const { documentId } = revisionOf(endpoint) ?? {};
  const own = documentId === undefined ? json : json.replaceAll(documentId, documentIdFor(random));
  return { json: own, ref: id ?? first };
}

/**
 * A genuine request about a document of its own, where documents have revisions: of the usual one, which all others are
 * about, a receiver may know this revision already.
 */
export function ownGenuine(stage: Stage, { set = [], ...changes }: Changes = {}): Promise<Genuine> {
  const { endpoint, genuine, random } = stage;
  const own = isCounted(changes.of ?? endpoint) ? [{ path: 'id', value: documentIdFor(random) }] : [];
  return genuine({ ...changes, set: [...own, ...set] });
}

function isCounted(at: EndpointUnderTest): boolean {
  return revisionOf(at) !== undefined;
}

function documentIdFor(random: Random): string {
  return `document-${randomText(16, random)}`;
}

/** A document that an event tells of, and the state that it tells: `7-2f0d…` is the seventh. */
interface Revision {
  readonly documentId: string;
  readonly count: number;
  readonly rest: string;
}

/** That of an endpoint's usual content, where its sender counts the states of a document. */
export function revisionOf({ source, type }: EndpointUnderTest): Revision | undefined {
  const { id, rev } = membersOf(JSON.stringify(source.events[type]?.example ?? {}));
  const [, count, rest = ''] = (typeof rev === 'string' ? /^(\d+)(-.*)$/.exec(rev) : undefined) ?? [];
  if (count === undefined || typeof id !== 'string') return undefined;
  return { documentId: id, count: Number(count), rest };
}

const SAMPLE_ID = '00000000-0000-4000-8000-000000000000';

/** The content that an endpoint's sender would write, as its data sheet has it. */
export function sampleOf(
  { source, type, switches }: EndpointUnderTest,
  { payload = source.events[type]?.example, at = new Date(), ...chosen }: Changes = {},
): string {
  const event = { type, id: SAMPLE_ID, payload, at };
  return source.envelope.write(event, switchesOf(source, { ...switches, ...chosen.switches })).toString();
}

/** Whether the sender gives each event an id, so that a redelivery can be told from another event. */
export function hasOwnId(at: EndpointUnderTest): boolean {
  return !isTest(at) && sampleOf(at).includes(SAMPLE_ID);
}

/** Whether its sender is set to send what it only tries a connection with: nothing must come of that. */
export function isTest({ source, switches }: EndpointUnderTest): boolean {
  return switchesOf(source, switches)['testPayload'] === 'yes';
}

/** The member of the content that names the event type; none where only the path tells. */
export function typeMemberOf(at: EndpointUnderTest): string | undefined {
  return Object.entries(membersOf(sampleOf(at))).find(([, value]) => value === at.type)?.[0];
}

type Members = Readonly<Record<string, unknown>>;

/** The members of a sender's own content, where it is an object in JSON. */
export function membersOf(text: string): Members {
  return objectIn(text) ?? {};
}

function objectIn(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The object with further members behind its own, written as they are: `,"x":1`. */
export function withMembers(json: string, members: string): string {
  const text = json.trimEnd();
  if (!text.endsWith('}')) throw new DoesNotApply('the content of this sender is no object in JSON');
  return `${text.slice(0, -1).trimEnd()}${members}}`;
}

/** How many bytes of content an endpoint takes in any case; a query has less room than a body. */
export function roomOf(at: EndpointUnderTest): number {
  return hasBody(at) ? Math.min(at.maxBodyBytes / 2, 150_000) : 6_000;
}

/** Whether its content can be written by hand: it is an object in JSON, and does not travel field by field. */
export function isWritten(at: EndpointUnderTest): boolean {
  return (proofKindOf(at) !== 'access token' || hasBody(at)) && objectIn(sampleOf(at)) !== undefined;
}

/** Kept, or refused as content. */
export const KEPT_OR_NOT: Statuses = ['2xx', 400, 422];

/** What a receiver may answer to content that JSON parsers read otherwise: a token with such a payload may be none to it. */
export function doubtful(at: EndpointUnderTest): Statuses {
  return proofKindOf(at) === 'token' ? [...KEPT_OR_NOT, 401, 429] : KEPT_OR_NOT;
}

/** Rightly proven content that may not fit. */
export function misfit(
  name: string,
  write: (content: OwnContent, at: EndpointUnderTest) => string | Buffer,
  statuses: Statuses = KEPT_OR_NOT,
): Trial {
  return answered(
    name,
    (_genuine, stage) => stage.proven(write(ownContent(stage), stage.endpoint)),
    statuses,
  );
}
