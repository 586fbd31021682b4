import type { Rule, Trial } from '../rule.ts';
import { oneOf, type Answers } from '../making/answers.ts';
import { piecesOf, raw, RFC_9112, STRICT_PARSER } from '../making/raw.ts';
import { smuggling } from '../making/smuggling.ts';

/** Group G, second part: request line and headers. */
export const headRules: readonly Rule[] = [
  {
    id: 'G5-head',
    group: 'G',
    title: 'refuses heads that are too large or no HTTP',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    oncePerSource: true,
    why: 'Headers are kept in memory before anything is known of their sender, and what one parser forgives another one reads as something else.',
    fix: `Limit the head to some ten kilobytes. ${STRICT_PARSER}`,
    source: `${RFC_9112}5`,
    trials: () => [...largeHeads, ...wrongHeads],
  },
  {
    id: 'G6-host',
    group: 'G',
    title: 'refuses a request without a Host or with two, and trusts none',
    severity: 'low',
    grade: 'hardened',
    level: 1,
    oncePerSource: true,
    why: 'Of two hosts a proxy may take one and the receiver the other. What is built from a Host can be made to point elsewhere.',
    fix: 'Refuse with 400, and never use the Host for anything but routing to a site.',
    source: `${RFC_9112}3.2`,
    trials: () => [...wrongHosts, ...otherTargets],
  },
];

const MUCH = 2_000_000;

/** The genuine request under a head that was changed. */
function headed(
  name: string,
  change: (head: readonly string[]) => readonly string[],
  answers: Answers,
): Trial {
  return smuggling(
    name,
    ({ head, body }) => raw([...change(head), `Content-Length: ${body.length}`], body),
    answers,
  );
}

const TOO_LARGE: Answers = { passes: [400, 413, 414, 431, 0] };

const largeHeads: readonly Trial[] = [
  headed('a header of 2 MB', (head) => [...head, `X: ${'y'.repeat(MUCH)}`], TOO_LARGE),
  headed('a name of 2 MB', (head) => [...head, `${'x'.repeat(MUCH)}: y`], TOO_LARGE),
  headed('400,000 headers', (head) => [...head, ...Array.from({ length: 400_000 }, () => 'X: y')], TOO_LARGE),
  headed(
    'a target of 2 MB',
    (head) => withLine(head, (line) => withQuery(line, 'x'.repeat(MUCH))),
    TOO_LARGE,
  ),
];

function withLine([line = '', ...others]: readonly string[], change: (line: string) => string): string[] {
  return [change(line), ...others];
}

function withQuery(line: string, query: string): string {
  const [method = '', target = '', version = ''] = line.split(' ');
  return `${method} ${target}${target.includes('?') ? '&' : '?'}${query} ${version}`;
}

const NO_HTTP: Answers = { passes: [400, 404, 501, 505, 0], warns: ['2xx', 401, 429] };

const wrongHeads: readonly Trial[] = [
  headed('NUL in a name', (head) => [...head, 'X\0: a'], NO_HTTP),
  headed('a blank in a name', (head) => [...head, 'X Y: a'], NO_HTTP),
  headed('an empty name', (head) => [...head, ': a'], NO_HTTP),
  headed('a line without a colon', (head) => [...head, 'nonsense'], NO_HTTP),
  headed('a blank before a colon', (head) => [...head, 'X : a'], { passes: [400, 0] }),
  headed(
    'a blank in the target',
    (head) => withLine(head, (line) => line.replace(' HTTP', ' /x HTTP')),
    NO_HTTP,
  ),
  headed(
    'a control character in the target',
    (head) => withLine(head, (line) => line.replace(' HTTP', '\u0001 HTTP')),
    NO_HTTP,
  ),
  headed('no version', (head) => withLine(head, (line) => line.replace('HTTP/1.1', 'HTTP/')), NO_HTTP),
  headed(
    'another protocol',
    (head) => withLine(head, (line) => line.replace('HTTP/1.1', 'ICAP/1.0')),
    NO_HTTP,
  ),
  // A server may put a blank in its place, and go on with the next request.
  unhidden('a folded line', (head) => [...head, 'X: a', ' b'], { passes: [400, 431, '2xx', 0] }),
  unhidden('NUL in a value', (head) => [...head, 'X: a\0b'], { passes: [400, '2xx', 0] }),
];

const NO_HOST: Answers = { passes: [400, 421, 0] };

const wrongHosts: readonly Trial[] = [
  // Refused it must be; what comes behind it is no doubt a request of its own.
  unhidden('no Host', (head) => head.filter((line) => !line.startsWith('Host:')), NO_HOST),
  headed('two different Hosts', (head) => [...head, 'Host: elsewhere.example'], NO_HOST),
  headed('the same Host twice', (head) => [...head, head[1] ?? ''], NO_HOST),
];

/** Served, or refused; what is right here is up to the receiver, as long as it answers. */
const SERVED_OR_NOT: Answers = { passes: ['2xx', 400, 403, 404, 417, 421] };

/** The same, alone on its connection. */
function unhidden(
  name: string,
  change: (head: readonly string[]) => readonly string[],
  answers = SERVED_OR_NOT,
): Trial {
  return oneOf(
    name,
    async (stage) => {
      const { head, body } = await piecesOf(stage);
      return raw([...change(head), `Content-Length: ${body.length}`, 'Connection: close'], body);
    },
    answers,
  );
}

const otherTargets: readonly Trial[] = [
  unhidden('the Host of another site', (head) => head.with(1, 'Host: elsewhere.example')),
  unhidden('a Host that is none', (head) => head.with(1, 'Host: a, b')),
  unhidden('an address for a path', (head) =>
    withLine(head, (line) => line.replace(' /', ' http://elsewhere.example/')),
  ),
  unhidden('an unknown expectation', (head) => [...head, 'Expect: 200-ok']),
  unhidden('100-continue', (head) => [...head, 'Expect: 100-continue']),
];
