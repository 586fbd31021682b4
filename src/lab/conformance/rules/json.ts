import { proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import { refusedAnew, type Statuses } from '../trials.ts';
import { unproven } from '../making/edit.ts';
import { doubtful, isWritten, KEPT_OR_NOT, misfit, roomOf, withMembers } from '../making/own-content.ts';

const KEEP =
  'Store what was proven before parsing it. What then does not fit is put aside for a human and answered like any other.';

/** Group F, first part: JSON that is none, or that its readers do not agree on. Rightly proven, so that it is not lost. */
export const jsonRules: readonly Rule[] = [
  {
    id: 'F1-not-json',
    group: 'F',
    title: 'survives content that is no JSON object',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'A parser that throws where nobody catches answers 500, or ends the process. Without a proof anybody can do that.',
    fix: `Verify before parsing, and catch what the parser throws. ${KEEP}`,
    trials: (at) => [
      ...unprovenTrials,
      ...(isWritten(at) && proofKindOf(at) !== 'token' ? provenTrials : []),
    ],
  },
  {
    id: 'F2-members-twice',
    group: 'F',
    title: 'survives a member that comes twice',
    severity: 'low',
    grade: 'correct',
    level: 1,
    why: 'Parsers differ on which of the two counts. What one part of a system checks is not what another part uses.',
    fix: `Refuse to act on such content. ${KEEP}`,
    source: 'https://www.rfc-editor.org/rfc/rfc8259#section-4',
    trials: membered([
      ['twice', () => ',"x":1,"x":2'],
      ['twice, once escaped', () => ',"x":1,"\\u0078":2'],
      ['twice, deep inside', () => ',"x":[{"y":{"z":1,"z":1}}]'],
      ['in two letter cases', () => ',"x":1,"X":2'],
    ]),
  },
  {
    id: 'F3-object-members',
    group: 'F',
    title: 'survives members with names that programs give a meaning',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'Copied into an object, __proto__ changes all others; looked up in one, constructor and toString are found where nothing was put.',
    fix: 'Read known members only, with a schema, and look things up in maps, not in bare objects.',
    source: 'https://owasp.org/www-community/attacks/Prototype_pollution',
    trials: membered([
      ['__proto__', () => ',"__proto__":{"polluted":true,"status":418}'],
      ['__proto__, escaped', () => ',"\\u005f_proto__":{"polluted":true}'],
      ['__proto__, deep inside', () => ',"x":[{"y":{"__proto__":{"polluted":true}}}]'],
      ['__proto__ that is null', () => ',"__proto__":null'],
      ['constructor and prototype', () => ',"constructor":{"prototype":{"polluted":true}}'],
      ['methods of objects', () => ',"toString":1,"valueOf":2,"hasOwnProperty":3,"toJSON":"never"'],
      ['then', () => ',"then":"later"'],
      ['length', () => ',"length":-1'],
      ['an empty name', () => ',"":1'],
    ]),
  },
  {
    id: 'F4-numbers',
    group: 'F',
    title: 'survives numbers that do not fit',
    severity: 'medium',
    grade: 'correct',
    level: 1,
    why: 'Large numbers lose digits silently, become infinite, or make a conversion throw.',
    fix: `Keep ids as text, and check a number's range before using it. ${KEEP}`,
    trials: membered([
      ['of 20 digits', () => ',"x":12345678901234567890'],
      ['just beyond the safe integers', () => ',"x":-9007199254740993'],
      ['too large', () => ',"x":1e400'],
      ['too small', () => ',"x":1e-400'],
      ['minus zero', () => ',"x":-0'],
      ['of very many digits', (at) => `,"x":0.${'1'.repeat(Math.min(roomOf(at), 100_000))}`],
      ['an integer of very many digits', (at) => `,"x":${'9'.repeat(Math.min(roomOf(at), 100_000))}`],
    ]),
  },
  {
    id: 'F5-depth',
    group: 'F',
    title: 'survives deeply nested content',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'Parsers read thousands of levels; whatever then walks through them by recursion, a logger or a database driver, overflows its stack.',
    fix: `Limit the depth, to 32 levels for example, before anything walks through the content. ${KEEP}`,
    trials: membered([
      ['40 levels', (at) => nested(40, at, '[', ']')],
      ['2,000 levels', (at) => nested(2_000, at, '[', ']')],
      ['as many lists as fit', (at) => nested(100_000, at, '[', ']')],
      ['as many objects as fit', (at) => nested(100_000, at, '{"x":', '}', '0')],
      ['lists without end', (at) => `,"x":${'['.repeat(roomOf(at) / 2)}`],
    ]),
  },
  {
    id: 'F6-size',
    group: 'F',
    title: 'survives very many and very long members',
    severity: 'medium',
    grade: 'correct',
    level: 1,
    why: 'A body within its limit can still hold a hundred thousand members, or one that is too long for a database column or a log line.',
    fix: `Cut what is logged and indexed; store the content as bytes. ${KEEP}`,
    trials: membered(
      [
        ['many members', (at) => list(roomOf(at) / 16, (n) => `,"k${n}":${n}`)],
        ['many members named by numbers', (at) => list(roomOf(at) / 16, (n) => `,"${n * 65_536}":0`)],
        ['many items', (at) => `,"x":[0${list(roomOf(at) / 4, () => ',0')}]`],
        ['a long text', (at) => `,"x":"${'y'.repeat(roomOf(at))}"`],
        ['a long name', (at) => `,"${'k'.repeat(roomOf(at))}":1`],
        ['many blanks', (at) => `,"x":${' '.repeat(roomOf(at))}1`],
      ],
      [413, 414, 431],
    ),
  },
];

type Write = (at: EndpointUnderTest) => string;

/** Good content with these members behind its own. */
function membered(
  members: readonly (readonly [name: string, write: Write])[],
  also: Statuses = [],
): (at: EndpointUnderTest) => readonly Trial[] {
  return (at) =>
    isWritten(at)
      ? members.map(([name, write]) =>
          misfit(name, ({ json }) => withMembers(json, write(at)), [...doubtful(at), ...also]),
        )
      : [];
}

/** As many levels as there is room for. */
function nested(levels: number, at: EndpointUnderTest, open: string, close: string, inside = ''): string {
  const fitting = Math.min(levels, Math.floor(roomOf(at) / (open.length + close.length)));
  return `,"x":${open.repeat(fitting)}${inside}${close.repeat(fitting)}`;
}

function list(length: number, item: (n: number) => string): string {
  return Array.from({ length: Math.floor(length) }, (_, n) => item(n)).join('');
}

const notJson: readonly (readonly [name: string, content: string | Buffer])[] = [
  ['plain text', 'OrderSigned'],
  ['nothing', ''],
  ['blanks', ' \n\t '],
  ['an object that is cut off', '{"eventType":"x"'],
  ['a trailing comma', '{"eventType":"x",}'],
  ['a comment', '{"eventType":"x"/**/}'],
  ['NaN', '{"eventType":"x","n":NaN}'],
  ['single quotes', "{'eventType':'x'}"],
  ['two documents', '{"eventType":"x"}{}'],
  ['leading zeros', '{"eventType":"x","n":007}'],
  ['a string', '"OrderSigned"'],
  ['a number', '1'],
  ['true', 'true'],
  ['null', 'null'],
  ['a list', '[{"eventType":"x"}]'],
  ['XML', '<event><type>x</type></event>'],
  ['bytes', Buffer.from([0, 1, 2, 0xfe, 0xff])],
];

const provenTrials: readonly Trial[] = notJson.map(([name, content]) =>
  misfit(`${name}, rightly proven`, () => content, KEPT_OR_NOT),
);

/** As JSON, and with nothing that proves it. */
const unprovenTrials: readonly Trial[] = notJson.map(([name, content]) =>
  refusedAnew(
    `${name}, unproven`,
    async (stage) => unproven(await stage.genuine(), content, ['Content-Type', 'application/json']),
    { also: [400, 415] },
  ),
);
