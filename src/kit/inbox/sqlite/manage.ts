import type { Entry, Filter, Stats } from '../inbox.ts';
import { promoteFirst } from './lines.ts';
import { optionalNumber, toEntry } from './rows.ts';
import { findEntry, waitAgain, type Tables } from './store.ts';

// What an operator sees and does, and what the worker asks in passing.

export function replayEntry(tables: Tables, seq: number): Entry | null {
  const entry = findEntry(tables, seq);
  if (!entry || entry.status === 'running') return entry ?? null;
  return waitAgain(tables, entry);
}

export function discardEntry(tables: Tables, seq: number, reason: string): Entry | null {
  const { statements, counts, now, onReady } = tables;
  const entry = findEntry(tables, seq);
  if (!entry || entry.status === 'running' || entry.status === 'done') return entry ?? null;
  statements.discard.run({ seq, now: now(), note: reason });
  counts.move(entry.status, 'done', entry.content.length);
  if (entry.status === 'waiting') {
    promoteFirst(statements, entry);
    onReady();
  }
  return findEntry(tables, seq) ?? entry;
}

export function pruneEntries({ statements, counts }: Tables, finishedBefore: number, limit: number): number {
  const pruned = Number(statements.prune.run({ finishedBefore, limit }).changes);
  counts.forget('done', pruned);
  return pruned;
}

export function listEntries({ statements }: Tables, filter: Filter): Entry[] {
  const { status = null, source = null, type = null, about = null, subject = null, since = null } = filter;
  const { before = Number.MAX_SAFE_INTEGER, limit } = filter;
  const statement = status === null || status === 'done' ? statements.list : statements.listUnfinished;
  return statement.all({ status, source, type, about, subject, since, before, limit }).map(toEntry);
}

export function readStats({ statements, counts }: Tables): Stats {
  const oldestWaitingAt = optionalNumber(statements.oldestWaiting.get()?.['receivedAt']);
  return { ...counts.read(), oldestWaitingAt };
}

export function readNextDue({ statements }: Tables): number | undefined {
  return optionalNumber(statements.nextDue.get()?.['at']);
}
