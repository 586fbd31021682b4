import { writeSync } from 'node:fs';
import { openSqliteInbox } from '../../../../src/kit/inbox/sqlite/inbox.ts';
import { newEntry } from '../contract/entries.ts';

/**
 * A receiver for tests to kill or to starve: stores groups without end, claims some, and prints each key once its
 * store has resolved. When the inbox refuses it prints `refused`, and goes on when it is spoken to.
 */
const [file = '', contentBytes = '100'] = process.argv.slice(2);
const inbox = openSqliteInbox(file, { maxWaiting: Infinity });
const content = Buffer.alloc(Number(contentBytes), 'x');

async function storeOne(key: string, index: number): Promise<void> {
  const options = index % 2 === 0 ? { claimForMs: 60_000 } : undefined;
  await inbox.store(newEntry({ key, subject: `subject ${index}`, content }), options);
  writeSync(1, `${key}\n`); // not console.log: it must be out before the next kill
}

for (let turn = 0; ; turn++) {
  const group = [0, 1, 2, 3, 4].map((index) => storeOne(`key-${turn}-${index}`, turn * 5 + index));
  const outcomes = await Promise.allSettled(group);
  if (outcomes.every(({ status }) => status === 'fulfilled')) continue;
  writeSync(1, 'refused\n');
  await new Promise((resolve) => process.stdin.once('data', resolve));
}
