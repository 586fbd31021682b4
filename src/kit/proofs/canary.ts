import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { importSecret, type Secret } from './secrets.ts';

/**
 * Canaries try the way to a receiver: they look like deliveries, prove themselves with a key that is derived from the
 * secret of an endpoint, and are told what arrived. Nothing but a canary is proven by that key, so that one which loses
 * its mark on the way is refused as a forgery would be.
 */
export const CANARY_HEADER = 'Webhook-Canary';
/** The field of the query in which the mark stands, too: a header may be lost. */
export const CANARY_FIELD = 'canary';

/** A live secret of an endpoint, as its canaries use it. */
export interface CanaryKey {
  /** By which a canary names it; says nothing of it. */
  readonly id: string;
  /** Of its endpoint. */
  readonly path: string;
  readonly installation: string | undefined;
  readonly secret: Secret;
}

/** The text that a canary proves itself with, in the place of the secret it is derived from. */
export function canaryText(secret: string, path: string, installation = ''): string {
  return hmac(secret, `advance-receiver-kit canary v1 ${path} ${installation}`);
}

export async function importCanaryKey(
  text: string,
  position: number,
  to: Pick<CanaryKey, 'path' | 'installation'>,
): Promise<CanaryKey> {
  return { ...to, id: idOf(text), secret: await importSecret(text, position) };
}

/** The mark of one request; `text` is that of `canaryText`, `now` milliseconds since 1970. */
export function writeCanary(text: string, now: number): string {
  const said = `v1.${idOf(text)}.${Math.floor(now / 1000)}.${randomBytes(16).toString('hex')}`;
  return `${said}.${hmac(text, said)}`;
}

export const CANARY_TOLERANCE_S = 300;
const MARK = /(v1\.([0-9a-f]{16})\.(\d{10})\.[0-9a-f]{32})\.([0-9a-f]{64})/;

export interface ReadCanary {
  readonly key: CanaryKey;
  /** Without its signature: another text for each. */
  readonly mark: string;
}

/**
 * The first mark in a text, if it is genuine and of these five minutes. One that names no key costs no computation,
 * whoever wrote it.
 */
export function readCanary(
  text: string,
  keys: ReadonlyMap<string, CanaryKey>,
  now: number,
): ReadCanary | undefined {
  const [, mark = '', id = '', seconds = '', mac = ''] = MARK.exec(text) ?? [];
  const key = keys.get(id);
  if (key === undefined || Math.abs(now / 1000 - Number(seconds)) > CANARY_TOLERANCE_S) return undefined;
  const expected = createHmac('sha256', key.secret.hmac).update(mark).digest();
  return timingSafeEqual(expected, Buffer.from(mac, 'hex')) ? { key, mark } : undefined;
}

function idOf(text: string): string {
  return hmac(text, 'id').slice(0, 16);
}

function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}
