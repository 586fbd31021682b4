import { randomBytes, timingSafeEqual, createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { DEVELOPER, type Visitor } from './page.ts';
import type { Pass } from './passes.ts';

/** Who may look at the console: the holders of a token, once they have logged in. */
export interface Access {
  /** Why nobody may, if so. */
  readonly closed: string | undefined;
  /** Why this request is refused, whoever makes it: it comes from another page, or by a name that is not ours. */
  stranger(request: IncomingMessage): string | undefined;
  visitor(request: IncomingMessage): Visitor | undefined;
  /** The visitor, and the header that lets his browser say so from now on. */
  logIn(
    request: IncomingMessage,
    token: string,
  ): { readonly visitor: Visitor; readonly cookie: string } | undefined;
  /** Returns the header that lets his browser forget it. */
  logOut(request: IncomingMessage): string;
}

export interface AccessOptions {
  /** As they are now: whoever had one that is gone is out. */
  readonly passes: () => readonly Pass[];
  /** On a laptop, where nobody else can reach it, nobody need log in. */
  readonly development: boolean;
  /** It can be reached from this machine only. */
  readonly loopback: boolean;
  /** Names that it is called by, besides those of this machine. */
  readonly hosts: readonly string[];
  readonly now?: () => number;
}

const SESSION_MS = 8 * 3_600_000;
/** Whoever logs in again and again pushes out his own session that he used longest ago. */
const MOST_SESSIONS = 20;

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

interface Session {
  readonly pass: Pass;
  readonly until: number;
}

export function createAccess({
  passes,
  development,
  loopback,
  hosts,
  now = Date.now,
}: AccessOptions): Access {
  const sessions = new Map<string, Session>();
  const names = new Set([...LOOPBACK, ...hosts.map((host) => host.toLowerCase())]);
  const needsNoToken = () => development && loopback && passes().length === 0;
  return {
    get closed() {
      return passes().length > 0 || needsNoToken() ? undefined : closedBecause(development);
    },
    stranger: (request) => strangerIn(request, names),
    visitor(request) {
      if (needsNoToken()) return DEVELOPER;
      const id = hashed(cookieIn(request));
      const session = sessions.get(id);
      if (session === undefined || session.until < now()) return undefined;
      const isLive = passes().some(
        ({ token, role }) => token === session.pass.token && role === session.pass.role,
      );
      if (!isLive) return undefined;
      sessions.delete(id);
      sessions.set(id, session);
      return session.pass;
    },
    logIn(request, token) {
      const pass = passes().find((one) => isSame(one.token, token));
      if (pass === undefined) return undefined;
      const own = [...sessions].filter(([, session]) => session.pass.token === pass.token);
      for (const [id] of own.slice(0, Math.max(0, own.length - MOST_SESSIONS + 1))) sessions.delete(id);
      const id = randomBytes(32).toString('base64url');
      sessions.set(hashed(id), { pass, until: now() + SESSION_MS });
      return { visitor: pass, cookie: cookieOf(request, id, SESSION_MS) };
    },
    logOut(request) {
      sessions.delete(hashed(cookieIn(request)));
      return cookieOf(request, '', 0);
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

/** Browsers keep cookies by the name of a host, whatever its port: several consoles, reached through tunnels, have one name. */
function cookieName({ headers: { host = '' } }: IncomingMessage): string {
  const port = host.slice(host.lastIndexOf(':') + 1);
  return `advance_console_${/^\d+$/.test(port) ? port : 'https'}`;
}

function cookieIn(request: IncomingMessage): string {
  const name = `${cookieName(request)}=`;
  const found = request.headers.cookie?.split('; ').find((pair) => pair.startsWith(name));
  return found?.slice(name.length) ?? '';
}

function cookieOf(request: IncomingMessage, value: string, ageMs: number): string {
  const isSecure = request.headers.origin?.startsWith('https:') === true;
  const attributes = ['Path=/', 'HttpOnly', 'SameSite=Strict', `Max-Age=${ageMs / 1_000}`];
  return [`${cookieName(request)}=${value}`, ...attributes, ...(isSecure ? ['Secure'] : [])].join('; ');
}

/** Of one length, so that comparing takes the same time for all. */
function isSame(expected: string, given: string): boolean {
  return timingSafeEqual(Buffer.from(hashed(expected)), Buffer.from(hashed(given)));
}

function hashed(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
