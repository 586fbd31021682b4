import pg from 'pg';
import { z } from 'zod';
import type { FactStore } from '../../facts/store.ts';
import { readServer, STATEMENT_TIMEOUT_MS, unavailable } from './server.ts';

// In one order, so that receivers that add to the same rows at the same time wait for each other in a line.
const add = `
  INSERT INTO inbox.fact AS kept (source, endpoint, fact, variant, count, first_at, last_at)
  SELECT source, endpoint, fact, variant, count, to_timestamp(first / 1000.0), to_timestamp(last / 1000.0)
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::float8[], $7::float8[])
    AS added (source, endpoint, fact, variant, count, first, last)
  ORDER BY source, endpoint, fact, variant
  ON CONFLICT (source, endpoint, fact, variant) DO UPDATE SET
    count = kept.count + excluded.count,
    first_at = least(kept.first_at, excluded.first_at),
    last_at = greatest(kept.last_at, excluded.last_at)`;

const read = `
  SELECT source, endpoint, fact, variant, count::float8 AS count,
    extract(epoch FROM first_at)::float8 * 1000 AS first, extract(epoch FROM last_at)::float8 * 1000 AS last
  FROM inbox.fact ORDER BY source, endpoint, fact, variant`;

const rows = z.array(
  z.object({
    source: z.string(),
    endpoint: z.string(),
    fact: z.string(),
    variant: z.string(),
    count: z.number(),
    first: z.number(),
    last: z.number(),
  }),
);

/** A connection that nobody uses is given back. */
const IDLE_MS = 10_000;

/** Counts in the table of an inbox in PostgreSQL, over a connection of their own: they never keep a delivery waiting. */
export async function openFactsTable(url: string): Promise<FactStore> {
  const { where, settings } = readServer(url);
  const pool = new pg.Pool({ ...settings, max: 1, idleTimeoutMillis: IDLE_MS, allowExitOnIdle: true });
  pool.on('error', () => undefined); // the next call tries again, and tells
  pool.on('connect', (client) => {
    void client.query(`SET statement_timeout = ${STATEMENT_TIMEOUT_MS}`).catch(() => undefined);
  });

  async function ask(text: string, values: unknown[] = []): Promise<readonly unknown[]> {
    try {
      return (await pool.query<Record<string, unknown>>(text, values)).rows;
    } catch (thrown) {
      throw unavailable(where, thrown);
    }
  }

  return {
    async add(counts) {
      const column = (name: keyof (typeof counts)[number]) => counts.map((count) => count[name]);
      await ask(add, [
        ...[column('source'), column('endpoint'), column('fact'), column('variant')],
        ...[column('count'), column('first'), column('last')],
      ]);
    },
    read: async () => rows.parse(await ask(read)),
    close: () => pool.end(),
  };
}
