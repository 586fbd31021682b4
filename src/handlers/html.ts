/** HTML with every inserted value escaped: `` html`<p>${name}</p>` ``. What is HTML already goes in as it is. */
export function html(
  fixed: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html {
  const parts = fixed.map((part, index) => part + inserted(values[index] ?? ''));
  return new Html(parts.join(''));
}

/** Text that is safe to show: only `html` makes it. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

function inserted(value: string | Html | readonly Html[]): string {
  if (typeof value === 'string')
    return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return Array.isArray(value) ? value.join('\n') : String(value);
}
