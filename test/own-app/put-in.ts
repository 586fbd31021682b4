import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ProjectCopy } from '../support/project-copy.ts';

/** The package that the integrator has added. */
const ADDED = { yaml: '2.9.1' };

/** An integrator's app with tests of its own, in place of what a copy has there. */
export function putOwnApp(copy: ProjectCopy): void {
  for (const folder of ['src/app', 'test/app']) rmSync(join(copy.root, folder), { recursive: true });
  for (const [file, text] of ownFiles()) copy.write(file, text);
  addPackage(copy);
}

/** By path. Here they are compiled and linted with all else, so their imports lead elsewhere. */
export function ownFiles(): Map<string, string> {
  const files = globSync('app/**/*.ts', { cwd: import.meta.dirname }).map((file): [string, string] => [
    join('src', file),
    textOf(file).replaceAll('../../../src/kit/', '../kit/'),
  ]);
  const tests = textOf('handlers.ts').replaceAll("'./app/", "'../../src/app/");
  const readme = '# Our receiver\n\nFiles what risr and Acme tell in the CRM, by CRM_REGION.\n';
  return new Map([...files, ['src/app/README.md', readme], ['test/app/handlers.test.ts', tests]]);
}

/** As `npm install` notes it. The package is there already: tools of the kit use it. */
export function addPackage(copy: ProjectCopy): void {
  changePackages(copy, ADDED, undefined);
}

/** Where the integrator has it as well. */
export function takePackageOut(copy: ProjectCopy): void {
  changePackages(copy, { yaml: undefined }, true);
}

/** `dev`: it is for development alone. */
function changePackages(copy: ProjectCopy, changed: Dependencies, dev: true | undefined): void {
  const withChanged = (root: Root) => ({
    ...root,
    dependencies: sorted({ ...root.dependencies, ...changed }),
  });
  changeJson<Root>(copy, 'package.json', withChanged);
  changeJson<Lockfile>(copy, 'package-lock.json', (lockfile) => {
    const { '': root = {}, 'node_modules/yaml': yaml, ...others } = lockfile.packages;
    const packages = { ...others, 'node_modules/yaml': { ...yaml, dev } };
    return { ...lockfile, packages: { '': withChanged(root), ...sorted(packages) } };
  });
}

/** What is `undefined` is not written. */
type Dependencies = Readonly<Record<string, string | undefined>>;

interface Root {
  readonly dependencies?: Dependencies;
}

interface Lockfile {
  readonly packages: Readonly<Record<string, Root & { readonly dev?: boolean | undefined }>>;
}

function sorted<Value>(members: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(members).toSorted(([one], [other]) => one.localeCompare(other, 'en')),
  );
}

function changeJson<Content>(copy: ProjectCopy, file: string, change: (content: Content) => Content): void {
  // npm wrote them.
  const content = JSON.parse(copy.read(file)) as Content;
  copy.write(file, `${JSON.stringify(change(content), undefined, 2)}\n`);
}

function textOf(file: string): string {
  return readFileSync(join(import.meta.dirname, file), 'utf8');
}
