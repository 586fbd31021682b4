import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withHeader, withHeaders } from '../../src/lab/conformance/making/edit.ts';
import type { WireRequest } from '../../src/lab/conformance/wire.ts';
import { text } from '../../src/kit/sources/hotdocs/answers/answers.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { exchange, type RawReply } from '../support/raw.ts';
import {
  bytesOf,
  deliver,
  expectAccepted,
  expectDiscreet,
  expectRefusedAlone,
  genuine,
  proven,
  startTarget,
  stored,
  type Sender,
  type Target,
} from './support.ts';

let target: Target;
/** A notification with a good proof, as lines of its head and as its body. */
let head: readonly string[];
let body: string;
/** How many bytes of answers the next interview gets. */
let answerLength = 0;
/** Logins wait for this. */
let loginsMayEnd: Promise<unknown> = Promise.resolve();

const notification: Sender = { source: phenixid, type: 'OrderSigned', path: '/phenixid' };
const form: Sender = { source: hotdocs, type: 'PostProcessingEvent', path: '/hotdocs/PostProcessingEvent' };
const interview: Sender = {
  source: hotdocs,
  type: 'InterviewLoadEvent',
  path: '/hotdocs/InterviewLoadEvent',
};
const token: Sender = { source: risr, type: 'profile_updated', path: '/risr/profile_updated' };
const login: Sender = { source: risr, type: 'user_logged_in', path: '/risr/user_logged_in' };

beforeAll(async () => {
  target = await startTarget({
    env: { REQUEST_TIMEOUT_MS: '1000' },
    handlers: {
      hotdocs: {
        InterviewLoadEvent: () => ({ x: text('y'.repeat(Math.max(0, answerLength - '{"x":""}'.length))) }),
      },
      risr: {
        user_logged_in: async () => {
          await loginsMayEnd;
          return 'let in';
        },
      },
    },
  });
  const request = await genuine(target, notification);
  body = request.body.toString();
  head = [
    'POST /phenixid HTTP/1.1',
    'Host: localhost',
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
  ];
});
afterAll(() => target.receiver.stop());

/** A request of these lines, each ended as HTTP wants it. */
function raw(lines: readonly string[], after: string | Buffer = ''): Buffer {
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(after)]);
}

/** A whole genuine request; the connection ends with its reply. */
function whole(): Buffer {
  return raw([...head, `Content-Length: ${body.length}`, 'Connection: close'], body);
}

function chunked(text: string, size = text.length, extension = ''): string {
  const chunks: string[] = [];
  for (let at = 0; at < text.length; at += size) {
    const chunk = text.slice(at, at + size);
    chunks.push(`${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`);
  }
  return chunks.join('');
}

function statusesOf({ text: received }: RawReply): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** Sends bytes in which a genuine request may be hidden: one answer, a closed connection, and nothing stored. */
async function expectBroken(bytes: Buffer, ...statuses: readonly number[]): Promise<void> {
  const before = await stored(target.receiver);
  const reply = await exchange(target.receiver.url, bytes, { silenceMs: 2000 });
  expectDiscreet(reply);
  expect(statuses).toContain(reply.status);
  expect([statusesOf(reply).length, reply.closed, await stored(target.receiver)]).toEqual([1, true, before]);
}

describe('G1: two opinions on where a body ends', () => {
  it('leaves no second request in a body that is larger than it says', async () => {
    const before = await stored(target.receiver);
    const reply = await exchange(
      target.receiver.url,
      raw([...head, 'Content-Length: 2'], body + whole().toString()),
    );
    expect([statusesOf(reply)[0], reply.closed, await stored(target.receiver)]).toEqual([401, true, before]);
  });

  it('leaves no second request in a body that is smaller than it says', async () => {
    const length = body.length + whole().length;
    const bytes = raw([...head, `Content-Length: ${length}`, 'Connection: close'], body + whole().toString());
    await expectBroken(bytes, 401);
  });
});

