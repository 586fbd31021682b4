import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { linesInDoubt } from '../../../src/kit/program/text-file.ts';
import { projectFile } from '../../../src/lab/rig/program.ts';
import { runHere } from '../../support/in-one-process.ts';
import { listening, newFolder } from '../../support/fixtures.ts';
import { enough, senderTo, startProcess } from '../../support/processes.ts';

const SECRET = enough.RISR_PROFILE_UPDATED_SECRET;
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

it.each([
  ['in UTF-16', utf16],
  ['in UTF-16 without a mark', (text: string) => Buffer.from(text, 'utf16le')],
  ['in big-endian UTF-16', (text: string) => utf16(text).swap16()],
  ['with a byte order mark', (text: string) => Buffer.from(`\ufeff${text}`)],
])('reads a .env and a secret file %s, and says so', async (_name, encoded) => {
  const folder = newFolder();
  writeFileSync(join(folder, 'secret'), encoded(`${SECRET}\r\n`));
  writeFileSync(join(folder, '.env'), encoded('RISR_PROFILE_UPDATED_SECRET_FILE=secret\r\n'));
  const receiver = startProcess({ PORT: '0' }, folder);
  const sender = senderTo(await receiver.url());
  expect((await sender.fire(risr, 'profile_updated')).status).toBe(200);
  await receiver.said(/(\.env) has a byte order mark or is in UTF-16/);
  await receiver.said(/(RISR_PROFILE_UPDATED_SECRET_FILE) has a byte order mark/);
});

it('refuses a secret with anything that it can hardly mean, and does not print it', async () => {
  const receiver = startProcess({
    ...enough,
    PHENIXID_SECRET: `"${SECRET}`,
    HOTDOCS_ACTION_LINK_SECRET: `${SECRET}\u200b`,
    RISR_USER_LOGGED_IN_SECRET: `${SECRET}\n${SECRET}`,
  });
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(/PHENIXID_SECRET .*a quotation mark/);
  expect(receiver.output()).toMatch(/HOTDOCS_ACTION_LINK_SECRET .*invisible/);
  expect(receiver.output()).toMatch(/RISR_USER_LOGGED_IN_SECRET .*several lines/);
  expect(receiver.output()).not.toContain(SECRET);
});

it('refuses what else is secret with an invisible character, and does not print it', async () => {
  const names = ['RISR_API_CLIENT_SECRET', 'INBOX_KEYS', 'INBOX_URL', 'PHENIXID_API_HEADERS'];
  const odd = Object.fromEntries(names.map((name) => [name, `${SECRET}\u200b`]));
  const receiver = startProcess({ ...enough, ...odd });
  expect((await receiver.ended).code).toBe(1);
  for (const name of names) expect(receiver.output()).toContain(`${name} holds an invisible character`);
  expect(receiver.output()).not.toContain(SECRET);
});

it('warns of a quotation mark at the end of a password', async () => {
  const api = {
    RISR_API_CLIENT_ID: 'id',
    RISR_API_ORGANISATION: 'org',
    RISR_API_URL: 'https://api.example.org',
  };
  const receiver = startProcess({
    ...enough,
    ...api,
    INBOX_URL: 'memory:',
    RISR_API_CLIENT_SECRET: `"${SECRET}`,
  });
  await receiver.said(/(RISR_API_CLIENT_SECRET has a quotation mark at an end)/);
});

it('refuses a file for what is not read from one, and reads INBOX_URL_FILE', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'url'), 'memory:\n');
  const env = { ...enough, INBOX_URL_FILE: 'url' };
  const refused = startProcess({ ...env, LOG_LEVEL_FILE: 'level' }, folder);
  expect((await refused.ended).code).toBe(1);
  expect(refused.output()).toContain('LOG_LEVEL_FILE would not be read');
  const receiver = startProcess(env, folder);
  expect(await receiver.said(/^Working on (\S+)$/m)).toBe('memory:');
});

