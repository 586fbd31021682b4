import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import { createBodyBudget } from '../../../src/kit/http/body-budget.ts';

it('lets all addresses of one IPv6 network have half of it together', () => {
  let address = '';
  const budget = createBodyBudget(100, () => address);
  const grow = (from: string, bytes: number) => {
    address = from;
    return budget.open(new IncomingMessage(new Socket())).grow(bytes);
  };
  expect(grow('2001:db8:1::1', 40)).toBe(true);
  expect(grow('2001:db8:1::2', 40)).toBe(false);
  expect(grow('2001:db8:2::1', 40)).toBe(true);
});