describe('G2: chunks', () => {
  it('that never end are given up', async () => {
    await expectBroken(raw([...head, 'Transfer-Encoding: chunked'], chunked(body)), 408);
  });
});

describe('G6: an expectation', () => {
  it('100-continue is answered when a body is wanted, and not before it is known to be', async () => {
    const expecting = ['Expect: 100-continue', 'Connection: close'];
    const url = target.receiver.url;
    const wanted = raw([...head, ...expecting, `Content-Length: ${body.length}`], body);
    expect(statusesOf(await exchange(url, wanted))).toEqual([100, 200]);
    const large = raw([...head, ...expecting, 'Content-Length: 16385']);
    expect(statusesOf(await exchange(url, large))).toEqual([413]);
    const elsewhere = raw(['POST /nowhere HTTP/1.1', ...head.slice(1), ...expecting, 'Content-Length: 5']);
    expect(statusesOf(await exchange(url, elsewhere))).toEqual([404]);
    const encoded = raw([...head, ...expecting, 'Content-Encoding: gzip', 'Content-Length: 5']);
    expect(statusesOf(await exchange(url, encoded))).toEqual([415]);
  });

  it('100-continue without a body is answered at once', async () => {
    const empty = raw([...head, 'Expect: 100-continue', 'Content-Length: 0', 'Connection: close']);
    expect(statusesOf(await exchange(target.receiver.url, empty))).toEqual([401]);
    const none = raw([...head, 'Expect: 100-continue', 'Connection: close']);
    expect(statusesOf(await exchange(target.receiver.url, none))).toEqual([401]);
  });
});

