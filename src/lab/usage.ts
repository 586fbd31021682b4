import { closest } from '../kit/reading/closest.ts';

/** What was asked of a command or of the mock cannot be done: told in words, with the choices there are. */
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

/** Some of several names, with commas between them. @throws UsageError */
export function pickSome<Name extends string>(what: string, text: string, names: readonly Name[]): Name[] {
  return text.split(',').map((name) => pickOne(what, name, names));
}

/** One of several names. @throws UsageError */
export function pickOne<Name extends string>(what: string, name: string, names: readonly Name[]): Name {
  return pick(
    what,
    name,
    names.map((each) => [each, each]),
  );
}

function unknownName(what: string, name: string, names: readonly string[]): string {
  const guess = closest(name, names);
  const meant = guess === undefined ? '' : ` Did you mean ${guess}?`;
  const choices = names.length === 0 ? 'There is none.' : `Valid: ${names.join(', ')}.`;
  return `Unknown ${what}: ${JSON.stringify(name)}.${meant} ${choices}`;
}
