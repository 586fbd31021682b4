import { headerValues, type Delivery } from '../delivery.ts';
import type { Proven } from '../proofs/proof.ts';
import type { JsonObject } from '../reading/json.ts';
import type { Envelope } from '../source.ts';

/**
 * Something that no page of the vendor says and that the kit assumes (README.md of its source). Most of it shows in a
 * genuine delivery; of the rest this says why not.
 */
export type Fact = ShownFact | HiddenFact;

/** One that a delivery shows. */
export interface ShownFact {
  /** Of the row in the source's README; a letter behind it where the row says several things. */
  readonly id: string;
  readonly what: string;
  /** The variants that were expected; none: whatever comes is news. */
  readonly assumed: readonly string[];
  /**
   * What this delivery shows: constant words, never a value of it. Nothing, where it says nothing about the fact.
   */
  observe(seen: Seen): string | readonly string[] | undefined;
  /** What to do where a variant is not the one that was assumed; by default it is taken as it is. */
  advice?(variant: string): string;
}

/** One that no delivery shows. */
export interface HiddenFact {
  readonly id: string;
  readonly what: string;
  /** Why not, and where it shows instead. */
  readonly hidden: string;
}

/** A genuine delivery, after its sender was answered. */
export interface Seen {
  readonly delivery: Delivery;
  /** Path and query as they were written. */
  readonly target: string;
  /** Name of the scheme of its proof. */
  readonly scheme: string;
  readonly proven: Proven;
  /** The proven content as a JSON object, where it is one. */
  readonly value: JsonObject | undefined;
  readonly type: string;
  /** `undefined` where the content could not be read. */
  readonly envelope: Envelope | undefined;
  /** When the event came for the first time (ms since 1970), if this was not it. */
  readonly first: number | undefined;
}

export function isShown(fact: Fact): fact is ShownFact {
  return 'observe' in fact;
}

// Variants that several senders have in common

const LAPSES: readonly (readonly [ms: number, text: string])[] = [
  [1_000, '1 s'],
  [10_000, '10 s'],
  [60_000, '1 min'],
  [600_000, '10 min'],
  [3_600_000, '1 h'],
  [86_400_000, '1 day'],
];

/** How long, roughly: `within 10 s`. */
export function lapse(ms: number): string {
  const found = LAPSES.find(([most]) => ms <= most);
  return found === undefined ? 'after more than 1 day' : `within ${found[1]}`;
}

/** How far a sender's time is from ours at arrival. Negative: its clock is ahead. */
export function behind(ms: number): string | undefined {
  if (Number.isNaN(ms)) return undefined;
  return ms < -1_000 ? `ahead, ${lapse(-ms)}` : lapse(Math.max(ms, 0));
}

const SIZES = [1, 4, 16, 64, 256, 1024];

/** How much, roughly: `up to 16 KB`. */
export function size(bytes: number): string {
  const found = SIZES.find((most) => bytes <= most * 1024);
  return found === undefined ? 'more than 1 MB' : `up to ${found} KB`;
}

/** Whether the sender has sent an event before, and how long ago. Only where repeats are recognised. */
export function sending({ first, delivery, envelope }: Seen): string | undefined {
  if (envelope?.key === undefined) return undefined;
  return first === undefined ? ONCE : `again ${lapse(Math.max(delivery.receivedAt - first, 0))}`;
}

export const ONCE = 'once';

/** A name if it is one of these, so that nothing else gets into the counts. */
export function known(name: string, names: readonly string[], otherwise = 'another'): string {
  return names.includes(name) ? name : otherwise;
}

const MEDIA_TYPES = [
  'application/json',
  'application/jose',
  'application/jwt',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'text/plain',
  'application/octet-stream',
];

export function contentType({ delivery }: Seen): string {
  const [value] = headerValues(delivery, 'content-type');
  if (value === undefined) return 'none';
  const [type = '', ...parameters] = value.toLowerCase().split(';');
  const charset = parameters.find((parameter) => parameter.trim().startsWith('charset='));
  const name = known(type.trim(), MEDIA_TYPES);
  if (charset === undefined) return name;
  return `${name}; charset=${known(charset.trim().slice('charset='.length), ['utf-8', 'iso-8859-1'])}`;
}

/** How JSON text is laid out; its beginning tells. */
export function jsonLayout(content: Buffer): string {
  const around = content.toString('latin1', 0, 16_384).replace(/"(?:[^"\\]|\\.)*(?:"|$)/g, '');
  if (/[\r\n]/.test(around)) return 'line ends';
  return /[ \t]/.test(around) ? 'blanks' : 'compact';
}

/** Which of these members are there: `id+name`. */
export function membersThere(value: object, names: readonly string[]): string {
  return names.filter((name) => Object.hasOwn(value, name)).join('+') || 'none';
}

/** Of groups: what stands at the beginning of the third tells the version. */
export const UUID = /^[\da-f]{8}-[\da-f]{4}-([\da-f])[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/i;

/** The form of an id; `uuid` is what its sender calls those. */
export function formOfId(id: unknown, uuid: string): string {
  if (typeof id === 'string') return UUID.test(id) ? uuid : 'other text';
  return id === undefined || id === null ? 'absent' : 'no text';
}

const HEADERS = [
  ...['accept', 'accept-encoding', 'accept-language', 'connection', 'content-encoding', 'content-length'],
  ...['cookie', 'date', 'expect', 'forwarded', 'idempotency-key', 'origin', 'referer', 'request-id'],
  ...['sec-fetch-site', 'traceparent', 'transfer-encoding', 'user-agent', 'via', 'x-correlation-id'],
  ...['x-forwarded-for', 'x-request-id'],
];

/** Of well-known headers, those that are there. */
export function headersThere({ delivery }: Seen): readonly string[] {
  return HEADERS.filter((name) => headerValues(delivery, name).length > 0);
}
