import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { emptyInboxUrl, newFolder, newInboxUrl } from '../support/fixtures.ts';
import { runHere } from '../support/in-one-process.ts';
import { countsOf, without } from '../kit/facts/observing.ts';

const folder = mkdtempSync(join(tmpdir(), 'facts-'));
afterAll(() => rmSync(folder, { recursive: true }));
const url = `sqlite:${join(folder, 'inbox.db')}`;

const facts = (...args: string[]) => runHere('facts', args, { INBOX_URL: url });

beforeAll(async () => {
  const { example: profile } = risr.events.profile_updated;
  const archived = JSON.stringify({ taskId: '7', orderId: '7', eventType: 'OrderArchived' });
  await countsOf(
    {},
    async ({ sender }) => {
      const switches = { times: 'iat+exp', claims: 'data-string' };
      await sender.fire(hotdocs, 'InterviewLoadEvent', { switches });
      for (let times = 0; times < 2; times += 1) {
        const fire = (payload: object) => sender.fire(risr, 'profile_updated', { payload });
        await fire({ ...profile, nickname: 'Å', address: { street: 1 }, 'x-y': null });
        await fire({ ...profile, email: 7, roles: [1], firstName: [] });
        await fire(without(profile, 'rev'));
        await sender.send(await sender.sign(phenixid, 'OrderCreated', archived));
      }
    },
    url,
  );
});

it('prints what was assumed, what was seen, and what to do about it', async () => {
  const { code, out, err } = await facts();
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^HotDocs Advance: 1 delivery since \d{4}-\d\d-\d\d, 1 looked at$/m);
  expect(out).toMatch(/^ HD-4a +method of InterviewLoadEvent +GET +GET 1 +confirmed$/m);
  expect(out).toMatch(/^ HD-17a +times in the token +none +iat\+exp 1 +differs: HOTDOCS_MAX_AGE_S=300 /m);
  expect(out).toMatch(/^ HD-21 .+ flat +data-string 1 +differs: nothing to set/m);
  expect(out).toMatch(/^ {2}Not seen yet: .*HD-4b/m);
  expect(out).toMatch(/^ {2}Drift: profile_updated: nickname is new: string, 2 times, since /m);
  expect(out).toMatch(/^ {2}Drift: profile_updated: rev is needed and was missing, 2 times, since /m);
  expect(out).toMatch(
    /^ {2}Drift: OrderArchived, an event that the catalogue does not have, 2 times, since /m,
  );
  expect(out).toContain('first 1,000 deliveries after a start are looked at, then one in 100');
});

it('prints of one source only what is asked for', async () => {
  const { out } = await facts('--source', 'phenixid');
  expect(out).toMatch(/^PhenixID Signing Workflow: 2 deliveries/);
  expect(out).not.toContain('HD-');
});

it('prints the lines for events.ts', async () => {
  const { code, out } = await facts('--patch');
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toEqual([
    'npm run new -- event phenixid OrderArchived   # came 2 times',
    '',
    '// risr: events.ts of its folder',
    '// profile_updated',
    '  nickname: z.string().optional(),',
    '  address: z.looseObject({}).optional(),',
    "  'x-y': z.unknown().optional(),",
    '  email: z.union([…, z.number()]),',
    '  firstName: z.union([…, z.array(z.unknown())]),',
    '  roles: z.array(z.union([…, z.number()])),',
    '  rev: ….optional(), // was missing 2 times',
  ]);
});

it('writes a report without values', async () => {
  const file = join(newFolder(), 'learnt.md');
  const { code, out } = await facts('--report', file);
  expect([code, out]).toEqual([0, `written  ${file}\n`]);
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(
    /^# What the senders of advance-receiver-kit \S+ really do\n\n## HotDocs Advance, 1 delivery\n/,
  );
  expect(text).toMatch(/^\| HD-17a +\| times in the token +\| none +\| iat\+exp 1 +\| differs +\|$/m);
  expect(text).toContain('- profile_updated: nickname is new: string, 2 times\n');
  expect(text).not.toMatch(/Å|Lind|\/risr|07c6ad8c/);
  expect(await facts('--report')).toMatchObject({ code: 0, out: text });
});

it('gives programs all of it', async () => {
  const { out } = await facts('--json');
  expect(JSON.parse(out)).toContainEqual(
    expect.objectContaining({
      ...{ source: 'hotdocs', came: 1, examined: 1, since: expect.any(String) },
      facts: expect.arrayContaining([
        expect.objectContaining({
          ...{ id: 'HD-17a', assumed: ['none'], state: 'differs' },
          seen: [
            expect.objectContaining({
              variant: 'iat+exp',
              count: 1,
              endpoints: ['/hotdocs/InterviewLoadEvent'],
            }),
          ],
        }),
      ]),
    }),
  );
});

it('lists the facts that no delivery shows, and why', async () => {
  const { code, out } = await facts('--without-observer');
  expect(code).toBe(0);
  expect(out).toMatch(/^ PX-9 +each event is sent once +a repeated delivery cannot be told from a real one/m);
  expect(out.match(/^ (HD|PX|RI)-\d+/gm)?.length).toBeGreaterThan(30);
});

it('says that nothing has come yet where nothing has', async () => {
  const empty = await emptyInboxUrl();
  const { code, out } = await runHere('facts', [], { INBOX_URL: empty });
  expect(code).toBe(0);
  expect(out).toMatch(/^HotDocs Advance: no delivery yet\n\nPhenixID Signing Workflow: no delivery yet\n/);
  expect((await runHere('facts', ['--patch'], { INBOX_URL: empty })).out).toBe('Nothing has drifted.\n');
});

it.each(['facts', 'tape list', 'explain'])('says in npm run %s that there is no inbox', async (command) => {
  const [script = '', ...args] = command.split(' ');
  const { code, err } = await runHere(script, args, { INBOX_URL: newInboxUrl() });
  expect(code).toBe(1);
  expect(err).toContain('There is no inbox at');
});

it.each<[args: string[], env: Record<string, string>, code: number, words: RegExp]>([
  [['list'], {}, 2, /Expected options only/],
  [['--report', 'a', 'b'], {}, 2, /Expected options only/],
  [['--patch', '--json'], {}, 2, /one of them at a time/],
  [['--source', 'phoenix'], {}, 2, /Unknown source: "phoenix"/],
  [['--pach'], {}, 2, /Did you mean --patch/],
  [[], { INBOX_URL: 'memory:' }, 1, /inside its receiver/],
  [[], { INBOX_URL: 'postgres://nobody@127.0.0.1:1/none' }, 1, /PostgreSQL at 127\.0\.0\.1:1\/none/],
])('answers %j with %j by exit code %i', async (args, env, code, words) => {
  const ended = await runHere('facts', args, { INBOX_URL: url, ...env });
  expect([ended.code, ended.out]).toEqual([code, '']);
  expect(ended.err).toMatch(words);
});
