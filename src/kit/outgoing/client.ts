import { createSecureContext } from 'node:tls';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { checkContent, type Announced } from './content.ts';
import { createConnector, lookupBySystem, type Lookup, type TlsOptions } from './connector.ts';
import { statusFailure } from './errors.ts';
import { exchange } from './exchange.ts';
import { readHosts, type AllowedHosts } from './hosts.ts';
import { saveByHash, type Ends, type Saved } from './save.ts';
import { chunksOf, readBody, type OutgoingCall, type Reply } from './send.ts';

// Callers meet these wherever they make a call, so they find them here.
export { CallFailed, CallRefused } from './errors.ts';
export type { OutgoingCall } from './send.ts';

export interface OutgoingOptions {
  /**
   * What may be called: host names or literal addresses, `host:port` where the port is not 443, `http://host:port`
   * where there is no TLS. A name that leads to a private, loopback or otherwise local address is refused when
   * connecting, unless that very address (and port) is listed too.
   */
  readonly hosts: readonly string[];
  readonly tls?: TlsOptions | undefined;
  /**
   * A proxy that every call goes through, with CONNECT; a user and password in it are for the proxy. It is then the proxy
   * that looks names up: which addresses they may lead to is for the proxy to check.
   */
  readonly proxy?: URL | undefined;
  /** To look up, connect and shake hands. */
  readonly connectTimeoutMs?: number;
  /** From the call to the last byte of the reply, redirects included. */
  readonly totalTimeoutMs?: number;
  readonly maxReplyBytes?: number;
  readonly maxDownloadBytes?: number;
  /**
   * The setting that lists further hosts, as refusals name it. With it downloads follow redirects to any listed host,
   * without the headers of the call; without it to no other.
   */
  readonly furtherHosts?: string;
  /** How names become addresses. */
  readonly lookup?: Lookup;
}

export interface OutgoingReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export type Downloaded = Omit<OutgoingReply, 'body'> & Saved;

/** The one way out. Both calls reject with CallRefused, CallFailed or the reason of the call's own signal. */
export interface Outgoing {
  /** Resolves with whatever status comes. At most 3 redirects are followed, within the call's origin only. */
  request(call: OutgoingCall): Promise<OutgoingReply>;
  /**
   * Streams a document into an existing directory, into a file named after its SHA-256; on failure nothing stays there.
   * @throws CallFailed `status` unless that is 200, `truncated` or `content` unless it is whole and fits what was
   * announced; and the file system's errors as they are
   */
  download(call: OutgoingCall, directory: string, announced?: Announced): Promise<Downloaded>;
  /** Ends all connections; calls under way fail. */
  close(): Promise<void>;
}

const MEBIBYTE = 1024 * 1024;

/** @throws if a host, a certificate or a key cannot be read */
export function createOutgoing(options: OutgoingOptions): Outgoing {
  const {
    totalTimeoutMs = 30_000,
    maxReplyBytes = 10 * MEBIBYTE,
    maxDownloadBytes = 50 * MEBIBYTE,
  } = options;
  const hosts = readHosts(options.hosts);
  const agent = createAgent(options, hosts);
  const way = { hosts, agent, limitMs: totalTimeoutMs };
  const wayOfDownloads = { ...way, furtherHosts: options.furtherHosts };
  return {
    request: (call) =>
      exchange(way, call, async (reply, made) => ({
        ...headOf(reply),
        body: await readBody(made, reply, maxReplyBytes),
      })),
    download: (call, directory, announced = {}) =>
      exchange(wayOfDownloads, call, async (reply, made) => {
        const head = headOf(reply);
        if (head.status !== 200) throw statusFailure(made, head);
        const check = (ends: Ends) => {
          checkContent(made, reply, announced, ends);
        };
        return { ...head, ...(await saveByHash(chunksOf(made, reply, maxDownloadBytes), directory, check)) };
      }),
    close: () => agent.destroy(),
  };
}

function createAgent(
  { tls = {}, proxy, connectTimeoutMs: timeoutMs = 5_000, lookup = lookupBySystem }: OutgoingOptions,
  hosts: AllowedHosts,
): Dispatcher {
  // The time of the whole call is watched by exchange, so undici need not watch its parts.
  const untimed = { headersTimeout: 0, bodyTimeout: 0 };
  if (proxy === undefined)
    return new Agent({ ...untimed, connect: createConnector({ hosts, tls, timeoutMs, lookup }) });
  const strict = { timeout: timeoutMs, rejectUnauthorized: true }; // whatever NODE_TLS_REJECT_UNAUTHORIZED says
  return new ProxyAgent({
    ...untimed,
    uri: proxy.href,
    proxyTunnel: true,
    proxyTls: strict,
    requestTls: { ...strict, secureContext: createSecureContext(tls) },
  });
}

function headOf({ statusCode, headers }: Reply): Omit<OutgoingReply, 'body'> {
  return { status: statusCode, headers };
}
