import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { stateOf, type Known } from '../../scripts/keys/verdict.ts';
import { changedAt } from '../../scripts/keys/secret-file.ts';
import { fileWith, newFolder, newInboxUrl } from '../support/fixtures.ts';
import { runHere } from '../support/in-one-process.ts';
import { senderTo, startProcess } from '../support/processes.ts';

const PROFILE = '/risr/profile_updated';
const OLD = 'a1'.repeat(32);

const keys = (args: readonly string[], env: Record<string, string> = {}) => runHere('keys', args, env);

describe('new', () => {
  it.each([
    [PROFILE, 'RISR_PROFILE_UPDATED_SECRET', 'npm run register'],
    ['RISR_BOOKING_UPDATED_SECRET', 'RISR_BOOKING_UPDATED_SECRET', 'registration'],
    ['/phenixid?key=site-north', 'PHENIXID_SITE_NORTH_SECRET', 'section webHook'],
    ['HOTDOCS_ACTION_LINK_TOKEN', 'HOTDOCS_ACTION_LINK_TOKEN', 'Access token'],
  ])('makes a secret for %s that only its user may read', async (name, variable, place) => {
    const folder = join(newFolder(), 'secrets');
    const file = join(folder, variable);
    const { code, out, err } = await keys(['new', name, '--folder', folder]);
    expect([code, err]).toEqual([0, '']);
    const text = readFileSync(file, 'utf8').trimEnd();
    expect(text).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(out).toContain(`${variable}_FILE=${file}`);
    expect(out).toContain(place);
    expect(out).not.toContain(text);
  });

  it('never writes over a file, and prints a secret only where it is asked for', async () => {
    const folder = newFolder();
    const first = await keys(['new', PROFILE, '--folder', folder, '--print']);
    const text = readFileSync(join(folder, 'RISR_PROFILE_UPDATED_SECRET'), 'utf8');
    expect(first.out).toContain(`\n${text}`);
    const second = await keys(['new', PROFILE, '--folder', folder]);
    expect(second).toMatchObject({ code: 1, err: expect.stringContaining('is there already') });
    expect(readFileSync(join(folder, 'RISR_PROFILE_UPDATED_SECRET'), 'utf8')).toBe(text);
  });

  it('takes a secret that its sender makes from standard input, and makes none itself', async () => {
    const folder = newFolder();
    const args = ['new', '/hotdocs/InterviewLoadEvent', '--folder', folder];
    expect(await keys(args)).toMatchObject({
      code: 2,
      err: expect.stringContaining('makes this secret itself'),
    });
    const script = join(import.meta.dirname, '../../scripts/keys.ts');
    const env = { PATH: process.env['PATH'], KIT_APP: 'src/example' };
    const given = spawnSync(process.execPath, [script, ...args, '--given'], { env, input: `${OLD}\n` });
    expect(given.status).toBe(0);
    expect(readFileSync(join(folder, 'HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET'), 'utf8')).toBe(`${OLD}\n`);
  });
});

