import { once } from 'node:events';
import { request as ask, type IncomingMessage } from 'node:http';
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { openTape } from '../../../src/kit/tape/open.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import type { Occurrence, ReceivedReply } from '../../../src/kit/source.ts';
import { defineStep, runs } from '../../../src/kit/step.ts';
import { newInboxUrl } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';

const idOf = ({ headers }: Pick<ReceivedReply, 'headers'>) => String(headers['x-request-id']);

it('gives every delivery an id of its own: in the reply, the log, the entry, on the tape', async () => {
  const env = { INBOX_URL: newInboxUrl(), TAPE: 'all' };
  const { receiver, sender } = await newReceiver({ env });
  const outgoing = await sender.request(risr, 'profile_updated');
  const theirs = { ...outgoing, headers: { ...outgoing.headers, 'X-Request-Id': 'theirs' } };
  const replies = [
    await sender.send(theirs),
    await sender.send(theirs),
    await sender.fire(hotdocs, 'InterviewLoadEvent'),
    await sender.fire(phenixid, 'OrderSigned', { secret: 'x'.repeat(32) }),
  ];
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 401]);
  const ids = replies.map(idOf);
  expect(new Set(ids).size).toBe(4);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{12}-[0-9a-z]+$/);
  const outcomes = ids.map((id) => receiver.log.find(({ request }) => request === id)?.['outcome']);
  expect(outcomes).toEqual(['accepted', 'duplicate', 'answered', 'rejected']);
  await receiver.app.idle();
  const entries = await receiver.app.inbox.list({ limit: 10 });
  expect(entries.map(({ request }) => request)).toEqual([ids[2], ids[0]]);
  expect(receiver.log.filter(({ request, attempt }) => attempt === 1 && request === ids[0])).toHaveLength(1);
  await receiver.stop();
  const tape = await openTape(env.INBOX_URL, []);
  const taped = await tape.list();
  await tape.close();
  expect(taped).toMatchObject(ids.map((request) => ({ request })));
});

it('hands it on to the steps that a handler asks for', async () => {
  const step = defineStep('look-again', z.object({}));
  const { receiver, sender } = await newReceiver({
    handlers: { risr: { profile_updated: ({ followUp }: Occurrence) => followUp(step, {}) } },
    steps: [runs(step, () => undefined)],
  });
  const id = idOf(await sender.fire(risr, 'profile_updated'));
  await receiver.app.idle();
  const entries = await receiver.app.inbox.list({ limit: 10 });
  expect(entries.map(({ type, request }) => [type, request])).toEqual([
    ['look-again', id],
    ['profile_updated', id],
  ]);
});

it.each([
  ['another path', 'POST', '/nothing', 404],
  ['another method', 'DELETE', '/phenixid', 405],
  ['no signature', 'POST', '/phenixid', 401],
])('has one in the reply to what is refused for %s', async (_why, method, path, status) => {
  const { receiver } = await newReceiver();
  const asked = ask(new URL(path, receiver.url), { method }).end();
  const [reply] = (await once(asked, 'response')) as [IncomingMessage];
  reply.resume();
  expect(reply.statusCode).toBe(status);
  expect(receiver.log.at(-1)).toMatchObject({ request: reply.headers['x-request-id'], outcome: 'rejected' });
});
