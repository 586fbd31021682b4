import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import {
  deliver,
  expectAccepted,
  expectDiscreetLog,
  expectRefused,
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

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(async () => {
  expectDiscreetLog(target);
  await target.receiver.stop();
});

const form: Sender = { source: hotdocs, type: 'PostProcessingEvent', path: '/hotdocs/PostProcessingEvent' };
const multipart: Sender = { ...form, switches: { carrier: 'multipart' } };
const query: Sender = { source: hotdocs, type: 'InterviewLoadEvent', path: '/hotdocs/InterviewLoadEvent' };
const json: Sender = { source: phenixid, type: 'OrderSigned', path: '/phenixid' };
const jws: Sender = { source: risr, type: 'profile_updated', path: '/risr/profile_updated' };

const withBody: readonly (readonly [string, Sender])[] = [
  ['a HotDocs form', form],
  ['a PhenixID notification', json],
  ['a risr token', jws],
];
const all = [...withBody, ['a HotDocs query', query] as const];

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

describe('E1: a byte order mark', () => {
  it.each(withBody)('in front of %s makes other bytes of it', async (_, sender) => {
    const codes = ['proof_missing', 'proof_malformed', 'proof_mismatch'] as const;
    await expectRefused(target, () => genuine(target, sender), inFront(BOM), ...codes);
  });

  it('that was signed with the body is kept with it, for a human', async () => {
    const content = Buffer.concat([BOM, Buffer.from('{"eventType":"OrderSigned","taskId":"t"}')]);
    const { entry } = await deliver(target, await proven(target, json, content));
    expect(entry).toMatchObject({ status: 'dead', content });
    expect(entry.note).toMatch(/^json_invalid: .*byte order mark/);
  });
});

describe('E2: bytes that decode to the same text', () => {
  it.each([
    ['a byte that is no UTF-8', Buffer.from([0xff])],
    ['an overlong form', Buffer.from([0xc0, 0xaf])],
    ['half a character', Buffer.from([0xe2, 0x82])],
  ])('are not the signed bytes: %s in the place of U+FFFD', async (_, twin) => {
    const content = '{"eventType":"OrderSigned","taskId":"t","note":"\ufffd"}';
    const replaced = (request: Wire) => ({ ...request, body: replace(request.body, '\ufffd', twin) });
    await expectRefused(target, () => proven(target, json, content), replaced, 'proof_mismatch');
  });

  it('are not the signed bytes the other way round either', async () => {
    const request = await proven(target, json, Buffer.from([0x22, 0xff, 0x22]));
    await expectRefusedAlone(target, { ...request, body: Buffer.from('"\ufffd"') }, 'proof_mismatch');
  });

  it.each([
    ['a HotDocs form', form],
    ['a risr token', jws],
  ])('are no token: an eighth bit in %s', async (_, sender) => {
    const codes = ['proof_malformed', 'proof_header_refused', 'proof_mismatch'] as const;
    for (const place of [8, 60, -1]) {
      await expectRefused(target, () => genuine(target, sender), withEighthBit(place), ...codes);
    }
  });
});

const charsets = [
  'utf-7',
  'utf-16',
  'utf-16le',
  'utf-32',
  'iso-8859-1',
  'us-ascii',
  'x-unknown',
  '',
  'utf-8; charset=utf-7',
];
const contentTypes = [
  undefined,
  '',
  ';;;',
  'text/html',
  'text/plain',
  'application/json',
  'application/x-www-form-urlencoded',
  'application/octet-stream',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  ...charsets.map((charset) => `application/json; charset=${charset}`),
  ...charsets.map((charset) => `application/x-www-form-urlencoded; charset=${charset}`),
];

describe('E3 and E8: an unsigned Content-Type never changes what signed bytes mean', () => {
  it.each(withBody)('of %s', async (_, sender) => {
    for (const type of contentTypes) {
      const request = await genuine(target, sender);
      const plain = withoutHeader(request, 'content-type');
      const disguised = type === undefined ? plain : withHeaders(plain, ['Content-Type', type]);
      const { entry } = await deliver(target, disguised);
      expect([type, entry.status]).toEqual([type, 'done']);
    }
  });

  it.each(withBody)('nor do two of them on %s', async (_, sender) => {
    const request = withoutHeader(await genuine(target, sender), 'content-type');
    const disguised = withHeaders(request, ['Content-Type', 'text/html'], ['Content-Type', 'image/png']);
    expect((await deliver(target, disguised)).entry.status).toBe('done');
  });

  it('and UTF-7 stays what it is', async () => {
    const content = '{"webhook_request_id":"utf-7","id":"utf-7","rev":"1-a","firstName":"+ADw-script+AD4-"}';
    const request = await proven(target, jws, content);
    const typed = withHeaders(withoutHeader(request, 'content-type'), [
      'Content-Type',
      'application/json; charset=utf-7',
    ]);
    expect((await deliver(target, typed)).entry.content.toString()).toBe(content);
    expect(target.receiver.records.find('profile', 'utf-7')?.['firstName']).toBe('+ADw-script+AD4-');
  });

  it.each([
    ['no boundary', ['multipart/form-data']],
    ['an empty boundary', ['multipart/form-data; boundary=']],
    ['another boundary', ['multipart/form-data; boundary=other']],
    ['two Content-Types', ['multipart/form-data; boundary=a', 'multipart/form-data; boundary=b']],
    ['none at all', []],
  ])('only a multipart form needs its boundary: %s', async (_, types) => {
    const retyped = (request: Wire) =>
      withHeaders(
        withoutHeader(request, 'content-type'),
        ...types.map((type) => ['Content-Type', type] as const),
      );
    const codes = ['proof_missing', 'proof_malformed'] as const;
    await expectRefused(target, () => genuine(target, multipart), retyped, ...codes);
  });
});

const codings: readonly (readonly [string, (body: Buffer) => Buffer])[] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZIP', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['gzip, gzip', (body) => gzipSync(gzipSync(body))],
  ['identity', (body) => body],
  ['', (body) => body],
  ['x-unknown', (body) => body],
];

