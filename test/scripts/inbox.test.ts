import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres, type PostgresServer } from '../../src/lab/rig/postgres.ts';
import { encryptInbox } from '../../src/kit/inbox/sealed/inbox.ts';
import { readInboxKeys } from '../../src/kit/inbox/sealed/keys.ts';
import type { Inbox, NewEntry } from '../../src/kit/inbox/inbox.ts';
import { openInbox } from '../../src/kit/inbox/open.ts';
import { newEntry } from '../kit/inbox/contract/entries.ts';
import { ended, startScript, type Ended } from '../support/command.ts';
import { fileWith, newFolder, newInboxUrl } from '../support/fixtures.ts';
import { runHere } from '../support/in-one-process.ts';

const DAY_MS = 86_400_000;

function run(args: readonly string[], url: string, settings: Record<string, string> = {}): Promise<Ended> {
  return runHere('inbox', args, { INBOX_URL: url, ...settings });
}

async function bury(inbox: Inbox, members: Partial<NewEntry> = {}): Promise<number> {
  const { entry } = await inbox.store(newEntry(members), { claimForMs: 1_000 });
  await inbox.bury(entry, 'handler_failed: no connection');
  return entry.seq;
}

async function finish(inbox: Inbox, members: Partial<NewEntry> = {}): Promise<number> {
  const { entry } = await inbox.store(newEntry(members), { claimForMs: 1_000 });
  await inbox.done(entry, { note: 'made it' });
  return entry.seq;
}

async function store(inbox: Inbox, members: Partial<NewEntry> = {}): Promise<number> {
  return (await inbox.store(newEntry(members))).entry.seq;
}

async function together(times: number, step: (count: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: times }, (_, count) => step(count)));
}