describe('G7: other protocols and requests in a row', () => {
  it('HTTP/1.0 is enough for a delivery, and its expectations are passed over', async () => {
    for (const expecting of [[], ['Expect: 100-continue'], ['Expect: 200-ok']]) {
      const lines = ['POST /phenixid HTTP/1.0', ...head.slice(1), ...expecting];
      const before = await stored(target.receiver);
      const reply = await exchange(
        target.receiver.url,
        raw([...lines, `Content-Length: ${body.length}`], body),
      );
      expect([statusesOf(reply), reply.closed, await stored(target.receiver)]).toEqual([
        [200],
        true,
        before + 1,
      ]);
    }
  });

  it('HTTP/0.9 is not', async () => {
    const { target: path } = await genuine(target, interview);
    for (const line of [`GET ${path}\r\n\r\n`, 'GET /phenixid\r\n\r\n', 'POST /phenixid\r\n\r\n']) {
      const before = await stored(target.receiver);
      const reply = await exchange(target.receiver.url, line);
      expectDiscreet(reply);
      expect([reply.status >= 400, reply.closed, await stored(target.receiver)]).toEqual([
        true,
        true,
        before,
      ]);
    }
  });

  it('an upgrade is passed over', async () => {
    const upgrade = ['Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
    const h2c = raw([...head, ...upgrade, 'Upgrade: h2c', `Content-Length: ${body.length}`], body);
    expect(statusesOf(await exchange(target.receiver.url, h2c, { silenceMs: 50 }))).toEqual([200]);
    const lines = ['GET /phenixid HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket'];
    const socket = raw([
      ...lines,
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]);
    const reply = await exchange(target.receiver.url, socket, { silenceMs: 50 });
    expect([statusesOf(reply), reply.headers['allow']]).toEqual([[405], 'POST']);
  });

  it.each([
    [
      'an unknown path',
      () => raw(['POST /nowhere HTTP/1.1', ...head.slice(1), 'Content-Length: 2'], '{}'),
      404,
    ],
    [
      'a method it does not have',
      () => raw(['PUT /phenixid HTTP/1.1', ...head.slice(1), 'Content-Length: 2'], '{}'),
      405,
    ],
    ['a wrong signature', () => raw([...head, 'Content-Length: 2'], '{}'), 401],
    ['an encoding', () => raw([...head, 'Content-Encoding: gzip', 'Content-Length: 2'], '{}'), 415],
    ['a body too large', () => raw([...head, 'Content-Length: 20000'], '{}'.repeat(10_000)), 413],
  ])(
    'a request behind one refused for %s is answered for itself, or not at all',
    async (_, refused, status) => {
      const before = await stored(target.receiver);
      const reply = await exchange(target.receiver.url, Buffer.concat([refused(), whole()]), {
        silenceMs: 2000,
      });
      const statuses = statusesOf(reply);
      expect([status, reply.closed]).toEqual([statuses[0], true]);
      expect(statuses.slice(1)).toEqual(
        Array.from({ length: (await stored(target.receiver)) - before }, () => 200),
      );
    },
  );

  it('a stored delivery is told so, though nonsense comes behind it', async () => {
    const kept = raw([...head, `Content-Length: ${body.length}`], body);
    for (const nonsense of [
      '\0\r\n\r\n',
      'POST /phenixid HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n',
      'x'.repeat(50_000),
    ]) {
      const before = await stored(target.receiver);
      const reply = await exchange(target.receiver.url, Buffer.concat([kept, Buffer.from(nonsense)]));
      expectDiscreet({ ...reply, body: '' });
      expect([statusesOf(reply)[0], reply.closed, await stored(target.receiver)]).toEqual([
        200,
        true,
        before + 1,
      ]);
    }
  });

  it('ten requests in a row get ten answers in order', async () => {
    const before = await stored(target.receiver);
    const good = raw([...head, `Content-Length: ${body.length}`], body);
    const bad = raw([...head, 'Content-Length: 2'], '{}');
    const row = [good, bad, good, bad, good, good, bad, good, bad, whole()];
    const reply = await exchange(target.receiver.url, Buffer.concat(row));
    expect(statusesOf(reply)).toEqual([200, 401, 200, 401, 200, 200, 401, 200, 401, 200]);
    expect(await stored(target.receiver)).toBe(before + 6);
  });
});

describe('G8: a sender that goes away', () => {
  it.each([
    ['ends its side', false],
    ['resets', true],
  ])('in the middle of a body and %s leaves nothing behind', async (_, reset) => {
    const before = await stored(target.receiver);
    for (const sender of [notification, form, token]) {
      const bytes = bytesOf(await genuine(target, sender));
      for (const part of [0.2, 0.5, 0.9, 1 - 1 / bytes.length]) {
        await abandon(bytes.subarray(0, Math.floor(bytes.length * part)), reset);
      }
    }
    await target.receiver.app.idle();
    expect(await stored(target.receiver)).toBe(before);
    await deliver(target, await genuine(target, notification));
  });

  it('with its reply under way has been stored whole or not at all', async () => {
    const before = await stored(target.receiver);
    for (let round = 0; round < 20; round += 1) await abandon(whole(), true);
    expect(statusesOf(await exchange(target.receiver.url, whole()))).toEqual([200]);
    await target.receiver.app.idle();
    const stats = await target.receiver.app.inbox.stats();
    expect([stats.waiting, stats.running]).toEqual([0, 0]);
    const entries = await target.receiver.app.inbox.list({ limit: (await stored(target.receiver)) - before });
    expect(entries.length).toBeLessThanOrEqual(21);
    for (const { status, content } of entries) expect([status, content.toString()]).toEqual(['done', body]);
  });

  it('with its answer ready takes nothing back', async () => {
    const before = await stored(target.receiver);
    const socket = connect(Number(new URL(target.receiver.url).port), '127.0.0.1');
    socket.write(whole());
    await once(socket, 'data');
    socket.resetAndDestroy();
    await target.receiver.app.idle();
    expect(await stored(target.receiver)).toBe(before + 1);
  });

  it('while its user waits leaves the work to be done', async () => {
    const open = Promise.withResolvers<undefined>();
    loginsMayEnd = open.promise;
    const before = await stored(target.receiver);
    const socket = connect(Number(new URL(target.receiver.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(bytesOf(await genuine(target, login)));
    while ((await stored(target.receiver)) === before) await new Promise(setImmediate);
    socket.resetAndDestroy();
    open.resolve(undefined);
    await target.receiver.app.idle();
    const [entry] = await target.receiver.app.inbox.list({ limit: 1 });
    expect(entry).toMatchObject({ type: 'user_logged_in', status: 'done', note: 'let in' });
  });
});

/** Sends some bytes and leaves. */
async function abandon(bytes: Buffer, reset: boolean): Promise<void> {
  const socket = connect(Number(new URL(target.receiver.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  await new Promise((resolve) => socket.write(bytes, resolve));
  if (reset) socket.resetAndDestroy();
  else socket.destroy();
  if (!socket.closed) await once(socket, 'close');
  await new Promise(setImmediate);
}

describe('G10: a body', () => {
  const limits = [
    ['PhenixID', 16_384, async (size: number) => filled(notification, size)],
    ['risr', 1_048_576, async (size: number) => ended(await genuine(target, token), size, '\n')],
    ['HotDocs', 1_048_576, async (size: number) => ended(await genuine(target, form), size, '&pad=x')],
  ] as const;

  /** Content with as many blanks behind it. */
  async function filled(sender: Sender, size: number): Promise<WireRequest> {
    const content = (await genuine(target, sender)).body;
    return proven(target, sender, Buffer.concat([content, Buffer.alloc(size - content.length, ' ')]));
  }

  /** The body with something harmless behind it, its last character as often as it takes. */
  function ended(request: WireRequest, size: number, end: string): WireRequest {
    const start = Buffer.concat([request.body, Buffer.from(end)]);
    return { ...request, body: Buffer.concat([start, Buffer.alloc(size - start.length, end.slice(-1))]) };
  }

  it.each(limits)('of %s is read up to its limit and no further', async (_, limit, make) => {
    const largest = await make(limit);
    const larger = await make(limit + 1);
    expect([largest.body.length, larger.body.length]).toEqual([limit, limit + 1]);
    await expectAccepted(target, largest);
    await expectRefusedAlone(target, larger, 'body_too_large');
  });

  it.each(limits)('of %s in chunks is, too', async (_, limit, make) => {
    for (const [size, status] of [
      [limit, 200],
      [limit + 1, 413],
    ] as const) {
      const request = await make(size);
      const parts = Buffer.from(`${chunked(request.body.toString('latin1'), 10_000)}0\r\n\r\n`, 'latin1');
      const inChunks = withHeaders({ ...request, body: parts }, ['Transfer-Encoding', 'chunked']);
      const before = await stored(target.receiver);
      const reply = await exchange(target.receiver.url, bytesOf(inChunks));
      expectDiscreet(reply);
      expect([reply.status, await stored(target.receiver)]).toEqual([
        status,
        status === 200 ? before + 1 : before,
      ]);
    }
  });

  it('may be a token of 1 MB from risr, or a query of 24 kB from HotDocs, as documented', async () => {
    const content = `{"webhook_request_id":"g10","id":"p","rev":"1-a","x":"${'y'.repeat(780_000)}"}`;
    expect((await deliver(target, await proven(target, token, content))).entry.status).toBe('done');
    const padded = await genuine(target, { ...interview, switches: { padToken: '18000' } });
    expect(padded.target.length).toBeGreaterThan(24_000);
    expect((await deliver(target, padded)).entry.status).toBe('done');
  });

  it('of answers may have the 200,000 bytes that HotDocs reads, and no more', async () => {
    answerLength = 200_000;
    const fits = await deliver(target, await genuine(target, interview));
    expect([fits.reply.body.length, fits.entry.status]).toEqual([200_000, 'done']);
    answerLength = 200_001;
    const exceeds = await deliver(target, await genuine(target, interview));
    expect([exceeds.reply.body, exceeds.entry.status]).toEqual(['{}', 'dead']);
    expect(exceeds.entry.note).toMatch(/^answer_too_large: /);
  });

  it('that is refused is refused before it is proven', async () => {
    const unsigned = withHeader(await filled(notification, 16_385), 'x-signature');
    await expectRefusedAlone(target, unsigned, 'body_too_large');
  });
});
