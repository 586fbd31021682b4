import { expect, it } from '@jest/globals';
import { app } from './app/index.ts';
import { callHandler, withReceiver } from '../../src/lab/testing.ts';

it('files a profile', async () => {
  const called = await callHandler(app, 'risr', 'profile_updated', { env: { CRM_REGION: 'south' } });
  expect(called.returned).toBe('south: profile profile_org_demo_usr-4471');
});

it('files an order that came through the front door', async () => {
  await withReceiver(app, async ({ send }) => {
    const { reply, entry } = await send('acme', 'order.created', {
      set: [{ path: 'orderId', value: 'ord-7' }],
    });
    expect(reply?.status).toBe(204);
    expect(entry).toMatchObject({ status: 'done', note: 'north: order ord-7' });
  });
});
