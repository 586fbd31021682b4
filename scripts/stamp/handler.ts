import type ts from 'typescript';
import { definitionOf, type Source } from '../../src/kit/source.ts';
import { pick, UsageError } from '../../src/lab/usage.ts';
import { identifiersIn, memberOf, parseCode, returnedBy, splice } from './code.ts';
import { copyHandler } from './copy.ts';
import { openDraft, type Draft, type Stamped } from './draft.ts';
import { catalogueOf, sourceOf } from './event.ts';
import { constantOf } from './names.ts';
import { appIn, handlersIn, isNotWritten, methodIn } from './places.ts';
import { fillIn } from './template.ts';

export interface NewHandler {
  readonly source: string;
  readonly type: string;
  /** As the example has it, in place of an empty one. */
  readonly fromExample: boolean;
}

/**
 * Begins the handler of an event that is not written yet.
 * @throws UsageError, with nothing written
 */
export async function stampHandler(
  root: string,
  { source: name, type: named, fromExample }: NewHandler,
  sources: readonly Source[],
): Promise<Stamped> {
  const source = sourceOf(name, sources);
  const type = pick(
    `event of ${name}`,
    named,
    Object.keys(source.events).map((known): [string, string] => [known, known]),
  );
  const draft = openDraft(root);
  const file = `src/app/handlers/${name}.ts`;
  const place = placeOf(draft, file, name, type);
  if (fromExample) return copied(draft, name, type);
  const text = fillIn(root, `handler/${definitionOf(source, type)?.mode ?? 'notify'}.ts`, {
    type,
    members: membersOf(definitionOf(source, type)?.example),
    catalogue: catalogueOf(draft, name),
  });
  draft.write(file, splice(place.getSourceFile().text, place.getStart(), place.end, text));
  return draft.save([
    `write it: ${file}`,
    `try it: npm run send -- ${name} ${type}, and put a test into test/app; npm run test:app runs it`,
    'npm run inbox -- replay --dead handles what has come meanwhile',
  ]);
}

/** `Event: notWritten` in the app. @throws UsageError where it is not */
function placeOf(draft: Draft, file: string, source: string, type: string): ts.Node {
  const handlers = returnedBy(handlersIn(parseCode(draft.read(file) ?? ''), source));
  if (handlers === undefined) {
    throw new UsageError(
      `${file} has no function ${constantOf(source)}Handlers that ends by returning an object.`,
    );
  }
  const place = memberOf(handlers, type);
  if (place === undefined)
    throw new UsageError(`${file} has no \`${type}: notWritten\` to put a handler in the place of.`);
  if (!isNotWritten(place))
    throw new UsageError(`${type} has a handler already: ${file}. It is left as it is.`);
  return place;
}

function copied(draft: Draft, name: string, type: string): Promise<Stamped> {
  const code = parseCode(draft.read(`src/example/handlers/${name}.ts`) ?? '');
  const theirs = memberOf(returnedBy(handlersIn(code, name)), type);
  if (theirs === undefined || isNotWritten(theirs)) {
    throw new UsageError(
      `src/example has no handler for ${name} ${type} to copy: leave --from-example away.`,
    );
  }
  copyHandler(draft, name, type);
  const started = methodIn(appIn(parseCode(draft.read('src/example/index.ts') ?? '')), 'started');
  const goesOn = started !== undefined && identifiersIn(started).some(({ text }) => text === name);
  return draft.save([
    'npx tsc names what does not fit with what you have changed, npx knip what the handler has no use for',
    'what the example keeps in src/app/records stands for a system of yours: put that in its place',
    `test/app: say what ${type} does now; npm run test:app runs it`,
    ...(goesOn
      ? [`src/example/index.ts has in \`started\` what else is done for ${name} from time to time`]
      : []),
    'npm run inbox -- replay --dead handles what has come meanwhile',
  ]);
}

function membersOf(example: unknown): string {
  const names = Object.keys(example ?? {});
  return names.length > 6 ? `${names.slice(0, 6).join(', ')} …` : names.join(', ');
}
