import type { Filling } from './places.ts';

/** What stands, in a template, in the line that is to be repeated. */
const SAMPLES: Readonly<Record<string, string>> = {
  product: 'hotdocs',
  secret: 'HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET',
  receiver: '127.0.0.1',
};

/** From `# each product` to `# end`; in between a line, with those below it that are further in, is the pattern. */
const EACH = /^([ \t]*)# each (\w+)\n(\1[^\n]*\n(?:\1[ \t]+[^\n]*\n)*)[^]*?^[ \t]*# end\n/gm;

/**
 * A template for one app. As it stands it is a file that works, for all products: what stands first between `# each …` and
 * `# end` is the pattern for each of them.
 */
export function fillIn(template: string, { each, words }: Filling): string {
  const filled = template.replace(EACH, (_, _indent, kind: string, pattern: string) => {
    const [items, sample] = [each[kind], SAMPLES[kind]];
    if (items === undefined || sample === undefined) throw new Error(`A template asks for each ${kind}.`);
    return items.map((item) => pattern.replaceAll(sample, item)).join('');
  });
  return Object.entries(words).reduce((text, [word, by]) => text.replaceAll(word, by), filled);
}
