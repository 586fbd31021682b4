/** How Python's `json.dumps` can be set. */
interface JsonChoices {
  readonly escapes: 'ascii' | 'utf8';
  readonly spacing: 'compact' | 'spaced';
}

/** JSON as the sender writes it: python-jose signs compact text with everything but ASCII escaped. */
export function jsonText(value: unknown, choices: JsonChoices): string {
  const text = choices.spacing === 'compact' ? JSON.stringify(value) : spaced(value);
  return choices.escapes === 'utf8' ? text : text.replace(/[^\x20-\x7e]/g, escaped);
}

/** One line with a blank behind each comma and colon. A line end inside a string is written `\n`, so it is safe. */
function spaced(value: unknown): string {
  return JSON.stringify(value, null, 1).replace(/,\n */g, ', ').replace(/\n */g, '');
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
