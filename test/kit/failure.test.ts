import { afterEach, expect, it } from '@jest/globals';
import { DeadLetter } from '../../src/kit/errors.ts';
import { describeFailure } from '../../src/kit/failure.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { startReceiver, type TestReceiver } from '../support/receiver.ts';
import { createTestSender } from '../support/test-sender.ts';
import { until } from '../support/until.ts';

let receiver: TestReceiver | undefined;
afterEach(async () => {
  await receiver?.stop();
  receiver = undefined;
});

async function askTheDirectory(): Promise<void> {
  await fetch('http://127.0.0.1:9/');
}

it('keeps with the entry, and logs, what a handler met and where in it that was', async () => {
  receiver = await startReceiver({
    env: { HANDLER_ATTEMPTS: '1' },
    handlers: { risr: { profile_updated: askTheDirectory } },
  });
  const { app, log } = receiver;
  const sender = createTestSender(receiver);
  await sender.fire(risr, 'profile_updated');
  sender.close();
  await until('it is dead', () => log.some(({ outcome }) => outcome === 'dead'));
  const [entry] = await app.inbox.list({ limit: 1 });
  const [why, where = ''] = (entry?.note ?? '').split('\n');
  expect(why).toMatch(/^handler_failed: fetch failed, because: /);
  expect(where).toMatch(/^ {2}at .*askTheDirectory \(test\/kit\/failure\.test\.ts:\d+:\d+\)$/);
  expect(log.find(({ outcome }) => outcome === 'dead')).toMatchObject({ why, where });
});

it('names every cause once, and ends where they go round', () => {
  const first = new Error('the disk is full');
  const second = new Error('not written: the disk is full', { cause: first });
  const third = new Error('no report', { cause: second });
  first.cause = third;
  const [why] = describeFailure(third).split('\n');
  expect(why).toBe('handler_failed: no report, because: not written: the disk is full');
});

it('names the first of several that failed together', () => {
  const together = new AggregateError([new Error('no route'), new Error('refused')], 'all failed');
  expect(describeFailure(together)).toMatch(/^handler_failed: all failed, because: no route\n {2}at /);
});

it('needs no stack where a handler gives up, or throws what is none', () => {
  expect(describeFailure(new DeadLetter('handler_gave_up', 'no such person'))).toBe(
    'handler_gave_up: no such person',
  );
  expect(describeFailure('nothing')).toBe('handler_failed: nothing');
  expect(describeFailure(Object.assign(new Error('odd'), { stack: 7 }))).toBe('handler_failed: odd');
});
