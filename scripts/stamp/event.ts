import { upperSnake } from '../../src/kit/endpoints.ts';
import { pick } from '../../src/lab/usage.ts';
import type { Source } from '../../src/kit/source.ts';
import { applyEdits, entryBefore, type Edit } from './edit.ts';
import { checkEventType, constantOf } from './names.ts';
import type { Stamped } from './stamped.ts';
import { fillIn } from './template.ts';

export interface NewEvent {
  readonly source: string;
  readonly type: string;
  readonly mode: 'notify' | 'reply';
}

/**
 * A new event: an entry in its source's catalogue and a handler.
 * @throws UsageError, with nothing written
 */
export async function stampEvent(
  root: string,
  { source: name, type, mode }: NewEvent,
  sources: readonly Source[],
): Promise<Stamped> {
  const source = pick(
    'source',
    name,
    sources.map((candidate): [string, Source] => [candidate.name, candidate]),
  );
  checkEventType(type, source);
  const words = { type, subject: subjectOf(type) };
  const edits = [
    catalogueEdit(name, fillIn(root, `event/${mode}.ts`, words)),
    handlerEdit(name, fillIn(root, `event/${mode}-handler.ts`, words)),
  ];
  const left = await applyEdits(root, edits);
  return { files: edits.map(({ file }) => file), left, next: nextSteps(source, type) };
}

/** `order.shipped` and `OrderShipped` are about an order. */
function subjectOf(type: string): string {
  return upperSnake(type).split('_')[0]?.toLowerCase() ?? type;
}

function catalogueEdit(name: string, entry: string): Edit {
  const object = { opening: /^export const events = \{$/, closing: /^\}( as const)?( satisfies .*)?;$/ };
  return {
    file: `src/kit/sources/${name}/events.ts`,
    change: (text) =>
      imports(text, 'z') && imports(text, 'event') ? entryBefore(text, object, entry) : undefined,
    byHand: `in \`events\`:\n${entry}`,
  };
}

function handlerEdit(name: string, entry: string): Edit {
  const object = {
    opening: new RegExp(`^export function ${constantOf(name)}Handlers\\(`),
    closing: /^ {2}\};$/,
  };
  return {
    file: `src/example/handlers/${name}.ts`,
    change: (text) => entryBefore(text, object, entry),
    byHand: `among the handlers of ${name}:\n${entry}`,
  };
}

function imports(text: string, word: string): boolean {
  return new RegExp(`^import \\{[^}]*\\b${word}\\b[^}]*\\} from`, 'm').test(text);
}

function nextSteps({ name, endpointPer }: Source, type: string): string[] {
  const variable = endpointPer === 'event' ? upperSnake(`${name}_${type}`) : upperSnake(name);
  const path = endpointPer === 'event' ? `/${name}/${type}` : `/${name}`;
  return [
    `schema, example, subject and summary: src/kit/sources/${name}/events.ts`,
    `what is done with it: src/example/handlers/${name}.ts`,
    `npx tsc names whatever else ${name} must know of its events`,
    'npm run docs brings README and templates/env.example up to date; npm run check tells whether all agrees',
    `set ${variable}_SECRET, register ${path} with the sender, and try it: npm run send -- ${name} ${type}`,
  ];
}
