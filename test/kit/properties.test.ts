import { METHODS } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { WireRequest } from '../../src/lab/conformance/wire.ts';
import fc from 'fast-check';
import type { Source } from '../../src/kit/source.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { exchange, type RawReply } from '../support/raw.ts';
import {
  bytesOf,
  deliver,
  genuine,
  proven,
  startTarget,
  stored,
  type Sender,
  type Target,
} from '../attacks/support.ts';

// The same cases in every run: a failure prints what failed, and fails again.
fc.configureGlobal({ seed: 20310214, numRuns: 60, endOnFailure: true });

let target: Target;
beforeAll(async () => {
  target = await startTarget({ env: { REQUEST_TIMEOUT_MS: '300' } });
});
afterAll(async () => {
  await target.receiver.stop();
});

// A rejection or exception that nobody handles fails the running test: Jest listens for them, tests cannot.
afterEach(async () => {
  await target.receiver.app.idle();
  for (const [, sender] of senders) {
    const { reply, entry } = await deliver(target, await genuine(target, sender));
    expect([sender.path, reply.status, entry.status]).toEqual([sender.path, 200, 'done']);
  }
});

/** One for each endpoint, whatever the sources are. */
const senders: readonly (readonly [string, Sender])[] = sources.flatMap((source: Source) => {
  const types = Object.keys(source.events);
  const endpoints = source.endpointPer === 'source' ? types.slice(0, 1) : types;
  return endpoints.map((type): readonly [string, Sender] => {
    const path = source.endpointPer === 'source' ? `/${source.name}` : `/${source.name}/${type}`;
    return [path, { source, type, path }];
  });
});

/** Bytes of any kind. Where the receiver waits for more, we leave: the reply, if any, has come by then. */
function send(bytes: Buffer): Promise<RawReply> {
  return exchange(target.receiver.url, bytes, { pauseMs: 10, halfClose: true, silenceMs: 1 });
}

/** A whole request, and as much time for the reply as it takes. */
function sendWhole(request: WireRequest): Promise<RawReply> {
  return exchange(target.receiver.url, bytesOf(request));
}

const MARK = 'MARKER-that-nobody-repeats';

/** No defect, nothing repeated, nothing told; a connection may end without a reply. */
function expectSober({ status, headers, body, text }: RawReply): void {
  expect(status === 0 || (status >= 100 && status < 500) || status === 503).toBe(true);
  expect(text).not.toContain(MARK);
  expect(text).not.toMatch(/\.ts:\d|node:internal|<pre>|SyntaxError|TypeError/);
  expect(headers).not.toHaveProperty('x-powered-by');
  if (status >= 400) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(1024);
}

const bytes = fc.uint8Array({ maxLength: 2_000 }).map((array) => Buffer.from(array));
const anyText = fc.string({ unit: 'binary', maxLength: 200 });
const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,30}$/);
const visible = fc.stringMatching(/^[\x21-\x7e]{0,60}$/);
const headerValue = fc.oneof(fc.stringMatching(/^[\x20-\x7e\t]{0,60}$/), fc.constant(MARK));
const headerName = fc.oneof(
  token,
  fc.constantFrom(
    'Content-Type',
    'Content-Length',
    'Content-Encoding',
    'Transfer-Encoding',
    'Connection',
    'Expect',
    'Host',
    'Upgrade',
    'Authorization',
    'X-Signature',
    'X-Forwarded-For',
    'Cookie',
    'Trailer',
    'TE',
  ),
);
const method = fc.oneof(fc.constantFrom('POST', 'GET', 'PUT', ...METHODS), token);

describe('whatever arrives, the receiver stays sober and goes on receiving', () => {
  it('arbitrary bytes in place of a request', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          bytes,
          anyText.map((text) => Buffer.from(text)),
        ),
        async (request) => expectSober(await send(request)),
      ),
    );
  });

  it('genuine requests with bytes of them changed, left out or doubled', async () => {
    const edit = fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.uint8Array({ maxLength: 3 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...senders),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        async ([, sender], edits) => {
          const request = bytesOf(await genuine(target, sender));
          const edited = edits.reduce((whole, { at, remove, insert }) => {
            const place = at % whole.length;
            return Buffer.concat([whole.subarray(0, place), insert, whole.subarray(place + remove)]);
          }, request);
          expectSober(await send(edited));
        },
      ),
    );
  });

  it.each(senders)('arbitrary methods, queries, headers and bodies for %s', async (path) => {
    const request = fc.record({
      method,
      target: fc.oneof(
        fc.constant(path),
        visible.map((query) => `${path}?${query}`),
        visible.map((rest) => `${path}${rest}`),
        visible,
      ),
      headers: fc.array(fc.tuple(headerName, headerValue), { maxLength: 6 }),
      body: fc.oneof(bytes, fc.constant(Buffer.from(MARK)), fc.constant(Buffer.alloc(0))),
    });
    await fc.assert(
      fc.asyncProperty(request, async (wire: WireRequest) => {
        const before = await stored(target.receiver);
        expectSober(await send(bytesOf(wire)));
        expect(await stored(target.receiver)).toBe(before);
      }),
      { numRuns: 30 },
    );
  });

  it.each(senders)('authentic content for %s: arbitrary bytes', async (_, sender) => {
    await fc.assert(
      fc.asyncProperty(bytes, async (content) =>
        expectSober(await sendWhole(await proven(target, sender, content))),
      ),
      { numRuns: 20 },
    );
  });

  it.each(senders)(
    'authentic content for %s: arbitrary JSON objects are stored, and handled or kept',
    async (_, sender) => {
      const value = fc.jsonValue({ maxDepth: 4 });
      const names = fc.constantFrom(...memberNames(sender));
      const members = fc.dictionary(fc.oneof(names, fc.string({ maxLength: 20 })), value, {
        noNullPrototype: true,
      });
      await fc.assert(
        fc.asyncProperty(members, async (object) => {
          const content = JSON.stringify(object);
          const before = await stored(target.receiver);
          const reply = await sendWhole(await proven(target, sender, content));
          expect(reply.status).toBe(200);
          // One and the same content may come twice.
          expect((await stored(target.receiver)) - before).toBeLessThanOrEqual(1);
          await target.receiver.app.idle();
          const [entry] = await target.receiver.app.inbox.list({ limit: 1 });
          expect(['done', 'dead']).toContain(entry?.status);
        }),
        { numRuns: 30 },
      );
    },
  );

  it.each(senders)('authentic content for %s: its example with one member changed', async (_, sender) => {
    const change = fc.record({ at: fc.nat(), value: fc.jsonValue({ maxDepth: 3 }) });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, value }) => {
        const names = memberNames(sender);
        const set = [{ path: names[at % names.length] ?? '', value }];
        const reply = await sendWhole(await genuine(target, sender, { set }));
        expect(reply.status).toBe(200);
        await target.receiver.app.idle();
      }),
      { numRuns: 20 },
    );
  });
});

/** Names that mean something to the receiver of these events, and some that mean something to JavaScript. */
function memberNames({ source, type }: Sender): string[] {
  const example = source.events[type]?.example;
  const known = typeof example === 'object' && example !== null ? Object.keys(example) : [];
  const special = [
    'eventType',
    'eventId',
    'data',
    'payload',
    'webhook_request_id',
    'constructor',
    'toString',
    'then',
  ];
  return [...known, ...special];
}
