import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startPostgres, type PostgresServer } from '../../../../src/lab/rig/postgres.ts';
import { encryptInbox } from '../../../../src/kit/inbox/sealed/inbox.ts';
import { readInboxKeys, type InboxKey } from '../../../../src/kit/inbox/sealed/keys.ts';
import type { Entry, Inbox, NewEntry, Stored } from '../../../../src/kit/inbox/inbox.ts';
import { createMemoryInbox } from '../../../../src/kit/inbox/memory/inbox.ts';
import { openPostgresInbox } from '../../../../src/kit/inbox/postgres/inbox.ts';
import { SEAL_BYTES } from '../../../../src/kit/inbox/sealed/bytes.ts';
import { openSqliteInbox } from '../../../../src/kit/inbox/sqlite/inbox.ts';
import { itKeepsTheContract } from '../contract/contract.ts';
import { newEntry } from '../contract/entries.ts';

const LEASE_MS = 60_000;
const WORDS = 'the tenant is Ada Lovelace';
const ANSWER = 'pets are allowed';

const directory = mkdtempSync(join(tmpdir(), 'inbox-'));
afterAll(() => rmSync(directory, { recursive: true }));

const opened: Inbox[] = [];
afterEach(async () => {
  for (const inbox of opened.splice(0)) await inbox.close();
});

function kept(inbox: Inbox): Inbox {
  opened.push(inbox);
  return inbox;
}

function newKey(): InboxKey {
  const [key] = readInboxKeys(randomBytes(32).toString('base64'));
  if (!key) throw new Error('no key was read');
  return key;
}

function inMemory(): Inbox {
  return kept(createMemoryInbox({ maxWaiting: 100 }));
}

function inFile(file = join(directory, `${randomBytes(8).toString('hex')}.db`)): Inbox {
  return kept(openSqliteInbox(file, { maxWaiting: 100 }));
}

function withWords(members: Partial<NewEntry> = {}): NewEntry {
  return newEntry({ content: Buffer.from(WORDS), ...members });
}

function contentOf(entry: Entry | null | undefined): string | undefined {
  return entry?.content.toString();
}

itKeepsTheContract('an encrypted inbox', async (options) =>
  encryptInbox(countedWithoutSeal(createMemoryInbox(options)), [newKey()]),
);

/**
 * The contract counts bytes of content, an encrypted inbox those that it stores. In memory they are the very Buffers that
 * were handed over: one of the content's length stands for each.
 */
function countedWithoutSeal(inbox: Inbox): Inbox {
  const sealed = new WeakMap<Buffer, Buffer>();
  const shortened = (fresh: NewEntry): NewEntry => {
    const standIn = Buffer.alloc(fresh.content.length - SEAL_BYTES);
    sealed.set(standIn, fresh.content);
    return { ...fresh, content: standIn };
  };
  const restored = (entry: Entry): Entry => ({
    ...entry,
    content: sealed.get(entry.content) ?? entry.content,
  });
  const restoredOrNull = (entry: Entry | null) => entry && restored(entry);
  return {
    ...inbox,
    async store(fresh, claiming): Promise<Stored> {
      const stored = await inbox.store(shortened(fresh), claiming);
      return { ...stored, entry: restored(stored.entry) };
    },
    claim: async (options) => (await inbox.claim(options)).map(restored),
    done: (claimed, { followUps = [], ...result } = {}) =>
      inbox.done(claimed, { ...result, followUps: followUps.map(shortened) }),
    replay: async (seq) => restoredOrNull(await inbox.replay(seq)),
    discard: async (seq, reason) => restoredOrNull(await inbox.discard(seq, reason)),
    find: async (seq) => restoredOrNull(await inbox.find(seq)),
    list: async (filter) => (await inbox.list(filter)).map(restored),
  };
}

let server: PostgresServer | undefined;
afterAll(() => server?.remove());

async function onPostgres(): Promise<Inbox> {
  server ??= await startPostgres();
  return kept(await openPostgresInbox(await server.newDatabase(), { maxWaiting: 100 }));
}

