import type { EndpointConfig } from '../../../kit/endpoint/definition.ts';
import { tryJson } from '../../../kit/reading/json.ts';
import { decoded, secretsIn, unescapedHtml, viewOf, type Case, type Change, type Row } from '../case.ts';

/** Another spelling of a text, or bytes in its place; `undefined` where there is none. */
type Respelling = (text: string) => Respelt | readonly Respelt[] | undefined;
/** A change where there is more to say: what ours would have then, where it can be either way. */
type Respelt = string | Buffer | Change;

const AT_SENDER =
  'Agree a new secret of plain ASCII letters and digits with the sender, and set it on both sides.';
const TYPE_AGAIN = 'Set {secret} again, with nothing but what was agreed.';
const TYPE_THERE =
  'Set the secret again at the sender, without that. Here it cannot be added: no receiver starts with a secret that has one at an end.';

/** Ours is `means`; `theirs` undoes that. */
function ours(id: string, means: string, theirs: Respelling, remedy = TYPE_AGAIN, twins: string[] = []): Row {
  return {
    id: `secret-${id}`,
    means: `{secret} ${means}`,
    remedy,
    twins,
    *variants(of) {
      for (const text of viewOf(of).texts) {
        for (const other of [theirs(text) ?? []].flat()) {
          if (Buffer.isBuffer(other)) yield { key: { bytes: other } };
          else if (typeof other !== 'string') yield other;
          else if (other !== text) yield { key: { text: other } };
        }
      }
    },
  };
}

const without =
  (shape: RegExp): Respelling =>
  (text) =>
    text.replace(shape, '');

const asTheirs = (text: string, what: string): Change => ({
  key: { text },
  detail: `a ${what}, as the sender’s has`,
  remedy: TYPE_THERE,
});

/** Either side may have it: ours is tried without, or else with what the sender's may have. */
const withOrWithout =
  (what: string, shape: RegExp, ...added: readonly ((text: string) => string)[]): Respelling =>
  (text) =>
    shape.test(text)
      ? { key: { text: text.replace(shape, '') }, detail: `no ${what}` }
      : added.map((add) => asTheirs(add(text), what));

const withoutQuotes = (text: string, pairs: readonly string[]) =>
  pairs.flatMap(([open = '', close = open]) => {
    const [opens, closes] = [text.startsWith(open), text.endsWith(close)];
    return opens || closes ? [text.slice(opens ? 1 : 0, closes ? -1 : undefined)] : [];
  });

const quoted =
  (pairs: readonly string[]): Respelling =>
  (text) =>
    withoutQuotes(text, pairs);

const quotedOrNot =
  (mark: string, what: string): Respelling =>
  (text) => {
    const bare = withoutQuotes(text, [mark + mark]);
    return bare.length > 0
      ? bare.map((one) => ({ key: { text: one }, detail: `no ${what}` }))
      : asTheirs(mark + text + mark, what);
  };

/** What a text says in an encoding that writes it in exactly this way. */
function bytesIn(text: string, encoding: 'base64' | 'hex'): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  const plain = (written: string) =>
    written.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/').toLowerCase();
  return bytes.length > 0 && plain(bytes.toString(encoding)) === plain(text) ? bytes : undefined;
}

const CURLY = [
  '\u201c\u201d',
  '\u201d\u201d',
  '\u201e\u201c',
  '\u2018\u2019',
  '\u2019\u2019',
  '\u00ab\u00bb',
  '\u00bb\u00ab',
];

