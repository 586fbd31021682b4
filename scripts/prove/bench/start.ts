import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startContestant, startHeld, type Contestant, type HeldContestant } from './contestant.ts';
import { inboxNames, type InboxName, type Inboxes } from '../../../src/lab/rig/inboxes.ts';
import { freePort } from '../../../src/lab/rig/ports.ts';
import type { Lane, Watched } from './lanes.ts';
import { startRedis } from './redis.ts';
import { Unavailable } from './unavailable.ts';
import { watch, WATCHER_TOKEN } from './watchers.ts';

/** Where contestants keep what they keep, and other versions of the kit. */
export interface Grounds {
  readonly directory: string;
  readonly inboxes: Inboxes;
  /** The folder of each other version. */
  readonly checkouts: ReadonlyMap<string, string>;
}

let started = 0;

export async function startLane({ name, revision }: Lane, grounds: Grounds): Promise<Contestant> {
  const { directory, inboxes } = grounds;
  switch (name) {
    case 'raw':
    case 'express':
    case 'fastify':
      return startContestant(name, `contestants/${name}.ts`);
    case 'express-sqlite':
      return startContestant(name, 'contestants/express.ts', {
        KEEP: 'sqlite',
        KEEP_AT: `${directory}/express.db`,
      });
    case 'express-bullmq': {
      needPackages();
      const { port, pid } = await startRedis(directory);
      return startContestant(name, 'contestants/express.ts', { KEEP: 'bullmq', KEEP_AT: port }, [pid]);
    }
    case 'express-pg-boss': {
      needPackages();
      const { url, pid } = await databaseOf(inboxes);
      return startContestant(name, 'contestants/express.ts', { KEEP: 'pg-boss', KEEP_AT: url }, [pid]);
    }
    case 'kit-sqlite':
      return startContestant(name, '../../../src/example/main.ts', {
        INBOX_URL: await inboxes.urlOf('sqlite', name),
      });
    case 'kit-sqlite-alone':
    case 'kit-sqlite-watched':
      return startWatched(name, await inboxes.urlOf('sqlite', name));
    case 'kit-sqlite-off':
    case 'kit-sqlite-all':
      return startKit('sqlite', grounds, { tape: name.slice('kit-sqlite-'.length) });
    case 'kit-sqlite-counting':
      return startKit('sqlite', grounds, { adminPort: '0' });
    case 'kit-memory-held':
    case 'kit-sqlite-held':
    case 'kit-postgres-held': {
      const inbox = inboxNames.find((each) => name === `kit-${each}-held`) ?? 'memory';
      return startKit(inbox, grounds, { revision });
    }
  }
}

async function startWatched(name: Watched, inboxUrl: string): Promise<Contestant> {
  const port = await freePort();
  const env = { INBOX_URL: inboxUrl, ADMIN_PORT: String(port), CONSOLE_LOOK_TOKEN: WATCHER_TOKEN };
  const contestant = await startContestant(name, '../../../src/example/main.ts', env);
  if (name === 'kit-sqlite-watched') await watch(`http://127.0.0.1:${port}`);
  return contestant;
}

/** Those of contestants are none of the kit's. @throws Unavailable */
function needPackages(): void {
  const folder = fileURLToPath(new URL('packages', import.meta.url));
  if (existsSync(`${folder}/node_modules`)) return;
  throw new Unavailable(
    `its packages are not installed: npm install --prefix ${relative(process.cwd(), folder)}`,
  );
}

interface KitOptions {
  readonly revision?: string | undefined;
  readonly maxWaiting?: number;
  readonly tape?: string;
  readonly adminPort?: string;
}

/** The kit with handlers that wait, on an inbox of its own. */
export async function startKit(
  inbox: InboxName,
  { inboxes, checkouts }: Grounds,
  { revision, maxWaiting = 2_000_000, tape = 'refused', adminPort = 'off' }: KitOptions = {},
): Promise<HeldContestant> {
  const name = revision === undefined ? `the kit on ${inbox}` : `the kit of ${revision} on ${inbox}`;
  const env = { INBOX_MAX_WAITING: String(maxWaiting), TAPE: tape, ADMIN_PORT: adminPort };
  const checkout = revision === undefined ? undefined : checkouts.get(revision);
  started += 1;
  if (inbox !== 'postgres') {
    return startHeld(
      name,
      { ...env, INBOX_URL: await inboxes.urlOf(inbox, `held-${started}`) },
      { checkout },
    );
  }
  const { url, pid } = await databaseOf(inboxes);
  return startHeld(name, { ...env, INBOX_URL: url }, { checkout, servers: [pid] });
}

/** A new database, and the process of its server. */
export async function databaseOf(inboxes: Inboxes): Promise<{ readonly url: string; readonly pid: number }> {
  const url = await inboxes.urlOf('postgres', '');
  const { pid } = await inboxes.server();
  if (pid === undefined) throw new Error('The PostgreSQL server has ended.');
  return { url, pid };
}
