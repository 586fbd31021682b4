import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { withHeader, withHeaders } from '../../src/lab/conformance/making/edit.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { acme } from '../support/acme.ts';
import { exchange } from '../support/raw.ts';
import {
  bytesOf,
  deliver,
  expectAccepted,
  expectDiscreet,
  expectRefusedAlone,
  genuine,
  proven,
  startTarget,
  type Sender,
  type Target,
} from './support.ts';

// What was measured on the usual building blocks of a receiver, and must not come back by way of one of them.

/** A source with a defect in its own code, which tells too much about it. */
const defective = {
  ...acme,
  name: 'defective',
  envelope: {
    ...acme.envelope,
    read(): never {
      throw new Error(`no such file: ${import.meta.url}`);
    },
  },
};

let target: Target;
beforeAll(async () => {
  target = await startTarget({ sources: [...sources, defective] });
});
afterAll(() => target.receiver.stop());

const form: Sender = { source: hotdocs, type: 'PostProcessingEvent', path: '/hotdocs/PostProcessingEvent' };
const json: Sender = { source: phenixid, type: 'OrderSigned', path: '/phenixid' };
const jws: Sender = { source: risr, type: 'profile_updated', path: '/risr/profile_updated' };
const senders = [form, json, jws];

it('2: a body that is too large is answered before its sender has finished', async () => {
  const replies = senders.map(({ path }) => {
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n`;
    return exchange(target.receiver.url, [head, 'x', 'x'], { pauseMs: 400, silenceMs: 2_000 });
  });
  for (const reply of await Promise.all(replies)) {
    expectDiscreet(reply);
    expect([reply.status, reply.headers['connection'], reply.closed]).toEqual([413, 'close', true]);
    expect(reply.firstByteMs).toBeLessThan(400);
  }
});

it('6: charset and content encoding are unsigned, so they change nothing or refuse', async () => {
  const content = '{"webhook_request_id":"6","id":"6","rev":"1-a","firstName":"+ADw-"}';
  const request = withHeader(await proven(target, jws, content), 'content-type');
  const encoded = withHeaders(request, ['Content-Encoding', 'gzip']);
  await expectRefusedAlone(target, encoded, 'body_encoded');
  const { entry } = await deliver(
    target,
    withHeaders(request, ['Content-Type', 'text/plain; charset=utf-7']),
  );
  expect(entry.content.toString()).toBe(content);
  expect(target.receiver.records.find('profile', '6')?.['firstName']).toBe('+ADw-');
});

it('9: JSON too deep to be written again is kept as it came, and nothing overflows', async () => {
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  const contents = [
    [json, `{"eventType":"OrderSigned","taskId":"t","x":${deep(8_000)}}`],
    [jws, `{"webhook_request_id":"9","id":"p","rev":"1-a","x":${deep(49_000)}}`],
    [form, `{"eventId":"9","data":{"workItemId":"w","workItemVersionId":"v","x":${deep(49_000)}}}`],
  ] as const;
  for (const [sender, content] of contents) {
    const { entry } = await deliver(target, await proven(target, sender, content));
    expect([entry.status, entry.content.toString() === content]).toEqual(['dead', true]);
    expect(entry.note).toMatch(/^json_forbidden: .*deeper than 32 levels/);
  }
});

it('10: a defect of our own is told in our log, and to nobody else', async () => {
  const sender: Sender = { source: defective, type: 'order.created', path: '/defective/order.created' };
  const request = bytesOf(await genuine(target, sender));
  const reply = await exchange(target.receiver.url, request);
  expect([reply.status, reply.body]).toEqual([500, '{"error":"Internal Server Error"}']);
  expect(reply.text).not.toMatch(/no such file|file:|\.ts|\bat /);
  expect(reply.headers['x-powered-by']).toBeUndefined();
  const line = target.receiver.log.findLast(({ code }) => code === 'internal_error');
  expect(JSON.stringify(line)).toMatch(/no such file.*\.ts/);
  await expectAccepted(target, await genuine(target, json));
});
