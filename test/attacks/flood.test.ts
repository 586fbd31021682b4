import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withHeaders } from '../../src/lab/conformance/making/edit.ts';
import type { WireRequest } from '../../src/lab/conformance/wire.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { exchange, type RawReply } from '../support/raw.ts';
import { until } from '../support/until.ts';
import { startReceiver, type TestReceiver } from '../support/receiver.ts';
import { bytesOf, expectDiscreet, genuine, stored, type Sender, type Target } from './support.ts';

const LIMIT = 5;
const MAX_WAITING = 20;

let receiver: TestReceiver;
let target: Target;
/** Created orders wait for this. */
let gate: Promise<unknown> = Promise.resolve();

beforeAll(async () => {
  receiver = await startReceiver({
    env: {
      FAILED_PROOF_LIMIT: String(LIMIT),
      INBOX_MAX_WAITING: String(MAX_WAITING),
      // A test can come from any address: what the one proxy in front is said to have seen.
      TRUST_PROXY_HOPS: '1',
    },
    handlers: { phenixid: { OrderCreated: () => gate } },
  });
  target = { receiver, unauthorized: '' };
});
afterAll(() => receiver.stop());

const created: Sender = { source: phenixid, type: 'OrderCreated', path: '/phenixid' };
const senders: readonly (readonly [string, Sender])[] = [
  ['HotDocs', { source: hotdocs, type: 'PostProcessingEvent', path: '/hotdocs/PostProcessingEvent' }],
  ['PhenixID', created],
  ['risr', { source: risr, type: 'profile_updated', path: '/risr/profile_updated' }],
];

async function sendFrom(address: string, request: WireRequest): Promise<RawReply> {
  const reply = await exchange(receiver.url, bytesOf(withHeaders(request, ['X-Forwarded-For', address])));
  expectDiscreet(reply);
  return reply;
}

/** A delivery that would be genuine but for its last byte. */
async function forged(sender: Sender): Promise<WireRequest> {
  const request = await genuine(target, sender);
  return { ...request, body: Buffer.concat([request.body.subarray(0, -1), Buffer.from('!')]) };
}

async function statusesFrom(
  addresses: readonly string[],
  make: () => Promise<WireRequest>,
): Promise<number[]> {
  const statuses: number[] = [];
  for (const address of addresses) statuses.push((await sendFrom(address, await make())).status);
  return statuses;
}

function times<Value>(count: number, value: Value): Value[] {
  return Array.from({ length: count }, () => value);
}

