import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { EndpointConfig } from '../endpoint/definition.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { messageOf } from '../errors.ts';
import type { Count } from '../facts/store.ts';
import { InboxUnavailable, type Inbox } from '../inbox/inbox.ts';
import type { Log } from '../log.ts';
import { html, type Html } from '../reading/html.ts';
import type { Source } from '../source.ts';
import type { Kept, Tape } from '../tape/tape.ts';
import { createAccess, type AccessOptions } from './access.ts';
import { Actions } from './actions.ts';
import { assetOf } from './assets.ts';
import { every, inTurn } from './every.ts';
import { beginStream, goTo, readForm, send, type Answer } from './exchange.ts';
import { readFilter } from './filter.ts';
import type { Journal } from './journal.ts';
import { notice, pageHtml } from './layout.ts';
import { listRows } from './list.ts';
import { createLive, type Live } from './live.ts';
import type { ConsolePage } from './page.ts';
import { pageAt, type Content, type Visit } from './routes.ts';
import { lookAtState, type State } from './state.ts';

/** What the console looks at and works on: interfaces of the kit, whatever is behind them. */
export interface ConsoleParts {
  /** Which app it is, and the version of the kit. */
  readonly app: string;
  readonly sources: readonly Source[];
  readonly endpoints: readonly Endpoint[];
  /** As they are set now. */
  readonly configs: () => readonly EndpointConfig[];
  readonly inbox: Inbox;
  /** Other processes work on it, too. */
  readonly shared: boolean;
  readonly readiness: { reasons(): Promise<readonly string[]> };
  /** `undefined`: nothing is taped. */
  readonly tape: Tape | undefined;
  readonly journal: Journal;
  /** What deliveries have shown of their senders. */
  readonly counts: () => Promise<readonly Count[]>;
  readonly notWritten: ReadonlyMap<Source, readonly string[]>;
  /** Says why a refused delivery was refused; `undefined`: nothing here can. */
  readonly explain: ((kept: Kept) => Promise<string>) | undefined;
  readonly log: Log;
}

export interface ConsoleOptions extends ConsoleParts {
  readonly access: AccessOptions;
  /** Besides those of the console. */
  readonly pages: readonly ConsolePage[];
}

