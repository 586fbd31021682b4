import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Inbox, NewEntry } from '../../src/inbox/inbox.ts';
import { openSqliteInbox } from '../../src/inbox/sqlite.ts';
import { newEntry } from './entries.ts';

const script = join(import.meta.dirname, '../../scripts/inbox.ts');

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'inbox-'));
  file = join(directory, 'inbox.db');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[], url = `sqlite:${file}`): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, INBOX_URL: url };
    const child = execFile(process.execPath, [script, ...args], { env }, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, out, err });
    });
  });
}

async function withInbox<Result>(work: (inbox: Inbox) => Promise<Result>): Promise<Result> {
  const inbox = openSqliteInbox(file, { maxWaiting: 1_000 });
  return work(inbox).finally(() => inbox.close());
}

async function bury(inbox: Inbox, members: Partial<NewEntry> = {}): Promise<number> {
  const { entry } = await inbox.store(newEntry(members), { claimForMs: 1_000 });
  await inbox.bury(entry, 'handler_failed: no connection');
  return entry.seq;
}

describe('npm run inbox', () => {
  it('lists entries in columns, newest first', async () => {
    await withInbox(async (inbox) => {
      await bury(inbox);
      await inbox.store(newEntry({ type: 'order.shipped' }));
    });
    const { code, out } = await run(['list']);
    const lines = out.trimEnd().split('\n');
    expect(code).toBe(0);
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^2 +waiting +2023-11-14T22:13:20\.000Z +acme +order\.shipped +0$/);
    expect(lines[2]).toMatch(/^1 +dead +\S+ +acme +order\.created +1 +handler_failed: no connection$/);
    expect(new Set(lines.map((line) => line.search(/acme|source/))).size).toBe(1);
  });

  it('lists what is asked for, for programs too', async () => {
    await withInbox(async (inbox) => {
      await bury(inbox);
      await inbox.store(newEntry({ source: 'initech' }));
    });
    const { out } = await run(['list', '--status', 'dead', '--source', 'acme', '--limit', '5', '--json']);
    expect(JSON.parse(out)).toMatchObject([
      { seq: 1, status: 'dead', receivedAt: '2023-11-14T22:13:20.000Z' },
    ]);
    expect(out).not.toContain('content');
    expect((await run(['list', '--type', 'order.lost'])).out).toBe('No such entries.\n');
  });

  it('shows one entry, its content only when asked', async () => {
    await withInbox((inbox) =>
      inbox.store(newEntry({ eventId: 'evt_1', content: Buffer.from('{"name":"Ada"}') })),
    );
    const without = await run(['show', '1']);
    expect(without.code).toBe(0);
    expect(without.out).toMatch(/eventId +evt_1/);
    expect(without.out).not.toContain('Ada');
    expect((await run(['show', '1', '--content'])).out).toContain('{"name":"Ada"}');
    const json: unknown = JSON.parse((await run(['show', '1', '--content', '--json'])).out);
    expect(json).toMatchObject({ content: Buffer.from('{"name":"Ada"}').toString('base64') });
  });

  it('prints nothing that could steer a terminal', async () => {
    await withInbox((inbox) =>
      inbox.store(newEntry({ type: 'a\u001b[2Jb\nc', content: Buffer.from('\u001b[31m\u202e') })),
    );
    const outputs = [await run(['list']), await run(['show', '1', '--content'])];
    for (const { out } of outputs) expect(out).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect(outputs[0]?.out.trimEnd().split('\n')).toHaveLength(2);
  });

  it('replays the entries that are named', async () => {
    const seq = await withInbox((inbox) => bury(inbox));
    expect(await run(['replay', String(seq)])).toEqual({ code: 0, out: '1 replayed\n', err: '' });
    await withInbox(async (inbox) => {
      expect(await inbox.find(seq)).toMatchObject({ status: 'waiting', attempts: 0 });
    });
  });

  it('replays all dead letters, or those of one type, beside a running receiver', async () => {
    await withInbox(async (inbox) => {
      for (let count = 0; count < 250; count++) await bury(inbox, { type: count < 3 ? 'a' : 'b' });
      expect((await run(['replay', '--dead', '--type', 'a'])).out).toBe('3 replayed\n');
      expect(await inbox.stats()).toMatchObject({ waiting: 3, dead: 247 });
      expect((await run(['replay', '--dead'])).out).toBe('247 replayed\n');
      expect(await inbox.stats()).toMatchObject({ waiting: 250, dead: 0 });
    });
  });

  it('counts', async () => {
    await withInbox(async (inbox) => {
      await bury(inbox);
      await inbox.store(newEntry());
    });
    expect((await run(['stats'])).out).toMatch(
      /^waiting +1\nrunning +0\ndone +0\ndead +1\noldest waiting +2023/,
    );
    const json: unknown = JSON.parse((await run(['stats', '--json'])).out);
    expect(json).toEqual({
      waiting: 1,
      running: 0,
      done: 0,
      dead: 1,
      oldestWaiting: '2023-11-14T22:13:20.000Z',
    });
  });

  it('fails when an entry is not there', async () => {
    await withInbox(() => Promise.resolve());
    expect(await run(['show', '7'])).toEqual({ code: 1, out: '', err: 'There is no entry 7.\n' });
    expect(await run(['replay', '7'])).toMatchObject({ code: 1 });
  });

  it('says that there is no file instead of creating one', async () => {
    const { code, err } = await run(['list']);
    expect(code).toBe(1);
    expect(err).toContain(`There is no inbox at ${file}`);
    expect(existsSync(file)).toBe(false);
  });

  it.each([
    ['memory:', /lives inside its receiver/],
    ['postgres://user:hunter2@db/inbox', /Write sqlite:/],
  ])('says what to do about %s', async (url, words) => {
    const { code, err } = await run(['list'], url);
    expect(code).toBe(1);
    expect(err).toMatch(words);
    expect(err).not.toContain('hunter2');
  });

  it('explains itself', async () => {
    const { code, out } = await run(['--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/npm run inbox -- replay/);
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
    [['stats', '--no-such-option'], /--no-such-option/],
  ])('answers %j with what to do and exit code 2', async (args, words) => {
    const { code, err } = await run(args);
    expect(err).toMatch(words);
    expect(err).not.toMatch(/\n +at /);
    expect(code).toBe(2);
  });
});
