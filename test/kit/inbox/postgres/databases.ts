import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import pg from 'pg';
import type { Inbox } from '../../../../src/kit/inbox/inbox.ts';
import { openPostgresInbox, type PostgresInboxOptions } from '../../../../src/kit/inbox/postgres/inbox.ts';
import { startPostgres, type PostgresServer } from '../../../../src/lab/rig/postgres.ts';

let server: PostgresServer;
const opened: Inbox[] = [];

/** Starts a server for the tests of this file, which ends with them. */
export function useServer(): void {
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterEach(() => Promise.all(opened.splice(0).map((inbox) => inbox.close())));
  afterAll(() => server.remove());
}

/** The address of an empty database. `how` goes to CREATE DATABASE. */
export async function newDatabase(how = ''): Promise<string> {
  const url = await server.newDatabase();
  if (how === '') return url;
  const name = `other_${randomUUID().replaceAll('-', '')}`;
  await run(url, `CREATE DATABASE ${name} ${how}`);
  return otherDatabase(url, name);
}

export function otherDatabase(url: string, name: string): string {
  return new URL(`/${name}`, url).href;
}

/** Runs SQL on a connection of its own. */
export async function run(url: string, sql: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** An inbox that is closed when the test is over. */
export async function open(url: string, options: Partial<PostgresInboxOptions> = {}): Promise<Inbox> {
  const inbox = await openPostgresInbox(url, { maxWaiting: 10_000, ...options });
  opened.push(inbox);
  return inbox;
}
