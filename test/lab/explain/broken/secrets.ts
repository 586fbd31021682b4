import type { Mistake } from './plan.ts';
import { variableOf } from './plan.ts';

type More = Partial<Omit<Mistake, 'id' | 'way'>>;

/** Ours is not what was agreed. */
function ours(id: string, way: string, change: (agreed: string) => string, more: More = {}): Mistake {
  return { id: `secret-${id}`, way, on: 'HJWT', ours: change, ...more };
}

/** The sender takes something else for what was agreed. An access token is sent as it is, so it is left out where it cannot be. */
function theirs(
  id: string,
  way: string,
  change: (agreed: string) => Buffer | string,
  more: More = {},
): Mistake {
  return { id: `secret-${id}`, way, on: 'HJW', key: change, ...more };
}

const DOLLARS = 'fk7$house$4mzq8w2$nrt6yp3d5hsv9bx';
const SIGNS = 'a"b\\c\'d$e6f7g8h9j2k3m4n5p6q7r8s9';
const ADDRESS = 'k3j+9f/2mQ==x7&4w%t8z6r5p2n9v3h1bd';
const MARKUP = 'r4&7t<9y>2u"5i\'8o3p6a9s2d5f8g3h6j9k';
const ACCENTS = 'Sm\u00f6rg\u00e5sbord-\u00e9t\u00e9-2026-l\u00f6senord-k7';
const SMALL = 'a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718';
const DASHED = 'k7qx-4mzw--8r2n-t6yp-3d5h-sv9b-x1fc';
const COMMA = 'fk7house4mzq8w2n,rt6yp3d5hsv9bx2k';
/** HMAC fills a key up with NUL to 64 bytes, so that only a longer one is another with one more. */
const LONG = 'fk7house4mzq8w2nrt6yp3d5hsv9bx2k-fk7house4mzq8w2nrt6yp3d5hsv9bx2k-72';
const BYTES = 'q83vEjRWeJASNFZ4kKvN7/ABI0VniavN7xI0VniQEjQ=';

