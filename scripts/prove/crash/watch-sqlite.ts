import { DatabaseSync, StatementSync } from 'node:sqlite';
import { basename } from 'node:path';
import { pass, wrapMethod } from './fault.ts';
import { STEP_ENDPOINT } from './effects.ts';

/** Passes the points of a receiver's inbox file, by the statements it runs on it. */
export function watchSqlite(file: string): void {
  const texts = new WeakMap<object, string>();
  const transaction = createTransaction();

  wrapMethod(DatabaseSync.prototype, 'prepare', ({ self, args, go }) => {
    const statement = go();
    const isInbox = basename(self.location() ?? '') === basename(file);
    if (isInbox && statement instanceof StatementSync) texts.set(statement, String(args[0]).trim());
    return statement;
  });

  wrapMethod(StatementSync.prototype, 'run', ({ self, args, go }) => {
    const sql = texts.get(self);
    return sql === undefined ? go() : transaction.step(sql, args, go);
  });
}

/** Knows what the open transaction has written so far: there is never more than one. */
function createTransaction() {
  let stores = false;
  let finishes = false;

  function step(sql: string, values: readonly unknown[], go: () => unknown): unknown {
    if (/^BEGIN\b/.test(sql)) stores = finishes = false;
    if (/^INSERT INTO entries\b/.test(sql) && !stores && !values.includes(STEP_ENDPOINT)) {
      stores = true;
      pass('before-write');
    }
    if (/^UPDATE entries\b/.test(sql) && values.some(isDone)) finishes = true;
    return /^COMMIT\b/.test(sql) ? commit(go) : go();
  }

  function commit(go: () => unknown): unknown {
    if (stores) pass('before-commit');
    if (finishes) pass('before-done');
    const result = go();
    if (stores) pass('after-commit');
    if (finishes) pass('after-done');
    return result;
  }

  return { step };
}

/** Whether a statement's value, or one of its named values, is the status of an entry that is done. */
function isDone(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === 'done';
  return 'status' in value && value.status === 'done';
}
