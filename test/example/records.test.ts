import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { addExamplePeople } from '../../src/example/records/examples.ts';
import { openRecords, type Records } from '../../src/example/records/records.ts';
import { later, newFolder } from '../support/fixtures.ts';

function open(file = ':memory:'): Records {
  const records = openRecords(file);
  later(() => records.close());
  return records;
}

it('finds what was put, and nothing else', () => {
  const records = open();
  records.put('task', 't-1', { state: 'PENDING' });
  expect(records.find('task', 't-1')).toEqual({ state: 'PENDING' });
  expect(records.find('task', 't-2')).toBeUndefined();
  expect(records.find('booking', 't-1')).toBeUndefined();
});

it('replaces what was put before', () => {
  const records = open();
  records.put('task', 't-1', { state: 'PENDING', note: 'a' });
  records.put('task', 't-1', { state: 'ACCEPTED' });
  expect(records.find('task', 't-1')).toEqual({ state: 'ACCEPTED' });
});

it('keeps the highest revision, and of two equal ones the later', () => {
  const records = open();
  const put = (revision: number, value: string) => records.putIfNewer('profile', 'p-1', revision, { value });
  expect([put(2, 'two'), put(1, 'one'), put(2, 'two again'), put(10, 'ten'), put(9, 'nine')]).toEqual([
    true,
    false,
    true,
    true,
    false,
  ]);
  expect(records.find('profile', 'p-1')).toEqual({ value: 'ten' });
});

it('lists one kind, in the order of the ids', () => {
  const records = open();
  records.put('task', 'b', { n: 2 });
  records.put('task', 'a', { n: 1 });
  records.put('booking', 'c', { n: 3 });
  expect(records.list('task')).toEqual([
    { id: 'a', value: { n: 1 } },
    { id: 'b', value: { n: 2 } },
  ]);
});

it.each(['', '__proto__', "'; DROP TABLE records; --", 'Åsa 漢字', 'x'.repeat(10_000)])(
  'takes any id as it is (%#)',
  (id) => {
    const records = open();
    records.put('task', id, { id });
    expect(records.find('task', id)).toEqual({ id });
    expect(records.list('task').map((record) => record.id)).toEqual([id]);
  },
);

it('keeps everything in its file, in a folder that it makes', () => {
  const file = join(newFolder(), 'data', 'records.db');
  const first = openRecords(file);
  first.putIfNewer('booking', 'b-1', 5, { state: 'CONFIRMED' });
  first.close();
  const second = open(file);
  expect(second.find('booking', 'b-1')).toEqual({ state: 'CONFIRMED' });
  expect(second.putIfNewer('booking', 'b-1', 4, {})).toBe(false);
});

it('puts example people into empty records, and none where people are', () => {
  const records = open();
  addExamplePeople(records);
  expect(records.list('person').map(({ id }) => id)).toEqual([
    'asa.lind@example.org',
    'm.keller@acme.example',
  ]);
  records.put('person', 'asa.lind@example.org', { changed: true });
  addExamplePeople(records);
  expect(records.find('person', 'asa.lind@example.org')).toEqual({ changed: true });
});

it('can be opened by several processes at the same moment', async () => {
  const file = join(newFolder(), 'records.db');
  const module = join(import.meta.dirname, '..', '..', 'src', 'example', 'records', 'records.ts');
  const program = `const { openRecords } = await import(${JSON.stringify(module)});
    openRecords(process.argv[1]).put('task', process.argv[2], {});`;
  const ids = ['t-1', 't-2', 't-3', 't-4', 't-5', 't-6'];
  const run = promisify(execFile);
  await Promise.all(ids.map((id) => run(process.execPath, ['--input-type=module', '-e', program, file, id])));
  expect(open(file).list('task')).toHaveLength(ids.length);
});
