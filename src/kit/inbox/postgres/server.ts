import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import type { ClientConfig } from 'pg';
import { messageOf } from '../../errors.ts';
import { InboxUnavailable } from '../inbox.ts';

/** What INBOX_URL names. */
export interface Server {
  /** Host and database, for messages: no user, no password. */
  readonly where: string;
  readonly settings: ClientConfig;
}

/** A server that does not answer is not waited for any longer. */
const CONNECT_TIMEOUT_MS = 3_000;
/** The server gives a statement up first; when it does not answer at all, the connection is dropped a second later. */
export const STATEMENT_TIMEOUT_MS = 5_000;

/** @throws if it is no address, without quoting it: it may hold a password; or if it does not say whether to use TLS */
export function readServer(url: string): Server {
  if (!URL.canParse(url)) {
    throw new Error(
      'INBOX_URL is no valid address. Write postgres://user:password@host:5432/database, and encode / @ : # ? % in the ' +
        'password (encodeURIComponent).',
    );
  }
  const address = new URL(url);
  const host = address.searchParams.getAll('host').at(-1) ?? decodeURIComponent(address.hostname);
  const ssl = tlsOf(address.searchParams, host);
  for (const name of ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'uselibpqcompat']) {
    address.searchParams.delete(name);
  }
  if (host === '') address.searchParams.set('host', 'localhost'); // pg would ask PGHOST, which may be elsewhere
  return {
    where: `${address.host}${address.pathname}`,
    settings: {
      connectionString: address.href,
      ssl,
      application_name: 'advance-receiver-kit',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
      keepAlive: true,
    },
  };
}

const MODES =
  'sslmode=verify-full (TLS, the certificate is checked; with sslrootcert=<file> against a CA of your own), ' +
  'sslmode=no-verify (TLS, anybody could be the server) or sslmode=disable (readable on the way)';

/** A certificate is checked whatever NODE_TLS_REJECT_UNAUTHORIZED says: that switch is meant for something else. */
function tlsOf(parameters: URLSearchParams, host: string): ClientConfig['ssl'] {
  const asked = parameters.get('ssl') === 'true' ? 'verify-full' : undefined;
  const mode = parameters.get('sslmode') ?? asked ?? (isLocal(host) ? 'disable' : undefined);
  switch (mode) {
    case 'disable':
      return false;
    case 'no-verify':
      return { ...filesOf(parameters), rejectUnauthorized: false };
    case 'verify-ca':
    case 'verify-full':
    case 'require': {
      const files = filesOf(parameters);
      // Of a public CA anybody can have a certificate: there the name counts, whatever was asked for.
      const anyName = mode === 'verify-ca' && 'ca' in files && { checkServerIdentity: () => undefined };
      return { ...files, ...anyName, rejectUnauthorized: true };
    }
    case undefined:
      throw new Error(`INBOX_URL names the host ${host} and does not say whether to use TLS. Add ?${MODES}.`);
    default:
      throw new Error(`INBOX_URL: sslmode=${mode} leaves open how safe the connection is. Write ${MODES}.`);
  }
}

/** This machine, or a socket in its file system. */
function isLocal(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '');
  return (
    ['', 'localhost', '::1'].includes(bare) ||
    host.startsWith('/') ||
    (isIPv4(bare) && bare.startsWith('127.'))
  );
}

/** As pg names them in an address. */
function filesOf(parameters: URLSearchParams) {
  const read = (name: string) => {
    const file = parameters.get(name);
    if (file === null || (name === 'sslrootcert' && file === 'system')) return undefined;
    try {
      return readFileSync(file, 'utf8');
    } catch (cause) {
      throw new Error(`INBOX_URL: ${name} cannot be read: ${messageOf(cause)}`, { cause });
    }
  };
  const files = { ca: read('sslrootcert'), cert: read('sslcert'), key: read('sslkey') };
  return Object.fromEntries(Object.entries(files).filter(([, text]) => text !== undefined));
}

/**
 * What to do about it, by what a failure begins with: its SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html)
 * or Node's own code, and then the message.
 */
const advice: readonly (readonly [RegExp, string])[] = [
  [/^25006/, 'The server is read-only: does INBOX_URL name a standby? It must name the primary.'],
  [/^28/, 'The server refused the login: check user and password in INBOX_URL, and pg_hba.conf.'],
  [/^3D000/, 'There is no such database: create it, or check INBOX_URL.'],
  [
    /^42501/,
    'The user of INBOX_URL may not do this. To make the tables, run "npm run inbox -- migrate" as a user who may create ' +
      'the schema "inbox"; to work with them, USAGE on it and on its sequence, and SELECT, INSERT, UPDATE and DELETE on its ' +
      'tables are enough.',
  ],
  [/^42/, 'Was the schema "inbox" changed by hand, or by a newer version? This one left it otherwise.'],
  [
    /^53/,
    'The server has no room left: make some on its disk, or raise max_connections or run fewer receivers.',
  ],
  [
    /^(55P03|57014)/,
    'Is the server overloaded, or a forgotten transaction holding a lock? See pg_stat_activity.',
  ],
  [
    /^\w*(CERT|LEAF_SIGNATURE)/,
    'The certificate of the server was not accepted: name its CA with sslrootcert=<file> in INBOX_URL, and the server as ' +
      'its certificate does.',
  ],
  [
    /password must be a string/,
    'The server asks for a password, and INBOX_URL has none. Write postgres://user:password@host/database, or set PGPASSWORD.',
  ],
  [/does not support SSL/, 'Set TLS up there, or say sslmode=disable if nobody can read on the way.'],
  [
    /^(?![\dA-Z]{5} )/,
    'The server did not answer, or cut the connection: is the server running? Can it be reached from here by INBOX_URL?',
  ],
];

/** What a failed statement means for the person it wakes at night. */
export function unavailable(where: string, thrown: unknown): InboxUnavailable {
  if (thrown instanceof InboxUnavailable) return thrown;
  const code = codeOf(thrown);
  const message = messageOf(thrown) || code;
  const [, advised = ''] = advice.find(([pattern]) => pattern.test(`${code} ${message}`)) ?? [];
  const words = `PostgreSQL at ${where}: ${message}. ${advised}`.trim();
  return new InboxUnavailable('inbox_unavailable', words, { cause: thrown });
}

/** By its members: pg throws its own class, Node others, and several addresses of a host come as an AggregateError. */
export function codeOf(thrown: unknown): string {
  const known = typeof thrown === 'object' && thrown !== null && 'code' in thrown;
  return known && typeof thrown.code === 'string' ? thrown.code : '';
}

/**
 * Whether what a statement was given may be why it failed: its values (22, 23), its size (54), or what a trigger of the
 * operator thinks of it (P0). Others that were given other things would not have failed.
 */
export function isAboutItsValues(thrown: unknown): boolean {
  const code = codeOf(thrown instanceof InboxUnavailable ? thrown.cause : thrown);
  return code.length === 5 && ['22', '23', '54', 'P0'].includes(code.slice(0, 2));
}
