import {
  hashOfKey,
  KEYS_PER_ENTRY,
  type Entry,
  type Filter,
  type PruneOptions,
  type Stats,
} from '../inbox.ts';
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

export function pruneEntries(
  { statements, counts }: Tables,
  { finishedBefore, limit, keysBefore }: PruneOptions,
): number {
  const pruned = statements.prune.all({ finishedBefore, limit });
  counts.forget('done', pruned.length);
  if (keysBefore === undefined) return pruned.length;
  for (const { seq = null, uniqueKey, finishedAt = null } of pruned) {
    if (typeof uniqueKey === 'string')
      statements.keepKey.run({ hash: hashOfKey(uniqueKey), seq, finishedAt });
  }
  statements.forgetKeys.run({ keysBefore, limit: limit * KEYS_PER_ENTRY });
  return pruned.length;
}

export function listEntries({ statements }: Tables, filter: Filter): Entry[] {
  const { status = null, source = null, type = null, about = null, subject = null, since = null } = filter;
  const { before = Number.MAX_SAFE_INTEGER, limit, bare = false } = filter;
  const { all, unfinished } = bare ? statements.listBare : statements.list;
  const statement = status === null || status === 'done' ? all : unfinished;
  return statement.all({ status, source, type, about, subject, since, before, limit }).map(toEntry);
}

export function readStats({ statements, counts }: Tables): Stats {
  const oldestWaitingAt = optionalNumber(statements.oldestWaiting.get()?.['receivedAt']);
  return { ...counts.read(), oldestWaitingAt };
}

export function readNextDue({ statements }: Tables): number | undefined {
  return optionalNumber(statements.nextDue.get()?.['at']);
}
