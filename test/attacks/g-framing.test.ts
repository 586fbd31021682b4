import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
  withHeaders,
  withoutHeader,
  type Sender,
  type Target,
  type Wire,
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
  it.each([
    ['a length beside chunks', () => [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked']],
    ['chunks beside a length', () => ['Transfer-Encoding: chunked', `Content-Length: ${body.length}`]],
    ['two lengths', () => [`Content-Length: ${body.length}`, 'Content-Length: 5']],
    ['the same length twice', () => [`Content-Length: ${body.length}`, `Content-Length: ${body.length}`]],
    ['a list of lengths', () => [`Content-Length: ${body.length}, ${body.length}`]],
    ['a negative length', () => [`Content-Length: -${body.length}`]],
    ['a length with a sign', () => [`Content-Length: +${body.length}`]],
    ['a hexadecimal length', () => [`Content-Length: 0x${body.length.toString(16)}`]],
    ['a length with a fraction', () => [`Content-Length: ${body.length}.0`]],
    ['a length with an exponent', () => ['Content-Length: 1e2']],
    ['a length with a blank inside', () => ['Content-Length: 1 4']],
    ['a length that is none', () => ['Content-Length: many']],
    ['an empty length', () => ['Content-Length:']],
    ['a length beyond all numbers', () => [`Content-Length: ${'9'.repeat(40)}`]],
    ['a length with a blank before its colon', () => [`Content-Length : ${body.length}`]],
    ['another coding', () => ['Transfer-Encoding: xchunked']],
    ['no coding', () => ['Transfer-Encoding: identity']],
    ['an empty coding', () => ['Transfer-Encoding:']],
    ['chunked in quotes', () => ['Transfer-Encoding: "chunked"']],
    ['chunked twice', () => ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['chunked twice in one line', () => ['Transfer-Encoding: chunked, chunked']],
    ['chunked, but not at last', () => ['Transfer-Encoding: chunked, identity']],
    ['compressed, then chunked', () => ['Transfer-Encoding: gzip, chunked']],
    ['no coding, then chunked', () => ['Transfer-Encoding: identity, chunked']],
    ['chunked behind a vertical tab', () => ['Transfer-Encoding: \vchunked']],
    ['chunked behind a line end', () => ['Transfer-Encoding:\r\n chunked']],
    ['chunked behind a lone line feed', () => ['X: y\nTransfer-Encoding: chunked']],
    ['chunked before a blank and a colon', () => ['Transfer-Encoding : chunked']],
  ])('is refused, and the connection with it: %s', async (_, framing) => {
    const bytes = raw([...head, ...framing()], `${chunked(body)}0\r\n\r\n`);
    await expectBroken(Buffer.concat([bytes, whole()]), 400);
  });

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

  it.each([
    ['chunks', 'Transfer-Encoding: chunked', () => chunked(body)],
    ['chunks by another case', 'tRANSFER-eNCODING: ChunkeD', () => chunked(body)],
    ['chunks behind a tab', 'Transfer-Encoding:\tchunked ', () => chunked(body)],
    ['chunks of one byte', 'Transfer-Encoding: chunked', () => chunked(body, 1)],
    ['chunks with small extensions', 'Transfer-Encoding: chunked', () => chunked(body, 50, ';a=b;c="d"')],
    ['chunks with zeros before their size', 'Transfer-Encoding: chunked', () => `000${chunked(body)}`],
  ])('is fine where there is none: %s', async (_, framing, write) => {
    const before = await stored(target.receiver);
    const bytes = raw([...head, framing, 'Connection: close'], `${write()}0\r\n\r\n`);
    const reply = await exchange(target.receiver.url, bytes);
    expect([statusesOf(reply), await stored(target.receiver)]).toEqual([[200], before + 1]);
  });
});

describe('G2: broken chunks', () => {
  it.each([
    ['a size that is no number', 'zz\r\n', [400]],
    ['a negative size', '-1\r\n', [400]],
    ['a size with 0x', '0x5\r\n', [400]],
    ['an empty size', '\r\n', [400]],
    ['a size that overflows', `${'f'.repeat(17)}\r\n`, [400]],
    ['a chunk larger than its size', '1\r\nab\r\n', [400]],
    ['a chunk ended by a line feed', '1\na\n', [400]],
    ['a size with a blank before it', ' 1\r\na\r\n', [400]],
    ['an extension of 20 kB', `1;${'a'.repeat(20_000)}\r\n`, [400, 413]],
    ['extensions without an end', '1;a'.repeat(10_000), [400, 413]],
    ['trailers of 40 kB', `0\r\n${'X: y\r\n'.repeat(8_000)}`, [400, 431]],
  ] as const)('are refused, and the connection with them: %s', async (_, broken, statuses) => {
    const bytes = raw([...head, 'Transfer-Encoding: chunked'], chunked(body) + broken);
    await expectBroken(Buffer.concat([bytes, Buffer.from('\r\n'), whole()]), ...statuses);
  });

  it('that never end are given up', async () => {
    await expectBroken(raw([...head, 'Transfer-Encoding: chunked'], chunked(body)), 408);
  });

  it('of a byte each are counted by what is in them', async () => {
    const bytes = raw([...head, 'Transfer-Encoding: chunked'], chunked('x'.repeat(30_000), 1));
    await expectBroken(bytes, 413);
  });

  it('are no way to bring a proof in afterwards', async () => {
    const signature = head.find((line) => line.startsWith('X-Signature')) ?? '';
    const lines = head.filter((line) => line !== signature);
    const trailer = [...lines, 'Transfer-Encoding: chunked', 'Trailer: X-Signature', 'Connection: close'];
    await expectBroken(raw(trailer, `${chunked(body)}0\r\n${signature}\r\n\r\n`), 401);
  });
});

describe('G5: a head', () => {
  const enough = 40_000;
  it.each([
    ['with a header of 40 kB', () => [...head, `X: ${'y'.repeat(enough)}`], 431],
    ['with a signature of 40 kB', () => [...head, `X-Signature: ${'0'.repeat(enough)}`], 431],
    ['with a name of 40 kB', () => [...head, `${'x'.repeat(enough)}: y`], 431],
    ['with 8,000 headers', () => [...head, ...Array.from({ length: 8_000 }, () => 'X: y')], 431],
    [
      'with a target of 40 kB',
      () => [`POST /phenixid?${'x'.repeat(enough)} HTTP/1.1`, ...head.slice(1)],
      431,
    ],
    ['with a NUL in a value', () => [...head, 'X: a\0b'], 400],
    ['with a NUL in a name', () => [...head, 'X\0: a'], 400],
    ['with a lone line feed', () => [...head, 'X: a\nY: b'], 400],
    ['with a lone carriage return', () => [...head, 'X: a\rY: b'], 400],
    ['with a folded line', () => [...head, 'X: a', ' b'], 400],
    ['with a name beyond ASCII', () => [...head, 'X\u00e9: a'], 400],
    ['with a blank in a name', () => [...head, 'X Y: a'], 400],
    ['with an empty name', () => [...head, ': a'], 400],
    ['with a line without a colon', () => [...head, 'nonsense'], 400],
    ['that begins with a blank', () => [` ${head[0] ?? ''}`, ...head.slice(1)], 400],
    ['with a blank in its target', () => ['POST /phenixid /x HTTP/1.1', ...head.slice(1)], 400],
    [
      'with a control character in its target',
      () => ['POST /phenixid\u0001 HTTP/1.1', ...head.slice(1)],
      400,
    ],
    ['without a version', () => ['POST /phenixid HTTP/', ...head.slice(1)], 400],
    ['of a version to come', () => ['POST /phenixid HTTP/1.2', ...head.slice(1)], 400],
    ['of HTTP/2 in plain text', () => ['POST /phenixid HTTP/2.0', ...head.slice(1)], 400],
    ['of another protocol', () => ['POST /phenixid ICAP/1.0', ...head.slice(1)], 400],
  ])('%s is refused, and the connection with it', async (_, lines, status) => {
    const bytes = raw([...lines(), `Content-Length: ${body.length}`], body);
    await expectBroken(Buffer.concat([bytes, whole()]), status);
  });

  it('with a hundred odd headers is fine', async () => {
    const odd = Array.from({ length: 100 }, (_, n) => [`X-${n}`, '\u00e9 "; \\ , =?utf-8?q?'] as const);
    await expectAccepted(target, withHeaders(await genuine(target, notification), ...odd));
  });
});

describe('G6: host, target, expectation', () => {
  it.each([
    ['no Host', () => head.filter((line) => !line.startsWith('Host'))],
    ['two Hosts', () => [...head, 'Host: localhost']],
    ['two different Hosts', () => [...head, 'hOST: evil.example']],
    ['a whole address for a path', () => ['POST http://localhost/phenixid HTTP/1.1', ...head.slice(1)]],
    ['an address of another site', () => ['POST https://evil.example/phenixid HTTP/1.1', ...head.slice(1)]],
    ['an address without a path', () => ['POST http://localhost HTTP/1.1', ...head.slice(1)]],
    ['an address without a host', () => ['POST http://?x HTTP/1.1', ...head.slice(1)]],
    ['an address that is broken', () => ['POST http://[::1 HTTP/1.1', ...head.slice(1)]],
    ['an address of another kind', () => ['POST x:// HTTP/1.1', ...head.slice(1)]],
    ['an asterisk for a path', () => ['POST * HTTP/1.1', ...head.slice(1)]],
    ['a path without its slash', () => ['POST phenixid HTTP/1.1', ...head.slice(1)]],
  ])('%s is refused, and the connection with it', async (_, lines) => {
    const bytes = raw([...lines(), `Content-Length: ${body.length}`], body);
    await expectBroken(Buffer.concat([bytes, whole()]), 400);
  });

  it.each(['evil.example', '', 'localhost:1', '[::1]', 'a, b'])(
    'the Host is not believed, so it may be %j',
    async (host) => {
      await expectAccepted(target, withHeaders(await genuine(target, notification), ['Host', host]));
    },
  );

  it.each(['200-ok', '100-continued', 'x', ''])('an unknown expectation is refused: %j', async (value) => {
    const request = withHeaders(await genuine(target, notification), ['Expect', value]);
    const before = await stored(target.receiver);
    const reply = await exchange(target.receiver.url, bytesOf(request));
    expectDiscreet(reply);
    expect([reply.status, reply.closed, await stored(target.receiver)]).toEqual([417, true, before]);
  });

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

  it.each([
    ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.9\r\n')],
    ['SMTP', Buffer.from('EHLO localhost\r\n')],
    ['the PROXY protocol', Buffer.from('PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n')],
    ['noise', Buffer.from([0xff, 0x00, 0xfe, 0x01, 0x0d, 0x0a])],
  ])('%s is none of it', async (_, bytes) => {
    await expectBroken(Buffer.concat([bytes, whole()]), 400);
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
  async function filled(sender: Sender, size: number): Promise<Wire> {
    const content = (await genuine(target, sender)).body;
    return proven(target, sender, Buffer.concat([content, Buffer.alloc(size - content.length, ' ')]));
  }

  /** The body with something harmless behind it, its last character as often as it takes. */
  function ended(request: Wire, size: number, end: string): Wire {
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
    const unsigned = withoutHeader(await filled(notification, 16_385), 'x-signature');
    await expectRefusedAlone(target, unsigned, 'body_too_large');
  });
});
