import { expect, it } from '@jest/globals';
import { unsigned } from '../../../src/kit/proofs/unsigned.ts';
import { deliveryOf } from './outcome.ts';

it('takes the body as it is and names no secret', async () => {
  const delivery = deliveryOf('anything');
  expect(await unsigned().verify(delivery, [])).toEqual({ content: delivery.body, secret: 0 });
});
