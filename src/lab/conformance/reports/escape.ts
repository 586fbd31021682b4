import { printableJson } from '../../../kit/log.ts';
import { onOneLine } from '../../printable.ts';

// What a receiver answered stands in every report. It must not steer a terminal, run in a browser, end a format's string
// early, or give orders to a build server, which reads them from the output of its jobs.

/** How build servers are given orders: GitHub (`::error::`, `##[error]`), Azure (`##vso[`), TeamCity (`##teamcity[`). */
const DOUBLE_HASH = '##';
const ORDER_AT_START = /^(\s*)::/;

/** Text on one line that does nothing but show itself. */
export function plain(text: string): string {
  return onOneLine(text).replace(ORDER_AT_START, '$1\\::').replaceAll(DOUBLE_HASH, '#\\#');
}

/** The same, and no longer than it is worth. */
export function short(text: string, longest: number): string {
  const shown = plain(text);
  return shown.length <= longest ? shown : `${shown.slice(0, longest - 1)}…`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For the text and the attributes of XML and HTML. */
export function markup(text: string): string {
  return plain(text).replace(/[&<>"']/g, (mark) => ENTITIES[mark] ?? mark);
}

/** For running text of Markdown, where no mark of it means anything then. */
export function markdown(text: string): string {
  return plain(text)
    .replace(/[\\`*_{}[\]|~:@!#]|(?<=www)\./gi, '\\$&')
    .replace(/[&<>]/g, (mark) => ENTITIES[mark] ?? mark);
}

/** JSON that means the same and can stand anywhere: in a page, on a terminal, as a scalar of YAML. */
export function json(value: unknown, indent?: number): string {
  const wellFormed = (_name: string, member: unknown) =>
    typeof member === 'string' ? member.toWellFormed() : member;
  return printableJson(JSON.stringify(value, wellFormed, indent))
    .replace(/[<>&]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`)
    .replaceAll(DOUBLE_HASH, '#\\u0023');
}
