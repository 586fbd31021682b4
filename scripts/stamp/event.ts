import { upperSnake } from '../../src/kit/endpoint/definition.ts';
import { pick } from '../../src/lab/usage.ts';
import type { Source } from '../../src/kit/source.ts';
import { addTo, constantIn, importsIn, objectIn, parseCode, returnedBy, withImport } from './code.ts';
import { openDraft, type Draft, type Stamped } from './draft.ts';
import { checkEventType } from './names.ts';
import { handlersIn } from './places.ts';
import { formFor, neighboursIn, subjectLike, thingOf } from './neighbours.ts';
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
  const entry = entryFor(root, { type, mode }, source);
  draft.edit(
    catalogue,
    (text) => intoCatalogue(text, { type, mode }, entry, source),
    `in \`events\`:\n${entry}`,
  );
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

/** Where no other event of the source shows how. Somebody who waits is not to wait for others, unless those before do. */
function entryFor(root: string, { type, mode }: Pick<NewEvent, 'type' | 'mode'>, source: Source): string {
  const like = subjectLike(type, source);
  const entry = fillIn(root, `event/${mode}.ts`, { type, subject: like ?? thingOf(type) });
  if (mode === 'notify' || like === undefined) return entry;
  return entry.replace('    answer:', `    subject: ({ id }) => \`${like}:\${id}\`,\n    answer:`);
}

function intoCatalogue(
  text: string,
  { type, mode }: Pick<NewEvent, 'type' | 'mode'>,
  entry: string,
  source: Source,
) {
  const file = parseCode(text);
  const events = objectIn(constantIn(file, 'events'));
  if (events === undefined) return undefined;
  const like = formFor(type, neighboursIn(file, events, source, mode));
  if (like !== undefined) return addTo(text, events, `'${type}': ${like},`);
  const imported = importsIn(file).map(({ name }) => name);
  return imported.includes('z') && imported.includes('event') ? addTo(text, events, entry) : undefined;
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
