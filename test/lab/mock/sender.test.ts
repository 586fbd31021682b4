import { createServer as createTcpServer } from 'node:net';
import { expect, it } from '@jest/globals';
import type { Delivery } from '../../../src/kit/delivery.ts';
import { headerValues } from '../../../src/kit/delivery.ts';
import { createRandom } from '../../../src/lab/mock/random.ts';
import { createSender, type Sender, type SenderOptions } from '../../../src/lab/mock/sender.ts';
import { acme } from '../../support/acme.ts';
import { later, listening } from '../../support/fixtures.ts';
import { startReceiver, startSmallReceiver } from '../../support/small-receiver.ts';

const SECRET = 'a-secret-of-thirty-two-characters';

async function receiver(answer?: (delivery: Delivery) => number) {
  const started = answer ? await startReceiver([], answer) : await startSmallReceiver(SECRET);
  later(() => started.stop());
  return started;
}

function senderTo(url: URL, options: Partial<SenderOptions> = {}): Sender {
  const sender = createSender({
    source: acme,
    url,
    credentialFor: () => ({ kind: 'SECRET', text: SECRET }),
    random: createRandom(1),
    ...options,
  });
  later(() => sender.close());
  return sender;
}

it('sends an event that the receiver believes, and judges the reply as its source does', async () => {
  const { url, deliveries } = await receiver();
  const fired = await senderTo(url).fire('order.created');
  expect(fired).toMatchObject({
    source: 'acme',
    type: 'order.created',
    request: { method: 'POST', target: '/acme/order.created' },
    proof: 'hmac-header, X-Acme-Signature',
    reply: { status: 204 },
    verdict: { ok: true, says: 'Acme is content.' },
    unreachable: false,
  });
  expect(deliveries).toHaveLength(1);
});

it('shows no value of a query, wherever the proof stands', async () => {
  const { url } = await receiver();
  const { request, proof, verdict } = await senderTo(url).fire('order.created', {
    switches: { verb: 'GET' },
  });
  expect(request.target).toBe('/acme/order.created?content=…&signature=…');
  expect(proof).toBe('hmac-header, signature in query');
  expect(verdict.ok).toBe(true);
});

it('sends to another path where the address names one', async () => {
  const { url, deliveries } = await receiver(() => 204);
  const { request } = await senderTo(new URL('/hooks/tenant', url)).fire('price.asked');
  expect(request.target).toBe('/hooks/tenant');
  expect(deliveries).toHaveLength(1);
});

it('follows no redirect', async () => {
  const { url, deliveries } = await receiver(() => 307);
  const { verdict } = await senderTo(url).fire('order.created');
  expect(verdict).toEqual({ ok: false, says: 'Acme expects 204 and got 307.' });
  expect(deliveries).toHaveLength(1);
});

it('says plainly that nothing is running', async () => {
  const stopped = await startReceiver([], () => 204);
  await stopped.stop();
  const { url } = stopped;
  const fired = await senderTo(url).fire('order.created');
  expect(fired.unreachable).toBe(true);
  expect(fired.verdict.says).toBe(`Nothing listens at ${url.origin}. Is the receiver running (npm start)?`);
});

it('says that the reply was late', async () => {
  const silent = createTcpServer();
  const port = await listening(silent);
  const url = new URL(`http://127.0.0.1:${port}`);
  const fired = await senderTo(url, { timeoutMs: 100 }).fire('order.created');
  expect(fired.verdict.says).toMatch(/^No reply from .* within 0\.1 s\.$/);
});

it('says that the connection was closed in the middle of a reply', async () => {
  const rude = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
  });
  const port = await listening(rude);
  const { verdict } = await senderTo(new URL(`http://127.0.0.1:${port}`)).fire('order.created');
  expect(verdict.says).toBe('The receiver closed the connection without a whole reply.');
});

it('makes words, not an exception, of a request that HTTP cannot carry', async () => {
  const { url } = await receiver();
  const { verdict } = await senderTo(url).fire('order.created', { switches: { agent: 'a\nb' } });
  expect(verdict.says).toContain('ERR_INVALID_CHAR');
});

it('sends once more when a kept connection turns out to be closed', async () => {
  let connections = 0;
  const forgetful = createTcpServer((socket) => {
    connections += 1;
    socket.on('error', () => undefined);
    let requests = 0;
    socket.on('data', () => {
      requests += 1;
      if (requests === 1) socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      else socket.resetAndDestroy();
    });
  });
  const port = await listening(forgetful);
  const sender = senderTo(new URL(`http://127.0.0.1:${port}`));
  await sender.fire('order.created');
  const { verdict } = await sender.fire('order.created');
  expect(verdict.ok).toBe(true);
  expect(connections).toBe(2);
});

it('sends many events at once, each with an id of its own, and counts', async () => {
  const { url, deliveries } = await receiver((delivery) => (idOf(delivery) < '8' ? 204 : 503));
  const run = await senderTo(url).run('order.created', { count: 60, concurrency: 8 });
  const ids = deliveries.map(idOf);
  const accepted = ids.filter((id) => id < '8').length;
  expect(new Set(ids).size).toBe(60);
  expect(run).toMatchObject({
    count: 60,
    ok: accepted,
    statuses: { '204': accepted, '503': 60 - accepted },
    complaints: ['Acme expects 204 and got 503.'],
  });
  expect(run.ms.p50).toBeLessThanOrEqual(run.ms.p95);
  expect(run.ms.p95).toBeLessThanOrEqual(run.ms.max);
});

it('sends the very same bytes again for the same seed', async () => {
  const { url, deliveries } = await receiver();
  const now = () => new Date(0);
  await senderTo(url, { random: createRandom(5), now }).fire('order.created');
  await senderTo(url, { random: createRandom(5), now }).fire('order.created');
  const [first, second] = deliveries;
  expect(first?.body.equals(second?.body ?? Buffer.alloc(0))).toBe(true);
  expect(first && headerValues(first, 'x-acme-signature')).toEqual(
    second && headerValues(second, 'x-acme-signature'),
  );
});

function idOf({ body }: Delivery): string {
  return (JSON.parse(body.toString()) as { id: string }).id;
}
