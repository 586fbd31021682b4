import { z } from 'zod';
import { openDatabase } from '../inbox/postgres/database.ts';
import { readServer } from '../inbox/postgres/server.ts';
import type { FactStore } from './store.ts';

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

/** A table beside the inbox, so that several receivers add up. @throws InboxUnavailable */
export async function openFactsTable(url: string): Promise<FactStore> {
  const database = await openDatabase(readServer(url));
  return {
    async add(counts) {
      const column = (name: keyof (typeof counts)[number]) => counts.map((count) => count[name]);
      await database.query(add, [
        ...[column('source'), column('endpoint'), column('fact'), column('variant')],
        ...[column('count'), column('first'), column('last')],
      ]);
    },
    read: async () => rows.parse(await database.query(read)),
    close: () => database.close(),
  };
}
