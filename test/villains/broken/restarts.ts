import { store } from '../journal.ts';
import { all, broken, tokens, type Villain } from '../villain.ts';

/** What goes wrong when the power does. */
export const restartVillains: readonly Villain[] = [
  {
    name: 'answers before it stores',
    sources: all,
    breaks: 'A 2xx means "in memory": what is accepted just before a crash is lost.',
    claimedBy: ['K4-kept'],
    start: broken({
      store(event, journal) {
        if (journal.has(event)) return;
        journal.remember(event);
        setTimeout(() => journal.write(event), 60_000).unref();
      },
    }),
  },
  {
    name: 'ends at once when it is asked to',
    sources: all,
    breaks: 'SIGTERM ends the process as it ends every other, in the middle of a delivery.',
    claimedBy: ['K6-under-way'],
    start: async (credentials) => {
      const receiver = await broken({})(credentials);
      return { ...receiver, ...(receiver.restart && { terminate: receiver.restart }) };
    },
  },
  {
    name: 'remembers duplicates in memory',
    sources: tokens,
    breaks: 'After a restart everything is new, and what comes again is done again.',
    claimedBy: ['K4-duplicate'],
    start: (credentials) => {
      let seen = new Set<string | undefined>();
      return broken({
        prepare() {
          seen = new Set();
        },
        store(event, journal) {
          if (seen.has(event.key)) return;
          seen.add(event.key);
          journal.append(event);
        },
      })(credentials);
    },
  },
  {
    name: 'does everything again after a restart',
    sources: all,
    breaks: 'Nothing says what was done, so that all of it is done once more.',
    claimedBy: ['K4-not-again'],
    start: (credentials) => {
      let starts = 0;
      return broken({
        prepare() {
          starts += 1;
        },
        store(event, journal) {
          if (starts > 1) for (const old of [...journal.events]) journal.remember(old);
          starts = 1;
          store(event, journal);
        },
      })(credentials);
    },
  },
];
