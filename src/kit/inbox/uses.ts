import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { readAddress } from './address.ts';

/** How often, and when last, a live secret proved what came to an endpoint. */
export interface SecretUse {
  readonly endpoint: string;
  readonly installation: string | undefined;
  /** As it was when the delivery came: 1 the newest, 0 where none proved it. */
  readonly secret: number;
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly first: number;
  readonly last: number;
}

/** Of so many entries, the newest: a few seconds at the most. */
export const MOST_LOOKED_AT = 1_000_000;

const grouped = (milliseconds: (column: string) => string) => (newest: string) => `
  SELECT endpoint, installation, secret, count(*) AS count, ${milliseconds('min(received_at)')} AS first,
    ${milliseconds('max(received_at)')} AS last
  FROM (SELECT endpoint, installation, secret, received_at FROM ${newest} ORDER BY seq DESC LIMIT ${MOST_LOOKED_AT}) AS newest
  GROUP BY endpoint, installation, secret`;

const ofSqlite = grouped((column) => column)('entries');
const ofPostgres = grouped((column) => `extract(epoch FROM ${column})::double precision * 1000`)(
  'inbox.entry',
);

/** Looks beside the receiver. What came a second time has no entry, and does not count. @throws if it cannot be looked at */
export async function readSecretUses(url: string): Promise<readonly SecretUse[]> {
  const address = readAddress(url);
  if (address?.engine === 'sqlite') return existsSync(address.file) ? inFile(address.file) : [];
  if (address?.engine !== 'postgres')
    throw new Error('INBOX_URL is memory: – what came is known inside the receiver only.');
  const { queryOnce } = await import('./postgres/schema.ts');
  return (await queryOnce(url, ofPostgres)).map(toUse);
}

function inFile(file: string): readonly SecretUse[] {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  try {
    return database.prepare(ofSqlite).all().map(toUse);
  } finally {
    database.close();
  }
}

function toUse(row: Readonly<Record<string, unknown>>): SecretUse {
  const { endpoint, installation } = row;
  const number = (name: string) => Number(row[name]);
  return {
    endpoint: String(endpoint),
    installation: typeof installation === 'string' ? installation : undefined,
    ...{ secret: number('secret'), count: number('count'), first: number('first'), last: number('last') },
  };
}
