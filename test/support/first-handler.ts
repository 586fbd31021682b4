import { readFileSync } from 'node:fs';
import type { ProjectCopy } from './project-copy.ts';

/** The handler of the README's first hour, put into a copy as it says. */
export function writeFirstHandler(copy: ProjectCopy): void {
  const file = 'src/app/handlers/hotdocs.ts';
  const handler = /^ *InterviewLoadEvent: .*$/m;
  copy.replace(file, handler, handler.exec(readFileSync('README.md', 'utf8'))?.[0] ?? '');
  copy.replace(file, /^import \{(?=[^}]*\} from '\.\.\/\.\.\/kit\/index\.ts';$)/m, 'import { answers,');
}
