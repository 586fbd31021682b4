import { z } from 'zod';
import { event } from '../../../../../src/kit/index.ts';

export const events = {
  'order.created': event({
    mode: 'notify',
    summary: 'An order was placed.',
    schema: z.looseObject({ orderId: z.string() }),
    example: { orderId: 'ord-1' },
    subject: ({ orderId }) => `order:${orderId}`,
  }),
};