const spelling: readonly Mistake[] = [
  ours('blank-behind', 'ours', (text) => `${text} `),
  theirs('blank-behind', 'theirs', (text) => `${text} `),
  ours('blank-before', 'ours', (text) => ` ${text}`),
  theirs('blank-before', 'theirs', (text) => ` ${text}`),
  ours('line-end-behind', 'LF', (text) => `${text}\n`),
  ours('line-end-behind', 'CR LF', (text) => `${text}\r\n`),
  theirs('line-end-behind', 'LF, theirs', (text) => `${text}\n`),
  theirs('line-end-behind', 'CR LF, theirs', (text) => `${text}\r\n`),
  ours('tab-behind', 'ours', (text) => `${text}\t`),
  ours('double-quoted', 'ours', (text) => `"${text}"`),
  theirs('double-quoted', 'theirs', (text) => `"${text}"`),
  ours('single-quoted', 'ours', (text) => `'${text}'`),
  theirs('single-quoted', 'theirs', (text) => `'${text}'`),
  ours('curly-quoted', 'English', (text) => `\u201c${text}\u201d`),
  ours('curly-quoted', 'German', (text) => `\u201e${text}\u201c`),
  ours('curly-quoted', 'Swedish', (text) => `\u201d${text}\u201d`),
  ours('curly-quoted', 'single', (text) => `\u2018${text}\u2019`),
  ours('backquoted', 'ours', (text) => `\`${text}\``),
  ours('bom', 'ours', (text) => `\ufeff${text}`),
  ours('zero-width', 'behind', (text) => `${text}\u200b`),
  ours(
    'zero-width',
    'within',
    (text) => `${text.slice(0, 9)}\u2060${text.slice(9, 20)}\u00ad${text.slice(20)}`,
  ),
  ours('nbsp', 'behind', (text) => `${text}\u00a0`),
  ours('nbsp', 'before', (text) => `\u00a0${text}`),
  ours('label', 'as on a page', (text) => `Secret: ${text}`),
  ours('label', 'as in .env', (text) => `WEBHOOK_SECRET=${text}`),
  ours('label', 'as in a settings file', (text) => `secret = ${text}`),
  ours('bearer', 'ours', (text) => `Bearer ${text}`),
  ours('dollar-doubled', 'ours', (text) => text.replaceAll('$', '$$$$'), { agreed: DOLLARS }),
  ours('dollar-doubled', 'theirs', (text) => text.replaceAll('$$', () => '$'), {
    agreed: DOLLARS.replaceAll('$', '$$$$'),
  }),
  ours('backslashes', 'ours', (text) => text.replace(/["\\'$]/g, '\\$&'), {
    agreed: SIGNS,
    also: ['secret-json-escaped'],
  }),
  ours('percent-encoded', 'ours', encodeURIComponent, { agreed: ADDRESS }),
  ours('percent-decoded', 'ours', decodeURIComponent, { agreed: encodeURIComponent(ADDRESS) }),
  ours('html-escaped', 'ours', escaped, { agreed: MARKUP }),
  ours('json-escaped', 'as browsers do', (text) => JSON.stringify(text).slice(1, -1), {
    agreed: SIGNS,
    also: ['secret-backslashes'],
  }),
  ours('json-escaped', 'as .NET does', (text) => text.replace(/[&<>"'+]/g, unicodeEscape), {
    agreed: MARKUP,
  }),
  ours('upper-case', 'ours', (text) => text.toLowerCase(), { agreed: SMALL.toUpperCase() }),
  ours('lower-case', 'ours', (text) => text.toUpperCase(), { agreed: SMALL }),
  ours('dashes', 'ours', (text) => text.replaceAll('--', '\u2014\u2014').replaceAll('-', '\u2013'), {
    agreed: DASHED,
  }),
  ours('doubled', 'ours', (text) => text + text),
  ours('lines-joined', 'LF', (text) => `${text.slice(0, 20)}\n${text.slice(20)}`),
  ours('lines-joined', 'CR LF and a blank', (text) => `${text.slice(0, 20)}\r\n ${text.slice(20)}`),
  ours('null-behind', 'ours', (text) => `${text}\0`, { agreed: LONG }),
  theirs('null-behind', 'theirs', (text) => `${text}\0`, { agreed: LONG }),
];

const encoding: readonly Mistake[] = [
  theirs('base64-decoded', 'theirs', (text) => Buffer.from(text, 'base64'), {
    agreed: BYTES,
    also: ['setting:KEY_ENCODING'],
  }),
  ours('base64-decoded', 'a text', (text) => Buffer.from(text).toString('base64'), {
    on: 'HJWT',
    also: ['setting:KEY_ENCODING'],
  }),
  theirs('base64-encoded', 'theirs', (text) => Buffer.from(text).toString('base64'), { on: 'HJWT' }),
  theirs('hex-decoded', 'theirs', (text) => Buffer.from(text, 'hex'), { agreed: SMALL }),
  ours('hex-decoded', 'a text', (text) => Buffer.from(text).toString('hex'), { on: 'HJWT' }),
  theirs('hex-encoded', 'theirs', (text) => Buffer.from(text).toString('hex'), { on: 'HJWT' }),
  ours('nfc', 'ours', (text) => text.normalize('NFD'), { agreed: ACCENTS.normalize('NFC') }),
  ours('nfd', 'ours', (text) => text.normalize('NFC'), { agreed: ACCENTS.normalize('NFD') }),
  theirs('latin1', 'theirs', (text) => Buffer.from(text, 'latin1'), { agreed: ACCENTS, on: 'HJWT' }),
  theirs('utf16', 'theirs', (text) => Buffer.from(text, 'utf16le')),
];

const OTHER = 'n4h8s2d6f9g3k7m5q1w4e8r2t6y9u3i7p5a1';

const others: readonly Mistake[] = [
  ours('comma-list', 'ours', (text) => text, { agreed: COMMA }),
  {
    id: 'secret-hash-cut',
    way: 'with the whole at hand',
    on: 'HJWT',
    agreed: 'fk7house4mzq8w2nrt6 #yp3d5hsv9bx2k',
    also: ['secret-of-file'],
    ours: (text) => text.split(' #')[0] ?? '',
    set: (plan) => plan.extraSecrets.push(plan.agreed),
  },
  {
    id: 'secret-of-endpoint',
    way: 'exchanged',
    on: 'JW',
    also: ['endpoint-other'],
    set(plan) {
      const other = plan.lane === 'J' ? 'HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET' : 'RISR_BOOKING_UPDATED_SECRET';
      plan.environment[other] = plan.agreed;
      plan.ours = OTHER;
    },
  },
  {
    id: 'secret-of-endpoint',
    way: 'an access token',
    on: 'T',
    also: ['endpoint-other'],
    set(plan) {
      plan.environment['HOTDOCS_CUSTOM_INTERVIEW_EVENT_TOKEN'] = plan.agreed;
      plan.ours = OTHER;
    },
  },
  {
    id: 'secret-of-source',
    way: 'exchanged',
    on: 'HJWT',
    set(plan) {
      const other = plan.lane === 'H' ? 'RISR_BOOKING_UPDATED_SECRET' : 'PHENIXID_SECRET';
      plan.environment[other] = plan.agreed;
      plan.ours = OTHER;
    },
  },
  {
    id: 'secret-of-installation',
    way: 'exchanged',
    on: 'H',
    also: ['installation-missing', 'installation-unknown'],
    set(plan) {
      plan.environment['PHENIXID_NORTH_SECRET'] = plan.agreed;
      plan.ours = OTHER;
    },
  },
  {
    id: 'secret-of-file',
    way: 'an older one',
    on: 'HJWT',
    set(plan) {
      plan.extraSecrets.push(OTHER, plan.agreed);
      plan.ours = `${OTHER}x`;
    },
  },
  {
    id: 'secret-kind',
    way: 'a token as a secret',
    on: 'T',
    set(plan) {
      plan.environment[variableOf('T').replace(/TOKEN$/, 'SECRET')] = plan.agreed;
      plan.ours = '';
    },
  },
  {
    id: 'secret-kind',
    way: 'a secret as a token',
    on: 'J',
    set(plan) {
      plan.environment[variableOf('J').replace(/SECRET$/, 'TOKEN')] = plan.agreed;
      plan.ours = '';
    },
  },
];

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}

function unicodeEscape(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

export const secretMistakes: readonly Mistake[] = [...spelling, ...encoding, ...others];