it('changes a secret under a running receiver, and takes the old one away only once it is not needed', async () => {
  const file = fileWith(`${OLD}\n`);
  const env = { RISR_PROFILE_UPDATED_SECRET_FILE: file, INBOX_URL: newInboxUrl(), PORT: '0' };
  const receiver = startProcess(env);
  const sender = senderTo(await receiver.url());
  const fire = async (secret: string) => (await sender.fire(risr, 'profile_updated', { secret })).status;
  expect(await fire(OLD)).toBe(200);

  expect(await keys(['rotate', PROFILE], env)).toMatchObject({ code: 0, err: '' });
  const [fresh = '', ...others] = readFileSync(file, 'utf8').trimEnd().split(',');
  expect(others).toEqual([OLD]);
  expect(fresh).toMatch(/^[0-9a-f]{64}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await receiver.said(/RISR_PROFILE_UPDATED_SECRET \((2) live\)/);
  await sleep(Math.max(0, changedAt(file) + 5_100 - Date.now()));
  expect(await fire(OLD)).toBe(200);

  const status = await keys(['status', '--json'], env);
  expect(JSON.parse(status.out)).toEqual([
    expect.objectContaining({
      ...{ endpoint: PROFILE, file, state: 'needed' },
      secrets: [
        { secret: 1, lastUsed: null },
        { secret: 2, lastUsed: expect.any(String) },
      ],
    }),
  ]);
  const before = readFileSync(file, 'utf8');
  const refused = await keys(['rotate', PROFILE, '--finish'], env);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('was needed within the last 72 h') });
  const unseen = await keys(['rotate', PROFILE, '--finish', '--hours', '0'], env);
  expect(unseen).toMatchObject({
    code: 1,
    err: expect.stringContaining('nothing has come with the new one'),
  });
  expect(readFileSync(file, 'utf8')).toBe(before);

  expect(await fire(fresh)).toBe(200);
  expect((await keys(['rotate', PROFILE, '--finish', '--hours', '0'], env)).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(`${fresh}\n`);
  await receiver.said(/RISR_PROFILE_UPDATED_SECRET \((1) live\)/);
  expect([await fire(OLD), await fire(fresh)]).toEqual([401, 200]);
});

it('leaves a file alone that a receiver would not take up', async () => {
  const file = fileWith(`${OLD}\n`);
  const env = { RISR_PROFILE_UPDATED_SECRET_FILE: file, PORT: 'none' };
  const { code, err } = await keys(['rotate', PROFILE], env);
  expect([code, err]).toEqual([1, expect.stringContaining('configuration is in doubt')]);
  expect(readFileSync(file, 'utf8')).toBe(`${OLD}\n`);
});

it('says what to do by hand where the secret stands in the variable itself', async () => {
  const env = { RISR_PROFILE_UPDATED_SECRET: OLD, INBOX_URL: newInboxUrl() };
  const { code, err } = await keys(['rotate', PROFILE], env);
  expect([code, err]).toEqual([1, expect.stringContaining('openssl rand -hex 32')]);
  const two = { ...env, RISR_PROFILE_UPDATED_SECRET: `${'b2'.repeat(32)},${OLD}` };
  const { out } = await keys(['status'], two);
  expect(out).toMatch(/2 of 2 +never/);
  expect(out).toContain('when they were changed is not known');
  expect(out).not.toContain(OLD);
});

it.each([
  [['status', PROFILE]],
  [['new']],
  [['new', '/risr/profile']],
  [['rotate', PROFILE, '--hours', '3']],
])('refuses %p, and makes nothing', async (args) => {
  expect((await keys(args)).code).toBe(2);
  expect(existsSync('secrets')).toBe(false);
});

describe('what is said of two live secrets', () => {
  const HOUR = 3_600_000;
  const now = 1_000 * HOUR;
  const use = (secret: number, hoursAgo: number) => {
    const at = now - hoursAgo * HOUR;
    return { endpoint: PROFILE, installation: undefined, secret, count: 1, first: at, last: at };
  };
  const usual: Known = {
    ...{ uses: [use(1, 1)], live: 2, changedAt: now - 100 * HOUR, completeSince: 0, now, hours: 72 },
  };
  it.each<[string, Partial<Known>]>([
    ['unneeded', {}],
    ['unneeded', { uses: [use(1, 1), use(2, 80)] }],
    ['unneeded', { uses: [use(1, 1), use(2, 101)] }],
    ['needed', { uses: [use(1, 1), use(2, 71)] }],
    ['early', { changedAt: now - 71 * HOUR }],
    // What the newest one proved before the file changed was proved by what is the old one now.
    ['new-unused', { uses: [use(1, 101)] }],
    ['new-unused', { uses: [] }],
    ['unknown', { completeSince: now - 24 * HOUR }],
    ['by-hand', { changedAt: undefined }],
    ['single', { live: 1 }],
  ])('%s: %p', (state, differing) => {
    expect(stateOf({ ...usual, ...differing })).toBe(state);
  });
});
