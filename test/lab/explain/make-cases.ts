import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pairsOf } from '../../../src/kit/tape/raw.ts';
import { mistakes } from './broken/index.ts';
import { AT, build, tokenOf, type Broken, type Lane, type Mistake } from './broken/plan.ts';

// Writes cases/*.http and cases/*.env: npx node test/lab/explain/make-cases.ts. Secrets and data are made up.

type Form = (broken: Broken) => Buffer;

interface Life {
  readonly name: string;
  readonly lane: Lane;
  readonly mistake: Mistake;
  readonly form: Form;
}

const CR_LF = '\r\n';

/** As a proxy writes it down, perhaps with the response behind it. */
const message =
  (end = CR_LF, response = ''): Form =>
  ({ request }) =>
    Buffer.concat([Buffer.from(head(request, end) + end), request.body, Buffer.from(response)]);

function head(request: Broken['request'], end: string): string {
  const { method, target } = request;
  const lines = pairsOf(request).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${target} HTTP/1.1`, ...lines, ''].join(end);
}

/** What curl --trace writes, and --trace-ascii. */
const trace =
  (block: (bytes: Buffer) => string): Form =>
  ({ request }) => {
    const parts = [
      ['header', Buffer.from(head(request, CR_LF) + CR_LF)],
      ['data', request.body],
    ] as const;
    const sent = parts.map(
      ([kind, bytes]) =>
        `=> Send ${kind}, ${bytes.length} bytes (0x${bytes.length.toString(16)})\n${block(bytes)}`,
    );
    return Buffer.from(`== Info:   Trying 192.0.2.7:443...\n${sent.join('')}`, 'latin1');
  };

function inHex(bytes: Buffer): string {
  return piecesOf(bytes, 16)
    .map(([at, piece]) => {
      const digits = [...piece].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
      return `${offset(at)}: ${digits.padEnd(48)}${shown(piece)}\n`;
    })
    .join('');
}

function inAscii(bytes: Buffer): string {
  const lines: string[] = [];
  let at = 0;
  for (const line of bytes.toString('latin1').split(CR_LF)) {
    if (line === '') lines.push(`${offset(at)}: \n`);
    for (const [within, piece] of piecesOf(Buffer.from(line, 'latin1'), 64))
      lines.push(`${offset(at + within)}: ${shown(piece)}\n`);
    at += line.length + CR_LF.length;
  }
  return lines.slice(0, bytes.toString('latin1').endsWith(CR_LF) ? -1 : undefined).join('');
}

function piecesOf(bytes: Buffer, length: number): [at: number, piece: Buffer][] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) => [
    index * length,
    bytes.subarray(index * length, (index + 1) * length),
  ]);
}

const offset = (at: number) => at.toString(16).padStart(4, '0');
const shown = (bytes: Buffer) => bytes.toString('latin1').replace(/[^\x20-\x7e]/g, '.');

/** As browsers show HTTP/2. */
const http2: Form = ({ request }) => {
  const { method, target, body } = request;
  const lines = pairsOf(request).flatMap(([name, value]) =>
    name === 'Host' ? [] : [`${name.toLowerCase()}: ${value}`],
  );
  const pseudo = [`:method: ${method}`, ':scheme: https', ':authority: receiver.example', `:path: ${target}`];
  return Buffer.concat([Buffer.from([...pseudo, ...lines, '', ''].join('\n')), body]);
};

function refusal(at: number): string {
  const date = new Date(at).toUTCString();
  return `HTTP/1.1 401 Unauthorized\r\nDate: ${date}\r\nContent-Length: 24\r\n\r\n{"error":"unauthorized"}`;
}

function like(id: string, way: string, more: Partial<Mistake> = {}): Mistake {
  const found = mistakes.find((mistake) => mistake.id === id && mistake.way === way);
  if (found === undefined) throw new Error(`No mistake ${id}, ${way}.`);
  return { ...found, ...more };
}

const minutes = (count: number) => count * 60;

export const lives: readonly Life[] = [
  { name: 'gateway-pretty-prints', lane: 'H', mistake: like('body-indented', 'by 2'), form: message() },
  { name: 'gateway-base64', lane: 'J', mistake: like('body-base64', 'whole'), form: http2 },
  {
    name: 'proxy-cuts-at-4096',
    lane: 'J',
    mistake: like('token-cut', 'at 4096'),
    form: message(CR_LF, refusal(AT + 1_000)),
  },
  {
    name: 'plus-becomes-a-blank',
    lane: 'J',
    mistake: like('token-plus', '+ as a blank'),
    form: trace(inAscii),
  },
  { name: 'latin1-on-the-way', lane: 'H', mistake: like('body-latin1', 'for UTF-8'), form: trace(inHex) },
  {
    name: 'secret-with-its-label',
    lane: 'W',
    mistake: like('secret-label', 'as on a page'),
    form: message('\n'),
  },
  {
    name: 'secret-of-another-topic',
    lane: 'W',
    mistake: like('secret-of-endpoint', 'exchanged'),
    form: message(),
  },
  {
    name: 'secret-regenerated',
    lane: 'J',
    mistake: {
      id: 'regenerated',
      way: 'at the sender',
      on: 'J',
      key: () => 'zq7regenerated4mzq8w2nrt6yp3d5hsv9bx2k',
    },
    form: message(),
  },
  {
    name: 'clock-five-minutes-ahead',
    lane: 'J',
    mistake: {
      id: 'clock-ahead',
      way: 'by five minutes, of a token that lives for one',
      on: 'J',
      sign: ({ content, key, at }) => {
        const iat = Math.floor(at / 1_000) - minutes(5);
        const claims: unknown = JSON.parse(content.toString());
        return tokenOf(JSON.stringify({ ...(claims as object), iat, exp: iat + minutes(1) }), key);
      },
    },
    form: (broken) => message(CR_LF, refusal(broken.at))(broken),
  },
  { name: 'signing-off', lane: 'H', mistake: like('signature-header-dropped', 'whole'), form: message('\n') },
  {
    name: 'hash-without-secret',
    lane: 'H',
    mistake: like('signed-sha256-alone', 'in hex digits'),
    form: message(),
  },
  {
    name: 'jwt-of-a-gateway',
    lane: 'J',
    mistake: like('token-beside-another', 'of a gateway'),
    form: message(),
  },
];

export const folder = fileURLToPath(new URL('cases/', import.meta.url));

/** The files of one case: the request, and what the integrator has configured. */
export function filesOf({ lane, mistake, form }: Life): { readonly http: Buffer; readonly env: string } {
  const broken = build(lane, [mistake], 2026);
  const lines = Object.entries(broken.environment).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}\n`,
  );
  return { http: form(broken), env: lines.join('') };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(folder, { recursive: true });
  for (const life of lives) {
    const { http, env } = filesOf(life);
    writeFileSync(`${folder}${life.name}.http`, http);
    writeFileSync(`${folder}${life.name}.env`, env);
  }
}