describe('G9: a flood of bad proofs', () => {
  it.each(senders)(
    'from one address is answered 429 to %s, and what is genuine still passes',
    async (_, sender) => {
      const address = `192.0.2.${10 + senders.findIndex(([, one]) => one === sender)}`;
      expect(await statusesFrom(times(LIMIT + 3, address), () => forged(sender))).toEqual([
        ...times(LIMIT, 401),
        ...times(3, 429),
      ]);
      const limited = await sendFrom(address, await forged(sender));
      expect([limited.headers['retry-after'], limited.body]).toEqual(['60', '{"error":"Too Many Requests"}']);
      expect(await statusesFrom(times(3, address), () => genuine(target, sender))).toEqual(times(3, 200));
      expect((await sendFrom(address, await forged(sender))).status).toBe(429);
    },
  );

  it('of every kind counts as one', async () => {
    const statuses: number[] = [];
    for (const [, sender] of [...senders, ...senders]) {
      statuses.push((await sendFrom('192.0.2.9', await forged(sender))).status);
    }
    expect(statuses).toEqual([...times(LIMIT, 401), 429]);
  });

  it('from many addresses never limits one that behaves', async () => {
    const many = Array.from({ length: 60 }, (_, n) => `198.51.100.${n}`);
    expect(await statusesFrom(many, () => forged(created))).toEqual(times(60, 401));
    expect(await statusesFrom(many.slice(0, 10), () => genuine(target, created))).toEqual(times(10, 200));
  });

  it('is not thinned out by addresses that the sender makes up', async () => {
    const made = Array.from({ length: LIMIT + 2 }, (_, n) => `203.0.113.${n}, 192.0.2.77`);
    expect((await statusesFrom(made, () => forged(created))).slice(LIMIT)).toEqual([429, 429]);
  });

  it('is not thinned out by the many addresses of one IPv6 network', async () => {
    const one = Array.from({ length: LIMIT + 2 }, (_, n) => `2001:db8:1:1::${n + 1}`);
    expect((await statusesFrom(one, () => forged(created))).slice(LIMIT)).toEqual([429, 429]);
  });

  it('is not thinned out by ports behind the address', async () => {
    const ports = Array.from({ length: LIMIT + 2 }, (_, n) => `192.0.2.78:${5_000 + n}`);
    expect((await statusesFrom(ports, () => forged(created))).slice(LIMIT)).toEqual([429, 429]);
    const inBrackets = Array.from({ length: LIMIT + 2 }, (_, n) => `[2001:db8:2::1]:${5_000 + n}`);
    expect((await statusesFrom(inBrackets, () => forged(created))).slice(LIMIT)).toEqual([429, 429]);
  });

  it('is not thinned out by texts that are no address, and the log has none of these', async () => {
    const before = receiver.log.length;
    const texts = [
      'x',
      'y'.repeat(20_000),
      '\u0085\u009b31m',
      'fe80::1%a',
      'fe80::1%b',
      '192.0.2.999',
      '_hidden',
    ];
    expect((await statusesFrom(texts, () => forged(created))).slice(LIMIT)).toEqual([429, 429]);
    const from = receiver.log.slice(before).map((line) => line['from']);
    expect(new Set(from)).toEqual(new Set(['127.0.0.1']));
  });

  it('is told in full up to the limit, and beyond it as numbers that leave none out', async () => {
    const address = '192.0.2.33';
    const before = receiver.log.length;
    const lines = () => receiver.log.slice(before).filter((line) => line['from'] === address);
    const told = () => lines().reduce((sum, line) => sum + Number(line['count'] ?? 1), 0);
    const nowhere = { ...(await genuine(target, created)), target: '/nowhere' };
    for (let round = 0; round < 30; round += 1) {
      await sendFrom(address, await forged(created));
      await sendFrom(address, nowhere);
    }
    await until('all are told', () => told() === 60);
    expect(lines().length).toBeLessThan(LIMIT + 30);
    const counts = lines().filter((line) => 'count' in line);
    expect(counts.at(0)).toMatchObject({ outcome: 'rejected', codes: { path_unknown: expect.any(Number) } });
  });

  it('counts nothing else: neither wrong paths and methods nor bodies too large', async () => {
    const address = '192.0.2.100';
    const request = await genuine(target, created);
    const harmless = [
      { ...request, target: '/nowhere' },
      { ...request, method: 'PUT' },
      { ...request, body: Buffer.alloc(20_000) },
      withHeaders(request, ['Content-Encoding', 'gzip']),
    ];
    for (const other of [...harmless, ...harmless]) await sendFrom(address, other);
    expect((await sendFrom(address, await forged(created))).status).toBe(401);
  });

  it('amid a burst of genuine deliveries costs none of these', async () => {
    const requests = await Promise.all(
      Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? forged(created) : genuine(target, created))),
    );
    const replies = await Promise.all(requests.map((request) => sendFrom('192.0.2.200', request)));
    const refused = replies.filter((_, n) => n % 3 === 0).map(({ status }) => status);
    expect(replies.filter((_, n) => n % 3 !== 0).map(({ status }) => status)).toEqual(times(40, 200));
    expect(refused.toSorted()).toEqual([...times(LIMIT, 401), ...times(20 - LIMIT, 429)]);
    await receiver.app.idle();
  });

  it.each(['', 'unknown', 'a'.repeat(5_000), "'; --", ', , ,', '::ffff:192.0.2.1', '[::1]:80', '256.1.1.1'])(
    'from an address that is none changes nothing: %p',
    async (address) => {
      expect((await sendFrom(address, await genuine(target, created))).status).toBe(200);
      expect([401, 429]).toContain((await sendFrom(address, await forged(created))).status);
    },
  );
});

describe('G9: genuine deliveries faster than they are handled', () => {
  it('are answered 503 once the inbox is full, and exactly those answered 200 are kept', async () => {
    await receiver.app.idle();
    const opened = Promise.withResolvers<undefined>();
    gate = opened.promise;
    const before = await stored(target.receiver);

    const statuses: number[] = [];
    for (let count = 0; count < MAX_WAITING + 20; count += 1) {
      const reply = await sendFrom('192.0.2.250', await genuine(target, created));
      statuses.push(reply.status);
      if (reply.status === 503) expect(reply.headers['retry-after']).toBe('10');
    }
    const kept = statuses.filter((status) => status === 200).length;
    expect(kept).toBeGreaterThanOrEqual(MAX_WAITING);
    expect(statuses).toEqual([...times(kept, 200), ...times(statuses.length - kept, 503)]);
    expect(await stored(target.receiver)).toBe(before + kept);

    opened.resolve(undefined);
    await receiver.app.idle();
    expect((await receiver.app.inbox.stats()).waiting).toBe(0);
    expect((await sendFrom('192.0.2.250', await genuine(target, created))).status).toBe(200);
  });

  it('are refused no sooner for somebody who waits than for anybody else', async () => {
    await receiver.app.idle();
    const opened = Promise.withResolvers<undefined>();
    gate = opened.promise;
    for (let count = 0; count < MAX_WAITING + 10; count += 1)
      await sendFrom('192.0.2.251', await genuine(target, created));
    const login: Sender = { source: risr, type: 'user_logged_in', path: '/risr/user_logged_in' };
    const reply = await sendFrom('192.0.2.251', await genuine(target, login));
    expect([reply.status, reply.headers['retry-after']]).toEqual([503, '10']);
    // A forged one is still told nothing but that it is forged.
    expect((await sendFrom('192.0.2.252', await forged(login))).status).toBe(401);
    opened.resolve(undefined);
    await receiver.app.idle();
    expect((await sendFrom('192.0.2.251', await genuine(target, login))).status).toBe(200);
  });
});