/** What a command printed as NDJSON. */
function linesOf({ out }: Ended): unknown[] {
  return out
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

/** An engine that a command can be run on beside its receiver. */
interface Engine {
  readonly name: string;
  readonly start: () => Promise<void>;
  /** The address of an inbox that does not exist yet. */
  readonly newUrl: () => Promise<string>;
  readonly end: () => Promise<void>;
}

const onFile: Engine = {
  name: 'on a file',
  start: async () => undefined,
  newUrl: async () => newInboxUrl(),
  end: async () => undefined,
};

function onPostgres(): Engine {
  let server: PostgresServer | undefined;
  return {
    name: 'on PostgreSQL',
    async start() {
      server = await startPostgres();
    },
    async newUrl() {
      if (!server) throw new Error('PostgreSQL is not running.');
      return server.newDatabase();
    },
    async end() {
      await server?.remove();
    },
  };
}

describe.each([onFile, onPostgres()])('npm run inbox $name', ({ start, newUrl, end }) => {
  beforeAll(start);
  afterAll(end);

  let url: string;
  beforeEach(async () => {
    url = await newUrl();
  });

  async function withInbox<Result>(work: (inbox: Inbox) => Promise<Result>, now = Date.now): Promise<Result> {
    const inbox = await openInbox(url, { maxWaiting: 1_000, now });
    return work(inbox).finally(() => inbox.close());
  }

  it('lists entries in columns, newest first', async () => {
    const [first, second] = await withInbox(async (inbox) => [
      await bury(inbox),
      await store(inbox, { type: 'order.shipped' }),
    ]);
    const { code, out } = await run(['list'], url);
    const [head = '', newest, oldest = '', ...others] = out.trimEnd().split('\n');
    expect(code).toBe(0);
    expect(others).toEqual([]);
    expect(newest).toBe(`${second}    waiting  2023-11-14T22:13:20.000Z  acme    order.shipped  0`);
    expect(oldest).toMatch(
      new RegExp(`^${first} +dead +\\S+ +acme +order\\.created +1 +handler_failed: no connection$`),
    );
    expect(head.indexOf('source')).toBe(oldest.indexOf('acme'));
  });

  it('lists what is asked for, for programs too', async () => {
    const [dead] = await withInbox(async (inbox) => [
      await bury(inbox),
      await store(inbox, { source: 'initech' }),
    ]);
    const { out } = await run(
      ['list', '--status', 'dead', '--source', 'acme', '--limit', '5', '--json'],
      url,
    );
    expect(JSON.parse(out)).toMatchObject([
      { seq: dead, status: 'dead', receivedAt: '2023-11-14T22:13:20.000Z' },
    ]);
    expect(out).not.toContain('content');
    expect((await run(['list', '--type', 'ActionLink'], url)).out).toBe('No such entries.\n');
  });

  it('finds entries by what the sender calls them, by their subject, and by when they came', async () => {
    const [byId, bySubject] = await withInbox(async (inbox) => [
      await store(inbox, { eventId: 'evt-7', receivedAt: Date.now() }),
      await store(inbox, {
        source: 'phenixid',
        subject: 'phenixid task:07c6',
        receivedAt: Date.now() - DAY_MS,
      }),
    ]);
    const found = async (...args: string[]) => {
      const { out } = await run(['list', '--json', ...args], url);
      return JSON.parse(out) as unknown;
    };
    expect(await found('--id', 'evt-7')).toMatchObject([{ seq: byId }]);
    expect(await found('--id', '07c6')).toMatchObject([{ seq: bySubject }]);
    expect(await found('--subject', 'task:07c6')).toMatchObject([{ seq: bySubject }]);
    expect(await found('--since', '2h')).toMatchObject([{ seq: byId }]);
    expect(await found('--since', '2d')).toMatchObject([{ seq: bySubject }, { seq: byId }]);
    expect(await found('--since', '2001-02-03', '--source', 'phenixid')).toMatchObject([{ seq: bySubject }]);
  });

  it.each([
    [['list', '--source', 'hotdoc'], /Did you mean hotdocs\?/],
    [['export', '--source', 'acmee'], /Unknown --source/],
    [['replay', '--dead', '--type', 'OrderSignd'], /Did you mean OrderSigned\?/],
    [['list', '--source', 'risr', '--type', 'OrderSigned'], /Valid: user_logged_in/],
  ])('says of %j that there is no such name, where no entry has it', async (args, words) => {
    await withInbox((inbox) => store(inbox, { source: 'a-source-that-is-gone' }));
    const { code, out, err } = await run(args, url);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(words);
    expect((await run(['list', '--source', 'a-source-that-is-gone'], url)).code).toBe(0);
  });

  it('shows one entry, its content only when asked', async () => {
    const content = Buffer.from('{"name":"Ada"}');
    const seq = String(await withInbox((inbox) => store(inbox, { eventId: 'evt_1', content })));
    const without = await run(['show', seq], url);
    expect(without.code).toBe(0);
    expect(without.out).toMatch(/eventId +evt_1/);
    expect(without.out).not.toContain('Ada');
    expect((await run(['show', seq, '--content'], url)).out).toContain('{"name":"Ada"}');
    const json: unknown = JSON.parse((await run(['show', seq, '--content', '--json'], url)).out);
    expect(json).toMatchObject({ content: content.toString('base64') });
    const request = '0a1b2c3d4e5f-z';
    const other = String(await withInbox((inbox) => store(inbox, { request })));
    expect((await run(['show', '--id', request], url)).out).toMatch(new RegExp(`^seq +${other}$`, 'm'));
    expect(await run(['show', '--id', 'no-such'], url)).toMatchObject({
      code: 1,
      err: 'There is no entry with the id no-such.\n',
    });
  });

  it('prints nothing that could steer a terminal', async () => {
    const steering = '\u001b[31m\u009b1m\u001b]8;;http://x\u0007\r\b\u202e\u0085';
    const seq = await withInbox((inbox) =>
      store(inbox, { type: `a${steering}b\nc`, content: Buffer.from(JSON.stringify({ steering })) }),
    );
    const show = ['show', String(seq), '--content'];
    const outputs = await Promise.all(
      [['list'], show, ['list', '--json'], [...show, '--json'], ['export']].map((args) => run(args, url)),
    );
    for (const { out } of outputs) expect(out).not.toMatch(/(?!\n)\p{C}/u);
    expect(outputs[0]?.out.trimEnd().split('\n')).toHaveLength(2);
    const exported = outputs.at(-1);
    expect(exported && linesOf(exported)).toMatchObject([{ payload: { steering } }]);
  });

  it('replays the entries that are named', async () => {
    const seq = await withInbox((inbox) => bury(inbox));
    const twice = [String(seq), String(seq)];
    expect(await run(['replay', ...twice], url)).toEqual({ code: 0, out: '1 replayed\n', err: '' });
    await withInbox(async (inbox) =>
      expect(await inbox.find(seq)).toMatchObject({ status: 'waiting', attempts: 0 }),
    );
  });

  it('replays all dead letters, or those of one type, beside a running receiver', async () => {
    await withInbox(async (inbox) => {
      await together(250, (count) => bury(inbox, { type: count < 3 ? 'a' : 'b' }));
      expect((await run(['replay', '--dead', '--type', 'a'], url)).out).toBe('3 replayed\n');
      expect(await inbox.stats()).toMatchObject({ waiting: 3, dead: 247 });
      expect((await run(['replay', '--dead'], url)).out).toBe('247 replayed\n');
      expect(await inbox.stats()).toMatchObject({ waiting: 250, dead: 0 });
    });
  });

  it('discards waiting and dead entries, and keeps the reason', async () => {
    await withInbox(async (inbox) => {
      const seqs = [await bury(inbox), await store(inbox)];
      const ran = await run(['discard', ...seqs.map(String), '--reason', 'a test of the vendor'], url);
      expect(ran).toEqual({ code: 0, out: '2 discarded\n', err: '' });
      for (const seq of seqs) {
        expect(await inbox.find(seq)).toMatchObject({
          status: 'done',
          note: 'discarded: a test of the vendor',
        });
      }
    });
  });

  it('leaves alone what runs or is done when it is to be discarded, and says so', async () => {
    await withInbox(async (inbox) => {
      const done = await finish(inbox);
      const { entry: running } = await inbox.store(newEntry(), { claimForMs: 60_000 });
      const dead = await bury(inbox);
      const { code, out } = await run(
        ['discard', `${done}`, `${running.seq}`, `${dead}`, '4711', '--reason', 'no use'],
        url,
      );
      expect(code).toBe(1);
      expect(out).toBe(
        `1 discarded\nEntry ${done} was done already: it was left alone.\n` +
          `Entry ${running.seq} is running: it was left alone.\nThere is no entry 4711.\n`,
      );
      expect(await inbox.find(done)).toMatchObject({ note: 'made it' });
      expect(await inbox.find(running.seq)).toMatchObject({ status: 'running' });
    });
  });

  it('prunes what was done before the days that are kept, however much it is', async () => {
    const longAgo = () => Date.now() - 31 * DAY_MS;
    await withInbox(async (inbox) => {
      await together(201, () => finish(inbox));
      await bury(inbox);
    }, longAgo);
    const recent = await withInbox((inbox) => finish(inbox));
    expect(await run(['prune', '--days', '32'], url)).toEqual({ code: 0, out: '0 pruned\n', err: '' });
    expect((await run(['prune', '--json'], url, { RETENTION_DAYS: '30' })).out).toBe(
      '{\n  "pruned": 201\n}\n',
    );
    await withInbox(async (inbox) => {
      expect(await inbox.stats()).toMatchObject({ done: 1, dead: 1 });
      expect(await inbox.find(recent)).toMatchObject({ status: 'done' });
    });
  });

  it('counts, and says how much waits and for how long', async () => {
    const receivedAt = Date.now() - 3 * 3_600_000 - 300_000;
    await withInbox(async (inbox) => {
      await bury(inbox);
      await store(inbox, { receivedAt });
    });
    const oldestWaiting = new Date(receivedAt).toISOString();
    expect((await run(['stats'], url)).out).toMatch(
      new RegExp(
        '^waiting +1\nrunning +0\ndone +0\ndead +1\nwaiting bytes +14\n' +
          `oldest waiting +${oldestWaiting}\nits age +3 h \\d+ min\n$`,
      ),
    );
    const json: unknown = JSON.parse((await run(['stats', '--json'], url)).out);
    expect(json).toEqual({
      ...{ waiting: 1, running: 0, done: 0, dead: 1, waitingBytes: 14 },
      oldestWaiting,
      oldestWaitingAgeMs: expect.any(Number),
    });
  });

  it('counts nothing where nothing is', async () => {
    await withInbox(async () => undefined);
    expect((await run(['stats'], url)).out).toMatch(/waiting bytes +0\noldest waiting +–\nits age +–\n$/);
  });

  it('exports every entry with its content, oldest first', async () => {
    const seqs = await withInbox(async (inbox) => {
      const all: number[] = [];
      for (let count = 0; count < 60; count++) {
        all.push(await store(inbox, { content: Buffer.from(`{"count": ${count}}`) }));
      }
      return all;
    });
    const ran = await run(['export'], url);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(linesOf(ran)).toMatchObject(
      seqs.map((seq, count) => ({
        seq,
        status: 'waiting',
        receivedAt: '2023-11-14T22:13:20.000Z',
        content: Buffer.from(`{"count": ${count}}`).toString('base64'),
        payload: { count },
      })),
    );
    expect(linesOf(await run(['export', '--limit', '26'], url))).toMatchObject(
      seqs.slice(0, 26).map((seq) => ({ seq })),
    );
  });

  it('exports only what is asked for, answers included, and content that is no JSON as base64 alone', async () => {
    const content = Buffer.from([0xff, 0x00, 0x7b]);
    const [, wanted] = await withInbox(async (inbox) => {
      const { entry } = await inbox.store(newEntry({ source: 'initech', content }), { claimForMs: 1_000 });
      await inbox.done(entry, { answer: Buffer.from('{}') });
      return [await finish(inbox), entry.seq, await store(inbox, { source: 'initech' })];
    });
    const [line, ...others] = linesOf(await run(['export', '--source', 'initech', '--status', 'done'], url));
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      ...{ seq: wanted, content: content.toString('base64'), answer: 'e30=' },
    });
    expect(line).not.toHaveProperty('payload');
    expect((await run(['export', '--type', 'order.lost'], url)).out).toBe('');
  });

  it('stops exporting, without a word, when nobody reads on', async () => {
    await withInbox(async (inbox) => {
      const content = Buffer.alloc(10_000, 'x');
      await together(60, () => store(inbox, { content }));
    });
    const child = startScript('inbox', ['export'], { INBOX_URL: url });
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await ended(child)).toMatchObject({ code: 0, err: '' });
  });

  it('reads an encrypted inbox with its key file, and says which key it lacks without', async () => {
    const text = randomBytes(32).toString('base64');
    const seq = await withInbox((inbox) => store(encryptInbox(inbox, readInboxKeys(text))));

    const settings = { INBOX_KEYS_FILE: fileWith(`# newest first\n${text}\n`) };
    expect((await run(['show', `${seq}`, '--content'], url, settings)).out).toContain('{"id":"ord_1"}');
    const exported = await run(['export'], url, { INBOX_KEYS: text });
    expect(linesOf(exported)).toMatchObject([{ payload: { id: 'ord_1' } }]);
    const without = await run(['show', `${seq}`, '--content'], url);
    expect(without.code).toBe(0);
    expect(without.out).toMatch(/note +content_unreadable: encrypted with the key .* INBOX_KEYS_FILE/);
    expect((await run(['stats'], url)).out).toMatch(/waiting +1\n/);
    expect((await run(['replay', `${seq}`], url)).out).toBe('1 replayed\n');
  });

  it('fails when an entry is not there', async () => {
    await withInbox(async () => undefined);
    expect(await run(['show', '7'], url)).toEqual({ code: 1, out: '', err: 'There is no entry 7.\n' });
    expect(await run(['replay', '7'], url)).toMatchObject({
      code: 1,
      out: '0 replayed\nThere is no entry 7.\n',
    });
  });
});

