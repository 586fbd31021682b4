import { z } from 'zod';
import type { JsonObject } from '../../../reading/json.ts';
import { DeadLetter } from '../../../errors.ts';
import { createCaller, realTools, type ApiTools, type Caller } from '../../../outgoing/caller.ts';
import type { OutgoingReply } from '../../../outgoing/client.ts';
import { createPace, createTurns } from '../../../outgoing/pace.ts';
import { readReply } from '../../../outgoing/read-reply.ts';
import { withRetries } from '../../../outgoing/retry.ts';
import { wayTo } from '../../../outgoing/settings.ts';
import { urlBelow, withQuery } from '../../../outgoing/template.ts';
import { createTokens, hasStatus } from '../../../outgoing/tokens.ts';
import { createAccess } from './access.ts';
import { needed, type ApiSettings } from './api-settings.ts';
import { createRegistrations, type Registrations } from './registrations.ts';
import { changedUser, checkWritable, documentOf, type Change, type Document } from './user.ts';

/** API v2 of risr/advance. Calls reject with CallRefused, CallFailed or the reason of their signal. */
export interface RisrApi {
  /** The API user's own profile; to try the connection. */
  profile(signal?: AbortSignal): Promise<JsonObject>;
  readUser(id: string, signal?: AbortSignal): Promise<Document | undefined>;
  /**
   * Reads a user, lets it be changed, and writes it if that made a difference. When somebody else wrote in between, both
   * are done again with what is there then, at most three times.
   * @throws DeadLetter if the API finds fault with the user itself
   */
  writeUser(id: string, change: Change, signal?: AbortSignal): Promise<Written>;
  booking(id: string, signal?: AbortSignal): Promise<Document | undefined>;
  readonly registrations: Registrations;
  /** Has an example sent to the registered URLs of a topic. */
  testHook(topic: string, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface Written {
  /** `false`: there was no difference. */
  readonly written: boolean;
  /** The user's revision now, as far as the API says. */
  readonly rev: string | undefined;
}

/** Nothing where the API is not configured. @throws if a host or certificate in the settings cannot be read */
export function createRisrApi(settings: ApiSettings, given: Partial<ApiTools> = {}): RisrApi | undefined {
  const { API_URL: base, API_DISCOVERY_URL: discoveryUrl } = settings;
  if (base === undefined || discoveryUrl === undefined || needed.some((name) => settings[name] === '')) {
    return undefined;
  }
  const tools = { ...realTools, ...given };
  const own = tools.createOutgoing(wayTo(settings, base));
  const login = tools.createOutgoing(wayTo(settings, base, discoveryUrl, ...settings.API_TOKEN_HOSTS));
  const withToken = createTokens(createAccess(login, discoveryUrl, settings), tools.now);
  const caller = createCaller({
    outgoing: own,
    tools,
    withHeaders: (call) => withToken((token) => call(headers(token, settings))),
    pace: createPace({ perSecond: settings.API_CALLS_PER_SECOND, ...tools }),
  });
  const turns = createTurns();
  const userUrl = (id: string) => urlBelow(base, settings.API_USER_PATH, { id });

  return {
    async profile(signal) {
      return membersOf(
        await caller.request({ method: 'GET', url: urlBelow(base, 'v1/account/profile'), signal }),
      );
    },
    readUser: async (id, signal) => findDocument(caller, userUrl(id), id, signal),
    async writeUser(id, change, signal) {
      const url = userUrl(id);
      // Our own writes to one user would only get into each other's way.
      return turns(id, () => withRereads(() => write(caller, url, id, change, signal), tools, signal));
    },
    async booking(id, signal) {
      const parts = settings.API_BOOKING_PARTS.map((part) => ['includeParts', part] as const);
      return findDocument(caller, withQuery(urlBelow(base, 'v2/bookings/{id}', { id }), parts), id, signal);
    },
    registrations: createRegistrations(caller, base),
    async testHook(topic, signal) {
      const url = urlBelow(base, 'v2/webhooks/test');
      await caller.requestOnce({ method: 'POST', url, body: JSON.stringify({ topic }), signal });
    },
    async close() {
      await Promise.all([own.close(), login.close()]);
    },
  };
}

function headers(token: string, { API_ORGANISATION }: ApiSettings): Readonly<Record<string, string>> {
  return {
    Authorization: `Bearer ${token}`,
    'EAS-Organisation': API_ORGANISATION,
    'Content-Type': 'application/json',
    Accept: 'application/json',
  };
}

async function findDocument(
  caller: Caller,
  url: URL,
  id: string,
  signal: AbortSignal | undefined,
): Promise<Document | undefined> {
  try {
    return documentOf(membersOf(await caller.request({ method: 'GET', url, signal })), id);
  } catch (error) {
    if (hasStatus(error, 404)) return undefined;
    throw error;
  }
}

async function write(
  caller: Caller,
  url: URL,
  id: string,
  change: Change,
  signal: AbortSignal | undefined,
): Promise<Written> {
  const read = await caller.request({ method: 'GET', url, signal });
  const raw = membersOf(read);
  const changed = changedUser(raw, id, change);
  if (changed === undefined) return { written: false, rev: documentOf(raw, id).rev };
  checkWritable(raw, read);
  return { written: true, rev: revIn(await put(caller, url, changed, signal)) };
}

async function put(
  caller: Caller,
  url: URL,
  user: JsonObject,
  signal: AbortSignal | undefined,
): Promise<OutgoingReply> {
  try {
    return await caller.request({ method: 'PUT', url, body: JSON.stringify(user), signal });
  } catch (error) {
    if (!hasStatus(error, 400, 422)) throw error;
    const why = `risr/advance answered ${String(error.status)} to the user as it was to be written.`;
    throw new DeadLetter('handler_gave_up', why, { cause: error });
  }
}

const REREADS = 3;

/** A conflict with another writer: again, from the start, a little later. */
function withRereads<Result>(
  work: () => Promise<Result>,
  { random, sleep }: ApiTools,
  signal: AbortSignal | undefined,
): Promise<Result> {
  return withRetries(work, {
    attempts: 1 + REREADS,
    delaysMs: Array.from({ length: REREADS }, () => 100 + 300 * random()),
    retryOn: (error) => hasStatus(error, 409, 412),
    signal,
    sleep,
  });
}

function membersOf(reply: OutgoingReply): JsonObject {
  return readReply('The answer of risr/advance', z.looseObject({}), reply);
}

/** An answer to a write may be empty. */
function revIn(reply: OutgoingReply): string | undefined {
  return reply.body.length === 0 ? undefined : documentOf(membersOf(reply), '').rev;
}
