import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openArchive } from '../../src/example/records/archive.ts';
import { openRecords } from '../../src/example/records/records.ts';
import { createSealing } from '../../src/kit/inbox/sealed/sealing.ts';
import { readInboxKeys } from '../../src/kit/inbox/sealed/keys.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { saveByHash } from '../../src/kit/outgoing/save.ts';
import { newFolder } from '../support/fixtures.ts';
import { newReceiver } from '../support/new-receiver.ts';

const newKey = () => randomBytes(32).toString('base64');
const sealingWith = (...keys: readonly string[]) => createSealing(readInboxKeys(keys.join('\n')));

/** Every file below, as one text. */
function allIn(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('\n');
}

const download = (text: string) => (directory: string) =>
  saveByHash(
    (async function* () {
      yield Buffer.from(text);
    })(),
    directory,
    () => undefined,
  );

const TEXT = 'the lease of Jonas Weber';
const KEY = ['hotdocs', 'item', 'version', 'document'];

/** Puts a record and a document away. */
async function putAway(folder: string, sealing = sealingWith(newKey())) {
  const records = openRecords(join(folder, 'records.db'), sealing);
  const archive = openArchive(records, join(folder, 'archive'), sealing);
  records.put('person', 'id-7', { tenant: 'Jonas Weber' });
  const document = await archive.keep(KEY, 'Lease of Jonas Weber', download(TEXT));
  return { records, archive, document };
}

it('seals what handlers keep, in records and archive, and gives it back as it was', async () => {
  const folder = newFolder();
  const { records, archive, document } = await putAway(folder);
  expect(records.find('person', 'id-7')).toEqual({ tenant: 'Jonas Weber' });
  expect(records.list('person')).toEqual([{ id: 'id-7', value: { tenant: 'Jonas Weber' } }]);
  expect(archive.find(KEY)).toEqual(document);
  expect(archive.read(document).toString()).toBe(TEXT);
  const seen = await archive.withFile(document, async (file) => readFileSync(file, 'utf8'));
  expect(seen).toBe(TEXT);
  expect(await archive.keep(KEY, 'another', download('another'))).toEqual(document);
  expect(allIn(folder)).not.toContain('Jonas');
  records.close();
  expect(allIn(folder)).not.toContain('Jonas');
});

it('reads what was kept before there was a key, and after it was changed', async () => {
  const folder = newFolder();
  const [old, next] = [newKey(), newKey()];
  (await putAway(folder, createSealing([]))).records.close();
  expect(allIn(folder)).toContain('Jonas');
  const records = openRecords(join(folder, 'records.db'), sealingWith(old));
  expect(records.find('person', 'id-7')).toEqual({ tenant: 'Jonas Weber' });
  const archive = openArchive(records, join(folder, 'archive'), sealingWith(old));
  expect(archive.read(await archive.keep(KEY, '', download('another'))).toString()).toBe(TEXT);
  records.put('task', 't', { state: 'signed' });
  records.close();
  const later = openRecords(join(folder, 'records.db'), sealingWith(next, old));
  expect(later.find('task', 't')).toEqual({ state: 'signed' });
  later.close();
  const without = openRecords(join(folder, 'records.db'), sealingWith(next));
  expect(() => without.find('task', 't')).toThrow(/INBOX_KEYS_FILE has no such key/);
  without.close();
});

it('opens nothing that was put in the place of another', () => {
  const sealing = sealingWith(newKey());
  const kept = sealing.seal(Buffer.from('{}'), 'record 1');
  expect(sealing.open(kept, 'record 1').toString()).toBe('{}');
  expect(() => sealing.open(kept, 'record 2')).toThrow(/another entry’s/);
});

it('leaves nothing of a delivery in clear in the files of the reference receiver', async () => {
  const folder = newFolder();
  const env = {
    INBOX_URL: `sqlite:${join(folder, 'inbox.db')}`,
    RECORDS_FILE: join(folder, 'records.db'),
    ARCHIVE_DIR: join(folder, 'archive'),
    INBOX_KEYS: newKey(),
    TAPE: 'all',
  };
  const { receiver, sender } = await newReceiver({ env });
  const { example } = risr.events.profile_updated;
  const payload = { ...example, firstName: 'Zebedee-Unmistakable' };
  expect((await sender.fire(risr, 'profile_updated', { payload })).status).toBe(200);
  expect((await sender.fire(phenixid, 'OrderCreated')).status).toBe(200);
  await receiver.app.idle();
  expect(receiver.records.list('profile').map(({ value }) => JSON.stringify(value))).toEqual([
    expect.stringContaining('Zebedee-Unmistakable'),
  ]);
  await receiver.stop();
  expect(allIn(folder)).not.toContain('Zebedee-Unmistakable');
});
