import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { exchange, type RawOptions, type RawReply } from '../support/raw.ts';
import {
  bytesOf,
  expectDiscreet,
  genuine,
  startTarget,
  stored,
  type Sender,
  type Target,
} from './support.ts';

const REQUEST_TIMEOUT_MS = 1_500;
const phenix: Sender = { source: phenixid, type: 'OrderSigned', path: '/phenixid' };
const senders: readonly (readonly [string, Sender])[] = [
  ['HotDocs', { source: hotdocs, type: 'PostProcessingEvent', path: '/hotdocs/PostProcessingEvent' }],
  ['PhenixID', phenix],
  ['risr', { source: risr, type: 'profile_updated', path: '/risr/profile_updated' }],
];

let target: Target;
beforeAll(async () => {
  target = await startTarget({ env: { REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS) } });
});
afterAll(() => target.receiver.stop());

/** Sends these pieces with pauses between; whoever is refused in the meantime does not hear it. */
function drip(pieces: readonly (string | Buffer)[], options: RawOptions = {}): Promise<RawReply> {
  return exchange(target.receiver.url, pieces, { pauseMs: 50, silenceMs: 4_000, ...options });
}

/** Starts all of them together before the first test: each takes a second or more, and most of it is waiting. */
function started(cases: readonly (readonly [string, () => Promise<RawReply>, ...unknown[]])[]) {
  const replies = new Map<string, Promise<{ readonly reply: RawReply; readonly ms: number }>>();
  const run = async (exchanging: () => Promise<RawReply>) => {
    const start = performance.now();
    const reply = await exchanging();
    return { reply, ms: performance.now() - start };
  };
  beforeAll(() => {
    for (const [name, exchanging] of cases) replies.set(name, run(exchanging));
  });
  return async (name: string) => {
    const reply = await replies.get(name);
    if (reply === undefined) throw new Error(`Nobody has started "${name}".`);
    return reply;
  };
}

function times(count: number, piece: string): string[] {
  return Array.from({ length: count }, () => piece);
}

/** The request without its wish to end the connection. */
function keptAlive(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace('Connection: close\r\n', ''), 'latin1');
}

