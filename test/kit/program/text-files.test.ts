import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { newFolder } from '../../support/fixtures.ts';
import { enough, senderTo, startProcess } from '../../support/processes.ts';

const SECRET = enough.RISR_PROFILE_UPDATED_SECRET;
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

it.each([
  ['in UTF-16', utf16],
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

it.each([
  ['a quotation mark', `"${SECRET}`],
  ['invisible', `${SECRET}\u200b`],
  ['several lines', `${SECRET}\n${SECRET}`],
])('refuses a secret with %s, and does not print it', async (what, secret) => {
  const receiver = startProcess({ ...enough, PHENIXID_SECRET: secret });
  expect((await receiver.ended).code).toBe(1);
  expect(receiver.output()).toMatch(new RegExp(`PHENIXID_SECRET .*${what}`));
  expect(receiver.output()).not.toContain(SECRET);
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

it.each([
  ['TRUST_PROXY_HOP', 'TRUST_PROXY_HOPS'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['RETENTION_DAY', 'RETENTION_DAYS'],
])('asks of %s whether %s is meant', async (name, meant) => {
  const receiver = startProcess({ ...enough, [name]: '1' });
  expect(await receiver.said(new RegExp(`${name} is set, .* Did you mean (\\w+)\\?`))).toBe(meant);
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
