import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash } from 'node:crypto';
import { afterEach, expect, it } from '@jest/globals';
import { hotdocs } from '../src/sources/hotdocs/index.ts';
import { risr } from '../src/sources/risr/index.ts';
import { startProcess, type ReceiverProcess } from './support/receiver-process.ts';
import { createTestSender, type TestSender } from './support/test-sender.ts';
import { until } from './support/until.ts';

const SECRET = hash('sha256', 'a secret for processes');
const OTHER_SECRET = hash('sha256', 'another secret for processes');
const ENOUGH = {
  PORT: '0',
  RISR_PROFILE_UPDATED_SECRET: SECRET,
  HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: OTHER_SECRET,
};
const WAITING_HANDLERS = join(import.meta.dirname, 'support', 'child-handlers.ts');

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0).reverse()) await clean();
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'startup-'));
  cleanup.push(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

function start(env: Record<string, string>, folder = newFolder(), handlers?: string): ReceiverProcess {
  const started = startProcess({ env, folder, ...(handlers === undefined ? {} : { handlers }) });
  cleanup.push(async () => {
    started.kill('SIGKILL');
    await started.ended;
  });
  return started;
}

function senderTo(url: string): TestSender {
  const sender = createTestSender({
    url,
    secretOf: (path) => (path.startsWith('/risr') ? SECRET : OTHER_SECRET),
  });
  cleanup.push(() => {
    sender.close();
  });
  return sender;
}

it('without configuration says what is missing and what to do, and ends with code 1', async () => {
  const folder = newFolder();
  const receiver = start({}, folder);
  expect(await receiver.ended).toEqual({ code: 1, signal: null });
  expect(receiver.output()).toMatch(/^Not started:\n {2}- No endpoint has a secret/m);
  expect(receiver.output()).toContain('HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET');
  expect(receiver.output()).toContain('templates/env.example');
  expect(receiver.output()).toContain('npm run demo');
  expect(receiver.output()).not.toMatch(/^ +at /m);
  expect(existsSync(join(folder, 'data'))).toBe(false);
});

it('with a .env for two endpoints tells which are open, and what opens the others', async () => {
  const folder = newFolder();
  const lines = Object.entries(ENOUGH).map(([name, value]) => `${name}=${value}`);
  writeFileSync(join(folder, '.env'), lines.join('\n'));
  const receiver = start({}, folder);
  const url = await receiver.url();
  await until('the table is whole', () => receiver.output().includes('booking_state_changed'));
  const rows = receiver
    .output()
    .split('\n')
    .filter((line) => line.startsWith('  /'));
  expect(rows).toHaveLength(11);
  expect(
    rows.filter((row) => / {2}open {4}secret$/.test(row)).map((row) => row.trim().split(' ')[0]),
  ).toEqual(['/hotdocs/InterviewLoadEvent', '/risr/profile_updated']);
  expect(rows).toContainEqual(expect.stringMatching(/\/phenixid +closed +set PHENIXID_SECRET to open it/));
  expect(receiver.output()).not.toContain(SECRET);
  expect((await senderTo(url).fire(risr, 'profile_updated')).status).toBe(200);
  expect((await senderTo(url).fire(risr, 'booking_updated')).status).toBe(404);
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
  const receiver = start(bad);
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
    const receiver = start({ ...ENOUGH, INBOX_URL: url });
    expect((await receiver.ended).code).toBe(1);
    expect(receiver.output()).toMatch(/^Not started:.*\n?.*INBOX_URL/m);
    expect(receiver.output()).toMatch(/memory:/);
    expect(receiver.output()).not.toMatch(/^ +at /m);
  },
);

it('says which port is taken, and what to set', async () => {
  const occupant = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => occupant.once('listening', resolve));
  cleanup.push(() => occupant.close());
  // A listening TCP server has an address of this form.
  const { port } = occupant.address() as AddressInfo;
  const receiver = start({ ...ENOUGH, PORT: String(port) });
  expect(await receiver.ended).toEqual({ code: 1, signal: null });
  expect(receiver.output()).toContain(
    `Not started: port ${port} on 127.0.0.1 is taken; set PORT to another one.\n`,
  );
});

