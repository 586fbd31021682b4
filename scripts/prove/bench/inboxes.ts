import { join } from 'node:path';
import { startPostgres, type PostgresServer } from '../../../src/lab/rig/postgres.ts';

export const inboxNames = ['memory', 'sqlite', 'postgres'] as const;
export type InboxName = (typeof inboxNames)[number];

/** Where contestants keep what they accept: files in a folder, and databases of one server that starts with the first. */
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
