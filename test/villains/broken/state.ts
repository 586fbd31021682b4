import { setTimeout as pause } from 'node:timers/promises';
import { store, type Journal } from '../journal.ts';
import type { Event, Parts } from '../parts.ts';
import { right } from '../right.ts';
import { all, broken, tokens, type Villain } from '../villain.ts';

/** Has another key for each event, by which it tells duplicates. */
function keyed(keyOf: (event: Event, path: string) => string): Partial<Parts> {
  return {
    read(content, delivery) {
      const event = right.read(content, delivery);
      return { ...event, key: keyOf(event, delivery.route.path) };
    },
  };
}

/** Keeps no more than so many keys. */
function forgetting(most: number): Villain['start'] {
  return (credentials) => {
    const recent: (string | undefined)[] = [];
    return broken({
      store(event, journal) {
        if (recent.includes(event.key)) return;
        recent.push(event.key);
        if (recent.length > most) recent.shift();
        journal.append(event);
      },
    })(credentials);
  };
}

/** What goes wrong with what is remembered of the events before. */
export const stateVillains: readonly Villain[] = [
  {
    name: 'compares revisions as text',
    sources: ['risr'],
    breaks: 'As text, 10 comes before 9: from the tenth state on a document is never new again.',
    claimedBy: ['I7-each'],
    start: (credentials) => {
      const newest = new Map<string, string>();
      return broken({
        store(event, journal) {
          const revision = String(event.revision ?? '');
          const { subject } = event;
          if (subject !== undefined && revision < (newest.get(subject) ?? '')) return;
          if (subject !== undefined) newest.set(subject, revision);
          store(event, journal);
        },
      })(credentials);
    },
  },
  {
    name: 'lets revision 9 follow 10',
    sources: ['risr'],
    breaks: 'Compared as text, 9 is newer than 10: the old state is written over the new one.',
    claimedBy: ['I7-older-state'],
    outcome: 'warned',
    start: (credentials) => {
      const newest = new Map<string, string>();
      return broken({
        read: (content, delivery) => {
          const event = right.read(content, delivery);
          const { subject, revision = 0 } = event;
          const before = newest.get(subject ?? '') ?? '';
          if (subject !== undefined && String(revision) > before) newest.set(subject, String(revision));
          return { ...event, revision: subject !== undefined && String(revision) < before ? -1 : undefined };
        },
        store(event, journal) {
          if (event.revision !== -1) store(event, journal);
        },
      })(credentials);
    },
  },
  {
    name: 'knows an event by what it is about',
    sources: ['phenixid', 'risr'],
    breaks: 'One row for each task and each document: what comes second about it is a duplicate.',
    claimedBy: ['I7-each'],
    start: broken(keyed(({ subject, ref }, path) => `${path} ${subject ?? ref}`)),
  },
  {
    name: 'takes two states within a second for one',
    sources: ['risr'],
    breaks: 'Its key is the document and the time to the second, since that is what the log has.',
    claimedBy: ['I7-order'],
    start: broken(
      keyed(({ subject, ref }, path) => `${path} ${subject ?? ref} ${Math.floor(Date.now() / 10_000)}`),
    ),
  },
  {
    name: 'is busy with one event at a time',
    sources: all,
    breaks: 'A flag says that the work has begun; whoever comes meanwhile hears 200 and is forgotten.',
    claimedBy: ['I11-at-once'],
    start: (credentials) => {
      let isBusy = false;
      return broken({
        async store(event, journal) {
          if (isBusy) return;
          isBusy = true;
          await pause(100);
          store(event, journal);
          isBusy = false;
        },
      })(credentials);
    },
  },
  {
    name: 'reads the file, adds a line and writes the file',
    sources: all,
    breaks: 'Two that read the same file write two versions of it, and the last one wins.',
    claimedBy: ['I11-at-once'],
    start: (credentials) => {
      let lines: readonly Event[] = [];
      return broken({
        async store(event, journal) {
          const read = lines;
          await pause(100);
          if (journal.has(event)) return;
          // What others have added since is no more.
          for (const lost of lines.filter((line) => !read.includes(line))) forget(lost, journal);
          lines = [...read, event];
          journal.remember(event);
        },
      })(credentials);
    },
  },
  {
    name: 'has one table of ids for all its endpoints',
    sources: tokens,
    breaks: 'The id of an event at one endpoint makes that of another one a duplicate.',
    claimedBy: ['I12-two-endpoints'],
    start: broken(keyed(({ ref }) => ref)),
  },
  {
    name: 'remembers the last thirty ids',
    sources: tokens,
    breaks: 'A list that is short enough to be searched, and full after a busy minute.',
    claimedBy: ['I13-long-memory'],
    start: forgetting(30),
  },
  {
    name: 'remembers the last thousand ids',
    sources: ['risr'],
    breaks: 'A cache of a thousand entries, since more are never needed.',
    claimedBy: ['I13-longer-memory'],
    start: forgetting(1_000),
  },
  {
    name: 'remembers ids for two seconds',
    sources: tokens,
    breaks: 'An entry in a cache that ends by itself: a redelivery is expected at once, or never.',
    claimedBy: ['I13-long-memory'],
    start: (credentials) => {
      const recent = new Map<string | undefined, number>();
      return broken({
        store(event, journal) {
          const before = recent.get(event.key) ?? -Infinity;
          recent.set(event.key, performance.now());
          if (performance.now() - before > 2_000) journal.append(event);
        },
      })(credentials);
    },
  },
  {
    name: 'stops at an event that it cannot handle',
    sources: all,
    breaks: 'What a handler throws ends the worker. Whatever comes later is accepted, and waits for ever.',
    claimedBy: ['I14-goes-on'],
    start: (credentials) => {
      let hasEnded = false;
      return broken({
        store(event, journal) {
          if (hasEnded) return;
          hasEnded = event.misfit !== undefined;
          store(event, journal);
        },
      })(credentials);
    },
  },
];

function forget(event: Event, { events }: Journal): void {
  const at = events.indexOf(event);
  if (at >= 0) events.splice(at, 1);
}