function dripped(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

describe('G3: a body that will not be read', () => {
  const dripping = times(8, 'x');
  const declared = (path: string) => () =>
    drip([`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n`, ...dripping]);
  const inChunks = (path: string, size: number) => () => {
    const chunk = `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`;
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`;
    return drip([head + chunk, ...dripping.map(() => '1\r\nx\r\n')]);
  };
  const unwanted = (line: string, header: string) => () =>
    drip([`${line} HTTP/1.1\r\nHost: localhost\r\n${header}Content-Length: 9999\r\n\r\n`, ...dripping]);
  const cases: readonly (readonly [string, () => Promise<RawReply>, number])[] = [
    ...senders.map(
      ([name, { path }]) => [`it is too large for ${name}, as it says`, declared(path), 413] as const,
    ),
    ...senders.map(
      ([name, { path }]) => [`it becomes too large for ${name}`, inChunks(path, 1_048_577), 413] as const,
    ),
    ['nobody has its path', unwanted('POST /nowhere', ''), 404],
    ['nobody has its method', unwanted('PUT /phenixid', ''), 405],
    ['it is encoded', unwanted('POST /phenixid', 'Content-Encoding: br\r\n'), 415],
    ['it expects something', unwanted('POST /phenixid', 'Expect: more\r\n'), 417],
    ['it has two Hosts', unwanted('POST /phenixid', 'Host: other\r\n'), 400],
  ];
  const replies = started(cases);

  it.each(cases)(
    'is refused while it is being sent, and soon cut off, because %s',
    async (name, _, status) => {
      const { reply, ms } = await replies(name);
      expectDiscreet(reply);
      expect([reply.status, reply.headers['connection'], reply.closed]).toEqual([status, 'close', true]);
      expect(reply.firstByteMs).toBeLessThan(REQUEST_TIMEOUT_MS - 100);
      expect(ms).toBeLessThan(5_000);
    },
  );
});

describe('G4: who takes too long', () => {
  const forever = 40;
  const head = 'POST /phenixid HTTP/1.1\r\nHost: localhost\r\n';
  const cases: readonly (readonly [string, () => Promise<RawReply>])[] = [
    ['sends blank lines', () => drip(times(forever, '\r\n'))],
    [
      'sends one letter of a head at a time',
      () => drip(dripped(Buffer.from(`${head}X: ${'y'.repeat(forever)}`), 1)),
    ],
    ['sends one header at a time', () => drip([head, ...times(forever, 'X: y\r\n')])],
    ['stops in the middle of the head', () => drip([head])],
    ['stops before the body', () => drip([`${head}Content-Length: 5\r\n\r\n`])],
    ['stops in the middle of the body', () => drip([`${head}Content-Length: 5\r\n\r\nab`])],
    [
      'sends one letter of a body at a time',
      () => drip([`${head}Content-Length: 100\r\n\r\n`, ...times(forever, 'x')]),
    ],
    [
      'sends one chunk at a time',
      () => drip([`${head}Transfer-Encoding: chunked\r\n\r\n`, ...times(forever, '1\r\nx\r\n')]),
    ],
    [
      'is asked to continue and does not',
      () => drip([`${head}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`]),
    ],
    [
      'begins a second request and stops',
      async () =>
        drip([Buffer.concat([keptAlive(bytesOf(await genuine(target, phenix))), Buffer.from(head)])]),
    ],
  ];

  const replies = started(cases);
  let before = 0;
  beforeAll(async () => {
    before = await stored(target.receiver);
  });

  it('does not keep others waiting', async () => {
    for (const [, sender] of senders) await send200(sender);
  });

  it.each(cases)('is answered 408, and the connection closed: who %s', async (name) => {
    const { reply } = await replies(name);
    const statuses = [...reply.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
    expect([statuses.at(-1), reply.closed]).toEqual([408, true]);
    expect(reply.text.endsWith('{"error":"Request Timeout"}')).toBe(true);
  });

  it('has left nothing in the inbox', async () => {
    await Promise.all(cases.map(([name]) => replies(name)));
    expect(await stored(target.receiver)).toBe(before + senders.length + 1);
  });

  it('never reads a reply', async () => {
    const request = keptAlive(bytesOf(await genuine(target, phenix)));
    const socket = connect(Number(new URL(target.receiver.url).port), '127.0.0.1');
    socket.on('error', () => undefined).pause();
    for (let round = 0; round < 200; round += 1) socket.write(request);
    for (const [, sender] of senders) await send200(sender);
    socket.destroy();
  });

  it('holds two hundred connections open', async () => {
    const open: Socket[] = [];
    for (let count = 0; count < 200; count += 1) {
      const socket = connect(Number(new URL(target.receiver.url).port), '127.0.0.1');
      socket.on('error', () => undefined).resume();
      socket.write(`${head}Content-Length: 50\r\n\r\nx`);
      open.push(socket);
    }
    const closed = open.map((socket) => once(socket, 'close'));
    for (const [, sender] of senders) await send200(sender);
    await Promise.all(closed);
  });

  async function send200(sender: Sender): Promise<void> {
    const reply = await exchange(target.receiver.url, bytesOf(await genuine(target, sender)));
    expect(reply.status).toBe(200);
    expect(reply.firstByteMs).toBeLessThan(REQUEST_TIMEOUT_MS);
  }
});

describe('a sender that is slow, but not too slow', () => {
  it.each(senders)('is waited for: %s', async (_, sender) => {
    const bytes = bytesOf(await genuine(target, sender));
    const before = await stored(target.receiver);
    const reply = await drip(dripped(bytes, Math.ceil(bytes.length / 6)), { pauseMs: 40 });
    expect([reply.status, await stored(target.receiver)]).toEqual([200, before + 1]);
  });

  it('is waited for once more on the same connection', async () => {
    const bytes = bytesOf(await genuine(target, phenix));
    const reply = await drip([keptAlive(bytes), ...dripped(bytes, 100)], { pauseMs: 30 });
    expect(reply.text.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
  });
});
