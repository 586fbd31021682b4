import type { Entry, Result } from '../inbox.ts';
import { promoteFirst } from './lines.ts';
import { optionalNumber, toEntry } from './rows.ts';
import { storeFollowUp, takeEntry, type Tables } from './store.ts';

// What happens to an entry from its claim to its end. A lost lease is ignored: the statements change only what is held.

export function claimEntries(tables: Tables, limit: number, leaseMs: number): Entry[] {
  const { statements, now } = tables;
  interruptLapsed(tables, now(), 'its lease lapsed');
  const due = statements.due.all({ now: now(), limit }).map(toEntry);
  return due.map((entry) => takeEntry(tables, entry, leaseMs));
}

/** What a receiver left running when it ended, whatever its leases say. */
export function giveBackAll(tables: Tables): void {
  interruptLapsed(tables, Number.MAX_SAFE_INTEGER, 'the receiver ended');
}

/**
 * What waits for longer than it ever does after its attempts was put there by a clock that has been set back since, maybe
 * while no receiver ran: it is brought forward to where it waits no longer than that. Returns how many.
 */
export function bringForward({ statements, now }: Tables): number {
  const at = now();
  const isSetBack = (optionalNumber(statements.newest.get()?.['at']) ?? 0) > at;
  // All that waits is looked at only where what came last says so: with a million that takes a second.
  const statement = isSetBack ? statements.bringForwardAll : statements.bringForwardHeads;
  return Number(statement.run({ now: at }).changes);
}

function interruptLapsed(tables: Tables, lapsedBy: number, cause: string): void {
  for (const entry of tables.statements.lapsed.all({ now: lapsedBy }).map(toEntry)) {
    const note = `interrupted: ${cause} during attempt ${entry.attempts}`;
    putBack(tables, entry, { dueAt: tables.now(), note });
  }
}

export function renewLease({ statements, now }: Tables, { seq, claims }: Entry, leaseMs: number): boolean {
  return statements.renew.run({ seq, claims, leaseUntil: now() + leaseMs }).changes === 1;
}

export function endDone(
  tables: Tables,
  claimed: Entry,
  { note, unchanged, answer, followUps = [] }: Result,
): void {
  if (!finish(tables, claimed, 'done', { note, unchanged })) return;
  if (answer) tables.statements.keepAnswer.run({ seq: claimed.seq, answer });
  for (const followUp of followUps) storeFollowUp(tables, followUp);
}

export function endDead(tables: Tables, claimed: Entry, reason: string): void {
  finish(tables, claimed, 'dead', { note: reason });
}

/** False if the lease is lost. */
function finish(
  { statements, counts, now, onReady }: Tables,
  claimed: Entry,
  status: 'done' | 'dead',
  { note, unchanged = false }: Pick<Result, 'note' | 'unchanged'>,
): boolean {
  const { seq, claims } = claimed;
  const finished = statements.finish.run({
    ...{ seq, claims, status },
    note: note ?? null,
    now: now(),
    unchanged: unchanged ? 1 : 0,
  });
  if (finished.changes === 0) return false;
  counts.move('running', status, 0);
  promoteFirst(statements, claimed);
  onReady();
  return true;
}

/** A running entry waits again, with what has changed about it. */
export function putBack(
  { statements, counts, onReady }: Tables,
  claimed: Entry,
  changed: Partial<Pick<Entry, 'attempts' | 'dueAt' | 'note'>>,
): void {
  const { seq, claims, attempts, dueAt, note = null } = { ...claimed, ...changed };
  const put = statements.putBack.get({ seq, claims, attempts, dueAt, note });
  if (!put) return;
  counts.move('running', 'waiting', Number(put['bytes']));
  promoteFirst(statements, claimed);
  onReady();
}
