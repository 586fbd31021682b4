import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { acme } from '../support/acme.ts';
import { exchange } from '../support/raw.ts';
import {
  bytesOf,
  credentialAt,
  deliver,
  expectAccepted,
  expectDiscreet,
  expectRefusedAlone,
  genuine,
  proven,
  startTarget,
  withHeaders,
  withoutHeader,
  type Sender,
  type Target,
  type Wire,
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

it('1: a request without a Content-Type is proven like any other, and is no defect', async () => {
  for (const sender of senders) {
    const request = withoutHeader(await genuine(target, sender), 'content-type');
    const forged = { ...request, body: Buffer.concat([request.body.subarray(0, -1), Buffer.from('!')]) };
    await expectRefusedAlone(target, forged, 'proof_malformed', 'proof_mismatch', 'proof_missing');
    await expectAccepted(target, request);
  }
});

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

it('3: a signature of another length is a wrong one, and is no defect', async () => {
  const request = withoutHeader(await genuine(target, json), 'x-signature');
  for (const length of [1, 2, 31, 32, 63, 65, 128]) {
    const short = withHeaders(request, ['X-Signature', 'a'.repeat(length)]);
    await expectRefusedAlone(target, short, 'proof_malformed');
  }
});

it('4: a signature has the spellings its sender may use, and no others that decode to the same bytes', async () => {
  const request = await genuine(target, json);
  const { text } = credentialAt(target.receiver, '/phenixid');
  const hmac = createHmac('sha256', text).update(request.body);
  const digest = hmac.digest();
  const [hex, base64] = [digest.toString('hex'), digest.toString('base64')];
  const unsigned = withoutHeader(request, 'x-signature');
  const spelled = (value: string) => withHeaders(unsigned, ['X-Signature', value]);
  for (const value of [
    `${hex}zz`,
    `${hex}0`,
    `${hex.slice(0, 32)} ${hex.slice(32)}`,
    `0x${hex}`,
    `${hex}=`,
  ]) {
    await expectRefusedAlone(target, spelled(value), 'proof_malformed');
  }
  const spare = base64.slice(0, 42) + nextLetter(base64.charAt(42));
  for (const value of [
    `${base64}!!`,
    `${base64}=`,
    `${base64.slice(0, 20)} ${base64.slice(20)}`,
    spare,
    `${spare}=`,
  ]) {
    await expectRefusedAlone(target, spelled(value), 'proof_malformed');
  }
  for (const value of [hex, hex.toUpperCase(), base64, digest.toString('base64url')]) {
    await expectAccepted(target, spelled(value));
  }
});

it('5: bytes that decode to the signed text are not the signed bytes', async () => {
  const content = '{"eventType":"OrderSigned","taskId":"t","note":"\ufffd"}';
  const request = await proven(target, json, content);
  const at = request.body.indexOf('\ufffd');
  const twins = [
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), request.body]),
    Buffer.concat([request.body.subarray(0, at), Buffer.from([0xff]), request.body.subarray(at + 3)]),
  ];
  for (const body of twins) {
    expect(new TextDecoder().decode(body)).toBe(content);
    await expectRefusedAlone(target, { ...request, body }, 'proof_mismatch');
  }
  await expectAccepted(target, request);
});

it('6: charset and content encoding are unsigned, so they change nothing or refuse', async () => {
  const content = '{"webhook_request_id":"6","id":"6","rev":"1-a","firstName":"+ADw-"}';
  const request = withoutHeader(await proven(target, jws, content), 'content-type');
  const encoded = withHeaders(request, ['Content-Encoding', 'gzip']);
  await expectRefusedAlone(target, encoded, 'body_encoded');
  const { entry } = await deliver(
    target,
    withHeaders(request, ['Content-Type', 'text/plain; charset=utf-7']),
  );
  expect(entry.content.toString()).toBe(content);
  expect(target.receiver.records.find('profile', '6')?.['firstName']).toBe('+ADw-');
});

it('7: a path has one spelling, and a request one Host and a path', async () => {
  for (const sender of senders) {
    const request = await genuine(target, sender);
    for (const path of [sender.path.toUpperCase(), `${sender.path}///`, `/${sender.path}`]) {
      await expectRefusedAlone(target, { ...request, target: path }, 'path_unknown');
    }
    await expectRefusedAlone(
      target,
      { ...request, target: `http://localhost${sender.path}` },
      'request_malformed',
    );
    const hosts = withHeaders(request, ['Host', 'localhost'], ['Host', 'evil.example']);
    await expectRefusedAlone(target, hosts, 'request_malformed');
    await expectAccepted(target, request);
  }
});

it('8: what a JWT library lets through is refused all the same', async () => {
  const header = { alg: 'HS256', typ: 'JWT' };
  for (const sender of [form, jws]) {
    const { text } = credentialAt(target.receiver, sender.path);
    const good = (await tokenOf(sender)).split('.');
    const content = Buffer.from(good[1] ?? '', 'base64url').toString();
    const spare = `${good.join('.').slice(0, -1)}${nextLetter(good.join('.').slice(-1))}`;
    const tokens = [
      token({ ...header, crit: ['exp'] }, content, text),
      token({ ...header, crit: ['b64'], b64: false }, content, text),
      token(header, content, ''),
      token(header, '"hello"', text),
      token(header, '[1]', text),
      token(header, 'hello', text),
      token(header, content.replace('{', '{"exp":1e308,'), text),
      token(header, content.replace('{', '{"exp":1e400,'), text),
      spare,
      `${good.join('.')}=`,
      good.join('.').replace('.', '=.'),
      good.join('.').replace('.', '#.'),
    ];
    for (const bad of tokens) {
      const codes = [
        'proof_malformed',
        'proof_header_refused',
        'proof_mismatch',
        'proof_stale',
        'proof_missing',
      ] as const;
      await expectRefusedAlone(target, await carrying(sender, bad), ...codes);
    }
    await expectAccepted(target, await carrying(sender, token(header, content, text)));
  }
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

function token(header: object, content: string, secret: string): string {
  const parts = [JSON.stringify(header), content].map((part) => Buffer.from(part).toString('base64url'));
  return [...parts, createHmac('sha256', secret).update(parts.join('.')).digest('base64url')].join('.');
}

async function tokenOf(sender: Sender): Promise<string> {
  return (await genuine(target, sender)).body.toString().replace('token=', '');
}

async function carrying(sender: Sender, text: string): Promise<Wire> {
  const body = sender === form ? `token=${encodeURIComponent(text)}` : text;
  return { ...(await genuine(target, sender)), body: Buffer.from(body) };
}

/** The next letter of either base64 alphabet: behind 32 bytes it differs in the bits that are not used. */
function nextLetter(letter: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return letters.charAt(letters.indexOf(letter) + 1);
}