describe('E4: no Content-Encoding is undone', () => {
  it.each(codings)('%p: not of an encoded body, not of a plain one', async (coding, encode) => {
    for (const [, sender] of all) {
      const request = await genuine(target, sender);
      const encoded = { ...request, body: encode(request.body) };
      for (const attack of [request, encoded]) {
        await expectRefusedAlone(target, withHeaders(attack, ['Content-Encoding', coding]), 'body_encoded');
      }
    }
  });

  it('not even where the encoded bytes are the signed ones', async () => {
    const request = await proven(target, json, gzipSync('{"eventType":"OrderSigned","taskId":"t"}'));
    await expectRefusedAlone(target, withHeaders(request, ['Content-Encoding', 'gzip']), 'body_encoded');
  });

  it('and encoded bytes without the header are just bytes', async () => {
    const content = gzipSync('{"eventType":"OrderSigned","taskId":"t"}');
    const { entry } = await deliver(target, await proven(target, json, content));
    expect(entry).toMatchObject({ status: 'dead', content });
    expect(entry.note).toMatch(/^json_invalid: /);
  });
});

describe('E5: what would be large or broken when decoded is refused as it is', () => {
  const bomb = gzipSync(Buffer.alloc(16_000_000));
  const short = gzipSync('{"eventType":"OrderSigned","taskId":"t"}');

  it.each([
    ['a bomb', bomb],
    ['a bomb in a bomb', gzipSync(bomb)],
    ['a cut-off stream', short.subarray(0, -9)],
    ['a wrong magic number', Buffer.concat([Buffer.from('PK'), short.subarray(2)])],
    ['nothing', Buffer.alloc(0)],
  ])('%s', async (_, body) => {
    for (const [, sender] of withBody) {
      const request = { ...(await genuine(target, sender)), body };
      const encoded = withHeaders(request, ['Content-Encoding', 'gzip']);
      const { reply } = await expectRefusedAlone(target, encoded, 'body_encoded');
      expect(reply.firstByteMs).toBeLessThan(500);
    }
  });
});

/** As they stand between the quotes of a JSON string, and what a handler gets to see. */
const texts: readonly (readonly [string, string, string])[] = [
  ['an escaped NUL', '\\u0000', '\0'],
  ['a C1 control', '\u0085', '\u0085'],
  ['DEL', '\x7f', '\x7f'],
  ['a right-to-left override', '\u202egnp.exe', '\u202egnp.exe'],
  ['a character beyond the first plane', '\u{1f4dc}', '\u{1f4dc}'],
  ['the same as two escapes', '\\ud83d\\udcdc', '\u{1f4dc}'],
  ['a composed letter', '\u00c5', '\u00c5'],
  ['a decomposed letter', 'A\u030a', 'A\u030a'],
  ['a line separator', '\u2028', '\u2028'],
  ['a byte order mark inside', '\ufeff', '\ufeff'],
  ['a non-character', '\uffff', '\uffff'],
];

