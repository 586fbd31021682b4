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

const TOKEN = /"(?:[^"\\]|\\[^])*"|-?\d[\d.eE+-]*|[{}[\]]/g;
const COLON = /\s*:/y;

/** Writes JSON text anew, value by value: order, blanks, and the way in which texts and numbers are spelled stay. */
export function rewriteJson(json: string, rewrite: Rewrite): string {
  const names: (string | undefined)[] = [];
  return json.replace(TOKEN, (token, at: number) => {
    const first = token.charAt(0);
    if (first === '{' || first === '[') names.push(first === '[' ? names.at(-1) : undefined);
    else if (first === '}' || first === ']') names.pop();
    else return written(token, at);
    return token;
  });

  function written(token: string, at: number): string {
    const place = { name: names.at(-1), depth: names.length };
    if (!token.startsWith('"')) return rewrite.number?.(token, place) ?? token;
    const text = textOf(token);
    if (text === undefined) return token;
    COLON.lastIndex = at + token.length;
    if (!COLON.test(json)) return spelledLike(token, text, rewrite.text?.(text, place) ?? text);
    names[names.length - 1] = text;
    return spelledLike(token, text, rewrite.name?.(text) ?? text);
  }
}

function textOf(literal: string): string | undefined {
  try {
    return String(JSON.parse(literal));
  } catch {
    return undefined;
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