/** The pages for people, on the port of operations. */
export interface Console extends Disposable {
  /** Why nobody may look at it, if so. */
  readonly closed: string | undefined;
  /** Never rejects. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** So much of an inbox in common is looked at, each second while somebody looks. */
const LOOKED_AT = 500;
const STATE_MS = 1_000;

export function createConsole({ access: options, pages, ...parts }: ConsoleOptions): Console {
  const { inbox, journal, log } = parts;
  const look = async () => {
    for (const entry of (await inbox.list({ limit: LOOKED_AT, bare: true })).reverse()) journal.seen(entry);
  };
  const live = createLive({ journal, look: parts.shared ? look : undefined });
  const list = inTurn(listRows);
  const state = every(STATE_MS, () => lookAtState(parts));
  const door = {
    access: createAccess(options),
    actions: new Actions(parts),
    live,
    list,
    state,
    pages,
    parts,
  };
  return {
    get closed() {
      return door.access.closed;
    },
    async answer(request, response) {
      try {
        const answer = await answerTo(request, response, door);
        if (answer !== undefined) send(response, answer);
      } catch (error) {
        if (!(error instanceof InboxUnavailable))
          log.error({ outcome: 'trouble', err: error, why: messageOf(error) });
        const words =
          error instanceof InboxUnavailable
            ? error.message
            : 'A defect of the console itself: the log has it.';
        if (response.headersSent) response.destroy();
        else send(response, { status: 503, body: framed(door, 'Not now', notice('bad', words)) });
      }
    },
    [Symbol.dispose]: () => live[Symbol.dispose](),
  };
}

interface Door {
  readonly access: ReturnType<typeof createAccess>;
  readonly actions: Actions;
  readonly live: Live;
  readonly list: typeof listRows;
  readonly state: () => Promise<State>;
  readonly pages: readonly ConsolePage[];
  readonly parts: ConsoleParts;
}

/** Of an address only what stands behind it counts. */
const ORIGIN = 'http://console';
const NOTHING = new URLSearchParams();

/** `undefined`: it is answered already, and goes on. */
async function answerTo(
  request: IncomingMessage,
  response: ServerResponse,
  door: Door,
): Promise<Answer | undefined> {
  const { access } = door;
  const refused = (words: string): Answer => ({
    status: 403,
    body: framed(door, 'Refused', notice('bad', words)),
  });
  const stranger = access.stranger(request);
  if (stranger !== undefined) return refused(stranger);
  const { pathname: path = '', searchParams: query = NOTHING } = URL.parse(request.url ?? '', ORIGIN) ?? {};
  const isLook = request.method === 'GET' || request.method === 'HEAD';
  const [, first = '', name = ''] = path.split('/');
  if (first === 'assets') return assetOf(name) ?? missing(door);
  if (access.closed !== undefined) return refused(access.closed);
  if (!isLook && request.method !== 'POST')
    return { status: 405, body: '', headers: { Allow: 'GET, HEAD, POST' } };
  const visitor = access.visitor(request);
  if (visitor === undefined && path !== '/login')
    return isLook && path !== '/stream' ? goTo('/login') : refused('Log in first.');
  const isFurther = visitor?.role === 'act' && door.pages.some((page) => page.path === first);
  const form = isLook ? undefined : await readForm(request, isFurther ? PAYLOAD_BYTES : FORM_BYTES);
  if (!isLook && form === undefined)
    return { ...refused('Only forms are taken, and none so large.'), headers: { Connection: 'close' } };
  if (path === '/login' || visitor === undefined) return logIn(request, door, form);
  if (path === '/logout' && !isLook) return goTo('/login', { 'Set-Cookie': access.logOut(request) });
  if (path === '/stream' && request.method === 'GET') return stream(request, response, query, door);
  const part = request.headers['hx-request'] === 'true';
  const content = await pageAt({ path, query, form, visitor, part, ...door });
  return answerOf(content, { path, query, form, visitor, part, ...door });
}

function stream(
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
  { access, live }: Door,
): Answer | undefined {
  const { name } = access.visitor(request) ?? {};
  if (name === undefined || live.isFullFor(name))
    return { status: 503, body: 'Too many lists are open.', type: 'text/plain' };
  beginStream(response);
  const since = request.headers['last-event-id'] ?? query.get('since') ?? '';
  // Whoever has logged out, or whose token is taken away, is told nothing more.
  const stands = () => access.visitor(request)?.name === name;
  live.open(response, { name, filter: readFilter(query), since: String(since), stands });
  return undefined;
}

const FORM_BYTES = 4_096;
/** In development a payload can be edited, and that may be large. */
const PAYLOAD_BYTES = 8 * 1_048_576;

/** Whoever guesses waits; there is nothing to guess in a token that is long enough. */
const PAUSE_MS = 500;

async function logIn(
  request: IncomingMessage,
  door: Door,
  form: URLSearchParams | undefined,
): Promise<Answer> {
  const { access, parts } = door;
  if (form === undefined) return { status: 200, body: framed(door, 'Log in', loginHtml(html``)) };
  const found = access.logIn(request, (form.get('token') ?? '').trim());
  if (found !== undefined) {
    parts.log.info({ outcome: 'console', who: found.visitor.name, why: 'logged in' });
    return goTo('/', { 'Set-Cookie': found.cookie });
  }
  parts.log.warn({
    outcome: 'console',
    why: 'A login with a wrong token.',
    from: request.socket.remoteAddress,
  });
  await pause(PAUSE_MS);
  return { status: 403, body: framed(door, 'Log in', loginHtml(notice('bad', 'Nobody has this token.'))) };
}

function loginHtml(said: Html): Html {
  return html`${said}
    <form class="login" method="post" action="/login">
      <label
        >Token <input type="password" name="token" required autocomplete="current-password" autofocus
      /></label>
      <button class="act">Log in</button>
      <p>
        <small>It is the one in <code>CONSOLE_TOKEN</code> that has your name.</small>
      </p>
    </form>`;
}

function answerOf(content: Content, visit: Visit): Answer {
  if ('goTo' in content) return goTo(content.goTo);
  const { title, inside, status = 200, at = visit.path } = content;
  if (visit.part) return { status, body: inside.toString() };
  const { pages, parts, visitor } = visit;
  return { status, body: pageHtml({ title, at, visitor, pages, app: parts.app }, inside) };
}

function framed({ parts }: Pick<Door, 'parts'>, title: string, inside: Html): string {
  return pageHtml({ title, at: '', app: parts.app }, inside);
}

function missing(door: Door): Answer {
  return { status: 404, body: framed(door, 'Not found', notice('warn', 'There is nothing here.')) };
}