it('does not start beside another receiver on the same inbox file, and leaves that one alone', async () => {
  const folder = newFolder();
  const first = start(ENOUGH, folder);
  const url = await first.url();
  const second = start(ENOUGH, folder);
  expect((await second.ended).code).toBe(1);
  expect(second.output()).toMatch(/^Not started: Another receiver is running on .*inbox\.db/m);
  expect((await senderTo(url).fire(risr, 'profile_updated')).status).toBe(200);
});

it('names RECORDS_FILE where the records cannot be opened', async () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'records'));
  const receiver = start({ ...ENOUGH, RECORDS_FILE: 'records' }, folder);
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(/^Not started: RECORDS_FILE cannot be used: /m);
  expect(receiver.output()).not.toMatch(/^ +at /m);
});

it('names the variable whose secret is not the base64 it is said to be', async () => {
  const receiver = start({
    ...ENOUGH,
    HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: `${SECRET}!`,
    HOTDOCS_KEY_ENCODING: 'base64',
  });
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(/^Not started: HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: .*base64/m);
  expect(receiver.output()).not.toContain(SECRET);
});

/** A receiver in the middle of an InterviewLoadEvent, whose handler goes on when `open` is called. */
async function startWithHandlerRunning(env: Record<string, string> = {}) {
  const folder = newFolder();
  const gate = join(folder, 'gate');
  const traces = join(folder, 'traces');
  const receiver = start(
    { ...ENOUGH, GATE: gate, TRACES: traces, HOTDOCS_DEADLINE_MS: '20000', ...env },
    folder,
    WAITING_HANDLERS,
  );
  const url = await receiver.url();
  const reply = senderTo(url)
    .fire(hotdocs, 'InterviewLoadEvent')
    .then(
      ({ status }) => status,
      () => 'none',
    );
  await until('the handler runs', () => existsSync(traces));
  return {
    receiver,
    url,
    reply,
    open: () => {
      writeFileSync(gate, '');
    },
  };
}

it('on SIGTERM takes nothing new, answers what is in flight, and ends with code 0', async () => {
  const { receiver, url, reply, open } = await startWithHandlerRunning({ SHUTDOWN_MS: '20000' });
  const stopping = performance.now();
  receiver.kill('SIGTERM');
  await until('nothing listens any more', async () =>
    senderTo(url)
      .fire(risr, 'profile_updated')
      .then(
        () => false,
        () => true,
      ),
  );
  open();
  expect(await reply).toBe(200);
  expect(await receiver.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - stopping).toBeLessThan(5_000);
  expect(receiver.output()).toMatch(/"type":"InterviewLoadEvent".*"outcome":"answered"/);
});

it('on SIGTERM waits no longer than SHUTDOWN_MS for a handler that does not stop', async () => {
  const { receiver, reply } = await startWithHandlerRunning({ SHUTDOWN_MS: '300' });
  const stopping = performance.now();
  receiver.kill('SIGTERM');
  expect(await receiver.ended).toEqual({ code: 0, signal: null });
  expect(await reply).toBe('none');
  expect(performance.now() - stopping).toBeLessThan(5_000);
});

it('on a second SIGTERM ends at once', async () => {
  const { receiver, url, reply } = await startWithHandlerRunning({ SHUTDOWN_MS: '20000' });
  receiver.kill('SIGTERM');
  await until('nothing listens any more', async () =>
    senderTo(url)
      .fire(risr, 'profile_updated')
      .then(
        () => false,
        () => true,
      ),
  );
  receiver.kill('SIGTERM');
  expect(await receiver.ended).toEqual({ code: null, signal: 'SIGTERM' });
  expect(await reply).toBe('none');
});

it('goes on after a restart with what was accepted and not handled', async () => {
  const folder = newFolder();
  const traces = join(folder, 'traces');
  const env = { ...ENOUGH, TRACES: traces };
  const first = start({ ...env, TRACES: join(folder, 'no', 'such', 'folder') }, folder, WAITING_HANDLERS);
  const accepted = await senderTo(await first.url()).fire(risr, 'profile_updated');
  expect(accepted.status).toBe(200);
  await until('its handler has failed', () => first.output().includes('"outcome":"retry"'));
  first.kill('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, signal: null });
  const second = start(env, folder, WAITING_HANDLERS);
  await second.url();
  await until('it is handled', () => existsSync(traces));
  expect(readFileSync(traces, 'utf8')).toMatch(/^\S+ 2\n$/);
});
