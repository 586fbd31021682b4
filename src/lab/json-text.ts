import { tryJson } from '../kit/reading/json.ts';

// JSON text in pieces, so that something about it can be written otherwise and all else stays as it was spelled.

/** Texts with their quotation marks, numbers, words and signs, as they are written, without the blanks between them. */
export type Marks = readonly string[];

const MARK = /"(?:[^"\\]|\\[^])*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g;

/** No sender nests so deep, and indented it would be longer than memory has room for. */
const MOST_DEPTH = 200;

/** The marks of a JSON text; `undefined` if it is none, or nested too deep. */
export function marksOf(text: string): Marks | undefined {
  if (tryJson(text) === undefined) return undefined;
  const marks = text.match(MARK) ?? [];
  let depth = 0;
  for (const mark of marks) {
    depth += isStart(mark) ? 1 : isEnd(mark) ? -1 : 0;
    if (depth > MOST_DEPTH) return undefined;
  }
  return marks;
}

export function isText(mark: string): boolean {
  return mark.startsWith('"');
}

export function isNumber(mark: string): boolean {
  return /^[-\d]/.test(mark);
}

/** How JSON is laid out: blanks behind commas and colons, or lines. */
export interface Layout {
  readonly comma: string;
  readonly colon: string;
  /** For each level; `undefined`: all on one line. */
  readonly indent?: string;
  readonly lineEnd?: string;
}

export function written(marks: Marks, { comma, colon, indent, lineEnd = '\n' }: Layout): string {
  let depth = 0;
  const line = () => (indent === undefined ? '' : lineEnd + indent.repeat(depth));
  return marks
    .map((mark, at) => {
      const [before, after] = [marks[at - 1], marks[at + 1]];
      switch (mark) {
        case '{':
        case '[':
          depth += 1;
          return mark + (isEnd(after) ? '' : line());
        case '}':
        case ']':
          depth -= 1;
          return (isStart(before) ? '' : line()) + mark;
        case ',':
          return indent === undefined ? comma : `,${line()}`;
        case ':':
          return colon;
        default:
          return mark;
      }
    })
    .join('');
}

function isStart(sign: string | undefined): boolean {
  return sign === '{' || sign === '[';
}

function isEnd(sign: string | undefined): boolean {
  return sign === '}' || sign === ']';
}

/** The layouts that programs write, the commonest first. */
export const compact: Layout = { comma: ',', colon: ':' };
export const oneLine: readonly Layout[] = [
  compact,
  { comma: ', ', colon: ': ' },
  { comma: ',', colon: ': ' },
  { comma: ', ', colon: ':' },
];
export const indented: readonly Layout[] = ['  ', '    ', '\t', '   ', ' ', ''].flatMap((indent) =>
  ['\n', '\r\n'].flatMap((lineEnd) => [': ', ' : '].map((colon) => ({ comma: ',', colon, indent, lineEnd }))),
);

/** The layout in which a text is written, as far as it is one of these. */
export function layoutOf(text: string, marks: Marks): Layout | undefined {
  return [...oneLine, ...indented].find((layout) => written(marks, layout) === text);
}

/** The members of an object's text, each with its name; `undefined` if it is no object. */
function membersOf(marks: Marks): readonly (readonly [name: string, marks: Marks])[] | undefined {
  if (marks[0] !== '{') return undefined;
  const members: [string, string[]][] = [];
  let depth = 0;
  for (const mark of marks.slice(1, -1)) {
    const last = members.at(-1);
    if (depth === 0 && mark === ',') members.push(['', []]);
    else if (last === undefined) members.push([mark, [mark]]);
    else {
      if (last[1].length === 0) last[0] = mark;
      last[1].push(mark);
    }
    if (isStart(mark)) depth += 1;
    if (isEnd(mark)) depth -= 1;
  }
  return members;
}

/** The same object with its members in another order, those inside of it too. */
export function reordered(marks: Marks, order: (names: readonly string[]) => readonly string[]): Marks {
  const members = membersOf(marks);
  if (members === undefined) return marks;
  const names = order(members.map(([name]) => name));
  const byName = Map.groupBy(members, ([name]) => name);
  const inOrder = names.flatMap((name) => byName.get(name) ?? []);
  const inside = inOrder.flatMap(([, [name, colon, ...value]], at) => [
    ...(at === 0 ? [] : [',']),
    ...(name === undefined || colon === undefined ? [] : [name, colon, ...reordered(value, order)]),
  ]);
  return [...marks.slice(0, 1), ...inside, ...marks.slice(-1)];
}

/** Where a value stands in JSON text. */
export interface Place {
  /** Of the member that it is, or that the list around it is. */
  readonly name: string | undefined;
  /** 1 for the members of the outermost object. */
  readonly depth: number;
}

export interface Rewrite {
  /** A member's name, or a text, without its quotation marks and escapes. */
  readonly name?: (text: string) => string;
  readonly text?: (text: string, place: Place) => string;
  /** A number as it is written. */
  readonly number?: (digits: string, place: Place) => string;
}

const COLON = /\s*:/y;

/** Writes JSON text anew, value by value: order, blanks, and the way in which texts and numbers are spelled stay. */
export function rewriteJson(json: string, rewrite: Rewrite): string {
  const names: (string | undefined)[] = [];
  return json.replace(MARK, (mark, at: number) => {
    if (isStart(mark)) names.push(mark === '[' ? names.at(-1) : undefined);
    else if (isEnd(mark)) names.pop();
    else return rewritten(mark, at);
    return mark;
  });

  function rewritten(mark: string, at: number): string {
    const place = { name: names.at(-1), depth: names.length };
    if (isNumber(mark)) return rewrite.number?.(mark, place) ?? mark;
    const text = isText(mark) ? tryJson(mark) : undefined;
    if (typeof text !== 'string') return mark;
    COLON.lastIndex = at + mark.length;
    if (!COLON.test(json)) return spelledLike(mark, text, rewrite.text?.(text, place) ?? text);
    names[names.length - 1] = text;
    return spelledLike(mark, text, rewrite.name?.(text) ?? text);
  }
}

/** What was escaped without need in one literal is escaped in the other. */
function spelledLike(literal: string, before: string, after: string): string {
  if (before === after) return literal;
  const escaped = /\\u[\da-f]{4}/i.exec(literal)?.[0];
  const isAscii = escaped !== undefined && /^[\x20-\x7e]*$/.test(literal);
  const code = (unit: string) => unit.charCodeAt(0).toString(16).padStart(4, '0');
  const cased = (digits: string) => (/[A-F]/.test(escaped ?? '') ? digits.toUpperCase() : digits);
  const plain = JSON.stringify(after);
  const whole = isAscii ? plain.replace(/[^\x20-\x7e]/g, (unit) => `\\u${cased(code(unit))}`) : plain;
  return literal.includes('\\/') ? whole.replaceAll('/', '\\/') : whole;
}
