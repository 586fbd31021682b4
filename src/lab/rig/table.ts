type Rows = readonly (readonly string[])[];

/** Columns as wide as their widest cell; from one on they may hold numbers, which stand at the right. */
export function textTable(rows: Rows, numbersFrom = Infinity): string {
  const widths = widthsOf(rows);
  const cell = (text: string, column: number) =>
    column < numbersFrom ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n');
}

/** The same, with its head, for a page in Markdown. */
export function markdownTable(heads: readonly string[], rows: Rows): string {
  const widths = widthsOf([heads, ...rows]);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(heads), rule, ...rows.map(line)].join('\n');
}

function widthsOf(rows: Rows): number[] {
  return (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
}
