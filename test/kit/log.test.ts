import { expect, it } from '@jest/globals';
import { createLog } from '../../src/kit/log.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { later } from '../support/fixtures.ts';
import { startReceiver } from '../support/receiver.ts';

const STEERING = '\u001b[31m\u009b1m\u001b]8;;http://x\u0007\r\b\u200f\u202e\u2028';

it('writes nothing that could steer a terminal, and loses nothing of what was said', () => {
  let text = '';
  const log = createLog('info', { write: (line) => (text += line) });
  log.warn({ outcome: 'retry', why: `an API said ${STEERING}` });
  expect(text).not.toMatch(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
  expect(JSON.parse(text)).toMatchObject({ why: `an API said ${STEERING}` });
});

it('names the task of an event of PhenixID, which has no id, and the id of others', async () => {
  const done = () => 'done';
  const handlers = { phenixid: { OrderSigned: done }, risr: { profile_updated: done } };
  const receiver = await startReceiver({ handlers });
  later(() => receiver.stop());
  const task = { taskId: 'task-7', orderId: 'task-7' };
  await receiver.sender.fire(phenixid, 'OrderSigned', { payload: task });
  await receiver.sender.fire(risr, 'profile_updated');
  await receiver.app.idle();
  const about = (name: string) => receiver.log.filter(({ source }) => source === name);
  expect(about('phenixid')).toMatchObject([{ subject: 'task:task-7' }, { subject: 'task:task-7' }]);
  expect(about('risr').map((line) => [typeof line['id'], line['subject']])).toEqual([
    ['string', undefined],
    ['string', undefined],
  ]);
});
