import { writeSync } from 'node:fs';
import { openPostgresInbox } from '../../../../src/kit/inbox/postgres/inbox.ts';
import { newEntry } from '../contract/entries.ts';

/**
 * A receiver for tests to kill: stores groups, all of one subject, until it has stored so many entries, and prints each
 * key once its store has resolved.
 */
const [url = '', name = '', count = ''] = process.argv.slice(2);
const inbox = await openPostgresInbox(url, { maxWaiting: Infinity });

async function storeOne(index: number): Promise<void> {
  const key = `key-${name}-${index}`;
  await inbox.store(newEntry({ key, subject: 'one for all' }));
  writeSync(1, `${key}\n`); // not console.log: it must be out before the next kill
}

const GROUP = 5;
for (let first = 0; first < Number(count); first += GROUP) {
  await Promise.all(Array.from({ length: GROUP }, (_, index) => storeOne(first + index)));
}
await inbox.close();
