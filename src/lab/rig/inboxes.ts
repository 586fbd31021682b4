import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Stats } from '../../kit/inbox/inbox.ts';
import { startPostgres, type PostgresServer } from './postgres.ts';

/** Those that outlive their process. */
export const engineNames = ['sqlite', 'postgres'] as const;
export type EngineName = (typeof engineNames)[number];
export const inboxNames = ['memory', ...engineNames] as const;
export type InboxName = (typeof inboxNames)[number];

/** Inboxes of each engine: files in a folder, and databases of one server that starts with the first. */
export interface Inboxes {
  /** The INBOX_URL of an inbox of that name, empty at first. */
  urlOf(inbox: InboxName, name: string): Promise<string>;
  /** The server of the databases. */
  server(): Promise<PostgresServer>;
  /** Ends the server, if there is one, and removes its files. */
  close(): Promise<void>;
}

export function createInboxes(directory: string): Inboxes {
  let started: Promise<PostgresServer> | undefined;
  const server = () => (started ??= startPostgres());
  return {
    server,
    async urlOf(inbox, name) {
      switch (inbox) {
        case 'memory':
          return 'memory:';
        case 'sqlite':
          return `sqlite:${join(directory, `${name}.db`)}`;
        case 'postgres':
          return (await server()).newDatabase();
      }
    },
    async close() {
      const running = await started?.catch(() => undefined);
      await running?.remove();
    },
  };
}

const POLL_MS = 10;

/** Resolves with whether nothing waits or runs any more, within this time. Trouble is waited for, too. */
export async function drained(
  inbox: { readonly stats: () => Promise<Stats> },
  withinMs: number,
): Promise<boolean> {
  const began = performance.now();
  while (performance.now() - began < withinMs) {
    const stats = await inbox.stats().catch(() => undefined);
    if (stats && stats.waiting + stats.running === 0) return true;
    await pause(POLL_MS);
  }
  return false;
}
