import { UsageError } from '../../src/lab/usage.ts';

/** A Markdown file of the project. */
export interface Page {
  readonly file: string;
  readonly text: string;
}

const SECTION = /(<!-- generated:([\w-]+) -->)([^]*?)(<!-- \/generated -->)/g;

/**
 * The pages with their computed sections filled in again.
 * @throws UsageError when a section has no place or two, or a place has a name that nothing computes
 */
export function withSections(pages: readonly Page[], sections: ReadonlyMap<string, string>): Page[] {
  checkPlaces(pages, sections);
  return pages.map(({ file, text }) => ({
    file,
    text: text.replace(
      SECTION,
      (_, begin: string, name: string, _old: string, end: string) =>
        `${begin}\n\n${sections.get(name) ?? ''}\n\n${end}`,
    ),
  }));
}

/** The sections that read differently in two versions of the pages, each with its file. */
export function staleSections(pages: readonly Page[], fresh: readonly Page[]): string[] {
  const before = new Set(placesIn(pages).map(({ file, name, content }) => `${file} ${name} ${content}`));
  return placesIn(fresh)
    .filter(({ file, name, content }) => !before.has(`${file} ${name} ${content}`))
    .map(({ file, name }) => `${file}, section ${name}`);
}

function checkPlaces(pages: readonly Page[], sections: ReadonlyMap<string, string>): void {
  const places = placesIn(pages);
  for (const { file, name } of places) {
    if (!sections.has(name)) throw new UsageError(`${file} has a section ${name} that nothing computes.`);
  }
  for (const wanted of sections.keys()) {
    const files = places.filter(({ name }) => name === wanted).map(({ file }) => file);
    if (files.length === 0) throw new UsageError(`No page has a place for the section ${wanted}.`);
    if (files.length > 1)
      throw new UsageError(`The section ${wanted} has more than one place: ${files.join(', ')}.`);
  }
}

function placesIn(pages: readonly Page[]) {
  return pages.flatMap(({ file, text }) =>
    [...text.matchAll(SECTION)].map(([, , name = '', content = '']) => ({ file, name, content })),
  );
}
