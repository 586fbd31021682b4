import { expect, it } from '@jest/globals';
import { z } from 'zod';
import type { Entry } from '../../../src/kit/inbox/inbox.ts';
import type { Occurrence } from '../../../src/kit/source.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { defineStep, runs, type FollowUp, type RunnableStep } from '../../../src/kit/step.ts';
import { newInboxUrl } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { startReceiver, type TestReceiver, type TestReceiverOptions } from '../../support/receiver.ts';
import { createTestSender } from '../../support/test-sender.ts';

const mail = defineStep('mail', z.object({ to: z.string(), copies: z.int().default(1) }));

/** A mail step that writes down what it was told. */
function mailing(sent: string[]): RunnableStep {
  return runs(mail, ({ data: { to, copies } }) => {
    sent.push(`${to} ${copies}`);
    return `mailed to ${to}`;
  });
}

/** What a handler of profile_updated does; some of its tests ask for what no types allow. */
function onProfile(handler: (event: Occurrence) => unknown): NonNullable<TestReceiverOptions['handlers']> {
  return { risr: { profile_updated: handler } };
}

/** The entries so far, oldest first. */
async function entriesOf({ app }: TestReceiver): Promise<Entry[]> {
  return (await app.inbox.list({ limit: 100 })).reverse();
}

it.each(['memory:', 'sqlite:'])(
  'does what a handler asked for, once it has succeeded, in %s',
  async (inbox) => {
    const sent: string[] = [];
    const { receiver, sender } = await newReceiver({
      env: { INBOX_URL: inbox === 'memory:' ? inbox : newInboxUrl() },
      handlers: onProfile(({ followUp }) => {
        followUp(mail, { to: 'ada' });
        followUp(mail, { to: 'bob', copies: 2 });
        return 'profile noted';
      }),
      steps: [mailing(sent)],
    });
    await sender.fire(risr, 'profile_updated');
    await receiver.app.idle();
    expect(sent.sort()).toEqual(['ada 1', 'bob 2']);
    const [event, first, second] = await entriesOf(receiver);
    expect(event).toMatchObject({ status: 'done', note: 'profile noted' });
    for (const step of [first, second]) {
      expect(step).toMatchObject({
        status: 'done',
        source: 'risr',
        endpoint: '#mail',
        type: 'mail',
        key: undefined,
        subject: event?.subject,
        secret: 0,
        eventId: event?.eventId,
      });
    }
    expect([first?.note, second?.note].sort()).toEqual(['mailed to ada', 'mailed to bob']);
  },
);

it('does nothing of what a failed handler asked for, and all of it once when it succeeds at last', async () => {
  const sent: string[] = [];
  const { receiver, sender } = await newReceiver({
    env: { HANDLER_ATTEMPTS: '1' },
    handlers: onProfile(({ followUp, attempt }) => {
      followUp(mail, { to: 'ada' });
      if (attempt === 1) throw new Error('not yet');
    }),
    steps: [mailing(sent)],
  });
  await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  const [event, ...none] = await entriesOf(receiver);
  expect([event?.status, none]).toEqual(['dead', []]);
  await receiver.app.inbox.replay(event?.seq ?? 0);
  await receiver.app.idle();
  expect(sent).toEqual(['ada 1']);
});

it('gives a step attempts of its own: what it comes to changes nothing about the event', async () => {
  const attempts: [attempt: number, last: boolean][] = [];
  const { receiver, sender } = await newReceiver({
    env: { HANDLER_ATTEMPTS: '1' },
    handlers: onProfile(({ followUp }) => followUp(mail, { to: 'ada' })),
    steps: [
      runs(mail, ({ attempt, lastAttempt }) => {
        attempts.push([attempt, lastAttempt]);
        if (attempt === 1) throw new Error('no mail server');
      }),
    ],
  });
  await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  const [event, step] = await entriesOf(receiver);
  expect([event?.status, step?.status, step?.note]).toEqual([
    'done',
    'dead',
    expect.stringMatching(/^handler_failed: no mail server\n/),
  ]);
  await receiver.app.inbox.replay(step?.seq ?? 0);
  await receiver.app.idle();
  expect(attempts).toEqual([
    [1, true],
    [2, true],
  ]);
  expect((await entriesOf(receiver)).map(({ status }) => status)).toEqual(['done', 'done']);
});

it.each([
  ['lacks a member', {}, 'to: missing, expected string'],
  [
    'has one that JSON cannot hold',
    { to: 'ada', copies: Number.NaN },
    'copies: expected number, received null',
  ],
  ['are none', undefined, 'as a whole: expected object, received null'],
])('lets a handler fail at once whose data %s', async (_what, data, issue) => {
  const { receiver, sender } = await newReceiver({
    handlers: onProfile(({ followUp }) => {
      followUp(mail, data as never); // what the compiler would refuse
    }),
    steps: [mailing([])],
  });
  await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  const entries = await entriesOf(receiver);
  expect(entries).toMatchObject([{ status: 'dead', note: `step_data_invalid: ${issue}` }]);
});

