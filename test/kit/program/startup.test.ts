import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openRecords } from '../../../src/example/records/records.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { newFolder } from '../../support/fixtures.ts';
import { enough, senderTo, startProcess, waitingProgram } from '../../support/processes.ts';
import { projectFile } from '../../../src/lab/rig/program.ts';
import { until } from '../../support/until.ts';

const SECRET = enough.RISR_PROFILE_UPDATED_SECRET;

it('without configuration says what is missing and what to do, and ends with code 1', async () => {
  const folder = newFolder();
  const receiver = startProcess({}, folder);
  expect(await receiver.ended).toEqual({ code: 1, signal: null });
  expect(receiver.output()).toMatch(/^Not started:\n {2}- No endpoint has a secret/m);
  expect(receiver.output()).toContain('HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET');
  expect(receiver.output()).toContain('templates/env.example');
  expect(receiver.output()).toContain('npm run demo');
  expect(receiver.output()).not.toMatch(/^ +at /m);
  expect(existsSync(join(folder, 'data'))).toBe(false);
});

it('with a .env for some endpoints tells which are open, and what opens the others', async () => {
  const folder = newFolder();
  const lines = Object.entries(enough).map(([name, value]) => `${name}=${value}`);
  writeFileSync(join(folder, '.env'), lines.join('\n'));
  const receiver = startProcess({}, folder);
  const url = await receiver.url();
  await until('the table is whole', () => receiver.output().includes('booking_state_changed'));
  const rows = receiver
    .output()
    .split('\n')
    .filter((line) => line.startsWith('  /'));
  expect(rows).toHaveLength(11);
  expect(
    rows.filter((row) => / {2}open {4}secret$/.test(row)).map((row) => row.trim().split(' ')[0]),
  ).toEqual(['/hotdocs/InterviewLoadEvent', '/risr/profile_updated', '/risr/booking_updated']);
  expect(rows).toContainEqual(expect.stringMatching(/\/phenixid +closed +set PHENIXID_SECRET to open it/));
  expect(receiver.output()).not.toContain(SECRET);
  expect((await senderTo(url).fire(risr, 'profile_updated')).status).toBe(200);
  expect((await senderTo(url).fire(risr, 'booking_state_changed')).status).toBe(404);
  expect(existsSync(join(folder, 'data', 'inbox.db'))).toBe(true);
});

it('names every bad value and prints none', async () => {
  const bad = {
    PORT: 'eighty-eighty',
    INBOX_URL: 'postgrass://user:password@host/db',
    HOTDOCS_ACTION_LINK_SECRET: 'tooshort1',
    PHENIXID_SECRET: 'change-me-to-something-that-is-long',
    RISR_PROFILE_UPDATED_SECRET: ` ${SECRET}`,
    RISR_DEADLINE_MS: 'two-seconds',
  };
  const receiver = startProcess(bad);
  expect(await receiver.ended).toEqual({ code: 1, signal: null });
  expect(receiver.output()).toMatch(/^Not started, 6 things are wrong:$/m);
  for (const [name, value] of Object.entries(bad)) {
    expect(receiver.output()).toContain(`  - ${name}`);
    expect(receiver.output()).not.toContain(value.trim());
  }
});

it.each(['sqlite://data/inbox.db', 'nonsense'])(
  'refuses INBOX_URL=%s and says what forms there are',
  async (url) => {
    const receiver = startProcess({ ...enough, INBOX_URL: url });
    expect((await receiver.ended).code).toBe(1);
    expect(receiver.output()).toMatch(/^Not started:.*\n?.*INBOX_URL/m);
    expect(receiver.output()).toMatch(/memory:/);
    expect(receiver.output()).not.toMatch(/^ +at /m);
  },
);

async function portInUse(): Promise<{ readonly port: number; readonly occupant: Server }> {
  const occupant = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => occupant.once('listening', resolve));
  // A listening TCP server has an address of this form.
  const { port } = occupant.address() as AddressInfo;
  return { port, occupant };
}

it.each(['PORT', 'ADMIN_PORT'])('says which port is taken, and to set %s', async (variable) => {
  const { port, occupant } = await portInUse();
  const receiver = startProcess({ ...enough, [variable]: String(port) });
  expect(await receiver.ended).toEqual({ code: 1, signal: null });
  occupant.close();
  expect(receiver.output()).toContain(
    `Not started: port ${port} on 127.0.0.1 is taken; set ${variable} to another one.\n`,
  );
});

it('says where it can be asked how it is, and by their whole paths where things are kept', async () => {
  const folder = newFolder();
  const receiver = startProcess({ ...enough, ADMIN_PORT: '0', RECORDS_FILE: 'records.db' }, folder);
  await receiver.url();
  const ready = await receiver.said(/^Health on \S+\/live and (\S+\/ready)$/m);
  expect(await (await fetch(ready)).json()).toEqual({ ready: true });
  const whole = realpathSync(folder);
  expect(await receiver.said(/^Working on (\S+)$/m)).toBe(`sqlite:${join(folder, 'data', 'inbox.db')}`);
  expect(await receiver.said(/^RECORDS_FILE is (\S+)$/m)).toBe(join(whole, 'records.db'));
  expect(await receiver.said(/^ARCHIVE_DIR is (\S+)$/m)).toBe(join(whole, 'data', 'archive'));
});

