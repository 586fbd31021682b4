import type { LookupAddress } from 'node:dns';
import { lookup as lookUp } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { createSecureContext } from 'node:tls';
import { buildConnector } from 'undici';
import { CallRefused, shown } from './errors.ts';
import { hostText, portOf, type AllowedHosts } from './hosts.ts';
import { withoutInterim } from './interim.ts';

/** All addresses of a name. */
export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>;

export interface ConnectorOptions {
  readonly hosts: AllowedHosts;
  readonly tls: TlsOptions;
  readonly timeoutMs: number;
  readonly lookup: Lookup;
}

/** PEM texts. `ca` replaces the authorities that Node trusts by itself; `cert` and `key` are what we show. */
export interface TlsOptions {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The system's resolver. */
export function lookupBySystem(hostname: string): Promise<LookupAddress[]> {
  return lookUp(hostname, { all: true });
}

/**
 * Opens connections for undici. The addresses of a name are looked up and checked as part of connecting, and those that
 * were checked are the ones connected to: an answer of DNS that changes in between changes nothing.
 * @throws if a certificate or key cannot be read, or they do not belong together
 */
export function createConnector({
  hosts,
  tls,
  timeoutMs,
  lookup,
}: ConnectorOptions): buildConnector.connector {
  const secureContext = createSecureContext(tls);
  return (options, callback) => {
    const connect = buildConnector({
      secureContext,
      rejectUnauthorized: true, // whatever NODE_TLS_REJECT_UNAUTHORIZED says
      timeout: timeoutMs,
      autoSelectFamily: true, // so that Node asks `lookup` for all addresses, and tries each
      lookup: checkedLookup(lookup, hosts, portOf(options)),
    });
    connect(options, (...connected) => {
      const [error, socket] = connected;
      if (error === null) callback(null, withoutInterim(socket));
      else callback(...connected);
    });
  };
}

function checkedLookup(lookup: Lookup, hosts: AllowedHosts, port: number): LookupFunction {
  return (hostname, _options, callback) => {
    const allowed = lookup(hostname).then((found) => allowedAddresses(hostname, found, hosts, port));
    allowed.then(
      (addresses) => {
        callback(null, addresses);
      },
      (thrown: unknown) => {
        callback(thrown as Error, []); // a resolver rejects with errors
      },
    );
  };
}

/** @throws CallRefused if there are some, and none is allowed */
function allowedAddresses(
  hostname: string,
  found: readonly LookupAddress[],
  hosts: AllowedHosts,
  port: number,
): LookupAddress[] {
  const allowed = found.filter(({ address }) => hosts.mayLeadTo(address, port));
  if (allowed.length > 0) return allowed;
  const [refused] = found;
  if (refused === undefined) throw new Error(`${hostname} has no address`);
  throw new CallRefused(
    'address_private',
    `${hostname} leads to ${shown(refused.address)}, a private, local or reserved address; nothing was sent. ` +
      `If it is meant to, list ${hostText(shown(refused.address), port)} as well.`,
  );
}
