import { resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { isShared, printableInbox, withoutPassword } from '../../../src/kit/inbox/address.ts';

it.each([
  ['postgres://kit:secret@db.example:5432/inbox', 'postgres://db.example:5432/inbox'],
  ['postgresql://kit:se@cr/et@db.example/inbox?sslmode=require', 'postgresql://db.example/inbox'],
  ['postgres://db.example/inbox?user=kit&password=secret', 'postgres://db.example/inbox'],
  ['postgres://db.example', 'postgres://db.example'],
  ['sqlite:data/inbox.db', `sqlite:${resolve('data/inbox.db')}`],
  ['memory:', 'memory:'],
])('prints %s without what is secret', (url, printed) => expect(printableInbox(url)).toBe(printed));

it.each([
  'postgres://kit:top%20secret@db.example/inbox',
  'postgresql://kit:top%20secret@db.example/inbox',
  'postgres://db.example/inbox?password=top%20secret&user=kit',
])('takes the password of %s out of a message, however it is spelled', (url) => {
  const message = withoutPassword(`${url}: no entry for "top secret"`, url);
  expect(message).not.toMatch(/top(%20| )secret/);
  expect(message).toContain('db.example');
});

it.each(['b', 'on', 'a%2F'])('takes the short password %s out of addresses and quotes only', (password) => {
  for (const url of [
    `postgres://kit:${password}@db.example/inbox`,
    `postgres://db.example/inbox?password=${password}`,
  ]) {
    const advice = 'the database cannot be reached: is it on?';
    const said = withoutPassword(`${url}: ${advice} "${decodeURIComponent(password)}"`, url);
    expect(said).toBe(`${url.replace(/(:|=)(b|on|a%2F)(?=@|$)/, '$1…')}: ${advice} "…"`);
  }
});

it('leaves a message alone where there is no password, or one that cannot be decoded', () => {
  expect(withoutPassword('sqlite:a is locked', 'sqlite:a')).toBe('sqlite:a is locked');
  expect(withoutPassword('no database', 'postgres://kit@db.example/a')).toBe('no database');
  expect(withoutPassword('100%z is wrong', 'postgres://kit:100%z@db.example/a')).toBe('… is wrong');
});

it.each([
  ['postgres://db/inbox', true],
  ['postgresql://db/inbox', true],
  ['sqlite:data/postgres://', false],
  ['memory:', false],
])('knows whether several processes can work on %s', (url, shared) => expect(isShared(url)).toBe(shared));
