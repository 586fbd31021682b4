import pg from 'pg';
import { TABLE } from '../../../src/kit/inbox/postgres/entries.ts';
import { pass, wrapMethod, type Call } from './fault.ts';
import type { PointName } from './points.ts';
import { STEP_ENDPOINT } from './effects.ts';

/** What is written by one transaction, or by one statement outside of any. */
interface Written {
  stores: boolean;
  finishes: boolean;
}

/** Passes the points of a receiver's PostgreSQL inbox, by the statements it sends. */
export function watchPostgres(): void {
  const transactions = new WeakMap<pg.Client, Written>();
  wrapMethod(pg.Client.prototype, 'query', (call) => {
    const { self, args, go } = call;
    const { text, values } = queryOf(args);
    if (text.startsWith('BEGIN')) transactions.set(self, { stores: false, finishes: false });
    const transaction = transactions.get(self);
    if (text === 'COMMIT' || text === 'ROLLBACK') transactions.delete(self);
    if (text === 'COMMIT' && transaction) return commit(transaction, call);
    const written = { stores: isStore(text, values), finishes: isFinish(text, values) };
    if (written.stores) pass('before-write');
    if (transaction === undefined) return commit(written, call);
    transaction.stores ||= written.stores;
    transaction.finishes ||= written.finishes;
    return go();
  });
}

/** Sends what makes it durable. */
function commit(written: Written, { args, go }: Call<pg.Client>): unknown {
  const after = () => passFor(written, 'after-commit', 'after-done');
  const callback: unknown = args.at(-1);
  const result = typeof callback === 'function' ? go([...args.slice(0, -1), calling(after, callback)]) : go();
  // A transaction's statements leave together at the end of this step.
  process.nextTick(() => passFor(written, 'in-doubt', 'done-in-doubt'));
  return result instanceof Promise ? result.then(passing(after)) : result;
}

function passFor({ stores, finishes }: Written, store: PointName, finish: PointName): void {
  if (stores) pass(store);
  if (finishes) pass(finish);
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type
function calling(before: () => void, callback: Function) {
  return (...results: unknown[]): unknown => {
    before();
    return Reflect.apply(callback, undefined, results);
  };
}

function passing(step: () => void) {
  return (result: unknown): unknown => {
    step();
    return result;
  };
}

/** Of a call with text and values, or with both in one object. */
function queryOf([query, values]: readonly unknown[]): { readonly text: string; readonly values: unknown } {
  if (typeof query === 'string') return { text: query.trim(), values };
  if (typeof query !== 'object' || query === null || !('text' in query)) return { text: '', values };
  return { text: String(query.text).trim(), values: 'values' in query ? query.values : values };
}

/** Of deliveries: what a handler asks for is stored with its end. */
function isStore(text: string, values: unknown): boolean {
  return text.includes(`INSERT INTO ${TABLE} (`) && !String(values).includes(STEP_ENDPOINT);
}

function isFinish(text: string, values: unknown): boolean {
  return text.startsWith(`UPDATE ${TABLE}`) && String(values).includes('"status":"done"');
}
