import { beforeEach, expect, it } from '@jest/globals';
import { createEffects } from '../../../src/lab/rig/effects.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { runScript } from '../../support/command.ts';
import { newInboxUrl } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import type { TestReceiver } from '../../support/receiver.ts';
import type { TestSender } from '../../support/test-sender.ts';

let inboxUrl = '';
let receiver: TestReceiver;
let sender: TestSender;

beforeEach(async () => {
  inboxUrl = newInboxUrl();
  ({ receiver, sender } = await newReceiver({ env: { INBOX_URL: inboxUrl } }));
});

it('tells what was handled and what was put aside, named as the suite names it', async () => {
  const task = '07c6ad8c-d1ba-4e73-9bbf-c70a085a449c';
  const workItem = '1c4b7a90-3d52-4c8e-9a55-8f1d2b6e7c33';
  await sender.fire(hotdocs, 'InterviewLoadEvent', { id: 'an-interview' });
  await sender.fire(hotdocs, 'ActionLink', { payload: { workItemId: workItem } });
  await sender.fire(phenixid, 'OrderSigned', { payload: { taskId: task } });
  await sender.fire(phenixid, 'OrderSigned', { payload: { taskId: task } });
  await sender.fire(risr, 'profile_updated', { id: 'a-profile' });
  const misfit = await sender.sign(risr, 'profile_updated', '{"webhook_request_id":"a-misfit","rev":[]}');
  await sender.send(misfit);
  await receiver.app.idle();
  expect(await effects()).toEqual({
    effects: expect.arrayContaining([
      { type: 'InterviewLoadEvent', ref: 'an-interview' },
      { type: 'ActionLink', ref: workItem },
      { type: 'OrderSigned', ref: task },
      { type: 'OrderSigned', ref: task },
      { type: 'profile_updated', ref: 'a-profile' },
    ]),
    quarantined: [{ type: 'profile_updated', ref: 'a-misfit' }],
  });
});

it('tells of no effect where a handler knew something newer', async () => {
  const profile = risr.events.profile_updated.example;
  await sender.fire(risr, 'profile_updated', { id: 'newer', payload: { ...profile, rev: '7-a' } });
  await receiver.app.idle();
  await sender.fire(risr, 'profile_updated', { id: 'older', payload: { ...profile, rev: '3-b' } });
  await receiver.app.idle();
  expect(await effects()).toEqual({ effects: [{ type: 'profile_updated', ref: 'newer' }], quarantined: [] });
});

it('tells what is new besides what it has told before, however many ask at the same time', async () => {
  const { inbox } = receiver.app;
  const probe = createEffects(inbox);
  const refs = Array.from({ length: 120 }, (_, index) => `login-${1_000 + index}`);
  const tell = async (ids: readonly string[]) => {
    for (const id of ids) await sender.fire(risr, 'user_logged_in', { id });
    await receiver.app.idle();
    const [told, again] = await Promise.all([probe(), probe()]);
    expect(again).toEqual(told);
    return told.effects.map(({ ref }) => ref).toSorted();
  };
  expect(await tell(refs.slice(0, 110))).toEqual(refs.slice(0, 110));
  expect(await tell(refs.slice(110))).toEqual(refs);
});

/** What the command prints, and nothing besides. */
async function effects(): Promise<unknown> {
  const { code, out, err } = await runScript('inbox', ['effects'], { INBOX_URL: inboxUrl });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}
