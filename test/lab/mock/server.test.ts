import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createRandom } from '../../../src/lab/mock/random.ts';
import { createSender, type Sender } from '../../../src/lab/mock/sender.ts';
import { createMockApp } from '../../../src/lab/mock/server.ts';
import { acme } from '../../support/acme.ts';
import { startSmallReceiver, type SmallReceiver } from '../../support/small-receiver.ts';
import { listenOn } from '../../../src/lab/rig/ports.ts';

const SECRET = 'a-secret-of-thirty-two-characters';
const JSON_TYPE = { 'Content-Type': 'application/json' };

let receiver: SmallReceiver;
let sender: Sender;
let mock: Server;
let port: number;

beforeAll(async () => {
  receiver = await startSmallReceiver(SECRET);
  sender = createSender({
    source: acme,
    url: receiver.url,
    credentialFor: () => ({ kind: 'SECRET', text: SECRET }),
    random: createRandom(1),
  });
  mock = createServer(createMockApp([sender]));
  port = await listenOn(mock);
});

afterAll(async () => {
  sender.close();
  mock.close();
  mock.closeAllConnections();
  await receiver.stop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Answer> {
  const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer> & { statusCode?: number }];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return { status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}

function send(json: unknown, type = 'order.created'): Promise<Answer> {
  return ask('POST', `/send/acme/${type}`, JSON_TYPE, JSON.stringify(json));
}

it('sends an event when asked, and reports what came of it', async () => {
  const { status, text } = await send({});
  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({
    source: 'acme',
    type: 'order.created',
    reply: { status: 204 },
    verdict: { ok: true },
  });
});

it('sends what it is told to: payload, members, switches', async () => {
  await send({ payload: { orderId: 'o', lines: [] }, set: { 'lines.0': 1 }, switches: { agent: 'me' } });
  const delivery = receiver.deliveries.at(-1);
  expect(delivery?.headers).toContain('me');
  expect(delivery?.body.toString()).toContain('"data":{"orderId":"o","lines":[1]}');
});

it('adds a member that the event does not have, where that is meant', async () => {
  await send({ add: { 'adress.city': 'Bath' } });
  expect(receiver.deliveries.at(-1)?.body.toString()).toContain('"adress":{"city":"Bath"}');
});

it('repeats nothing that could steer the terminal of whoever asked', async () => {
  const { text } = await send({ fault: '\u009b1m\u202e' });
  expect(text).toContain('Unknown fault');
  expect(text).not.toMatch(/\p{C}/u);
});

it('sends many, and reports in figures', async () => {
  const { text } = await send({ count: 20, concurrency: 4 });
  expect(JSON.parse(text)).toMatchObject({ count: 20, ok: 20, statuses: { '204': 20 } });
});

it('spoils a request when asked, and says whether the receiver noticed', async () => {
  const { text } = await send({ fault: 'wrong-secret' });
  expect(JSON.parse(text)).toMatchObject({
    fault: 'wrong-secret',
    reply: { status: 401 },
    verdict: { ok: true },
  });
});

it.each([
  [{ swtiches: {} }, 'order.created', 'swtiches'],
  [{ fault: 'wrong-secert' }, 'order.created', 'Did you mean wrong-secret?'],
  [{}, 'order.craeted', 'Did you mean order.created?'],
  [{ count: 0 }, 'order.created', 'count'],
  [{ set: { '__proto__.x': 1 } }, 'order.created', 'no member'],
  [{ set: { 'adress.city': 'x' } }, 'order.created', 'no member adress.'],
  [{ swiches: {} }, 'order.created', 'Did you mean switches?'],
])('answers %j for %s in words', async (json, type, words) => {
  const { status, text } = await send(json, type);
  expect(status).toBe(400);
  expect((JSON.parse(text) as { error: string }).error).toContain(words);
});

it('lists what it can do, for people and for programs', async () => {
  const plain = await ask('GET', '/');
  const json = await ask('GET', '/', { Accept: 'application/json' });
  expect(plain.text).toContain(`http://127.0.0.1:${port}/send/acme/order.created`);
  expect(JSON.parse(json.text)).toMatchObject([
    { source: 'acme', events: [{ type: 'order.created', mode: 'notify' }, { type: 'price.asked' }] },
  ]);
});

it.each([
  ['a name that somebody else lets resolve to this machine', { Host: 'mock.attacker.example' }],
  ['another port', { Host: '127.0.0.1:1' }],
  ['a page of another site', { Origin: 'https://attacker.example' }],
  ['a page of no site', { Origin: 'null' }],
  ['a page from another port of this machine', { Origin: 'http://localhost:8080' }],
])('refuses a request from %s', async (_who, headers) => {
  const before = receiver.deliveries.length;
  const { status } = await ask('POST', '/send/acme/order.created', { ...JSON_TYPE, ...headers }, '{}');
  expect(status).toBe(403);
  expect(receiver.deliveries).toHaveLength(before);
});

it('accepts its own names', async () => {
  const own = `http://localhost:${port}`;
  const headers = { ...JSON_TYPE, Host: `localhost:${port}`, Origin: own };
  expect((await ask('POST', '/send/acme/order.created', headers, '{}')).status).toBe(200);
});

it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
  'refuses content of the type "%s", which any page may send',
  async (type) => {
    const headers = type === '' ? {} : { 'Content-Type': type };
    expect((await ask('POST', '/send/acme/order.created', headers, '{}')).status).toBe(415);
  },
);

it('answers broken JSON in words of its own', async () => {
  const { status, text } = await ask('POST', '/send/acme/order.created', JSON_TYPE, '{"a":');
  expect([status, JSON.parse(text)]).toEqual([400, { error: 'The body is not JSON of at most 2 MB.' }]);
});

it('knows no other address', async () =>
  expect((await ask('GET', '/send/acme/order.created')).status).toBe(404));