it('keeps a step that it does not have as a dead letter, and does it when it is replayed with the step', async () => {
  const env = { INBOX_URL: newInboxUrl() };
  const first = await startReceiver({
    env,
    handlers: onProfile(({ followUp }) => followUp(mail, { to: 'ada' })),
  });
  const sender = createTestSender(first);
  await sender.fire(risr, 'profile_updated');
  sender.close();
  await first.app.idle();
  const step = (await entriesOf(first)).at(-1);
  expect(step).toMatchObject({
    status: 'dead',
    note: expect.stringMatching(/^step_unknown: .*steps.*mail/),
  });
  await first.stop();
  const sent: string[] = [];
  const { receiver } = await newReceiver({ env, steps: [mailing(sent)] });
  await receiver.app.inbox.replay(step?.seq ?? 0);
  await receiver.app.idle();
  expect(sent).toEqual(['ada 1']);
});

it('lets a step ask for another', async () => {
  const sent: string[] = [];
  const greet = defineStep('greet', z.object({ name: z.string() }));
  const { receiver, sender } = await newReceiver({
    handlers: onProfile(({ followUp }) => followUp(greet, { name: 'ada' })),
    steps: [runs(greet, ({ data: { name }, followUp }) => followUp(mail, { to: name })), mailing(sent)],
  });
  await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  expect(sent).toEqual(['ada 1']);
  expect((await entriesOf(receiver)).map(({ type }) => type)).toEqual(['profile_updated', 'greet', 'mail']);
});

it('runs steps of one subject one after the other, and those of others meanwhile', async () => {
  let running = 0;
  let most = 0;
  const record = defineStep('record', z.object({ subject: z.string().optional() }));
  const { receiver, sender } = await newReceiver({
    handlers: onProfile(({ followUp, payload }) => {
      const { rev } = payload as { readonly rev: string }; // profile_updated has one
      for (let count = 0; count < 4; count++)
        followUp(record, {}, rev === '1-a' ? {} : { subject: `number ${count}` });
    }),
    steps: [
      runs(record, async () => {
        most = Math.max(most, ++running);
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
        running -= 1;
      }),
    ],
  });
  await sender.fire(risr, 'profile_updated', { payload: { id: 'p', rev: '1-a' } });
  await receiver.app.idle();
  expect(most).toBe(1);
  await sender.fire(risr, 'profile_updated', { payload: { id: 'p', rev: '2-b' } });
  await receiver.app.idle();
  expect(most).toBe(4);
  const subjects = (await entriesOf(receiver)).map(({ subject }) => subject);
  expect(subjects.slice(6)).toEqual(['risr number 0', 'risr number 1', 'risr number 2', 'risr number 3']);
});

it('does what the handler of an event asked for whose sender waited for the answer', async () => {
  const sent: string[] = [];
  const { receiver, sender } = await newReceiver({
    handlers: {
      risr: {
        user_logged_in: ({ followUp }: Occurrence) => {
          followUp(mail, { to: 'ada' });
          return 'welcome';
        },
      },
    },
    steps: [mailing(sent)],
  });
  expect((await sender.fire(risr, 'user_logged_in')).status).toBe(200);
  await receiver.app.idle();
  expect(sent).toEqual(['ada 1']);
});

it('keeps the installation that the event came from', async () => {
  const { receiver, sender } = await newReceiver({
    env: { PHENIXID_NORTH_SECRET: 'the secret of the northern installation' },
    handlers: {
      phenixid: {
        OrderSigned: ({ followUp }: Occurrence) => followUp(mail, { to: 'ada' }),
      },
    },
    steps: [mailing([])],
  });
  await sender.fire(phenixid, 'OrderSigned', {
    path: '/phenixid?key=north',
    secret: 'the secret of the northern installation',
  });
  await receiver.app.idle();
  expect((await entriesOf(receiver)).map(({ installation }) => installation)).toEqual(['north', 'north']);
});

it('tells a handler that asks after it has ended that nothing will be done', async () => {
  let kept: FollowUp | undefined;
  const { receiver, sender } = await newReceiver({
    handlers: onProfile(({ followUp }) => {
      kept = followUp;
    }),
  });
  await sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  expect(() => kept?.(mail, { to: 'ada' })).toThrow('Is an await missing?');
});

it('does not start with two steps of one name', async () => {
  await expect(startReceiver({ steps: [mailing([]), mailing([])] })).rejects.toThrow(
    'two steps with the name mail',
  );
});
