import { UsageError } from '../../src/lab/usage.ts';

const SECTION = /(<!-- generated:([\w-]+) -->)([^]*?)(<!-- \/generated -->)/g;

/**
 * The page with its computed sections written anew.
 * @throws UsageError when the page lacks a section, or has one that is unknown
 */
export function withSections(page: string, sections: ReadonlyMap<string, string>): string {
  const missing = [...sections.keys()].filter((name) => !sectionsIn(page).has(name));
  if (missing.length > 0) throw new UsageError(`README.md has no place for: ${missing.join(', ')}.`);
  return page.replace(SECTION, (_, begin: string, name: string, _old: string, end: string) => {
    const content = sections.get(name);
    if (content === undefined) throw new UsageError(`README.md has a section ${name} that nothing computes.`);
    return `${begin}\n\n${content}\n\n${end}`;
  });
}

/** Names of the sections in which two versions of the page differ. */
export function staleSections(page: string, fresh: string): string[] {
  const before = sectionsIn(page);
  return [...sectionsIn(fresh)]
    .filter(([name, content]) => before.get(name) !== content)
    .map(([name]) => name);
}

function sectionsIn(page: string): Map<string, string> {
  return new Map([...page.matchAll(SECTION)].map(([, , name = '', content = '']) => [name, content]));
}
