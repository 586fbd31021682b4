import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NamedSource } from '../../src/kit/source.ts';
import { sources } from '../../src/kit/sources/index.ts';
import type { ProjectCopy } from './project-copy.ts';

/**
 * The app that a clone begins with, put into a copy: no handler is written. The project's own src/app is the integrator's,
 * and no longer fresh where he has begun.
 */
export function putFreshApp(copy: ProjectCopy): void {
  rmSync(join(copy.root, 'src/app'), { recursive: true });
  copy.write('src/app/index.ts', appText());
  for (const source of sources) copy.write(`src/app/handlers/${source.name}.ts`, handlersText(source));
}

function appText(): string {
  const names = sources.map(({ name }) => name);
  return [
    `import { defineApp, ${names.join(', ')} } from '../kit/index.ts';`,
    ...names.map((name) => `import { ${name}Handlers } from './handlers/${name}.ts';`),
    '',
    'export const app = defineApp({',
    "  folder: 'src/app',",
    `  sources: [${names.join(', ')}],`,
    '  open: () => undefined,',
    `  handlers: () => ({ ${names.map((name) => `${name}: ${name}Handlers()`).join(', ')} }),`,
    '});\n',
  ].join('\n');
}

function handlersText({ name, events }: NamedSource): string {
  return [
    `import { notWritten, ${name}, type HandlersOf } from '../../kit/index.ts';`,
    '',
    `export function ${name}Handlers(): HandlersOf<typeof ${name}.events> {`,
    '  return {',
    ...Object.keys(events).map((type) => `    ${type}: notWritten,`),
    '  };',
    '}\n',
  ].join('\n');
}
