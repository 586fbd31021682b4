// Compiled and never run: each line below an expected error must be one, or `tsc` complains of the comment.
import { z } from 'zod';
import { event } from '../../../src/kit/source.ts';

const schema = z.object({ orderId: z.string(), carrier: z.enum(['post', 'courier']) });
const summary = 'An order left the warehouse.';

export const fitting = event({
  mode: 'notify',
  summary,
  schema,
  example: { orderId: 'ord_1', carrier: 'post' },
  subject: ({ orderId }) => orderId,
});

export const misspeltMember = event({
  mode: 'notify',
  summary,
  schema,
  // @ts-expect-error the schema has orderId
  example: { orderID: 'ord_1', carrier: 'post' },
});

// @ts-expect-error the schema has orderId
export const misspeltMemberOfReply = event({
  mode: 'reply',
  summary,
  schema,
  example: { orderID: 'ord_1', carrier: 'post' },
  answer: z.object({ days: z.number() }),
  describe: ({ days }) => `said ${days}`,
  afterFailure: 'record',
});

export const missingMember = event({
  mode: 'notify',
  summary,
  schema,
  // @ts-expect-error the schema asks for a carrier
  example: { orderId: 'ord_1' },
});

export const impossibleValue = event({
  mode: 'notify',
  summary,
  schema,
  // @ts-expect-error no carrier is a pigeon
  example: { orderId: 'ord_1', carrier: 'pigeon' },
});

export const misspeltSubject = event({
  mode: 'notify',
  summary,
  schema,
  example: { orderId: 'ord_1', carrier: 'post' },
  // @ts-expect-error the payload has orderId
  subject: ({ orderID }) => String(orderID),
});

export const replyWithoutAnswer =
  // @ts-expect-error what the handler answers is not said
  event({ mode: 'reply', summary, schema, example: { orderId: 'ord_1', carrier: 'post' } });
