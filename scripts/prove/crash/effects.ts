import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Entry } from '../../../src/kit/inbox/inbox.ts';
import { openSharedFile } from '../../../src/example/records/shared-file.ts';

/** The system that the handlers of a child change, the way a handler has to: an event's effect is there once, or not. */
export interface Effects {
  /** Counts a run, whatever comes of it. */
  began(event: string): void;
  /** On disk when this returns. */
  put(event: string): void;
}

/** What the handlers left behind. */
export interface EffectsFound {
  /** In the order in which they came about. */
  readonly events: readonly string[];
  /** How often a handler began, by event. */
  readonly runs: ReadonlyMap<string, number>;
}

const OTHERS_MS = 10_000;

/** Opens the system of record; several processes may. */
export function openEffects(file: string): Effects {
  const database = openSharedFile(file);
  database.exec(`
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS effects (place INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL UNIQUE) STRICT;
  `);
  const insert = database.prepare('INSERT OR IGNORE INTO effects (event) VALUES (?)');
  return {
    began(event) {
      appendFileSync(runsFile(file), `${event}\n`);
    },
    put(event) {
      insert.run(event);
    },
  };
}

export function readEffects(file: string): EffectsFound {
  if (!existsSync(file)) return { events: [], runs: new Map() };
  const database = new DatabaseSync(file, { readOnly: true, timeout: OTHERS_MS });
  try {
    const rows = database.prepare('SELECT event FROM effects ORDER BY place').all();
    return { events: rows.map(({ event }) => String(event)), runs: countRuns(runsFile(file)) };
  } finally {
    database.close();
  }
}

/** What an effect is kept by. A sender without ids may repeat itself, and each time counts: told apart by when it came. */
export function effectKey(
  event: Pick<Entry, 'endpoint' | 'eventId' | 'type' | 'subject' | 'receivedAt'>,
): string {
  const { endpoint, eventId, type, subject = '', receivedAt } = event;
  return eventId === undefined ? `${endpoint} ${type} ${subject} ${receivedAt}` : `${endpoint} ${eventId}`;
}

function runsFile(file: string): string {
  return `${file}.runs`;
}

function countRuns(file: string): Map<string, number> {
  const counts = new Map<string, number>();
  if (!existsSync(file)) return counts;
  for (const event of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    counts.set(event, (counts.get(event) ?? 0) + 1);
  }
  return counts;
}

/** The step that a child's handlers ask for after some events, and those events. */
export const STEP = 'afterwards';
const ASKING: readonly string[] = ['NewWorkItemVersionComplete', 'profile_updated'];

export function asksForStep({ type }: Pick<Entry, 'type'>): boolean {
  return ASKING.includes(type);
}

/** Where an entry has its endpoint that a handler made. */
export const STEP_ENDPOINT = `#${STEP}`;

export function isStep({ endpoint }: Pick<Entry, 'endpoint'>): boolean {
  return endpoint === STEP_ENDPOINT;
}
