import { closest } from '../kit/reading/closest.ts';

/** What was asked of the mock cannot be done: told to whoever asked, in words, with the choices there are. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Finds what was named, or says what could have been named.
 * @throws UsageError that lists the valid names and guesses the one that was meant
 */
export function pick<Item>(what: string, name: string, items: readonly (readonly [string, Item])[]): Item {
  const found = items.find(([candidate]) => candidate === name);
  if (found !== undefined) return found[1];
  const names = items.map(([candidate]) => candidate);
  throw new UsageError(unknownName(what, name.slice(0, 80), names));
}

function unknownName(what: string, name: string, names: readonly string[]): string {
  const guess = closest(name, names);
  const meant = guess === undefined ? '' : ` Did you mean ${guess}?`;
  const choices = names.length === 0 ? 'There is none.' : `Valid: ${names.join(', ')}.`;
  return `Unknown ${what}: ${JSON.stringify(name)}.${meant} ${choices}`;
}
