import ts from 'typescript';
import { upperSnake } from '../../src/kit/endpoint/definition.ts';
import { pick } from '../../src/lab/usage.ts';
import type { Source } from '../../src/kit/source.ts';
import { addTo, constantIn, importsIn, objectIn, parseCode, returnedBy, withImport } from './code.ts';
import { openDraft, type Draft, type Stamped } from './draft.ts';
import { checkEventType } from './names.ts';
import { handlersIn } from './places.ts';
import { fillIn } from './template.ts';

export interface NewEvent {
  readonly source: string;
  readonly type: string;
  readonly mode: 'notify' | 'reply';
}

/**
 * A new event: an entry in its source's catalogue, and a handler that is not written yet.
 * @throws UsageError, with nothing written
 */
export async function stampEvent(
  root: string,
  { source: name, type, mode }: NewEvent,
  sources: readonly Source[],
): Promise<Stamped> {
  const source = sourceOf(name, sources);
  checkEventType(type, source);
  const draft = openDraft(root);
  const catalogue = catalogueOf(draft, name);
  const entry = fillIn(root, `event/${mode}.ts`, { type, subject: subjectOf(type) });
  draft.edit(catalogue, (text) => intoCatalogue(text, entry, { type, mode }), `in \`events\`:\n${entry}`);
  addHandler(draft, `src/app/handlers/${name}.ts`, name, type);
  const isOfKit = catalogue.startsWith('src/kit/');
  if (isOfKit) addHandler(draft, `src/example/handlers/${name}.ts`, name, type);
  return draft.save([...nextSteps(source, type, catalogue), ...(isOfKit ? stepsOfKit(name) : [])]);
}

/** @throws UsageError */
export function sourceOf(name: string, sources: readonly Source[]): Source {
  return pick(
    'source of src/app',
    name,
    sources.map((source): [string, Source] => [source.name, source]),
  );
}

/** A sender of your own has its catalogue in the app, a product in the kit. */
export function catalogueOf(draft: Draft, name: string): string {
  const own = `src/app/sources/${name}/events.ts`;
  return draft.read(own) === undefined ? `src/kit/sources/${name}/events.ts` : own;
}

/** `order.shipped` and `OrderShipped` are about an order. */
function subjectOf(type: string): string {
  return upperSnake(type).split('_')[0]?.toLowerCase() ?? type;
}

function intoCatalogue(
  text: string,
  entry: string,
  { type, mode }: Pick<NewEvent, 'type' | 'mode'>,
): string | undefined {
  const file = parseCode(text);
  const events = objectIn(constantIn(file, 'events'));
  if (events === undefined) return undefined;
  const helper = mode === 'notify' ? helperOf(events) : undefined;
  if (helper !== undefined) {
    return addTo(text, events, `'${type}': ${helper}('Stamped: say in one sentence what has happened.'),`);
  }
  const imported = importsIn(file).map(({ name }) => name);
  return imported.includes('z') && imported.includes('event') ? addTo(text, events, entry) : undefined;
}

/** Where the events of a source differ in their summary only, a function makes them all: their schema, their subject. */
function helperOf({ properties }: ts.ObjectLiteralExpression): string | undefined {
  const last = properties.at(-1);
  const call = last && ts.isPropertyAssignment(last) ? last.initializer : undefined;
  if (!call || !ts.isCallExpression(call) || !ts.isIdentifier(call.expression)) return undefined;
  const [summary, ...rest] = call.arguments;
  return summary && ts.isStringLiteral(summary) && rest.length === 0 ? call.expression.text : undefined;
}

function addHandler(draft: Draft, file: string, source: string, type: string): void {
  const entry = `'${type}': notWritten,`;
  const intoHandlers = (text: string) => {
    const handlers = returnedBy(handlersIn(parseCode(text), source));
    if (handlers === undefined) return undefined;
    const kit = { module: '../../kit/index.ts', name: 'notWritten', type: false };
    return withImport(addTo(text, handlers, entry), kit);
  };
  draft.edit(file, intoHandlers, `among the handlers of ${source}, with notWritten of the kit:\n${entry}`);
}

/** What is different with an event of a product. */
function stepsOfKit(name: string): string[] {
  return [
    `src/kit/sources/${name}/events.ts is the kit's: should an update bring this event itself, keep the update's entry`,
    `the reference receiver has no handler for it, either, and the kit's tests say so: src/example/handlers/${name}.ts`,
    'npm run docs brings README and templates/env.example up to date',
  ];
}

function nextSteps({ name, endpointPer }: Source, type: string, catalogue: string): string[] {
  const variable = endpointPer === 'event' ? upperSnake(`${name}_${type}`) : upperSnake(name);
  const path = endpointPer === 'event' ? `/${name}/${type}` : `/${name}`;
  return [
    `schema, example, subject and summary: ${catalogue}`,
    `what is done with it: npm run new -- handler ${name} ${type}; until then it is kept as a dead letter`,
    `npx tsc names whatever else ${name} must know of its events, npm run check tells whether all agrees`,
    `set ${variable}_SECRET, register ${path} with the sender, and try it: npm run send -- ${name} ${type}`,
  ];
}
