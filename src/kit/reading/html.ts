type Inserted = string | number | false | Html | readonly Html[];

/**
 * HTML with every inserted value escaped: `` html`<p>${name}</p>` ``. What is HTML already goes in as it is, and `false` is
 * nothing.
 */
export function html(fixed: TemplateStringsArray, ...values: readonly Inserted[]): Html {
  const parts = fixed.map((part, index) => part + inserted(values[index] ?? ''));
  return new Html(parts.join(''));
}

/** JSON as it may stand in a script element: nothing in it can end that. */
export function json(value: unknown): Html {
  return new Html(JSON.stringify(value).replace(/</g, '\\u003c'));
}

/** Text that is safe to put into a page. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

function inserted(value: Inserted): string {
  if (value === false) return '';
  if (typeof value === 'string')
    return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return Array.isArray(value) ? value.join('\n') : String(value);
}
