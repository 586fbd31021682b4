import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { tried } from '../trials.ts';
import { borne, type Burden } from '../making/burden.ts';
import { hasBody, unproven } from '../making/edit.ts';
import { where } from '../making/answers.ts';

/** Group G, fifth part: what one small request costs before anything is known of its sender. */
export const burdenRules: readonly Rule[] = [
  {
    id: 'G11-long-runs',
    group: 'G',
    title: 'takes no longer for a header that is one long run of a character',
    severity: 'high',
    grade: 'hardened',
    level: 1,
    alone: true,
    oncePerSource: true,
    why: 'A pattern like \\s+$ begins anew at every blank of a run that does not reach the end, and takes the square of its length: a few requests stop everything, and nobody needs a secret for them.',
    fix: 'Look at the length first: no signature or token in a header has thousands of characters. Trim by index, and use patterns that can fit in one way only.',
    trials: () => fillers.map(([name, filler]) => longRun(name, filler)),
  },
  {
    id: 'G12-large-content',
    group: 'G',
    title: 'takes about as long for a large body that proves nothing, whatever is in it',
    severity: 'high',
    grade: 'hardened',
    level: 1,
    alone: true,
    oncePerSource: true,
    why: 'Forms, JSON and multipart bodies are taken apart to find the proof in them. Where that is done to the end, a megabyte of the right letters keeps a processor busy for seconds.',
    fix: 'Find the proof by scanning, and stop early: limit fields, members, parts and the headers of a part, and how deep JSON may go.',
    trials: where(hasBody, (at) => contents.map((content) => largeContent(content, at))),
  },
];

const fillers: readonly (readonly [name: string, filler: string])[] = [
  ['blanks', ' '],
  ['tabs', '\t'],
  ['equals signs', '='],
  ['commas', ','],
  ['quoted strings', '\\"'],
];

/** The first passes every proxy, the second the largest heads that senders need. */
const LENGTHS: readonly (readonly [length: number, count: number])[] = [
  [7_000, 40],
  [30_000, 6],
];

/** In each header that the sender sends, and in one that proxies add; one after the other. */
function longRun(name: string, filler: string): Trial {
  return tried(name, async (stage) => {
    const genuine = await stage.genuine();
    const headers = new Set([
      ...genuine.headers.map(([header]) => header),
      'Authorization',
      'X-Forwarded-For',
    ]);
    const burdens = [...headers].flatMap((header) =>
      LENGTHS.map(([length, count]): Burden => {
        const of = (run: string, bytes = length) =>
          unproven(genuine, '{}', [header, `a${run.repeat(bytes / run.length)}b`]);
        const name = `${length} in ${header}`;
        return { name, heavy: of(filler), plain: of('x'), quarter: of(filler, length / 4), count };
      }),
    );
    return firstNotBorne(stage, burdens);
  });
}

async function firstNotBorne(stage: Stage, [burden, ...others]: readonly Burden[]): ReturnType<Trial['run']> {
  if (burden === undefined) throw new Error('Nothing to bear.');
  const finding = await borne(stage, burden);
  return finding.outcome !== 'passed' || others.length === 0 ? finding : firstNotBorne(stage, others);
}

/** What a large body is filled with, between its beginning and its end. */
interface Content {
  readonly name: string;
  readonly type: string;
  readonly start?: string;
  readonly filling: string;
  readonly end?: string;
}

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const MULTIPART = 'multipart/form-data; boundary=b';
const PART = '--b\r\nContent-Disposition: form-data; name="a"\r\n';

const contents: readonly Content[] = [
  { name: 'blanks of a form', type: FORM, start: 'a=', filling: '+' },
  { name: 'escapes of a form', type: FORM, start: 'a=', filling: '%41' },
  { name: 'fields of a form', type: FORM, filling: 'a&' },
  { name: 'members of JSON', type: JSON_TYPE, start: '{"a":[', filling: '{"b":1},', end: '{}]}' },
  { name: 'brackets of JSON', type: JSON_TYPE, filling: '[' },
  { name: 'headers of a part', type: MULTIPART, start: PART, filling: 'X: y\r\n', end: '\r\nv\r\n--b--\r\n' },
  { name: 'parts', type: MULTIPART, filling: `${PART}\r\n\r\n`, end: '--b--\r\n' },
  { name: 'blanks before a letter', type: 'application/jose', start: 'a', filling: ' ', end: 'b' },
  { name: 'dots', type: 'application/jose', filling: '.' },
];

const LARGE_BYTES = 1_040_000;
const AT_ONCE = 16;

function largeContent({ name, type, start = '', filling, end = '' }: Content, at: EndpointUnderTest): Trial {
  const size = Math.min(at.maxBodyBytes, LARGE_BYTES);
  const filled = (bytes: number) =>
    start + filling.repeat(Math.floor((bytes - start.length - end.length) / filling.length)) + end;
  const heavy = filled(size);
  return tried(name, async (stage) => {
    const genuine = await stage.genuine();
    const of = (body: string) => unproven(genuine, body, ['Content-Type', type]);
    return borne(stage, {
      name: `${heavy.length} bytes`,
      heavy: of(heavy),
      plain: of('x'.repeat(size)),
      quarter: of(filled(size / 4)),
      count: AT_ONCE,
    });
  });
}
