import { expect, it } from '@jest/globals';
import { parseAssignment } from '../../../src/lab/mock/assign.ts';
import { createRandom, shuffled } from '../../../src/lab/mock/random.ts';
import { buildRequest, prepare, type Order } from '../../../src/lab/mock/request.ts';
import { acme } from '../../support/acme.ts';

const order: Order = {
  type: 'order.created',
  path: '/acme/order.created',
  credential: { kind: 'SECRET', text: 'a-secret-of-thirty-two-characters' },
};

function payloadSent(changes: Partial<Order>): unknown {
  const { content } = prepare(acme, { ...order, ...changes }, createRandom(1));
  return (JSON.parse(content.toString()) as { data: unknown }).data;
}

function assignments(...texts: string[]): Partial<Order> {
  return { set: texts.map(parseAssignment) };
}

it('sends the example of the event when nothing is said', () =>
  expect(payloadSent({})).toEqual(acme.events['order.created'].example));

it('sends another payload when given one', () =>
  expect(payloadSent({ payload: { orderId: 'mine', lines: [] } })).toEqual({ orderId: 'mine', lines: [] }));

it('changes a member to text, and to JSON where the value is JSON', () =>
  expect(payloadSent(assignments('orderId=ord_2', 'note=null', 'total=12.5', 'gift=true'))).toMatchObject({
    orderId: 'ord_2',
    note: null,
    total: 12.5,
    gift: true,
  }));

it('changes an item of a list and adds one at its end', () =>
  expect(payloadSent(assignments('lines.0.count=3', 'lines.1={"sku":"ink","count":1}'))).toMatchObject({
    lines: [
      { sku: 'pencil', count: 3 },
      { sku: 'ink', count: 1 },
    ],
  }));

it('makes the objects on the way to a new member', () =>
  expect(payloadSent(assignments('address.city.name=Bath'))).toMatchObject({
    address: { city: { name: 'Bath' } },
  }));

it('leaves the example itself as it is', () => {
  payloadSent(assignments('lines.0.count=99'));
  expect(payloadSent({})).toMatchObject({ lines: [{ count: 2 }] });
});

it.each([
  ['__proto__.polluted=1', 'no member'],
  ['address.__proto__.polluted=1', 'no member'],
  ['lines.7.count=1', 'places 0 to 1'],
  ['lines.first=1', 'places 0 to 1'],
  ['orderId.deep=1', 'plain value'],
  ['a..b=1', 'no member'],
])('refuses to set %s', (text, message) => {
  expect(() => payloadSent(assignments(text))).toThrow(message);
  expect({}).not.toHaveProperty('polluted');
});

it('sets a member called constructor without touching any object of the program', () => {
  expect(payloadSent(assignments('constructor.prototype.polluted=1'))).toMatchObject({
    constructor: { prototype: { polluted: 1 } },
  });
  expect({}).not.toHaveProperty('polluted');
});

it('refuses an assignment without a path or a value', () => {
  expect(() => parseAssignment('orderId')).toThrow('path=value');
  expect(() => parseAssignment('=1')).toThrow('path=value');
});

it('uses the first choice of each switch, and the choices made', async () => {
  const usual = await buildRequest(acme, order, createRandom(1));
  const chosen = await buildRequest(
    acme,
    { ...order, switches: { verb: 'GET', agent: 'x' } },
    createRandom(1),
  );
  expect([usual.method, usual.headers['User-Agent']]).toEqual(['POST', 'acme/1']);
  expect([chosen.method, chosen.headers['User-Agent']]).toEqual(['GET', 'x']);
});

it.each([
  [{ switches: { vreb: 'GET' } }, /switch of acme: "vreb"\. Did you mean verb\? Valid: verb, case, agent/],
  [{ switches: { verb: 'PUT' } }, /choice for switch verb: "PUT".*Valid: POST, GET/],
  [{ switches: { constructor: 'GET' } }, /Unknown switch/],
  [
    { type: 'order.craeted' },
    /event of acme: "order.craeted"\. Did you mean order.created\? Valid: order.created, price.asked/,
  ],
  [{ type: 'constructor' }, /Unknown event/],
])('refuses what the source does not have: %j', (changes, message) =>
  expect(() => prepare(acme, { ...order, ...changes }, createRandom(1))).toThrow(message),
);

it('says which members do not fit the schema, and sends them all the same', () => {
  const prepared = prepare(acme, { ...order, ...assignments('lines.0.count=many') }, createRandom(1));
  expect(prepared.misfit).toBe('lines.0.count: expected number, received string');
  expect(prepared.content.toString()).toContain('"many"');
});

it('gives each event an id of its own, and the same ids again for the same seed', () => {
  const random = createRandom(7);
  const ids = [1, 2, 3].map(() => prepare(acme, order, random).event.id);
  const again = createRandom(7);
  expect(new Set(ids).size).toBe(3);
  expect(ids).toEqual([1, 2, 3].map(() => prepare(acme, order, again).event.id));
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

it('never leaves a shuffled list as it was', () => {
  for (let seed = 0; seed < 50; seed++) {
    expect(shuffled([1, 2], createRandom(seed))).toEqual([2, 1]);
  }
});