describe.each<[string, () => Promise<Inbox>]>([
  ['in memory', async () => inMemory()],
  ['in a file', async () => inFile()],
  ['on PostgreSQL', onPostgres],
])('an encrypted inbox %s', (_, open) => {
  it('gives back what was stored, answered and left to be done after', async () => {
    const inner = await open();
    const inbox = encryptInbox(inner, [newKey()]);
    const { entry } = await inbox.store(withWords(), { claimForMs: LEASE_MS });
    await inbox.done(entry, { answer: Buffer.from(ANSWER), followUps: [withWords({ type: 'order.paid' })] });

    const [after, first] = await inbox.list({ limit: 10 });
    expect([after, first].map(contentOf)).toEqual([WORDS, WORDS]);
    expect(first?.answer?.toString()).toBe(ANSWER);
    expect(contentOf((await inbox.claim({ limit: 1, leaseMs: LEASE_MS }))[0])).toBe(WORDS);
    for (const stored of await inner.list({ limit: 10 })) {
      expect(stored.content.toString('latin1')).not.toContain('Ada');
      expect(stored.answer?.toString('latin1') ?? '').not.toContain('pets');
    }
  });

  it('never makes the same bytes of the same content', async () => {
    const inner = await open();
    const inbox = encryptInbox(inner, [newKey()]);
    await inbox.store(withWords());
    await inbox.store(withWords());
    const stored = await inner.list({ limit: 10 });
    expect(new Set(stored.map(({ content }) => content.toString('hex'))).size).toBe(2);
  });

  it('reads what was stored before it was encrypted', async () => {
    const inner = await open();
    const { entry } = await inner.store(withWords());
    const inbox = encryptInbox(inner, [newKey()]);
    expect(contentOf(await inbox.find(entry.seq))).toBe(WORDS);
    expect(contentOf((await inbox.claim({ limit: 1, leaseMs: LEASE_MS }))[0])).toBe(WORDS);
  });

  it('reads what an older key encrypted, and encrypts with the newest', async () => {
    const inner = await open();
    const [older, newer] = [newKey(), newKey()];
    const before = await encryptInbox(inner, [older]).store(withWords());
    const after = await encryptInbox(inner, [newer, older]).store(withWords());

    const rotated = encryptInbox(inner, [newer, older]);
    expect(contentOf(await rotated.find(before.entry.seq))).toBe(WORDS);
    const onlyNewer = encryptInbox(inner, [newer]);
    expect(contentOf(await onlyNewer.find(after.entry.seq))).toBe(WORDS);
    expect(contentOf(await onlyNewer.find(before.entry.seq))).toBe('');
  });

  it.each(['a\0b', '\ud800', 'ü', '\u202e', '\'\\"', ''])(
    'reads an entry whose type its sender spells %j',
    async (type) => {
      const inbox = encryptInbox(await open(), [newKey()]);
      const { entry } = await inbox.store(withWords({ type, eventId: type }));
      expect(contentOf(await inbox.find(entry.seq))).toBe(WORDS);
    },
  );

  it('counts the bytes that it stores', async () => {
    const inbox = encryptInbox(await open(), [newKey()]);
    await inbox.store(withWords());
    expect((await inbox.stats()).waitingBytes).toBe(WORDS.length + SEAL_BYTES);
  });
});

it('leaves no plain content on disk, neither in the file nor beside it', async () => {
  const folder = mkdtempSync(join(directory, 'files-'));
  const inbox = encryptInbox(inFile(join(folder, 'inbox.db')), [newKey()]);
  const { entry } = await inbox.store(withWords(), { claimForMs: LEASE_MS });
  await inbox.done(entry, { answer: Buffer.from(ANSWER), followUps: [withWords()] });
  await inbox.store(withWords({ subject: 'a plain subject' }));

  const onDisk = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
  expect(onDisk.length).toBeGreaterThan(1);
  expect(onDisk.join('')).toContain('a plain subject');
  expect(onDisk.join('')).not.toMatch(/Ada|pets/);
});

describe('an entry whose key is gone', () => {
  async function withoutItsKey(members: Partial<NewEntry> = {}) {
    const inner = inMemory();
    const lost = newKey();
    const { entry } = await encryptInbox(inner, [lost]).store(withWords(members));
    const buried: Entry[] = [];
    const inbox = encryptInbox(inner, [newKey()], (unreadable) => {
      buried.push(unreadable);
    });
    return { inner, inbox, lost, buried, seq: entry.seq };
  }

  it('is found and listed without its content, with words that name the key', async () => {
    const { inbox, lost, seq } = await withoutItsKey();
    const note = expect.stringMatching(`^content_unreadable: .*${lost.id.toString('hex')}.*INBOX_KEYS_FILE`);
    const unreadable = { status: 'waiting', content: Buffer.alloc(0), note };
    expect(await inbox.find(seq)).toMatchObject(unreadable);
    expect(await inbox.list({ limit: 10 })).toMatchObject([unreadable]);
    expect(await inbox.stats()).toMatchObject({ waiting: 1 });
  });

  it('is a dead letter when it is claimed, and the next one is claimed in its place', async () => {
    const { inner, inbox, buried, seq } = await withoutItsKey();
    await inbox.store(withWords());
    const claimed = await inbox.claim({ limit: 1, leaseMs: LEASE_MS });
    expect(claimed.map(contentOf)).toEqual([WORDS]);
    expect(await inner.find(seq)).toMatchObject({
      status: 'dead',
      note: expect.stringMatching(/^content_unreadable/),
    });
    expect(buried).toMatchObject([{ seq }]);
  });

  it('does not hold up its subject', async () => {
    const { inbox } = await withoutItsKey({ subject: 's' });
    await inbox.store(withWords({ subject: 's' }));
    expect((await inbox.claim({ limit: 10, leaseMs: LEASE_MS })).map(contentOf)).toEqual([WORDS]);
  });

  it('can be replayed when the key is back', async () => {
    const { inner, inbox, lost, seq } = await withoutItsKey();
    expect(await inbox.claim({ limit: 10, leaseMs: LEASE_MS })).toEqual([]);
    const whole = encryptInbox(inner, [newKey(), lost]);
    expect(contentOf(await whole.replay(seq))).toBe(WORDS);
    expect((await whole.claim({ limit: 10, leaseMs: LEASE_MS })).map(contentOf)).toEqual([WORDS]);
  });

  it('is handled by what its redelivery brings', async () => {
    const { inbox, seq } = await withoutItsKey({ key: 'k' });
    const again = await inbox.store(withWords({ key: 'k' }), { claimForMs: LEASE_MS });
    expect(again).toMatchObject({ duplicate: true, claimed: true });
    expect(again.entry.seq).toBe(seq);
    expect(contentOf(again.entry)).toBe(WORDS);
  });

  it('is told apart where no keys are given at all', async () => {
    const { inner, seq } = await withoutItsKey();
    const inbox = encryptInbox(inner, []);
    expect((await inbox.find(seq))?.note).toMatch(/^content_unreadable/);
    const { entry } = await inbox.store(withWords());
    expect(contentOf(await inner.find(entry.seq))).toBe(WORDS);
  });
});

