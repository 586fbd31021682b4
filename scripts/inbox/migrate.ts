import { readAddress } from '../../src/kit/inbox/address.ts';
import type { Chosen } from './command.ts';
import { failed } from './print.ts';

/** Makes the tables that this version needs and the database lacks, or prints the SQL of it. */
export async function migrate(url: string, { print }: Chosen): Promise<number> {
  if (readAddress(url)?.engine !== 'postgres') {
    return failed(
      'Only an inbox in PostgreSQL is migrated by hand: a file is brought up to date when its receiver starts.',
    );
  }
  const { missingMigrations, prepareSchema } = await import('../../src/kit/inbox/postgres/schema.ts');
  const { readServer } = await import('../../src/kit/inbox/postgres/server.ts');
  const missing = await missingMigrations(url);
  if (print) {
    console.log(missing === '' ? '-- Nothing is missing.' : missing);
    return 0;
  }
  if (missing !== '') await prepareSchema(readServer(url), { owner: true });
  console.log(missing === '' ? 'Nothing is missing.' : 'The tables of this version are there.');
  return 0;
}