it('says that INBOX_URL has no password where the server asks for one', async () => {
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.write(asked(10, 'SCRAM-SHA-256\0\0'));
      socket.once('data', () => socket.write(asked(11, 'r=nonce,s=c2FsdA==,i=4096')));
    });
    socket.on('error', () => undefined);
  });
  const port = await listening(server);
  const receiver = startProcess({ ...enough, INBOX_URL: `postgres://hooks@127.0.0.1:${port}/inbox` });
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(
    /The server asks for a password, and INBOX_URL has none. Write postgres:/,
  );
});

/** As PostgreSQL asks for a proof of who somebody is: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function asked(how: number, what: string): Buffer {
  const message = Buffer.alloc(9);
  message.write('R');
  message.writeUInt32BE(8 + what.length, 1);
  message.writeUInt32BE(how, 5);
  return Buffer.concat([message, Buffer.from(what)]);
}

it('warns that the senders of some secrets may read them as something else', async () => {
  const odd: readonly (readonly [name: string, secret: string, why: string])[] = [
    ['PHENIXID_SECRET', `${SECRET}é`, 'not ASCII'],
    ['RISR_BOOKING_STATE_CHANGED_SECRET', `${SECRET}keys`, 'the word keys'],
    ['RISR_USER_LOGGED_IN_SECRET', `{"k":1234567890123456789012345678901234567890}`, 'is JSON'],
    ['RISR_USER_REGISTERED_SECRET', '12345678901234567890123456789012', 'is JSON, or a number'],
  ];
  const env = Object.fromEntries(odd.map(([name, secret]) => [name, secret]));
  const receiver = startProcess({ ...enough, INBOX_URL: 'memory:', ...env });
  for (const [name, , why] of odd) await receiver.said(new RegExp(`(Warning: ${name} .*${why})`));
  for (const [, secret] of odd) expect(receiver.output()).not.toContain(secret);
});

it('reads a .env in UTF-16 in every command, as the receiver does', async () => {
  const folder = newFolder();
  const file = join(folder, '.env');
  writeFileSync(
    file,
    utf16(`RISR_PROFILE_UPDATED_SECRET=${SECRET}\r\nINBOX_URL=sqlite:${folder}/inbox.db\r\n`),
  );
  const receiver = startProcess({ PORT: '0' }, folder);
  const command = (...args: string[]) =>
    promisify(execFile)(process.execPath, [`--env-file=${file}`, ...args], { cwd: projectFile(''), env: {} });
  const sent = await command('scripts/send.ts', 'risr', 'profile_updated', '--url', await receiver.url());
  expect(sent.stdout).toMatch(/200/);
  expect(sent.stderr).toMatch(/\.env has a byte order mark or is in UTF-16/);
  expect((await command('scripts/inbox.ts', 'list')).stdout).toContain('profile_updated');
});

it.each([
  ['send', 'risr', '--help'],
  ['inbox', 'stats'],
  ['register', '--help'],
  ['mock', '--help'],
  ['conform', '--list'],
])('%s asks what a name that is nearly right should mean', async (script, ...args) => {
  const { err } = await runHere(script, args, { RETENTION_DAY: '1' });
  expect(err).toContain(
    'RETENTION_DAY is set, but the receiver has no such setting. Did you mean RETENTION_DAYS?',
  );
});

it('refuses one key in two spellings on two endpoints, and prints neither', async () => {
  const base64 = Buffer.from(SECRET).toString('base64');
  const receiver = startProcess({
    PORT: '0',
    RISR_PROFILE_UPDATED_SECRET: SECRET,
    HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: base64,
    HOTDOCS_KEY_ENCODING: 'base64',
  });
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(
    /HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET and RISR_PROFILE_UPDATED_SECRET hold the same secret/,
  );
  expect(receiver.output()).not.toMatch(new RegExp(`${SECRET}|${base64}`));
});

it.each([
  ['A_B=abc#x2', 1, 'A_B', /has a # in it/],
  ['A_B=#abc', 1, 'A_B', /has a # in it/],
  ['A_B="abc"def', 1, 'A_B', /goes on behind the closing quotation mark/],
  ["A_B='abc", 1, 'A_B', /is not closed/],
  ["A_B='abc\nC_D=1\nE_F=it's", 1, 'A_B', /that line 3 closes/],
  ['A_B=1\rC_D=2', 1, 'A_B', /carriage return alone/],
  ['A_B=1\r\n# again\r\nA_B=2', 3, 'A_B', /set in line 1 already/],
  ['A_B: value', 1, 'A_B', /followed by a colon; write A_B=/],
  ['A_B: va=lue', 1, 'A_B', /followed by a colon/],
  ['\n\u00a0A_B=1', 2, 'A_B', /an invisible character stands at A_B/],
  ['A\u200b_B=1', 1, 'A_B', /an invisible character stands at A_B/],
  ['# fine\njunk', 2, undefined, /neither empty, nor a comment, nor NAME=value/],
  ['set A_B=1', 1, undefined, /neither empty/],
  ['=1', 1, undefined, /neither empty/],
])('doubts %j', (text, line, name, why) => {
  expect(linesInDoubt(text)).toEqual([
    { line, why: expect.stringMatching(why), ...(name !== undefined && { name }) },
  ]);
});

it.each([
  '',
  'A_B=1\nC_D=2\n',
  'A_B=1\r\nC_D=2\r\n',
  'A_B=1\r\r\nC_D=2',
  '\t# a comment: of = all "kinds\n \n',
  '  export A_B = 1',
  'A_B=abc # a comment',
  'A_B=# nothing yet',
  'A_B="abc#x2" # a comment',
  "A_B='a\nb#c\nd' # a comment\nC_D=1",
  'A_B=`it\'s "so"`',
  'A_B=c2VjcmV0==',
  'a.b-c=1',
])('does not doubt %j', (text) => {
  expect(linesInDoubt(text)).toEqual([]);
});

it('does not start where a .env leaves secrets in doubt, nor prints them', async () => {
  const folder = newFolder();
  const lines: readonly (readonly [line: string, why: RegExp])[] = [
    ['PHENIXID_SECRET=0123456789abcdef0123456789abcdef#x2', /PHENIXID_SECRET has a # in it/],
    [
      'HOTDOCS_ACTION_LINK_SECRET: 0123456789abcdef0123456789abcdef',
      /HOTDOCS_ACTION_LINK_SECRET is followed by a colon/,
    ],
    ['PHENIXID_NORTH_SECRET: 0123456789abcdef0123456789abcdef', /PHENIXID_NORTH_SECRET is followed/],
    ['\u00a0RISR_API_CLIENT_SECRET=0123456789abcdef', /RISR_API_CLIENT_SECRET; type the line/],
  ];
  writeFileSync(join(folder, '.env'), `nonsense\n${lines.map(([line]) => `${line}\n`).join('')}`, {
    mode: 0o600,
  });
  const receiver = startProcess(enough, folder);
  expect((await receiver.ended).code).toBe(1);
  for (const [at, [, why]] of lines.entries())
    expect(receiver.output()).toMatch(new RegExp(`- .*\\.env, line ${at + 2}: .*${why.source}`));
  expect(receiver.output()).toMatch(/Warning: .*\.env, line 1: it is neither empty/);
  expect(receiver.output()).not.toMatch(/0123456789|nonsense/);
});

it('starts where a .env leaves something else in doubt, and says what', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, '.env'), 'RETENTION_DAYS=3#days\n', { mode: 0o600 });
  const receiver = startProcess({ ...enough, INBOX_URL: 'memory:' }, folder);
  await receiver.said(/Warning: (.*\.env, line 1: RETENTION_DAYS has a # in it)/);
});