describe('E6: odd characters of genuine content', () => {
  it.each(texts)('are stored and handed over as they are: %s', async (name, written, read) => {
    const id = `e6-${name.replaceAll(' ', '-')}`;
    const content = `{"webhook_request_id":"${id}","id":"${id}","rev":"1-a","firstName":"${written}"}`;
    const { entry } = await deliver(target, await proven(target, jws, content));
    expect([entry.status, entry.content.toString()]).toEqual(['done', content]);
    expect(target.receiver.records.find('profile', id)?.['firstName']).toBe(read);
  });

  it.each([
    ['a raw NUL', Buffer.from([0]), 'json_invalid'],
    ['a raw line end', Buffer.from('\n'), 'json_invalid'],
    ['an overlong slash', Buffer.from([0xc0, 0xaf]), 'json_invalid'],
    ['a surrogate in UTF-8', Buffer.from([0xed, 0xa0, 0x80]), 'json_invalid'],
    ['a fifth byte', Buffer.from([0xf8, 0x88, 0x80, 0x80, 0x80]), 'json_invalid'],
    ['UTF-16', Buffer.from('A', 'utf16le'), 'json_invalid'],
    ['a high surrogate alone', Buffer.from('\\ud800'), 'json_forbidden'],
    ['a low surrogate alone', Buffer.from('\\udc00'), 'json_forbidden'],
    ['two in the wrong order', Buffer.from('\\udc00\\ud800'), 'json_forbidden'],
  ])('that are none are kept for a human: %s', async (_, odd, reason) => {
    const content = Buffer.concat([
      Buffer.from('{"eventType":"OrderSigned","taskId":"t","note":"'),
      odd,
      Buffer.from('"}'),
    ]);
    const { entry } = await deliver(target, await proven(target, json, content));
    expect(entry).toMatchObject({ status: 'dead', content });
    expect(entry.note).toMatch(new RegExp(`^${reason}: `));
  });
});

describe('E7: blanks and line ends', () => {
  const pretty = '{\n  "eventType": "OrderSigned",\n  "taskId": "t"\n}';

  it.each([
    ['CRLF for LF', (body: string) => body.replaceAll('\n', '\r\n')],
    ['no line ends', (body: string) => body.replaceAll('\n', '')],
    ['one behind', (body: string) => `${body}\n`],
    ['a blank in front', (body: string) => ` ${body}`],
    ['a tab for two blanks', (body: string) => body.replaceAll('  ', '\t')],
  ])('are part of the signed bytes of a notification: %s', async (_, change) => {
    const changed = (request: Wire) => ({ ...request, body: Buffer.from(change(request.body.toString())) });
    await expectRefused(target, () => proven(target, json, pretty), changed, 'proof_mismatch');
  });

  it('that were signed are welcome', async () => {
    for (const content of [pretty, ` \t\r\n${pretty}\n`]) {
      expect((await deliver(target, await proven(target, json, content))).entry.status).toBe('done');
    }
  });

  it.each(['\n', '\r\n', ' ', '\t', '\n\n  '])('around a risr token are trimmed: %j', async (blanks) => {
    for (const around of [inFront(Buffer.from(blanks)), behind(Buffer.from(blanks))]) {
      await expectAccepted(target, around(await genuine(target, jws)));
    }
  });

  it.each(['\v', '\f', '\0', '\u0085', '\u00a0', '\u2028', '\u200b', '\ufeff'])(
    'around a risr token are others than these: %j',
    async (character) => {
      const codes = ['proof_malformed', 'proof_header_refused'] as const;
      for (const around of [inFront, behind]) {
        const mutate = around(Buffer.from(character));
        await expectRefused(target, () => genuine(target, jws), mutate, ...codes);
      }
    },
  );

  it.each(['\n', '\r\n', ' ', '%0A', '%20', '+'])(
    'around a HotDocs token are not forgiven: %j',
    async (blank) => {
      const codes = ['proof_missing', 'proof_malformed', 'proof_header_refused'] as const;
      const inside = (request: Wire) => ({ ...request, body: replace(request.body, '=', `=${blank}`) });
      for (const mutate of [behind(Buffer.from(blank)), inside]) {
        await expectRefused(target, () => genuine(target, form), mutate, ...codes);
      }
    },
  );

  it('inside a token are none of its characters', async () => {
    for (const sender of [form, jws]) {
      const split = (request: Wire) => ({ ...request, body: replace(request.body, '.', '\n.') });
      const codes = ['proof_missing', 'proof_malformed'] as const;
      await expectRefused(target, () => genuine(target, sender), split, ...codes);
    }
  });
});

function inFront(bytes: Buffer): (request: Wire) => Wire {
  return (request) => ({ ...request, body: Buffer.concat([bytes, request.body]) });
}

function behind(bytes: Buffer): (request: Wire) => Wire {
  return (request) => ({ ...request, body: Buffer.concat([request.body, bytes]) });
}

/** The body with its first `what` replaced. */
function replace(body: Buffer, what: string, by: string | Buffer): Buffer {
  const at = body.indexOf(what);
  const end = at + Buffer.byteLength(what);
  return Buffer.concat([body.subarray(0, at), Buffer.from(by), body.subarray(end)]);
}

/** A decoder that takes text for ASCII drops the bit again. */
function withEighthBit(place: number): (request: Wire) => Wire {
  return (request) => {
    const body = Buffer.from(request.body);
    const at = place < 0 ? body.length + place : place;
    body[at] = (body[at] ?? 0) | 0x80;
    return { ...request, body };
  };
}
