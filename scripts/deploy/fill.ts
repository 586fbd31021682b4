import type { Filling } from './places.ts';

/** What stands, in a template, in the line that is to be repeated. */
const SAMPLES: Readonly<Record<string, string>> = {
  product: 'hotdocs',
  secret: 'HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET',
  receiver: '127.0.0.1',
};

/** From `# each product` to `# end`, and the first line in between. */
const EACH = /^[ \t]*# each (\w+)\n([^\n]*\n)[^]*?^[ \t]*# end\n/gm;

/**
 * A template for one app. As it stands it is a file that works, for all products: the first line between `# each …` and `# end`
 * is the pattern of one line for each.
 */
export function fillIn(template: string, { each, words }: Filling): string {
  const filled = template.replace(EACH, (_, kind: string, line: string) => {
    const [items, sample] = [each[kind], SAMPLES[kind]];
    if (items === undefined || sample === undefined) throw new Error(`A template asks for each ${kind}.`);
    return items.map((item) => line.replaceAll(sample, item)).join('');
  });
  return Object.entries(words).reduce((text, [word, by]) => text.replaceAll(word, by), filled);
}