const spellings: readonly Row[] = [
  ours(
    'blank-behind',
    'had {detail}',
    withOrWithout('blank at its end', / +$/, (text) => `${text} `),
  ),
  ours(
    'blank-before',
    'had {detail}',
    withOrWithout('blank before it', /^ +/, (text) => ` ${text}`),
  ),
  ours(
    'line-end-behind',
    'had {detail}',
    withOrWithout(
      'line end behind it',
      /[\r\n]+$/,
      (text) => `${text}\n`,
      (text) => `${text}\r\n`,
    ),
    'Whatever writes the secret into a file or a variable adds a line end (echo does, printf does not). Write both sides without.',
  ),
  ours(
    'tab-behind',
    'had {detail}',
    withOrWithout('tab at its end', /\t+$/, (text) => `${text}\t`),
  ),
  ours('double-quoted', 'had {detail}', quotedOrNot('"', 'pair of quotation marks around it'), TYPE_AGAIN, [
    'token-quoted',
  ]),
  ours('single-quoted', 'had {detail}', quotedOrNot("'", 'pair of single quotes around it'), TYPE_AGAIN, [
    'token-quoted',
  ]),
  ours(
    'curly-quoted',
    'had no typographic quotes around it',
    quoted(CURLY),
    'A word processor or a chat has put them there. Type the secret again by hand.',
  ),
  ours('backquoted', 'had no backquotes around it', quoted(['``'])),
  ours(
    'bom',
    'had no byte order mark before it',
    without(/^\ufeff/),
    'Save the file without a byte order mark (UTF-8, not "UTF-8 with BOM").',
  ),
  ours(
    'zero-width',
    'had no invisible character in it',
    without(/[\u200b-\u200d\u2060\u00ad\ufeff]/g),
    'It was copied from a page that has them. Type the secret again by hand.',
    ['secret-bom'],
  ),
  ours('nbsp', 'had no hard blank (U+00A0) at an end', without(/^\u00a0+|\u00a0+$/g)),
  ours('label', 'had only what stands behind the label that was copied with it', (text) =>
    [/^[\w .-]{1,40}?\s*[:=]\s*/, /^(?:secret|token|key)\s+/i].flatMap((label) =>
      label.test(text) ? [text.replace(label, '')] : [],
    ),
  ),
  ours('bearer', 'did not begin with the word Bearer or Token', without(/^(?:bearer|token)\s+/i)),
  ours(
    'dollar-doubled',
    'had a dollar sign where it has two, or two where it has one',
    (text) => [text.replaceAll('$$', () => '$'), text.replaceAll('$', () => '$$')],
    'Compose files and Makefiles write a dollar sign as two. Use a secret without dollar signs, or write it as that file wants it.',
  ),
  ours(
    'backslashes',
    'had no backslashes before its special characters',
    (text) => text.replace(/\\([^\w\s])/g, '$1'),
    'They were put there for a shell and taken literally. Set {secret} without them.',
  ),
  ours(
    'percent-encoded',
    'were percent-decoded',
    (text) => decoded(text),
    'It was copied out of an address. Set {secret} to the decoded text.',
  ),
  ours(
    'percent-decoded',
    'were percent-encoded: the sender takes the encoded text',
    (text) => [encodeURIComponent(text), encodeURI(text)],
    AT_SENDER,
    ['token-percent-encoded'],
  ),
  ours(
    'html-escaped',
    'had its signs in place of HTML escapes',
    unescapedHtml,
    'It was copied from the source of a page. Set {secret} to what the page shows.',
  ),
  ours(
    'json-escaped',
    'were read as JSON text',
    jsonRead,
    'It was copied out of a JSON file. Set {secret} to what the text means.',
    ['secret-backslashes'],
  ),
  ours(
    'base64-decoded',
    'were decoded from base64: the sender uses the bytes that it stands for',
    (text) => bytesIn(text, 'base64'),
    'Where the source has a setting KEY_ENCODING, set it to base64; else have the sender use the text as it is.',
    ['setting:KEY_ENCODING'],
  ),
  ours(
    'base64-encoded',
    'were written in base64: the sender uses that text',
    (text) => {
      const base64 = Buffer.from(text).toString('base64');
      return [base64, base64.replace(/=+$/, ''), Buffer.from(text).toString('base64url')];
    },
    TYPE_AGAIN,
    ['setting:KEY_ENCODING'],
  ),
  ours(
    'hex-decoded',
    'were decoded from hex digits: the sender uses the bytes',
    (text) => bytesIn(text, 'hex'),
    AT_SENDER,
  ),
  ours('hex-encoded', 'were written in hex digits: the sender uses that text', (text) => [
    Buffer.from(text).toString('hex'),
    Buffer.from(text).toString('hex').toUpperCase(),
  ]),
  ours('nfc', 'were in the composed Unicode form (NFC)', (text) => text.normalize('NFC'), AT_SENDER),
  ours('nfd', 'were in the decomposed Unicode form (NFD)', (text) => text.normalize('NFD'), AT_SENDER),
  ours(
    'latin1',
    'were taken as Latin-1, as the sender does',
    (text) =>
      /[\x80-\xff]/.test(text) && !/[^\0-\xff]/.test(text) ? Buffer.from(text, 'latin1') : undefined,
    AT_SENDER,
  ),
  ours(
    'utf16',
    'were taken as UTF-16, as the sender does (Encoding.Unicode in .NET)',
    (text) => [Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16()],
    'The sender must take the bytes of the secret with Encoding.UTF8.',
  ),
  ours('upper-case', 'were in capitals', (text) => text.toUpperCase(), TYPE_AGAIN, ['token-lower-case']),
  ours('lower-case', 'were in small letters', (text) => text.toLowerCase(), TYPE_AGAIN, ['token-lower-case']),
  ours(
    'dashes',
    'had hyphens where it has dashes',
    (text) => text.replace(/[\u2010-\u2015\u2212]/g, '-').replaceAll('\u2026', '...'),
    'A word processor has made dashes of hyphens. Type the secret again by hand.',
  ),
  ours('doubled', 'were there once: it was pasted twice', (text) => {
    const half = text.slice(0, Math.floor(text.length / 2));
    return [half, text.slice(0, Math.floor((text.length - 1) / 2))].filter(
      (part) => part !== '' && text.replaceAll(part, '').trim() === '',
    );
  }),
  ours(
    'lines-joined',
    'were one line',
    (text) =>
      /[\r\n]/.test(text.trim()) ? [text.replace(/[\r\n]+/g, ''), text.replace(/\s+/g, '')] : undefined,
    'It was broken where a window ended. Set {secret} as one line.',
  ),
  ours(
    'null-behind',
    'had {detail}',
    withOrWithout('NUL behind it', /\0+$/, (text) => `${text}\0`),
    'Some program hands on the end of a C string as part of it.',
  ),
];

