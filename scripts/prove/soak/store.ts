import { existsSync, statSync } from 'node:fs';
import pg from 'pg';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import type { Stats } from '../../../src/kit/inbox/inbox.ts';

/** An inbox seen from beside its receiver. */
export interface Store {
  stats(): Promise<Stats>;
  /** On disk, of everything that belongs to it. */
  megabytes(): Promise<number>;
  close(): Promise<void>;
}

const MEGABYTE = 1_048_576;

/** Opens what a receiver has created. */
export async function openStore(url: string): Promise<Store> {
  const inbox = await openInbox(url, { maxWaiting: 1, owner: false });
  const size = url.startsWith('sqlite:') ? fileSize(url) : await databaseSize(url);
  return {
    stats: () => inbox.stats(),
    megabytes: async () => (await size.bytes()) / MEGABYTE,
    async close() {
      await Promise.all([inbox.close(), size.close()]);
    },
  };
}

interface Size {
  bytes(): Promise<number>;
  close(): Promise<void>;
}

/** The file and its log. */
function fileSize(url: string): Size {
  const file = url.slice('sqlite:'.length);
  const sizeOf = (name: string) => (existsSync(name) ? statSync(name).size : 0);
  return { bytes: async () => sizeOf(file) + sizeOf(`${file}-wal`), close: async () => undefined };
}

async function databaseSize(url: string): Promise<Size> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // whoever asks next hears of it
  await client.connect();
  return {
    async bytes() {
      const { rows } = await client.query<{ bytes: string }>(
        'SELECT pg_database_size(current_database()) AS bytes',
      );
      return Number(rows[0]?.bytes);
    },
    close: () => client.end(),
  };
}

/** The server tidies up every minute; where a day takes minutes, it does so every few seconds. */
export async function tidyUpOften(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("ALTER SYSTEM SET autovacuum_naptime = '3s'");
  await client.query('SELECT pg_reload_conf()');
  await client.end();
}
