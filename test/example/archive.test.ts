import { hash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openArchive } from '../../src/example/records/archive.ts';
import { openRecords } from '../../src/example/records/records.ts';
import { newFolder } from '../support/fixtures.ts';
import { later } from '../support/fixtures.ts';

function start() {
  const folder = newFolder();
  const directory = join(folder, 'archive');
  const records = openRecords(':memory:');
  later(() => records.close());
  let fetched = 0;
  /** A download of this text. */
  const of = (text: string) => (into: string) => {
    fetched += 1;
    const sha256 = hash('sha256', text);
    const file = join(into, sha256);
    writeFileSync(file, text);
    return Promise.resolve({ file, bytes: text.length, sha256 });
  };
  return { archive: openArchive(records, directory), directory, folder, of, fetched: () => fetched };
}

const key = ['hotdocs', 'work item', 'version', 'document'];

it('puts a document into a file named by its content, and knows it again by its key', async () => {
  const { archive, directory, of } = start();
  const kept = await archive.keep(key, 'Lease', of('a lease'));
  expect(kept).toEqual({ sha256: hash('sha256', 'a lease'), bytes: 7, name: 'Lease' });
  expect(readdirSync(directory)).toEqual([kept.sha256]);
  expect(archive.find(key)).toEqual(kept);
  expect(archive.read(kept).toString()).toBe('a lease');
});

it('fetches a document once, and once more if its file was lost', async () => {
  const { archive, directory, of, fetched } = start();
  const first = await archive.keep(key, 'Lease', of('a lease'));
  expect(await archive.keep(key, 'Lease', of('another'))).toEqual(first);
  expect(fetched()).toBe(1);
  rmSync(join(directory, first.sha256));
  await archive.keep(key, 'Lease', of('a lease'));
  expect(fetched()).toBe(2);
});

it('keeps nothing of a document that could not be fetched', async () => {
  const { archive } = start();
  const failing = () => Promise.reject(new Error('cut'));
  await expect(archive.keep(key, 'Lease', failing)).rejects.toThrow('cut');
  expect(archive.find(key)).toBeUndefined();
});

it('makes no path of a name or a key, and tells keys apart that look alike', async () => {
  const { archive, directory, folder, of } = start();
  await archive.keep(['a/b', 'c'], '../../escaped', of('one'));
  await archive.keep(['a', 'b/c'], '/etc/passwd', of('two'));
  expect(archive.find(['a/b', 'c'])?.name).toBe('../../escaped');
  expect(archive.find(['a', 'b/c'])?.name).toBe('/etc/passwd');
  expect(archive.find(['a', 'b', 'c'])).toBeUndefined();
  expect(readdirSync(folder)).toEqual(['archive']);
  expect(readdirSync(directory).every((name) => /^[0-9a-f]{64}$/.test(name))).toBe(true);
});

it('makes its directory before there is anything to put there', async () => {
  const { archive, directory } = start();
  expect(archive.find(key)).toBeUndefined();
  expect(existsSync(directory)).toBe(true);
});
