import { createHash, createHmac } from 'node:crypto';
import { header, type Mistake, type Plan } from './plan.ts';

type More = Partial<Omit<Mistake, 'id' | 'way' | 'on'>>;

const hmac = (key: Buffer | string, text: Buffer | string, hash = 'sha256') =>
  createHmac(hash, key).update(text);
const hash = (...parts: readonly (Buffer | string)[]) =>
  parts.reduce((digest, part) => digest.update(part), createHash('sha256')).digest('hex');

/** The sender signs something else, or in another way. */
function signed(id: string, way: string, sign: (plan: Plan) => string, more: More = {}): Mistake {
  return { id: `signed-${id}`, way, on: 'H', sign, ...more };
}

/** What the sender computes is a matter of its version, and of a setting here. */
function computed(scheme: string, sign: (plan: Plan) => string): Mistake {
  return { id: `setting:SIGNATURE_SCHEME=${scheme}`, way: 'HMAC is set', on: 'H', sign };
}

const MOMENT = '1778751000';
const TIMED: More = { wire: (wire) => void (wire.headers = [...wire.headers, ['X-Timestamp', MOMENT]]) };

const otherwise: readonly Mistake[] = [
  signed('path-and-body', 'the path', ({ key, path, content }) =>
    hmac(key, `${path}${text(content)}`).digest('hex'),
  ),
  signed('path-and-body', 'the address', ({ key, path, content }) =>
    hmac(key, `https://receiver.example${path}${text(content)}`).digest('hex'),
  ),
  signed(
    'timestamp-and-body',
    'with a dot',
    ({ key, content }) => timed(key, `${MOMENT}.${text(content)}`),
    TIMED,
  ),
  signed(
    'timestamp-and-body',
    'with nothing',
    ({ key, content }) => timed(key, `${MOMENT}${text(content)}`),
    TIMED,
  ),
  signed(
    'body-and-timestamp',
    'with a dot',
    ({ key, content }) => timed(key, `${text(content)}.${MOMENT}`),
    TIMED,
  ),
  signed(
    'body-and-timestamp',
    'with nothing',
    ({ key, content }) => timed(key, `${text(content)}${MOMENT}`),
    TIMED,
  ),
  signed('method-path-body', 'with nothing', ({ key, path, content }) =>
    timed(key, `POST${path}${text(content)}`),
  ),
  signed('method-path-body', 'in lines', ({ key, path, content }) =>
    timed(key, `POST\n${path}\n${text(content)}`),
  ),
  signed('base64-of-body', 'whole', ({ key, content }) => timed(key, content.toString('base64'))),
  signed('hex-of-hash', 'in small letters', ({ key, content }) => timed(key, hash(content))),
  ...['sha1', 'sha384', 'sha512', 'md5'].map((other) =>
    signed(other, 'in hex digits', ({ key, content }) => hmac(key, content, other).digest('hex')),
  ),
  signed('sha512', 'in base64', ({ key, content }) => hmac(key, content, 'sha512').digest('base64')),
  signed('sha256-alone', 'in hex digits', ({ content }) => hash(content)),
  signed('sha256-alone', 'with its name', ({ content }) => `sha256=${hash(content)}`),
  computed('sha256-body-secret', ({ key, content }) => hash(content, key)),
  computed('sha256-secret-body', ({ key, content }) => hash(key, content)),
];

function text(content: Buffer): string {
  return content.toString();
}

function timed(key: Buffer, signedText: string): string {
  return hmac(key, signedText).digest('hex');
}

const NAME = 'X-Signature';
const base64 = ({ key, content }: Plan) => hmac(key, content).digest('base64');

/** It came otherwise than it was sent, or is written otherwise. */
function written(id: string, way: string, more: More): Mistake {
  return { id: `signature-${id}`, way, on: 'H', ...more };
}

const spelling: readonly Mistake[] = [
  ...['X-Hub-Signature-256', 'X-Signature-256', 'Signature', 'X-PhenixID-Signature'].map((name) =>
    written('other-header', name, {
      wire: (wire) =>
        void (wire.headers = wire.headers.map(([each, value]) => [each === NAME ? name : each, value])),
    }),
  ),
  written('base64-of-hex', 'padded', { respell: (hex) => Buffer.from(hex).toString('base64') }),
  written('cut', 'half of the hex digits', { respell: (hex) => hex.slice(0, 32) }),
  written('cut', 'a few characters of base64', { sign: base64, respell: (value) => value.slice(0, 30) }),
  written('reversed-key', 'in hex digits', { sign: ({ key, content }) => hmac(content, key).digest('hex') }),
  written('header-doubled', 'the same', {
    wire: (wire) =>
      void (wire.headers = [...wire.headers, ...wire.headers.filter(([name]) => name === NAME)]),
  }),
  written('header-joined', 'with a blank', { wire: header(NAME, (value) => `${value}, ${value}`) }),
  written('header-joined', 'without', { wire: header(NAME, (value) => `${value},${value}`) }),
  written('header-dropped', 'whole', {
    wire: (wire) => void (wire.headers = wire.headers.filter(([name]) => name !== NAME)),
  }),
  written('reversed', 'byte by byte', {
    respell: (hex) => Buffer.from(hex, 'hex').reverse().toString('hex'),
  }),
  written('quoted', 'in hex digits', { respell: (hex) => `"${hex}"` }),
  written('percent-encoded', 'of base64', { sign: base64, respell: encodeURIComponent }),
  ...['v1=', 't=1778751000,v1=', 'hmac='].map((prefix) =>
    written('prefix', prefix, { respell: (hex) => `${prefix}${hex}` }),
  ),
];

export const signatureMistakes: readonly Mistake[] = [...otherwise, ...spelling];
