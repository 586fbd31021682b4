import { CallRefused } from './errors.ts';

/** What replaces `{name}` in a template. */
export type Replacements = Readonly<Record<string, string>>;

/**
 * The URL that a path template such as `tasks/{taskId}` gives below a base. Values come from messages and replies, so
 * one that could lead to another path is refused; the template itself is the operator's.
 * @throws CallRefused `url_invalid`
 */
export function urlBelow(base: URL, template: string, values: Replacements = {}): URL {
  const path = fill(template, values, (value, name) => encodeURIComponent(checked(value, name)));
  return new URL(`${base.href.replace(/(?<!\/)\/+$/, '')}/${path.replace(/^\/+/, '')}`);
}

/** JSON text with values put into its strings: `{"status":"{status}"}`. */
export function jsonWith(template: string, values: Replacements): string {
  return fill(template, values, (value) => JSON.stringify(value).slice(1, -1));
}

/** A URL with further parameters; those without a value are left out. Blanks become `%20`, which every server reads. */
export function withQuery(
  url: URL,
  parameters: readonly (readonly [name: string, value: string | undefined])[],
): URL {
  const written = parameters.flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  const query = [url.search.slice(1), ...written].filter((part) => part !== '').join('&');
  const extended = new URL(url);
  extended.search = query;
  return extended;
}

function fill(
  template: string,
  values: Replacements,
  write: (value: string, name: string) => string,
): string {
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return value === undefined ? placeholder : write(value, name);
  });
}

function checked(value: string, name: string): string {
  // Not even after a proxy has decoded the path once more: no slash, no percent sign, no query.
  if (/^[\w.~@:+-]{1,128}$/.test(value) && value !== '.' && value !== '..') return value;
  throw new CallRefused(
    'url_invalid',
    `${name} is no id that can stand in a path: expected up to 128 letters, digits and . _ ~ @ : + - in it.`,
  );
}
