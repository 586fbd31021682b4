import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { FORM, type Mistake, type Wire } from './plan.ts';

type More = Partial<Omit<Mistake, 'id' | 'way' | 'on'>>;

/** The body came otherwise than it was sent. */
function came(
  id: string,
  way: string,
  on: string,
  body: (body: Buffer) => Buffer | string,
  more: More = {},
): Mistake {
  return { id: `body-${id}`, way, on, body, ...more };
}

/** A change of its text. */
const text = (change: (text: string) => string) => (body: Buffer) => change(body.toString());

/** What shows a change of letters, signs and numbers. */
const RICH = {
  name: '\u00c5sa & Bj\u00f6rn <Lind>',
  link: 'https://receiver.example/a/b?c=d',
  amount: 1,
  list: [1, 2],
};
const PLUSES = { phone: '+46+70+123', formula: 'a+b' };

const json = (value: string, indent?: number | string) => JSON.stringify(JSON.parse(value), null, indent);
/** As Python's json.dumps writes it. */
const spaced = (value: string) => json(value, 1).replace(/,\n */g, ', ').replace(/\n */g, '');
const sorted = (value: string) =>
  JSON.stringify(
    Object.fromEntries(Object.entries(JSON.parse(value) as object).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
const escapes = (value: string) =>
  value.replace(/[\u0080-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
const slashes = (value: string) => value.replaceAll('/', '\\/');
const crlf = (value: string) => value.replaceAll('\n', '\r\n');

const rewritten: readonly Mistake[] = [
  ...[2, 4, '\t'].flatMap((indent) => [
    came(
      'indented',
      `by ${JSON.stringify(indent)}`,
      'H',
      text((body) => json(body, indent)),
    ),
    came('compacted', `from ${JSON.stringify(indent)}`, 'H', text(json), {
      content: (sent) => json(sent, indent),
    }),
  ]),
  came('compacted', 'from blanks behind commas', 'H', text(json), { content: spaced }),
  came('sorted', 'that was not', 'H', text(sorted)),
  came(
    'sorted',
    'that is no more',
    'H',
    text((body) => unsorted(body)),
    { content: sorted },
  ),
  came('ascii-escapes', 'put in', 'H', text(escapes), { payload: RICH }),
  came('ascii-escapes', 'taken out', 'H', text(json), { payload: RICH, content: escapes }),
  came('ascii-escapes', 'taken out, in capitals', 'H', text(json), {
    payload: RICH,
    content: (sent) => escapes(sent).replace(/\\u00(..)/g, (_, hex: string) => `\\u00${hex.toUpperCase()}`),
  }),
  came('slashes', 'escaped', 'H', text(slashes), { payload: RICH }),
  came('slashes', 'not escaped', 'H', text(json), { payload: RICH, content: slashes }),
  came('numbers', '1.0 as 1', 'H', text(json), {
    payload: RICH,
    content: (sent) => sent.replace('"amount":1', '"amount":1.0'),
  }),
  came(
    'numbers',
    '1 as 1.0',
    'H',
    text((body) => body.replace('"amount":1', '"amount":1.0')),
    { payload: RICH },
  ),
];

/** In the order of the alphabet backwards. */
function unsorted(body: string): string {
  const members = Object.entries(JSON.parse(body) as object).toSorted(([a], [b]) => (a < b ? 1 : -1));
  return JSON.stringify(Object.fromEntries(members));
}

const around: readonly Mistake[] = [
  came('line-ends', 'CR LF for LF', 'H', text(crlf), { content: (sent) => json(sent, 2) }),
  came(
    'line-ends',
    'LF for CR LF',
    'H',
    text((body) => body.replaceAll('\r\n', '\n')),
    {
      content: (sent) => crlf(json(sent, 2)),
    },
  ),
  came(
    'line-end-behind',
    'LF',
    'H',
    text((body) => `${body}\n`),
  ),
  came(
    'line-end-behind',
    'CR LF',
    'H',
    text((body) => `${body}\r\n`),
  ),
  came(
    'line-end-behind',
    'LF taken away',
    'H',
    text((body) => body.trimEnd()),
    { content: (sent) => `${sent}\n` },
  ),
  came(
    'line-end-behind',
    'CR LF taken away',
    'H',
    text((body) => body.trimEnd()),
    {
      content: (sent) => `${sent}\r\n`,
    },
  ),
  came(
    'blanks-around',
    'before',
    'H',
    text((body) => `  ${body}`),
  ),
  came(
    'blanks-around',
    'on both sides',
    'H',
    text((body) => ` ${body}   `),
  ),
  came(
    'blanks-around',
    'taken away',
    'H',
    text((body) => body.trim()),
    { content: (sent) => `${sent} ` },
  ),
  came(
    'bom',
    'added',
    'HW',
    text((body) => `\ufeff${body}`),
  ),
  came(
    'bom',
    'taken away',
    'H',
    text((body) => body.replace('\ufeff', '')),
    { content: (sent) => `\ufeff${sent}` },
  ),
  came(
    'null-behind',
    'one',
    'HW',
    text((body) => `${body}\0`),
  ),
  came(
    'doubled',
    'at once',
    'HW',
    text((body) => body + body),
  ),
  came(
    'doubled',
    'with a line end between',
    'HW',
    text((body) => `${body}\n${body}`),
  ),
];

/** Windows-1252 where it differs from Latin-1, for the letters that come up here. */
const CP1252: Readonly<Record<string, string>> = { '\u0085': '\u2026', '\u0096': '\u2013' };

const recoded: readonly Mistake[] = [
  came('latin1', 'for UTF-8', 'H', (body) => Buffer.from(body.toString(), 'latin1'), { payload: RICH }),
  came('mojibake', 'by Latin-1', 'H', (body) => Buffer.from(body.toString('latin1')), { payload: RICH }),
  came(
    'mojibake',
    'by Windows-1252',
    'H',
    (body) => body.toString('latin1').replace(/[\u0080-\u009f]/g, (letter) => CP1252[letter] ?? letter),
    { payload: RICH },
  ),
  came('utf16', 'with a mark', 'HJW', (body) => Buffer.from(`\ufeff${body.toString()}`, 'utf16le')),
  came('utf16', 'without', 'HJW', (body) => Buffer.from(body.toString(), 'utf16le')),
  came('utf16', 'the other way round', 'HJW', (body) =>
    Buffer.from(`\ufeff${body.toString()}`, 'utf16le').swap16(),
  ),
  came('gzip', 'whole', 'HJW', (body) => gzipSync(body)),
  came('deflate', 'with a head', 'HJW', (body) => deflateSync(body)),
  came('deflate', 'raw', 'HJW', (body) => deflateRawSync(body)),
  came('brotli', 'whole', 'HJW', (body) => brotliCompressSync(body)),
  came('zstd', 'whole', 'HJW', (body) => zstdCompressSync(body)),
  came('chunks', 'one', 'HJW', (body) => `${body.length.toString(16)}\r\n${body.toString()}\r\n0\r\n\r\n`),
  came('chunks', 'several', 'HJW', (body) => {
    const [one, two] = [body.toString('latin1', 0, 20), body.toString('latin1', 20)];
    return Buffer.from(`14\r\n${one}\r\n${two.length.toString(16)}\r\n${two}\r\n0\r\n\r\n`, 'latin1');
  }),
  came('base64', 'whole', 'HJW', (body) => body.toString('base64')),
  came('base64', 'in the letters of addresses', 'HW', (body) => body.toString('base64url')),
  came('quoted', 'as a JSON string', 'HJW', text(JSON.stringify), { also: ['token-quoted'] }),
  came('wrapped', 'as text', 'HJW', (body) => gateway(body.toString(), false)),
  came('wrapped', 'in base64', 'HJW', (body) => gateway(body.toString('base64'), true)),
  came(
    'plus',
    'as a blank',
    'H',
    text((body) => body.replaceAll('+', ' ')),
    { payload: PLUSES },
  ),
  came('html-escaped', 'all', 'H', text(escaped), { payload: RICH }),
  came(
    'html-escaped',
    'all but quotation marks',
    'H',
    text((body) => escaped(body).replaceAll('&quot;', '"')),
    {
      payload: RICH,
    },
  ),
];

/** As AWS API Gateway hands a request to a function. */
function gateway(body: string, isBase64Encoded: boolean): string {
  return JSON.stringify({
    version: '2.0',
    headers: { host: 'x.execute-api.example' },
    body,
    isBase64Encoded,
  });
}

function escaped(body: string): string {
  return body
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

const asForm = (wire: Wire) => {
  wire.headers = wire.headers.map(([name, value]) => (name === FORM[0] ? FORM : [name, value]));
};

const forms: readonly Mistake[] = [
  came(
    'form',
    'payload=',
    'HW',
    text((body) => `payload=${encodeURIComponent(body)}`),
    { wire: asForm },
  ),
  came(
    'form',
    'data=, + for a blank',
    'H',
    text((body) => new URLSearchParams({ data: body }).toString()),
    {
      wire: asForm,
      payload: RICH,
    },
  ),
  came('form', 'percent-encoded', 'H', text(encodeURIComponent), { wire: asForm }),
  came(
    'form',
    'as a name',
    'H',
    text((body) => `${encodeURIComponent(body)}=`),
    { wire: asForm },
  ),
  came(
    'form-json',
    'each field a list',
    'J',
    text((body) => JSON.stringify({ token: [tokenIn(body)] })),
  ),
  came(
    'form-json',
    'within',
    'J',
    text((body) => JSON.stringify({ form: { token: tokenIn(body) } })),
  ),
];

function tokenIn(form: string): string {
  return new URLSearchParams(form).get('token') ?? '';
}

/** Said of a body that is not packed. */
const falselyPacked: Mistake = {
  id: 'body-encoding-header',
  way: 'gzip',
  on: 'HJWT',
  wire: (wire) => void (wire.headers = [...wire.headers, ['Content-Encoding', 'gzip']]),
};

export const bodyMistakes: readonly Mistake[] = [
  falselyPacked,
  ...rewritten,
  ...around,
  ...recoded,
  ...forms,
];
