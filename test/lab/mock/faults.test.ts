import { expect, it } from '@jest/globals';
import type { Delivery } from '../../../src/kit/delivery.ts';
import { faultsOf } from '../../../src/lab/mock/faults.ts';
import { createRandom } from '../../../src/lab/mock/random.ts';
import { createSender } from '../../../src/lab/mock/sender.ts';
import { acme } from '../../support/acme.ts';
import { later } from '../../support/fixtures.ts';
import { startReceiver, startSmallReceiver, type SmallReceiver } from '../../support/small-receiver.ts';

const SECRET = 'a-secret-of-thirty-two-characters';

function senderTo({ url }: SmallReceiver, kind = 'SECRET') {
  const sender = createSender({
    source: acme,
    url,
    credentialFor: () => ({ kind, text: SECRET }),
    random: createRandom(1),
  });
  later(() => sender.close());
  return sender;
}

async function correctReceiver(): Promise<SmallReceiver> {
  const receiver = await startSmallReceiver(SECRET);
  later(() => receiver.stop());
  return receiver;
}

async function credulousReceiver(): Promise<SmallReceiver> {
  const receiver = await startReceiver([], () => 204);
  later(() => receiver.stop());
  return receiver;
}

const forOneEvent = faultsOf(acme).filter((fault) => fault.needsSeveral !== true);
const refused = ['wrong-secret', 'tampered-byte', ...acme.proof.forgeries];

it.each(forOneEvent.map(({ name }) => name))(
  'finds a correct receiver right under %s',
  async (fault) => {
    const { verdict } = await senderTo(await correctReceiver()).fire('order.created', { fault });
    expect(verdict).toMatchObject({ ok: true });
  },
  15_000,
);

it.each(refused)('finds a receiver that believes everything wrong under %s', async (fault) => {
  const { verdict } = await senderTo(await credulousReceiver()).fire('order.created', { fault });
  expect(verdict).toEqual({
    ok: false,
    says: 'Answered 204. Right would be: 401, whatever the cause; 429 after many.',
  });
});

it('changes one byte and no more', async () => {
  const receiver = await credulousReceiver();
  const now = () => new Date(0);
  const options = { source: acme, url: receiver.url, now };
  const credentialFor = () => ({ kind: 'SECRET', text: SECRET });
  const good = createSender({ ...options, credentialFor, random: createRandom(3) });
  const bad = createSender({ ...options, credentialFor, random: createRandom(3) });
  later(
    () => good.close(),
    () => bad.close(),
  );
  await good.fire('order.created');
  await bad.fire('order.created', { fault: 'tampered-byte' });
  const [first, second] = receiver.deliveries.map(({ body }) => [...body]);
  const changed = first?.filter((byte, index) => byte !== second?.[index]);
  expect([first?.length, changed?.length]).toEqual([second?.length, 1]);
});

it('tampers with the query of a request without a body', async () => {
  const chosen = { fault: 'tampered-byte', switches: { verb: 'GET' } };
  const { reply } = await senderTo(await correctReceiver()).fire('order.created', chosen);
  expect(reply?.status).toBe(401);
});

it('sends a duplicate as the very same bytes', async () => {
  const receiver = await correctReceiver();
  await senderTo(receiver).fire('order.created', { fault: 'duplicate' });
  const [first, second] = receiver.deliveries;
  expect(receiver.deliveries).toHaveLength(2);
  expect(first?.body.equals(second?.body ?? Buffer.alloc(0))).toBe(true);
});

it('sends several events in another order than they happened in', async () => {
  const receiver = await correctReceiver();
  const times: Date[] = [];
  const now = () => {
    times.push(new Date(times.length));
    return new Date(times.length);
  };
  const plain = await credulousReceiver();
  const options = { source: acme, now, credentialFor: () => ({ kind: 'SECRET', text: SECRET }) };
  const inOrder = createSender({ ...options, url: plain.url, random: createRandom(9) });
  const shuffled = createSender({ ...options, url: receiver.url, random: createRandom(9) });
  later(
    () => inOrder.close(),
    () => shuffled.close(),
  );
  const size = { count: 10, concurrency: 1 };
  await inOrder.run('order.created', size);
  const run = await shuffled.run('order.created', { ...size, fault: 'reordered' });
  const sent = plain.deliveries.map(idOf);
  const arrived = receiver.deliveries.map(idOf);
  expect(run.ok).toBe(10);
  expect(arrived).not.toEqual(sent);
  expect(arrived.toSorted()).toEqual(sent.toSorted());
});

it('needs several events to reorder', async () => {
  const fired = senderTo(await correctReceiver()).fire('order.created', { fault: 'reordered' });
  await expect(fired).rejects.toThrow('needs a count of 2 or more');
});

it('lists the valid faults when one is unknown', async () => {
  const fired = senderTo(await correctReceiver()).fire('order.created', { fault: 'alg-none' });
  await expect(fired).rejects.toThrow(
    /Unknown fault of acme: "alg-none"\..* Valid: wrong-secret, .*plain-hash\.$/,
  );
});

it('does not tamper with what no proof covers', async () => {
  const fired = senderTo(await correctReceiver(), 'TOKEN').fire('order.created', { fault: 'tampered-byte' });
  await expect(fired).rejects.toThrow(
    /Nothing proves these bytes.* Faults that can: wrong-secret, truncated/,
  );
});

it.each(['truncated', 'slow'])('says that %s needs a body, and which faults do not', async (fault) => {
  const receiver = await correctReceiver();
  const fired = senderTo(receiver).fire('order.created', { fault, switches: { verb: 'GET' } });
  await expect(fired).rejects.toThrow(/This GET has no body.* Faults that can: wrong-secret, tampered-byte/);
});

it('is content when an oversize body is refused before it has arrived', async () => {
  const { reply, verdict } = await senderTo(await correctReceiver()).fire('order.created', {
    fault: 'oversize',
  });
  expect(verdict.ok).toBe(true);
  expect([413, undefined]).toContain(reply?.status);
});

function idOf({ body }: Delivery): string {
  return (JSON.parse(body.toString()) as { id: string }).id;
}
