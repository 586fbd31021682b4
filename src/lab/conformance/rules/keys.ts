import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import { refused, type RefusalOptions } from '../trials.ts';
import type { WireRequest } from '../wire.ts';

/** Group C: `?key=`, which names an installation. A receiver may say that it knows no such address. */
const UNKNOWN: RefusalOptions = { also: [400, 403, 404] };

export const keyRules: readonly Rule[] = [
  {
    id: 'C1-key',
    group: 'C',
    title: 'refuses a delivery whose ?key= is missing, wrong or only similar',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'The key chooses the installation and its secret. A loose comparison mixes tenants, or finds members that every object has.',
    fix: 'Look the decoded key up in a map of known installations, as a whole and with its letter case.',
    trials: onKeys((key) => [
      keyed('no query', () => ''),
      keyed('an empty key', () => '?key='),
      keyed('a key without a value', () => '?key'),
      keyed('another key', () => '?key=no-such-installation'),
      keyed('a character more', () => `?key=${encodeURIComponent(key)}1`),
      keyed('a character less', () => `?key=${encodeURIComponent(key.slice(0, -1))}`),
      keyed('another letter case', () => otherCase(key)),
      ...['constructor', '__proto__', 'toString', 'undefined', '*', '.*'].map((name) =>
        keyed(`the key ${KEY_NAMES.get(name) ?? name}`, () => `?key=${encodeURIComponent(name)}`),
      ),
    ]),
  },
  {
    id: 'C2-key-place',
    group: 'C',
    title: 'takes ?key= from the query, once and under its own name',
    severity: 'low',
    grade: 'authentic',
    level: 1,
    why: 'Query parsers make lists and objects of such parameters: code that expects text throws or chooses another installation than was meant.',
    fix: 'Parse the query without nesting, and refuse unless there is exactly one key and it is text.',
    trials: onKeys((key) => {
      const value = encodeURIComponent(key);
      return [
        keyed('behind another one', () => `?key=no-such-installation&key=${value}`),
        // Whether the first of two counts is a matter of the parser, and the signature decides in the end.
        keyed('before another one', () => `?key=${value}&key=no-such-installation`, { accepted: 'warned' }),
        keyed('as a list', () => `?key[]=${value}`),
        keyed('as an object', () => `?key[x]=${value}`),
        keyed('under its name in capitals', () => `?KEY=${value}`),
        keyed('behind a semicolon', () => `?a=1;key=${value}`),
        keyed('in the prototype', () => `?__proto__[key]=${value}`),
        placed('in a header', (request) => ({
          ...request,
          headers: [...request.headers, ['key', key], ['X-Key', key]],
        })),
        placed('in a cookie', (request) => ({
          ...request,
          headers: [...request.headers, ['Cookie', `key=${value}`]],
        })),
      ];
    }),
  },
  {
    id: 'C3-key-spelling',
    group: 'C',
    title: 'decodes ?key= once and strictly',
    severity: 'low',
    grade: 'authentic',
    level: 1,
    why: 'Decoding twice or leniently gives one installation several names, and broken escapes make decoders throw.',
    fix: 'Percent-decode once, and refuse a key whose escapes are broken.',
    trials: onKeys((key) => {
      const value = encodeURIComponent(key);
      return [
        keyed('encoded twice', () => `?key=%25${hexOf(key)}${encodeURIComponent(key.slice(1))}`),
        keyed('an escape cut off', () => `?key=${value}%`),
        keyed('an escape of no digits', () => `?key=%ZZ${value}`),
        keyed('NUL behind', () => `?key=${value}%00`),
        keyed('overlong UTF-8 behind', () => `?key=${value}%C0%80`),
        keyed('a line end behind', () => `?key=${value}%0A`),
        keyed('a byte order mark before', () => `?key=%EF%BB%BF${value}`),
        keyed('12 kB', () => `?key=${value}${'x'.repeat(12_000)}`, {
          also: [...(UNKNOWN.also ?? []), 414, 431],
        }),
      ];
    }),
  },
];

const KEY_NAMES: ReadonlyMap<string, string> = new Map([
  ['__proto__', 'proto'],
  ['*', 'asterisk'],
  ['.*', 'dot and asterisk'],
]);

/** These trials where `?key=` is set, and none elsewhere. */
export function onKeys(
  trials: (key: string) => readonly Trial[],
): (at: EndpointUnderTest) => readonly Trial[] {
  return ({ source, switches }) => {
    const key = source.installations === true ? (switches['key'] ?? '') : '';
    return key === '' ? [] : trials(key);
  };
}

/** Another query, with all else as it was. */
function keyed(name: string, query: () => string | undefined, options: RefusalOptions = {}): Trial {
  return refused(
    name,
    (genuine) => {
      const [path = ''] = genuine.target.split('?');
      return { ...genuine, target: `${path}${query() ?? ''}` };
    },
    { ...UNKNOWN, ...options },
  );
}

/** The key somewhere else, and no query. */
function placed(name: string, change: (request: WireRequest) => WireRequest): Trial {
  return refused(
    name,
    (genuine) => {
      const [target = ''] = genuine.target.split('?');
      return change({ ...genuine, target });
    },
    UNKNOWN,
  );
}

function otherCase(key: string): string {
  const upper = key.toUpperCase();
  return `?key=${encodeURIComponent(upper === key ? key.toLowerCase() : upper)}`;
}

function hexOf(key: string): string {
  return key.charCodeAt(0).toString(16).padStart(2, '0');
}
