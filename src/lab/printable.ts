import { STEERING } from '../kit/log.ts';

// What comes from outside – a reply, an API, an entry, an argument – must not steer the terminal on which it is shown.

/** The text with each mark that a terminal acts upon as its code, `\u{1b}`; line ends and tabs stay as they are. */
export function printable(text: string): string {
  return text.replace(STEERING, codeOf);
}

/** The same on one line. */
export function onOneLine(text: string): string {
  return printable(text).replace(/[\n\t]/g, codeOf);
}

function codeOf(mark: string): string {
  return `\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`;
}
