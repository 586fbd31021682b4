/** An element of XML, or of HTML written as strictly. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** Of it and of everything in it. */
  readonly text: string;
}

const TOKEN = /<\/([\w-]+)>|<([\w-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
const PROLOGUE = /^(?:<\?xml [^>]*\?>|<!doctype html>)\s*/;
const VOID = new Set(['meta', 'br']);

/** Reads a document. @throws where it is not well-formed: every tag closed, every attribute quoted, every mark escaped */
export function readMarkup(document: string): Element {
  const root: Open = { name: '', attributes: {}, children: [], text: '' };
  const open: Open[] = [root];
  const source = document.replace(PROLOGUE, '');
  let end = 0;
  for (const match of source.matchAll(TOKEN)) {
    const [whole, closing, opening, attributes = '', selfClosing, text] = match;
    end = match.index + whole.length;
    const top = open.at(-1) ?? root;
    if (text !== undefined) top.text += unescaped(text);
    else if (opening !== undefined) {
      const element: Open = { name: opening, attributes: attributesIn(attributes), children: [], text: '' };
      top.children.push(element);
      if (selfClosing !== '/' && !VOID.has(opening)) open.push(element);
    } else {
      if (closing !== top.name) throw new Error(`</${closing ?? ''}> closes <${top.name}>`);
      open.pop();
      (open.at(-1) ?? root).text += top.text;
    }
  }
  if (end !== source.length) throw new Error(`Not well-formed at: ${source.slice(end, end + 80)}`);
  const [first, second] = root.children;
  if (first === undefined || second !== undefined || open.length !== 1)
    throw new Error('One root is expected.');
  return first;
}

/** All elements of a name, in order. */
export function findAll(element: Element, name: string): Element[] {
  return element.children.flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...findAll(child, name),
  ]);
}

interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Open[];
  text: string;
}

function attributesIn(text: string): Record<string, string> {
  const found = [...text.matchAll(/([\w:-]+)="([^"]*)"/g)];
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, unescaped(value)]));
}

const MARKS: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function unescaped(text: string): string {
  if (text.includes(']]>')) throw new Error('"]]>" stands in text.');
  return text.replace(/&(?:([\w#]+);)?/g, (whole, name: string | undefined) => {
    const mark = MARKS[name ?? ''];
    if (mark === undefined) throw new Error(`${whole} is no entity.`);
    return mark;
  });
}