describe('npm run inbox', () => {
  it('says that there is no file instead of creating one', async () => {
    const file = join(newFolder(), 'inbox.db');
    const { code, err } = await run(['list'], `sqlite:${file}`);
    expect(code).toBe(1);
    expect(err).toContain(`There is no inbox at ${file}`);
    expect(existsSync(file)).toBe(false);
  });

  it.each([
    ['memory:', /lives inside its receiver/],
    ['mysql://user:hunter2@db/inbox', /expected memory:, sqlite:<file>/],
  ])('says what to do about %s', async (url, words) => {
    const { code, err } = await run(['list'], url);
    expect(code).toBe(1);
    expect(err).toMatch(words);
    expect(err).not.toContain('hunter2');
  });

  it.each([
    ['that is not there', undefined, /^INBOX_KEYS_FILE names a file that cannot be read .ENOENT/],
    ['with a spoilt line', 'hunter2', /^INBOX_KEYS_FILE: Line 1 is not base64/m],
  ])('says what is wrong with a key file %s', async (_, text, words) => {
    const file = text === undefined ? join(newFolder(), 'no-keys') : fileWith(text);
    const { code, err } = await run(['list'], newInboxUrl(), { INBOX_KEYS_FILE: file });
    expect(code).toBe(1);
    expect(err).toMatch(words);
    expect(err).not.toContain('hunter2');
  });

  it('explains itself, and that a replay proves nothing anew', async () => {
    const { code, out } = await run(['--help'], 'memory:');
    expect(code).toBe(0);
    expect(out).toMatch(/npm run inbox -- replay/);
    expect(out).toMatch(/the proof is kept with it and is not repeated/);
    expect((await run(['prune', '--help'], 'memory:')).code).toBe(0);
  });

  it.each([
    [[], /npm run inbox -- list/],
    [['lst'], /Did you mean list\?/],
    [['list', '--status', 'ded'], /Did you mean dead\?/],
    [['list', '--limit', 'many'], /--limit: expected a whole number/],
    [['list', '3'], /did you mean show/],
    [['show'], /takes one <seq>/],
    [['show', 'x'], /<seq>: expected a whole number/],
    [['replay'], /either <seq> … or --dead/],
    [['replay', '1', '--dead'], /either <seq> … or --dead/],
    [['replay', '1', '--type', 'a'], /--type, goes with --dead/],
    [['discard', '1'], /--reason/],
    [['discard', '1', '--reason', ' '], /--reason/],
    [['discard', '--reason', 'no use'], /<seq>/],
    [['prune'], /--days n unless RETENTION_DAYS/],
    [['prune', '--days', '-1'], /--days needs a value/],
    [['prune', '--days', '0'], /add --yes/],
    [['prune', '--days', '1e2'], /--days: expected a number of days/],
    [['list', '--source', 'a', '--source', 'b'], /--source is there twice/],
    [['list', '--since', '2026-11-31'], /--since: expected 90min/],
    [['stats', 'extra'], /stats takes options only, and got "extra"/],
    [['list', '--since', 'yesterday'], /--since: expected 90min/],
    [['prune', '--days', '30', '--type', 'a'], /prune takes no --type/],
    [['export', '7'], /export takes no <seq>/],
    [['stats', '--no-such-option'], /--no-such-option/],
  ])('answers %j with what to do and exit code 2', async (args, words) => {
    const { code, err } = await run(args, newInboxUrl());
    expect(err).toMatch(words);
    expect(err).not.toMatch(/\n +at /);
    expect(code).toBe(2);
  });

  it('forgets what was done just now only where that is meant', async () => {
    const url = newInboxUrl();
    const inbox = await openInbox(url, { maxWaiting: 10 });
    await finish(inbox);
    await inbox.close();
    // What the receiver itself does is meant.
    const byReceiver = { code: 0, out: '0 pruned\n', err: '' };
    expect(await run(['prune'], url, { RETENTION_DAYS: '0.5' })).toEqual(byReceiver);
    expect((await run(['prune', '--days', '0.5'], url)).err).toMatch(/add --yes/);
    expect(await run(['prune', '--days', '0.5', '--yes'], url)).toEqual(byReceiver);
    expect(await run(['prune', '--days', '0', '--yes'], url)).toMatchObject({ code: 0, out: '1 pruned\n' });
  });

  it('prunes nothing where the receiver keeps everything and no days are given', async () => {
    const { code } = await run(['prune'], newInboxUrl(), { RETENTION_DAYS: '0' });
    expect(code).toBe(2);
  });
});

