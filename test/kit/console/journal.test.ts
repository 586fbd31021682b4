import { expect, it } from '@jest/globals';
import { Journal } from '../../../src/kit/console/journal.ts';
import { beginEntry } from '../../../src/kit/inbox/inbox.ts';
import { newEntry } from '../inbox/contract/entries.ts';

const HOUR_MS = 3_600_000;

function entry(seq: number) {
  return beginEntry(newEntry(), seq, 0);
}

it('counts minute by minute, whenever in a minute something comes, and forgets after an hour', () => {
  let at = 1_800_000_000_000;
  // Each look at the clock is later than the one before.
  const journal = new Journal([], () => (at += 1));
  for (let count = 0; count < 1_000; count += 1)
    journal.refused({ code: 'proof_mismatch', why: '', request: `${count}` });
  const refused = () => journal.minutes().map((minute) => minute.refused);
  expect(refused()).toHaveLength(60);
  expect(refused().at(-1)).toBe(1_000);
  at += HOUR_MS / 2;
  journal.refused({ code: 'proof_mismatch', why: '', request: 'later' });
  expect(refused().filter((count) => count > 0)).toEqual([1_000, 1]);
  at += HOUR_MS;
  expect(refused().every((count) => count === 0)).toBe(true);
});

it('keeps the last rows only, however many come, and of each its last attempts', () => {
  const journal = new Journal([]);
  for (let seq = 1; seq <= 5_000; seq += 1) journal.seen(entry(seq));
  expect([journal.rows().length, journal.rows()[0]?.seq]).toEqual([500, 4_501]);
  for (let attempt = 1; attempt <= 30; attempt += 1)
    journal.attempted({ ...entry(5_000), attempts: attempt }, { outcome: 'retry', note: 'as told', ms: 1 });
  expect(journal.historyOf(5_000).attempts.map(({ attempt }) => attempt)).toEqual(
    Array.from({ length: 20 }, (_, index) => index + 11),
  );
  for (let seq = 5_001; seq <= 5_500; seq += 1) journal.seen(entry(seq));
  expect(journal.historyOf(5_000).attempts).toEqual([]);
});

it('does not forget rows that somebody waits for, however many come, until nobody does', () => {
  const journal = new Journal([]);
  journal.seen(entry(1));
  journal.follow(new Set(['e1']));
  for (let seq = 2; seq <= 5_000; seq += 1) journal.seen(entry(seq));
  expect([journal.rows().length, journal.row('e1')?.state]).toEqual([501, 'waiting']);
  const { version } = journal;
  journal.seen({ ...entry(1), status: 'done' });
  for (let seq = 5_001; seq <= 6_000; seq += 1) journal.seen(entry(seq));
  expect(journal.since(version)[0]).toMatchObject({ seq: 1, state: 'done' });
  journal.follow(new Set());
  expect(journal.row('e1')).toBeUndefined();
});

it('tells what has changed since a version, in that order', () => {
  const journal = new Journal([]);
  for (const seq of [1, 2, 3]) journal.seen(entry(seq));
  const { version } = journal;
  expect(journal.since(version)).toEqual([]);
  journal.seen({ ...entry(1), status: 'done' });
  journal.seen(entry(4));
  journal.seen(entry(3));
  expect(journal.since(version).map(({ seq, state }) => [seq, state])).toEqual([
    [1, 'done'],
    [4, 'waiting'],
  ]);
});

it('does not take back that an entry is done, when its sender is told of it later', () => {
  const journal = new Journal([]);
  const accepted = { ...entry(1), attempts: 1 };
  journal.attempted(accepted, { outcome: 'done', note: 'as told', ms: 1 });
  const reply = { status: 200, headers: [], body: '' };
  const proven = { content: Buffer.alloc(0), secret: 1 };
  journal.received({ outcome: 'accepted', reply, entry: entry(1), proven }, 5);
  expect(journal.row('e1')).toMatchObject({ state: 'done', note: 'as told', attempts: 1, ms: 5 });
  expect(journal.historyOf(1).attempts).toHaveLength(1);
});

it('does not remember the steps of deliveries that come to nothing', () => {
  const journal = new Journal([]);
  journal.step('a-1', 'proven', { ms: 1 });
  journal.refused({ code: 'inbox_unavailable', why: '', request: 'a-1' });
  journal.step('a-2', 'proven', { ms: 1 });
  journal.step('a-2', 'stored', { ms: 2, duplicate: true });
  for (let count = 0; count < 20_000; count += 1) journal.step(`b-${count}`, 'proven', { ms: 1 });
  journal.step('c-1', 'proven', { ms: 3 });
  const accepted = { ...entry(1), request: 'c-1' };
  const proven = { content: Buffer.alloc(0), secret: 1 };
  journal.received(
    {
      outcome: 'accepted',
      reply: { status: 200, headers: [], body: '' },
      entry: accepted,
      proven,
    },
    5,
  );
  expect(journal.historyOf(1).steps).toEqual({ proven: 3 });
});
