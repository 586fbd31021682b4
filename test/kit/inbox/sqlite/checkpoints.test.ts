import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from '@jest/globals';
import {
  CHECKPOINT_PAGES,
  LOG_BYTES,
  watchCheckpoints,
} from '../../../../src/kit/inbox/sqlite/checkpoints.ts';
import { later, newFolder } from '../../../support/fixtures.ts';
import { until } from '../../../support/until.ts';

it('copies the log less often while somebody reads an old state, and as usual afterwards', async () => {
  const file = join(newFolder(), 'inbox.db');
  const database = new DatabaseSync(file);
  const reader = new DatabaseSync(file);
  later(() => {
    reader.close();
    database.close();
  });
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = ${LOG_BYTES}`);
  database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; CREATE TABLE kept (bytes BLOB)`);
  const every = () => database.prepare('PRAGMA wal_autocheckpoint').get()?.['wal_autocheckpoint'];
  const write = () => database.exec('INSERT INTO kept VALUES (zeroblob(10000000))');
  using watch = watchCheckpoints(file, database);
  expect(watch).toBeDefined();

  reader.exec('BEGIN; SELECT count(*) FROM kept');
  for (let bytes = 0; bytes <= LOG_BYTES; bytes += 10_000_000) write();
  await until('it waits for more of the log', () => Number(every()) > CHECKPOINT_PAGES);
  reader.exec('COMMIT');
  await until('it is as usual', () => every() === CHECKPOINT_PAGES);
  write();
  write();
  expect(statSync(`${file}-wal`).size).toBeLessThanOrEqual(LOG_BYTES);
});