describe('npm run inbox -- migrate', () => {
  const { start, newUrl, end } = onPostgres();
  beforeAll(start);
  afterAll(end);

  it('prints the SQL of the tables, makes them, and then has nothing left to do', async () => {
    const url = await newUrl();
    const printed = await run(['migrate', '--print'], url);
    expect(printed).toMatchObject({ code: 0, err: '' });
    expect(printed.out).toMatch(/^BEGIN;\n[^]*CREATE TABLE inbox\.entry \([^]*\nCOMMIT;\n/);

    expect((await run(['list'], url)).err).toMatch(/run "npm run inbox -- migrate"/);
    expect(await run(['migrate'], url)).toEqual({
      code: 0,
      out: 'The tables of this version are there.\n',
      err: '',
    });
    expect((await run(['list'], url)).out).toBe('No such entries.\n');
    expect((await run(['migrate'], url)).out).toBe('Nothing is missing.\n');
    expect((await run(['migrate', '--print'], url)).out).toBe('-- Nothing is missing.\n');
  });

  it('says in words, without the password, when it cannot', async () => {
    const missing = (await newUrl()).replace(/postgres@(.*)_/, 'postgres:hunter2@$1_no_such_');
    const { code, err } = await run(['migrate'], missing);
    expect(code).toBe(1);
    expect(err).toMatch(/There is no such database: create it/);
    expect(err).not.toContain('hunter2');
  });

  it('leaves a file to its receiver', async () => {
    const file = join(newFolder(), 'inbox.db');
    const { code, err } = await run(['migrate'], `sqlite:${file}`);
    expect({ code, there: existsSync(file) }).toEqual({ code: 1, there: false });
    expect(err).toMatch(/Only an inbox in PostgreSQL is migrated by hand/);
  });
});
