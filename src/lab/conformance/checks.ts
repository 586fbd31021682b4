import type { Exchange } from './exchange.ts';
import type { Check, Context } from './ledger.ts';
import { valuesOf } from './reply.ts';

/** A reply of this status must have this header. */
export function demanded(status: number, header: string): Check {
  return ({ observation }) =>
    observation.status === status && valuesOf(observation, header).length === 0
      ? `a ${status} without ${header}`
      : undefined;
}

/** Status, words and challenge; numbers and ids that change with each request do not count. */
export function refusalOf({ observation }: Exchange): string {
  const words = [
    ...valuesOf(observation, 'content-type'),
    ...valuesOf(observation, 'www-authenticate'),
    observation.body.toString('latin1'),
  ];
  return shortened(words.join('\n')).replace(/[0-9a-f-]+/gi, (word) => (/\d/.test(word) ? '#' : word));
}

export function textOf({ headers, body }: Exchange['observation']): string {
  const lines = headers.map((header) => header.join(': '));
  return shortened([...lines, body.toString('latin1', 0, MOST_BYTES)].join('\n'));
}

/** What a receiver answers may be of any length; what is wrong with it shows at its beginning. */
function shortened(text: string): string {
  return text.slice(0, MOST_BYTES);
}

const LONG_WORD = /[\w+/-]{16,}/g;
const MOST_BYTES = 100_000;
const MOST_WORDS = 64;

/** Finds longer words of the request in a refusal of it. */
export function echoIn({ request, bytes, observation }: Exchange, { endpoint }: Context): string | undefined {
  if (observation.status < 400) return undefined;
  const headers = observation.headers.filter(([name]) => name !== 'content-type');
  const reply = textOf({ ...observation, headers });
  const sent =
    request === undefined
      ? bytes.toString('latin1', 0, MOST_BYTES)
      : [
          request.target.slice(request.target.indexOf('?') + 1 || request.target.length),
          ...request.headers.filter(([name]) => !/^content-type$/i.test(name)).map(([, value]) => value),
          request.body.toString('latin1', 0, MOST_BYTES),
        ].join(' ');
  const words = (sent.match(LONG_WORD) ?? []).slice(0, MOST_WORDS);
  const echoed = words.some((word) => !endpoint.url.pathname.includes(word) && reply.includes(word));
  return echoed ? 'a refusal that repeats a value of its request' : undefined;
}

const INTERNALS: readonly (readonly [what: string, pattern: RegExp])[] = [
  [
    'a stack trace',
    /^[ \t]*at [\w.$<>[\] ]{1,200}\(.*\)|\bat [^\n]{1,200}:\d{1,9}:\d|Traceback \(most recent call last\)/m,
  ],
  ['a stack trace', /^[ \t]+at [\w.$`<>]{1,200}\(|File "[^"\n]{1,400}", line \d|goroutine \d{1,12} \[/m],
  [
    'a file path',
    /\/node_modules\/|[A-Z]:\\[\w\\]{1,200}\.\w|\/(?:usr|home|srv|opt|app|var)\/[\w./-]{1,200}\.(?:js|ts|py|rb|php|java|cs|go)\b/,
  ],
  ['the name of an exception', /\b(?:[A-Z]\w{1,80})?(?:Error|Exception)\b(?=:|\s{1,80}at\b|<)/],
  [
    'the text of a library',
    /jwt (?:malformed|expired|must be|not active)|Not enough segments|Unexpected token|is not valid JSON/,
  ],
  [
    'the text of a library',
    /same byte length|Expecting value: line|JSON input|Cannot (?:GET|POST|PUT|DELETE) \//,
  ],
];

/** Finds what only those who run the receiver should see. */
export function internalsIn({ observation: { status, body } }: Exchange): string | undefined {
  if (status < 400) return undefined;
  // Where a pattern takes part of a text for the rest of it again and again, it takes no more than this much.
  const text = body.toString('latin1', 0, MOST_BYTES).replaceAll('&nbsp;', ' ').replaceAll('<br>', '\n');
  return INTERNALS.find(([, pattern]) => pattern.test(text))?.[0];
}
