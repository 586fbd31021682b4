import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import type { TlsOptions } from '../conformance/wire.ts';
import type { Found } from './findings.ts';

const FEWEST_DAYS = 14;
const DAY_MS = 24 * 60 * 60 * 1000;

/** What senders would hold against the certificate of an address, or the TLS that it speaks. */
export async function examineTls(url: URL, tls: TlsOptions | undefined, now: number): Promise<Found[]> {
  const [shown, old] = await Promise.all([
    handshake(url, { ...tls }),
    handshake(url, { ...tls, ...BEFORE_1_2 }),
  ]);
  const spoken: Found[] =
    old === undefined ? [] : [{ id: 'tls-old', detail: `${old.protocol} was agreed on` }];
  if (shown === undefined) return spoken;
  const { fault, validTo, days } = { ...shown, days: Math.floor((shown.validTo - now) / DAY_MS) };
  const until = `until ${new Date(validTo).toISOString().slice(0, 10)}, ${days} days`;
  if (fault === 'CERT_HAS_EXPIRED' || days < FEWEST_DAYS)
    return [...spoken, { id: 'tls-expiring', detail: until }];
  if (fault === undefined) return spoken;
  const id = fault === 'ERR_TLS_CERT_ALTNAME_INVALID' ? 'tls-name' : 'tls-untrusted';
  return [...spoken, { id, detail: `${url.hostname}: ${shown.subject}, ${fault}` }];
}

/** OpenSSL speaks them on this level only. */
const BEFORE_1_2 = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;

interface Shown {
  readonly protocol: string;
  /** As Node names it. */
  readonly fault: string | undefined;
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly validTo: number;
}

const PATIENCE_MS = 10_000;

/** `undefined` where none comes about. */
async function handshake(url: URL, options: ConnectionOptions): Promise<Shown | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || 443;
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = connect({ host, port, ...name, ...options, rejectUnauthorized: false });
  const over = new AbortController();
  try {
    const secured = once(socket, 'secureConnect', { signal: over.signal }).then(() => shownBy(socket));
    return await Promise.race([secured, pause(PATIENCE_MS, undefined, { signal: over.signal })]);
  } catch {
    return undefined; // refused, reset, or no common version
  } finally {
    over.abort();
    socket.destroy();
  }
}

function shownBy(socket: TLSSocket): Shown | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    protocol: socket.getProtocol() ?? 'TLS',
    fault: socket.authorized ? undefined : String(socket.authorizationError),
    subject: certificate.subject.replaceAll('\n', ', '),
    validTo: certificate.validToDate.getTime(),
  };
}