it.each(['receiver', 'worker'])(
  'as a %s alone does not start on an inbox that no other can reach',
  async (ROLE) => {
    const receiver = startProcess({ ...enough, ROLE });
    expect((await receiver.ended).code).toBe(1);
    expect(receiver.output()).toMatch(/^Not started:\n {2}- ROLE is .*postgres:\/\//m);
  },
);

it('names the variable and the line where the keys of the inbox cannot be read', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'keys'), '# newest first\nbm90IGEga2V5\n');
  const receiver = startProcess({ ...enough, INBOX_KEYS_FILE: 'keys' }, folder);
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(/^Not started:\n {2}- INBOX_KEYS_FILE: Line 2: .*32 bytes/m);
  expect(receiver.output()).not.toContain('bm90IGEga2V5');
});

it('keeps what it was sent encrypted where it has keys', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'keys'), `${Buffer.alloc(32, 7).toString('base64')}\n`);
  const receiver = startProcess({ ...enough, INBOX_KEYS_FILE: 'keys' }, folder);
  const payload = { id: 'p', rev: '1-a', firstName: 'Wilhelmine' };
  const sender = senderTo(await receiver.url());
  expect((await sender.fire(risr, 'profile_updated', { payload })).status).toBe(200);
  await until('it is handled', () => receiver.output().includes('"outcome":"done"'));
  receiver.kill('SIGTERM');
  await receiver.ended;
  const file = readFileSync(join(folder, 'data', 'inbox.db'));
  expect([file.includes('profile_updated'), file.includes('Wilhelmine')]).toEqual([true, false]);
});

it('does not start beside another receiver on the same inbox file, and leaves that one alone', async () => {
  const folder = newFolder();
  const first = startProcess(enough, folder);
  const url = await first.url();
  const second = startProcess(enough, folder);
  expect((await second.ended).code).toBe(1);
  expect(second.output()).toMatch(/^Not started: Another receiver is running on .*inbox\.db/m);
  expect((await senderTo(url).fire(risr, 'profile_updated')).status).toBe(200);
});

it('names RECORDS_FILE where the records cannot be opened', async () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'records'));
  const receiver = startProcess({ ...enough, RECORDS_FILE: 'records' }, folder);
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(/^Not started: RECORDS_FILE cannot be used: /m);
  expect(receiver.output()).not.toMatch(/^ +at /m);
});

it('names ARCHIVE_DIR where no document could be put', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'archive'), 'a file');
  const receiver = startProcess({ ...enough, ARCHIVE_DIR: 'archive' }, folder);
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(/^Not started: ARCHIVE_DIR cannot be used: /m);
});

it('says at once where the records are no database', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'records'), 'no database, and long enough to be taken for one '.repeat(99));
  const receiver = startProcess({ ...enough, RECORDS_FILE: 'records' }, folder);
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(/^Not started: RECORDS_FILE cannot be used: .*not a database/m);
});

it('opens no debugger on SIGUSR1, and goes on', async () => {
  const receiver = startProcess(enough);
  const sender = senderTo(await receiver.url());
  receiver.kill('SIGUSR1');
  expect((await sender.fire(risr, 'profile_updated')).status).toBe(200);
  receiver.kill('SIGTERM');
  expect((await receiver.ended).code).toBe(0);
  expect(receiver.output()).not.toContain('Debugger');
});

it.each(['src/main.ts', 'src/example/main.ts'])('%s invents nobody', async (main) => {
  const folder = newFolder();
  const receiver = startProcess(enough, folder, projectFile(main));
  await receiver.url();
  receiver.kill('SIGTERM');
  await receiver.ended;
  const records = openRecords(join(folder, 'data', 'records.db'));
  const kinds = ['person', 'work item', 'document', 'task', 'profile', 'booking', 'transition'] as const;
  expect(kinds.flatMap((kind) => records.list(kind))).toEqual([]);
  records.close();
});

it('names the variable whose secret is not the base64 it is said to be', async () => {
  const receiver = startProcess({
    ...enough,
    HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: `${SECRET}!`,
    HOTDOCS_KEY_ENCODING: 'base64',
  });
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(/^Not started: HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: .*base64/m);
  expect(receiver.output()).not.toContain(SECRET);
});

it('goes on after a restart with what was accepted and not handled', async () => {
  const folder = newFolder();
  const traces = join(folder, 'traces');
  const env = { ...enough, TRACES: traces };
  const first = startProcess(
    { ...env, TRACES: join(folder, 'no', 'such', 'folder') },
    folder,
    waitingProgram,
  );
  const accepted = await senderTo(await first.url()).fire(risr, 'profile_updated');
  expect(accepted.status).toBe(200);
  await until('its handler has failed', () => first.output().includes('"outcome":"retry"'));
  first.kill('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, signal: null });
  const second = startProcess(env, folder, waitingProgram);
  await second.url();
  await until('it is handled', () => second.output().includes('"outcome":"done"'));
  expect(readFileSync(traces, 'utf8')).toMatch(/^\S+ 2\n$/);
});
