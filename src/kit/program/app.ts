import type { Config } from './config.ts';
import { messageOf } from '../errors.ts';
import { encryptInbox } from '../inbox/sealed/inbox.ts';
import { readInboxKeys, type InboxKey } from '../inbox/sealed/keys.ts';
import type { Inbox, Room } from '../inbox/inbox.ts';
import { openInbox } from '../inbox/open.ts';
import { logged, type Log } from '../log.ts';
import { createReadiness } from './operations/readiness.ts';
import { startOperations } from './operations/start.ts';
import { openEndpoint } from '../receiver/endpoint.ts';
import type { Work } from '../handling/handle.ts';
import { startReceiving } from './receiving.ts';
import { startWorking } from './working.ts';

/** A running process: receiver, worker, or both. */
export interface App {
  /** Where it listens, without a slash at the end; empty in role worker, which takes no deliveries. */
  readonly url: string;
  /** Where it can be asked how it is; `undefined`: nowhere. */
  readonly adminUrl: string | undefined;
  readonly inbox: Inbox;
  /** Resolves when nothing that is due is waiting for this process, and nothing runs in it. */
  idle(): Promise<void>;
  /** Stops accepting, finishes what is in flight, gives leases back, closes; within the configured time. */
  stop(): Promise<void>;
}

/** Puts all parts together and starts them. @throws when the inbox cannot be opened or a port is taken */
export async function startApp(config: Config, work: Work, log: Log): Promise<App> {
  refuseDoubledSteps(work);
  const keys = keysOf(config);
  const endpoints = await Promise.all(config.endpoints.map(openEndpoint));
  const inbox = await openConfigured(config, keys, log);
  try {
    return await startOn(inbox, config, work, endpoints, log);
  } catch (error) {
    await inbox.close();
    throw error;
  }
}

async function startOn(
  inbox: Inbox,
  config: Config,
  work: Work,
  endpoints: Parameters<typeof startWorking>[1]['endpoints'],
  log: Log,
): Promise<App> {
  const { general } = config;
  const receives = general.ROLE !== 'worker';
  const readiness = createReadiness({ inbox, room: receives ? roomOf(config) : undefined });
  const parts = { endpoints, calling: { ...work, maxAttempts: general.HANDLER_ATTEMPTS }, log };
  const operations = await startOperations(general, readiness);
  try {
    const receiving = receives
      ? await startReceiving(config, { ...parts, inbox: readiness.inbox })
      : undefined;
    const working = general.ROLE === 'receiver' ? undefined : startWorking(config, { ...parts, inbox });
    readiness.enter('open');
    return {
      url: receiving?.url ?? '',
      adminUrl: operations?.url,
      inbox,
      idle: async () => {
        await receiving?.settled();
        await working?.idle();
      },
      stop: async () => {
        readiness.enter('draining');
        await Promise.all([receiving?.stop(general.SHUTDOWN_MS), working?.stop(general.SHUTDOWN_MS)]);
        await inbox.close().finally(() => operations?.stop());
      },
    };
  } catch (error) {
    operations?.stop();
    throw error;
  }
}

/** Of two steps with one name only one would ever run. */
function refuseDoubledSteps({ steps }: Work): void {
  const names = steps.map(({ step }) => step.name);
  const doubled = names.find((name, index) => names.indexOf(name) !== index);
  if (doubled !== undefined) throw new Error(`createSteps has two steps with the name ${doubled}.`);
}

/** @throws Error that names the variable and the line, never what is in it */
function keysOf({ general: { INBOX_KEYS } }: Config): readonly InboxKey[] {
  if (INBOX_KEYS === '') return [];
  try {
    return readInboxKeys(INBOX_KEYS);
  } catch (error) {
    throw new Error(`INBOX_KEYS_FILE: ${messageOf(error)}`, { cause: error });
  }
}

async function openConfigured(config: Config, keys: readonly InboxKey[], log: Log): Promise<Inbox> {
  const inbox = await openInbox(config.general.INBOX_URL, { ...roomOf(config), owner: true });
  return encryptInbox(inbox, keys, ({ seq, source, type, note }) => {
    log.error({ source, type: logged(type), outcome: 'dead', seq, why: note });
  });
}

function roomOf({ general }: Config): Room {
  return { maxWaiting: general.INBOX_MAX_WAITING, maxWaitingBytes: general.INBOX_MAX_WAITING_BYTES };
}
