// JSON text as its marks, so that one thing about it can be written otherwise and all else stays as it was spelled.

export interface Mark {
  readonly kind: 'string' | 'number' | 'word' | 'sign';
  readonly text: string;
}

const MARKS = /\s*(?:("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false|null)|([{}[\],:]))/y;

/** No sender nests so deep, and indented it would be longer than memory has room for. */
const MOST_DEPTH = 200;

/** The marks of a JSON text, without the blanks between them; `undefined` if it is none, or nested too deep. */
export function marksOf(text: string): readonly Mark[] | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const marks: Mark[] = [];
  let depth = 0;
  MARKS.lastIndex = 0;
  for (let found = MARKS.exec(text); found !== null; found = MARKS.exec(text)) {
    const [, string, number, word, sign = ''] = found;
    if (string !== undefined) marks.push({ kind: 'string', text: string });
    else if (number !== undefined) marks.push({ kind: 'number', text: number });
    else if (word !== undefined) marks.push({ kind: 'word', text: word });
    else marks.push({ kind: 'sign', text: sign });
    depth += isStart(sign) ? 1 : isEnd(sign) ? -1 : 0;
    if (depth > MOST_DEPTH) return undefined;
  }
  return marks;
}

/** How JSON is laid out: blanks behind commas and colons, or lines. */
export interface Layout {
  readonly comma: string;
  readonly colon: string;
  /** For each level; `undefined`: all on one line. */
  readonly indent?: string;
  readonly lineEnd?: string;
}

export function written(marks: readonly Mark[], { comma, colon, indent, lineEnd = '\n' }: Layout): string {
  let depth = 0;
  const line = () => (indent === undefined ? '' : lineEnd + indent.repeat(depth));
  return marks
    .map(({ text }, at) => {
      const [before, after] = [marks[at - 1]?.text, marks[at + 1]?.text];
      switch (text) {
        case '{':
        case '[':
          depth += 1;
          return text + (isEnd(after) ? '' : line());
        case '}':
        case ']':
          depth -= 1;
          return (isStart(before) ? '' : line()) + text;
        case ',':
          return indent === undefined ? comma : `,${line()}`;
        case ':':
          return colon;
        default:
          return text;
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
export function layoutOf(text: string, marks: readonly Mark[]): Layout | undefined {
  return [...oneLine, ...indented].find((layout) => written(marks, layout) === text);
}

/** The members of an object's text, each with its name; `undefined` if it is no object. */
function membersOf(
  marks: readonly Mark[],
): readonly (readonly [name: string, marks: readonly Mark[]])[] | undefined {
  if (marks[0]?.text !== '{') return undefined;
  const members: [string, Mark[]][] = [];
  let depth = 0;
  for (const mark of marks.slice(1, -1)) {
    const last = members.at(-1);
    if (depth === 0 && mark.text === ',') members.push(['', []]);
    else if (last === undefined) members.push([mark.text, [mark]]);
    else {
      if (last[1].length === 0) last[0] = mark.text;
      last[1].push(mark);
    }
    if (isStart(mark.text)) depth += 1;
    if (isEnd(mark.text)) depth -= 1;
  }
  return members;
}

/** The same object with its members in another order, those inside of it too. */
export function reordered(
  marks: readonly Mark[],
  order: (names: readonly string[]) => readonly string[],
): readonly Mark[] {
  const members = membersOf(marks);
  if (members === undefined) return marks;
  const names = order(members.map(([name]) => name));
  const byName = Map.groupBy(members, ([name]) => name);
  const inOrder = names.flatMap((name) => byName.get(name) ?? []);
  const comma: Mark = { kind: 'sign', text: ',' };
  const inside = inOrder.flatMap(([, [name, colon, ...value]], at) => [
    ...(at === 0 ? [] : [comma]),
    ...(name === undefined || colon === undefined ? [] : [name, colon, ...reordered(value, order)]),
  ]);
  return [...marks.slice(0, 1), ...inside, ...marks.slice(-1)];
}
