import { messageOf } from '../../errors.ts';
import { InboxUnavailable } from '../inbox.ts';

/** By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), its class, or Node's own code. */
const advice: Readonly<Record<string, string>> = {
  '08': 'The connection broke: is the server restarting, or the network in trouble? It is tried again by itself.',
  '22': 'This is a defect of the inbox: please report it with this message.',
  '25006': 'The server is read-only: does INBOX_URL name a standby? It must name the primary.',
  '28': 'The server refused the login: check user and password in INBOX_URL, and pg_hba.conf.',
  '3D000': 'There is no such database: create it, or check INBOX_URL.',
  '40': 'Other processes were in the way again and again: nothing is lost, the sender comes again.',
  '42501':
    'The user of INBOX_URL may not do this: it must be able to create a schema, and own the one named inbox.',
  '42': 'A table or column is not as this version left it: was the schema "inbox" changed by hand, or by a newer version?',
  '53100': 'The disk of the server is full: make room, and it goes on by itself.',
  '53300': 'The server has no connection left: raise max_connections, or run fewer receivers.',
  '53': 'The server is out of resources: look at its log.',
  '55P03': 'Another process holds a lock for too long: look for a forgotten transaction in pg_stat_activity.',
  '57014': 'The server took too long: is it overloaded, or something holding a lock? See pg_stat_activity.',
  '57': 'The server is starting or shutting down: it is tried again by itself.',
  ECONNREFUSED: 'Nothing listens there: is the server running? Check host and port in INBOX_URL.',
  ECONNRESET: 'The server cut the connection: is it restarting? It is tried again by itself.',
  ENOTFOUND: 'The host is not known: check INBOX_URL and the name server.',
  EAI_AGAIN: 'The name server did not answer.',
};

const NO_PASSWORD =
  'The server asks for a password, and INBOX_URL has none: write postgres://user:password@host/database, or set PGPASSWORD.';

const otherwise = 'The server did not answer, or cut the connection: is it running, and reachable from here?';

/** Worth another try at once: a deadlock, or another process that was first to the same line. */
const inEachOthersWay = new Set(['40001', '40P01', '23505']);

/** What a failed statement means for the person it wakes at night. `where` names server and database, without a password. */
export function unavailable(where: string, thrown: unknown): InboxUnavailable {
  if (thrown instanceof InboxUnavailable) return thrown;
  const code = codeOf(thrown);
  const said = messageOf(thrown) || code;
  // pg has no code for it, and speaks of its own parameter.
  const unnamed = said.includes('client password must be a string');
  if (unnamed) return new InboxUnavailable('inbox_unavailable', `PostgreSQL at ${where}: ${NO_PASSWORD}`);
  const words = advice[code] ?? advice[code.slice(0, 2)] ?? otherwise;
  return new InboxUnavailable('inbox_unavailable', `PostgreSQL at ${where}: ${said}. ${words}`, {
    cause: thrown,
  });
}

export function isWorthAnotherTry(thrown: unknown): boolean {
  return inEachOthersWay.has(codeOf(thrown));
}

/** By its members: pg throws its own class, Node others, and several addresses of a host come as an AggregateError. */
function codeOf(thrown: unknown): string {
  const known = typeof thrown === 'object' && thrown !== null && 'code' in thrown;
  return known && typeof thrown.code === 'string' ? thrown.code : '';
}

/** Server and database of an address, for messages. @throws if it is none, without quoting it: it may hold a password */
export function whereOf(url: string): string {
  if (!URL.canParse(url)) {
    throw new Error(
      'INBOX_URL is no valid address. Write postgres://user:password@host:5432/database, and encode / @ : # ? % in the ' +
        'password (encodeURIComponent).',
    );
  }
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
