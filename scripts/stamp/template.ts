import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The words that stand in a template between two underscores on either side, and what to write instead. */
export type Words = Readonly<Record<string, string>>;

/** A file of `templates/`, its words filled in. */
export function fillIn(root: string, template: string, words: Words): string {
  const text = readFileSync(join(root, 'templates', `${template}.tpl`), 'utf8');
  return text.replace(/__([a-z]+)__/gi, (_, word: string) => {
    const value = words[word];
    if (value === undefined) throw new Error(`templates/${template}.tpl has the unknown word ${word}.`);
    return value;
  });
}
