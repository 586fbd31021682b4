// Compiled and never run: each line below an expected error must be one, or `tsc` complains of the comment.
import { z } from 'zod';
import { example } from '../../../src/example/index.ts';
import type { Tools } from '../../../src/example/tools.ts';
import { event, type HandlersOf } from '../../../src/kit/source.ts';
import { allMembers } from '../../../src/kit/reading/json.ts';
import { text } from '../../../src/kit/sources/hotdocs/answers/answers.ts';
import type { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import type { risr } from '../../../src/kit/sources/risr/index.ts';
import type { phenixid } from '../../../src/kit/sources/phenixid/index.ts';

export const orders = {
  'order.shipped': event({
    mode: 'notify',
    summary: 'An order left the warehouse.',
    schema: z.object({ orderId: z.string(), carrier: z.enum(['post', 'courier']) }),
    example: { orderId: 'ord_1', carrier: 'post' },
  }),
  'price.asked': event({
    mode: 'reply',
    summary: 'Somebody waits for a price.',
    schema: z.object({ sku: z.string() }),
    example: { sku: 'pencil' },
    answer: z.object({ price: z.number() }),
    describe: ({ price }) => `said ${price}`,
    afterFailure: 'record',
  }),
};
type Handlers = HandlersOf<typeof orders>;

export const complete: Handlers = {
  'order.shipped': ({ payload }) => `by ${payload.carrier}`,
  'price.asked': async ({ payload }) => ({ price: payload.sku.length }),
};

export const misspeltEvent: Handlers = {
  // @ts-expect-error the catalogue has order.shipped
  'order.shiped': () => 'noted',
  'price.asked': () => ({ price: 1 }),
};

// @ts-expect-error order.shipped has no handler
export const missingHandler: Handlers = {
  'price.asked': () => ({ price: 1 }),
};

export const misspeltMember: Handlers = {
  // @ts-expect-error the payload has orderId
  'order.shipped': ({ payload }) => typeof payload.orderID,
  'price.asked': () => ({ price: 1 }),
};

export const loose: Partial<HandlersOf<typeof hotdocs.events>> = {
  NewWorkItemVersionComplete: ({ payload }) => {
    const [document] = payload.documents;
    // @ts-expect-error a document has a name
    const misspelt: unknown = document?.nmae;
    // What the schema does not list is found by name.
    const unlisted: unknown = allMembers(payload)['folder'];
    return `${payload.workItemId} ${document?.fileName ?? ''} ${String(misspelt)} ${String(unlisted)}`;
  },
  // @ts-expect-error the payload has eventName
  CustomInterviewEvent: ({ payload }) => ({ Name: text(String(payload.evntName)) }),
};

/** A record is none of these: its names are the sender's. */
export const single: Partial<HandlersOf<typeof risr.events>> = {
  user_logged_in: ({ payload }) => payload.sso['mail']?.[0],
};

export const impossibleValue: Handlers = {
  // @ts-expect-error no carrier is a pigeon
  'order.shipped': ({ payload }) => (payload.carrier === 'pigeon' ? 'by air' : 'on the ground'),
  'price.asked': () => ({ price: 1 }),
};

export const wrongAnswer: Handlers = {
  'order.shipped': () => undefined,
  // @ts-expect-error a price is a number
  'price.asked': () => ({ price: 'cheap' }),
};

export const noAnswer: Handlers = {
  'order.shipped': () => undefined,
  // @ts-expect-error somebody waits for it
  'price.asked': () => undefined,
};

export const answerToNobody: Handlers = {
  // @ts-expect-error a notification has no answer, only a few words
  'order.shipped': () => ({ price: 1 }),
  'price.asked': () => ({ price: 1 }),
};

declare const tools: Tools;
const everyHandler = example.handlers(tools);
export const known: HandlersOf<typeof phenixid.events> = everyHandler.phenixid;
// @ts-expect-error no source has this name
export const unknownSource = typeof everyHandler.phenixId;
