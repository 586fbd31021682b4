/** A Markdown table; cells are Markdown themselves. No blanks align it, so that a change of one row is one line. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Text as code; nothing stays nothing. */
export function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}
