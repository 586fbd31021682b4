import { isIP, isIPv6 } from 'node:net';
import { isPublic } from './addresses.ts';
import { CallRefused, shown } from './errors.ts';

/** What may be called, and nothing else ever is. */
export interface AllowedHosts {
  /** @throws CallRefused unless exactly this scheme, host and port is listed */
  check(url: URL): void;
  /** Whether a listed name may lead to this address: a public one, or one that is listed itself with this port. */
  mayLeadTo(address: string, port: number): boolean;
}

interface Listed {
  readonly protocol: string;
  /** In the spelling of WHATWG URL, as is everything it is compared with: lower case, punycode, IPv6 in brackets. */
  readonly hostname: string;
  readonly port: number;
}

/**
 * Reads a list of host names and literal addresses, each with a port if it is not 443, and with `http://` before it if
 * it may be called without TLS.
 * @throws if one of them cannot be read
 */
export function readHosts(entries: readonly string[]): AllowedHosts {
  const listed = entries.map(readHost);
  return {
    check: (url) => {
      checkForm(url);
      checkListed(url, listed);
    },
    mayLeadTo: (address, port) => isPublic(address) || isListedAddress(address, port, listed),
  };
}

/** The port that a URL stands for, written or not. */
export function portOf({ protocol, port }: { readonly protocol: string; readonly port: string }): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** A host, and its port unless it is the usual one, as it would be listed. */
export function hostText(host: string, port: number): string {
  const name = isIPv6(host) ? `[${host}]` : host;
  return port === 443 ? name : `${name}:${port}`;
}

function readHost(entry: string): Listed {
  const url = URL.parse(withScheme(entry.trim()));
  const onlyHost = url !== null && url.href === `${url.origin}/`;
  if (!onlyHost || !isHttp(url) || url.hostname.includes('*')) {
    throw new Error(
      `"${shown(entry)}" is not a host that may be called. Expected a whole name or a literal address, such as ` +
        'api.example.com, api.example.com:8443, 10.1.2.3 or http://127.0.0.1:4000.',
    );
  }
  return { protocol: url.protocol, hostname: url.hostname, port: portOf(url) };
}

function withScheme(entry: string): string {
  if (/^https?:\/\//i.test(entry)) return entry;
  return `https://${isIPv6(entry) ? `[${entry}]` : entry}`;
}

function isHttp({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}

function checkForm(url: URL): void {
  if (!isHttp(url)) {
    throw new CallRefused(
      'scheme_refused',
      `An address that begins with ${shown(url.protocol)} is never called.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new CallRefused(
      'url_invalid',
      `An address at ${shown(url.host)} has a user name or password before the host. No sender writes such ` +
        'addresses; what stands before the @ often imitates a host.',
    );
  }
}

function checkListed(url: URL, listed: readonly Listed[]): void {
  const ofHost = listed.filter(({ hostname }) => hostname === url.hostname);
  if (ofHost.length === 0) throw notListed(url, listed);
  const ofScheme = ofHost.filter(({ protocol }) => protocol === url.protocol);
  if (ofScheme.length === 0) {
    throw new CallRefused(
      'scheme_refused',
      `${url.hostname} is listed, but not for ${url.protocol}// addresses.`,
    );
  }
  if (ofScheme.some(({ port }) => port === portOf(url))) return;
  throw new CallRefused('port_refused', `${url.hostname} is listed, but not with port ${portOf(url)}.`);
}

function notListed(url: URL, listed: readonly Listed[]): CallRefused {
  const address = withoutBrackets(url.hostname);
  if (isIP(address) !== 0 && !isPublic(address)) {
    return new CallRefused(
      'address_private',
      `${address} is a private, local or reserved address. Such an address is called only if it is listed itself.`,
    );
  }
  const names = listed.map(({ hostname, port }) => hostText(hostname, port)).join(', ') || 'none';
  return new CallRefused(
    'host_not_listed',
    `${shown(url.hostname)} is not among the hosts that may be called (${names}).`,
  );
}

function isListedAddress(address: string, port: number, listed: readonly Listed[]): boolean {
  const hostname = URL.parse(withScheme(address))?.hostname;
  return listed.some((entry) => entry.hostname === hostname && entry.port === port);
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
