import type { IncomingMessage } from 'node:http';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import * as http from '../http.ts';
import { Refusal, type Delivery, type Parts } from '../parts.ts';
import * as proof from '../proof.ts';
import { all, broken, type Villain } from '../villain.ts';

/** Proves another body than the one that came. */
function proving(change: (delivery: Delivery) => Buffer): Partial<Parts> {
  return { prove: (delivery, parts) => proof.prove({ ...delivery, body: change(delivery) }, parts) };
}

/** What goes wrong between the bytes on the wire and those that are verified. */
export const byteVillains: readonly Villain[] = [
  {
    name: 'takes a byte order mark off',
    sources: ['phenixid'],
    breaks: 'A body with three bytes more counts as the same one.',
    claimedBy: ['E1-bom'],
    start: broken(proving(({ body }) => Buffer.from(body.toString().replace(/^\uFEFF/, '')))),
  },
  {
    name: 'verifies text',
    sources: ['phenixid'],
    breaks: 'Decodes the body as UTF-8 first, so that every broken byte is the same U+FFFD.',
    claimedBy: ['E2-byte-twins'],
    start: broken(proving(({ body }) => Buffer.from(body.toString('utf8')))),
  },
  {
    name: 'trims the body',
    sources: ['phenixid'],
    breaks: 'Blanks and line ends around the body are not signed, and do not matter.',
    claimedBy: ['E7-blanks'],
    start: broken(proving(({ body }) => Buffer.from(body.toString().trim()))),
  },
  {
    name: 'mends line ends',
    sources: ['phenixid'],
    breaks: 'CRLF and LF count as the same.',
    claimedBy: ['E7-blanks'],
    start: broken(
      proving(({ body }) => Buffer.from(body.toString().replaceAll('\r\n', '\n').replace(/\n$/, ''))),
    ),
  },
  {
    name: 'believes the charset',
    sources: ['phenixid'],
    breaks: 'An unsigned header says how signed bytes are to be read.',
    claimedBy: ['E3-charset'],
    start: broken(proving(({ body, headers }) => recoded(body, headers['content-type'] ?? ''))),
  },
  {
    name: 'inflates before it verifies',
    sources: ['phenixid'],
    breaks: 'The signature fits what was unpacked, not what came.',
    claimedBy: ['E4-content-encoding'],
    start: broken({
      ...proving(({ body, rawHeaders }) => unpacked(body, rawHeaders)),
      route: (request, credentials) => http.route(withoutCoding(request), credentials),
    }),
  },
  {
    name: 'refuses every coding',
    sources: all,
    breaks: 'Identity is a coding by name only, and is refused like the others.',
    claimedBy: ['E4-identity'],
    start: broken({
      route(request, credentials) {
        if (request.headers['content-encoding'] !== undefined) throw new Refusal(415);
        return http.route(request, credentials);
      },
    }),
  },
  {
    name: 'breaks on a body that is not packed',
    sources: all,
    breaks: 'Content-Encoding says gzip, the bytes are not, and the error is nobody’s.',
    claimedBy: ['E5-broken-encoding'],
    start: broken({
      route: (request, credentials) => http.route(withoutCoding(request), credentials),
      prove: (delivery, parts) => {
        const coding = proof.valuesOf('content-encoding', delivery.rawHeaders)[0];
        const body = coding === undefined ? delivery.body : gunzipSync(delivery.body);
        return proof.prove({ ...delivery, body }, parts);
      },
    }),
  },
  {
    name: 'breaks without Content-Type',
    sources: all,
    breaks: 'The body parser did not run, so there is no body: a TypeError, answered with 500.',
    claimedBy: ['E8-content-type'],
    start: broken({
      prove: (delivery, parts) => {
        const { headers, method } = delivery;
        if (headers['content-type'] === undefined && method !== 'GET')
          throw new TypeError('body is undefined');
        return proof.prove(delivery, parts);
      },
    }),
  },
  {
    name: 'breaks on an odd Content-Type',
    sources: all,
    breaks: 'What is not `type/subtype` makes the parser throw, and the sender is told 500.',
    claimedBy: ['E8-content-type'],
    start: broken({
      prove: (delivery, parts) => {
        const type = delivery.headers['content-type'] ?? 'text/plain';
        if (!/^[\w.+-]+\/[\w.+-]+\s*(?:;\s*[\w-]+=[\w"-]+\s*)*$/.test(type))
          throw new TypeError('invalid media type');
        if (type.startsWith('multipart/') && !type.includes('boundary'))
          throw new Error('Boundary not found');
        return proof.prove(delivery, parts);
      },
    }),
  },
  {
    name: 'reads the body as the type says',
    sources: ['hotdocs', 'phenixid'],
    breaks: 'A body that calls itself JSON is parsed before it is verified, and 400 or 500 follow.',
    claimedBy: ['F1-not-json'],
    start: broken({
      prove: (delivery, parts) => {
        if ((delivery.headers['content-type'] ?? '').includes('json')) JSON.parse(delivery.body.toString());
        return proof.prove(delivery, parts);
      },
    }),
  },
];

function recoded(body: Buffer, type: string): Buffer {
  const charset = /charset="?([\w-]+)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset === 'utf-7')
    return Buffer.from(
      body
        .toString('latin1')
        .replace(/\+([A-Za-z0-9+/]+)-/g, (_, code: string) =>
          swapped(Buffer.from(code, 'base64')).toString('utf16le'),
        ),
    );
  try {
    return Buffer.from(new TextDecoder(charset).decode(body));
  } catch {
    throw new Refusal(415);
  }
}

function swapped(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length & ~1).swap16();
}

function unpacked(body: Buffer, rawHeaders: readonly string[]): Buffer {
  const coding = proof.valuesOf('content-encoding', rawHeaders)[0]?.toLowerCase();
  const unpack = new Map([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
    ['br', brotliDecompressSync],
  ]).get(coding ?? '');
  if (unpack === undefined) return body;
  try {
    return unpack(body);
  } catch {
    throw new Refusal(400);
  }
}

/** For a router that would refuse it. */
function withoutCoding(request: IncomingMessage): IncomingMessage {
  delete request.headers['content-encoding'];
  return request;
}
