import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { enough, senderTo, startProcess } from '../../support/processes.ts';
import { newFolder } from '../../support/fixtures.ts';

const floating = join(import.meta.dirname, '../../support/child-floating.ts');

it.each([
  [
    'a rejection that nobody awaits',
    'profile_updated',
    'nobody awaits this, because: the other side is away',
  ],
  ['a throw in a timer', 'booking_updated', 'nobody catches this'],
])('ends with code 1 after %s, and says why in one line of the log', async (_what, type, message) => {
  const receiver = startProcess({ ...enough, LOG_LEVEL: 'error' }, newFolder(), floating);
  await senderTo(await receiver.url())
    .fire(risr, type)
    .catch(() => undefined);
  expect(await receiver.ended).toEqual({ code: 1, signal: null });
  const lines = receiver
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'));
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'fatal',
    outcome: 'trouble',
    why: expect.stringMatching(/^The process ends with code 1, because of an error that nobody caught/),
    where: expect.stringMatching(/^ {2}at .*test\/support\/child-floating\.ts:\d+:\d+/),
  });
  expect(lines[0]).toContain(message);
  expect(receiver.output()).not.toContain('Node.js v');
});
