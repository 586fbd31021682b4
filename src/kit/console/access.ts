import { randomBytes, timingSafeEqual, createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { DEVELOPER } from './layout.ts';
import type { Visitor } from './page.ts';
import type { Pass } from './passes.ts';

/** Who may look at the console: the holders of a token, once they have logged in. */
export interface Access {
  /** Why nobody may, if so. */
  readonly closed: string | undefined;
  /** Why this request is refused, whoever makes it: it comes from another page, or by a name that is not ours. */
  stranger(request: IncomingMessage): string | undefined;
  visitor(request: IncomingMessage): Visitor | undefined;
  /** The visitor, and the header that lets his browser say so from now on. */
  logIn(token: string, isSecure: boolean): { readonly visitor: Visitor; readonly cookie: string } | undefined;
  /** Returns the header that lets his browser forget it. */
  logOut(request: IncomingMessage): string;
}

export interface AccessOptions {
  readonly passes: readonly Pass[];
  /** On a laptop, where nobody else can reach it, nobody need log in. */
  readonly development: boolean;
  /** It can be reached from this machine only. */
  readonly loopback: boolean;
  /** Names that it is called by, besides those of this machine. */
  readonly hosts: readonly string[];
  readonly now?: () => number;
}

const COOKIE = 'advance_console';
const SESSION_MS = 8 * 3_600_000;
/** Whoever logs in again and again pushes out the session that he used longest ago. */
const MOST_SESSIONS = 100;

const developer: Visitor = { name: DEVELOPER, role: 'act' };
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

export function createAccess({
  passes,
  development,
  loopback,
  hosts,
  now = Date.now,
}: AccessOptions): Access {
  const sessions = new Map<string, { readonly visitor: Visitor; readonly until: number }>();
  const names = new Set([...LOOPBACK, ...hosts.map((host) => host.toLowerCase())]);
  const withoutToken = development && loopback && passes.length === 0;
  return {
    closed: passes.length > 0 || withoutToken ? undefined : closedBecause(development),
    stranger: (request) => strangerIn(request, names),
    visitor(request) {
      if (withoutToken) return developer;
      const id = hashed(cookieIn(request));
      const session = sessions.get(id);
      if (session === undefined || session.until < now()) return undefined;
      sessions.delete(id);
      sessions.set(id, session);
      return session.visitor;
    },
    logIn(token, isSecure) {
      const found = passes.find((pass) => isSame(pass.token, token));
      if (found === undefined) return undefined;
      const { name, role } = found;
      const id = randomBytes(32).toString('base64url');
      sessions.set(hashed(id), { visitor: { name, role }, until: now() + SESSION_MS });
      const [oldest] = sessions.keys();
      if (oldest !== undefined && sessions.size > MOST_SESSIONS) sessions.delete(oldest);
      return { visitor: { name, role }, cookie: cookieOf(id, SESSION_MS, isSecure) };
    },
    logOut(request) {
      sessions.delete(hashed(cookieIn(request)));
      return cookieOf('', 0, false);
    },
  };
}

function closedBecause(development: boolean): string {
  if (development) return 'ADMIN_HOST lets other machines reach it, so CONSOLE_TOKEN must be set.';
  return 'nobody can log in while CONSOLE_TOKEN is not set.';
}

/**
 * A page of another origin may neither read this one nor act in its visitor's name, nor may one that lets a name of its own
 * resolve to our address.
 */
function strangerIn({ headers, method }: IncomingMessage, names: ReadonlySet<string>): string | undefined {
  const { host = '', origin } = headers;
  const [name = ''] = /^(?:\[[^\]]*\]|[^:]*)/.exec(host.toLowerCase()) ?? [];
  if (!names.has(name)) return 'It is asked for by a name that is not among CONSOLE_HOSTS.';
  const site = headers['sec-fetch-site'];
  const isNavigation = method === 'GET' && headers['sec-fetch-dest'] === 'document';
  if (typeof site === 'string' && !['same-origin', 'none'].includes(site) && !isNavigation)
    return 'Another page asks for it.';
  const isLook = method === 'GET' || method === 'HEAD';
  if (origin === undefined ? isLook : originHost(origin) === host) return undefined;
  return origin === undefined
    ? 'It has no Origin, which every browser sends with a form.'
    : 'Another page asks for it.';
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function cookieIn({ headers: { cookie = '' } }: IncomingMessage): string {
  const found = cookie.split('; ').find((pair) => pair.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1) ?? '';
}

function cookieOf(value: string, ageMs: number, isSecure: boolean): string {
  const attributes = ['Path=/', 'HttpOnly', 'SameSite=Strict', `Max-Age=${ageMs / 1_000}`];
  return [`${COOKIE}=${value}`, ...attributes, ...(isSecure ? ['Secure'] : [])].join('; ');
}

/** Of one length, so that comparing takes the same time for all. */
function isSame(expected: string, given: string): boolean {
  return timingSafeEqual(Buffer.from(hashed(expected)), Buffer.from(hashed(given)));
}

function hashed(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