it('does without an answer that cannot be read, and says so', async () => {
  const inner = inMemory();
  const [older, newer] = [newKey(), newKey()];
  const { entry } = await encryptInbox(inner, [older]).store(withWords(), { claimForMs: LEASE_MS });
  await encryptInbox(inner, [newer, older]).done(entry, { answer: Buffer.from(ANSWER) });
  expect(await encryptInbox(inner, [older]).find(entry.seq)).toMatchObject({
    content: Buffer.from(WORDS),
    answer: undefined,
    note: expect.stringMatching(/^answer_unreadable/),
  });
});

describe('bytes that were changed in the store', () => {
  const DAMAGED = /^content_unreadable: these are not the bytes that were stored/;

  /** Two entries, one of them answered, in a file that is open for meddling. */
  async function stored(others: Partial<NewEntry>) {
    const file = join(directory, `${randomBytes(8).toString('hex')}.db`);
    const inbox = encryptInbox(inFile(file), [newKey()]);
    const first = (await inbox.store(withWords(), { claimForMs: LEASE_MS })).entry;
    await inbox.done(first, { answer: Buffer.from(ANSWER) });
    const second = (await inbox.store(withWords(others))).entry;
    const change = (sql: string, ...values: (number | Uint8Array)[]) => {
      const database = new DatabaseSync(file);
      database.prepare(sql).run(...values);
      database.close();
    };
    return { inbox, first, second, change };
  }

  const takeOver = 'UPDATE bodies SET content = (SELECT content FROM bodies WHERE seq = ?) WHERE seq = ?';

  it.each<[string, Partial<NewEntry>]>([
    ['type', { type: 'order.shipped' }],
    ['endpoint', { endpoint: '/acme/order.shipped' }],
    ['installation', { installation: 'north' }],
    ['source', { source: 'initech' }],
    ['event id', { eventId: 'evt_2' }],
    ['time', { receivedAt: 1 }],
  ])('are noticed when they are those of an entry of another %s', async (_, others) => {
    const { inbox, first, second, change } = await stored(others);
    change(takeOver, first.seq, second.seq);
    expect(await inbox.find(second.seq)).toMatchObject({ note: expect.stringMatching(DAMAGED) });
    expect(await inbox.claim({ limit: 10, leaseMs: LEASE_MS })).toEqual([]);
    expect(await inbox.find(second.seq)).toMatchObject({ status: 'dead' });
    expect(contentOf(await inbox.find(first.seq))).toBe(WORDS);
  });

  it('are noticed when they are the answer instead of the content', async () => {
    const { inbox, first, change } = await stored({});
    change('UPDATE bodies SET content = answer WHERE seq = ?', first.seq);
    expect(await inbox.find(first.seq)).toMatchObject({ note: expect.stringMatching(DAMAGED) });
  });

  it('are noticed wherever the change is, or the cut', async () => {
    const inner = inMemory();
    const inbox = encryptInbox(inner, [newKey()]);
    const { entry } = await inbox.store(withWords());
    const whole = (await inner.find(entry.seq))?.content ?? Buffer.alloc(0);
    expect(whole).toHaveLength(SEAL_BYTES + WORDS.length);
    for (let at = 1; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      for (const content of [changed, whole.subarray(0, at)]) {
        const { entry: spoilt } = await inner.store(withWords({ content }));
        expect(await inbox.find(spoilt.seq)).toMatchObject({
          content: Buffer.alloc(0),
          note: expect.stringMatching(/^content_unreadable/),
        });
        await inner.discard(spoilt.seq, 'seen');
      }
    }
  });
});