function jsonRead(text: string): string | undefined {
  const read = tryJson(`"${text}"`);
  return typeof read === 'string' ? read : undefined;
}

/** The secrets of other endpoints, each with what it belongs to. */
function* othersThan(
  of: Case,
  isOne: (own: EndpointConfig, other: EndpointConfig) => boolean,
): Generator<Change> {
  const own = viewOf(of).config;
  if (own === undefined) return;
  const endpoints = of.known.endpoints.filter((other) => other !== own && isOne(own, other));
  for (const { name, text } of secretsIn({ endpoints, further: [] })) yield { key: { text }, detail: name };
}

const SWAPPED =
  'Compare what is set at the sender for {endpoint} with {secret} and {detail}: two of them may have been exchanged.';

const others: readonly Row[] = [
  {
    id: 'secret-comma-list',
    means: '{secret} were one secret with a comma in it, and not several',
    remedy: 'A comma stands between live secrets here. ' + AT_SENDER,
    twins: ['token-joined'],
    *variants(of) {
      const { texts } = viewOf(of);
      if (texts.length > 1) for (const between of [',', ', ']) yield { key: { text: texts.join(between) } };
    },
  },
  {
    id: 'secret-hash-cut',
    means: '{secret} did not end where the secret has a #',
    remedy: 'In .env put the whole secret in quotes: what follows a # is a comment.',
    twins: ['secret-of-file'],
    *variants(of) {
      const { texts } = viewOf(of);
      for (const { text } of of.known.further)
        if (texts.some((ours) => text.startsWith(ours) && /^\s*#/.test(text.slice(ours.length))))
          yield { key: { text } };
    },
  },
  {
    id: 'secret-of-endpoint',
    means: '{secret} held the secret of {detail}',
    remedy: SWAPPED,
    variants: (of) => othersThan(of, (own, other) => own.source.name === other.source.name),
  },
  {
    id: 'secret-of-source',
    means: '{secret} held the secret of {detail}, which is another sender’s',
    remedy: SWAPPED,
    variants: (of) => othersThan(of, (own, other) => own.source.name !== other.source.name),
  },
  {
    id: 'secret-of-installation',
    applies: 'H',
    means: '{secret} held the secret of {detail}, which is another installation’s',
    remedy: `${SWAPPED} Or ?key= at the sender names the wrong installation.`,
    *variants(of) {
      const { config, installation } = viewOf(of);
      for (const [key, { texts, variable }] of config?.credentials ?? [])
        if (key !== installation) for (const text of texts) yield { key: { text }, detail: variable };
    },
  },
  {
    id: 'secret-of-file',
    means: '{secret} held the secret of {detail}',
    remedy:
      'Set {secret} to that secret; while both are in use, to both with a comma between them, the newest first.',
    *variants(of) {
      for (const { name, text } of of.known.further) yield { key: { text }, detail: name };
    },
  },
  {
    id: 'secret-kind',
    applies: 'JT',
    means: 'the variable of {endpoint} ended in _{detail}',
    remedy:
      'The webhook is set to the other kind of authentication. Rename {secret} so that it ends in _{detail}, or change the webhook.',
    *variants(of) {
      const { config, kind, texts } = viewOf(of);
      for (const other of Object.keys(config?.source.proof.kinds ?? {}))
        for (const text of texts) if (other !== kind) yield { kind: other, key: { text }, detail: other };
    },
  },
];

export const ofSecret: readonly Row[] = [...spellings, ...others];
