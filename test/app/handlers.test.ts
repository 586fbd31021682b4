import { expect, it } from '@jest/globals';
import { app } from '../../src/app/index.ts';
import type { Tools } from '../../src/app/tools.ts';
import { callHandler, withReceiver } from '../../src/lab/testing.ts';

// Yours: npm run test:app runs this folder alone. The three below hold as long as no handler is written: let them grow
// with your handlers.

it('calls a handler by itself, without HTTP', async () => {
  const called = callHandler(app, 'hotdocs', 'InterviewLoadEvent', {
    payload: { user: { email: 'lea@acme.example' } },
  });
  // Once it is written: expect((await called).returned).toEqual({ 'Tenant Name': answers.text('Lea') })
  await expect(called).rejects.toMatchObject({ reason: 'handler_not_written' });
});

it('takes an event through the front door, and handles it', async () => {
  await withReceiver(app, async ({ send, inbox }) => {
    const { reply, entry } = await send('risr', 'profile_updated', { set: [{ path: 'id', value: 'p-1' }] });
    expect(reply?.status).toBe(200);
    // Once it is written: expect(entry).toMatchObject({ status: 'done', note: 'profile p-1 kept' })
    expect(entry).toMatchObject({ status: 'dead', note: expect.stringContaining('handler_not_written') });
    expect(await inbox.stats()).toMatchObject({ dead: 1 });
  });
});

it('keeps an event whose handler fails, and says why', async () => {
  const failing = { ...app, handlers: (tools: Tools) => ({ ...app.handlers(tools), risr: brokenRisr() }) };
  await withReceiver(failing, async ({ send, log }) => {
    const { reply, entry } = await send('risr', 'booking_updated');
    expect(reply?.status).toBe(200); // it is stored, so the sender need not send it again
    expect(entry).toMatchObject({
      status: 'waiting',
      attempts: 1,
      note: expect.stringContaining('handler_failed: the CRM is away'),
    });
    expect(log).toContainEqual(expect.objectContaining({ outcome: 'retry', type: 'booking_updated' }));
  });
});

function brokenRisr() {
  const fail = () => {
    throw new Error('the CRM is away');
  };
  return {
    user_registered: fail,
    user_logged_in: fail,
    profile_updated: fail,
    booking_updated: fail,
    booking_state_changed: fail,
  };
}
