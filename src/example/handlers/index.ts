import type { Catalogue, HandlersOf, Source } from '../../kit/source.ts';
import type { sources } from '../../kit/sources/index.ts';
import type { RunnableStep } from '../../kit/step.ts';
import { hotdocsHandlers, hotdocsSteps } from './hotdocs.ts';
import { phenixidHandlers } from './phenixid.ts';
import { risrHandlers } from './risr.ts';
import type { HandlerTools } from './tools.ts';

type EveryHandler = {
  readonly [Name in (typeof sources)[number]['name']]: HandlersFor<
    Extract<(typeof sources)[number], { name: Name }>
  >;
};
type HandlersFor<S> = S extends Source<infer Events extends Catalogue> ? HandlersOf<Events> : never;

/** What is done with each event of each source. This folder is yours; the compiler tells what is missing in it. */
export function createHandlers(tools: HandlerTools): EveryHandler {
  return {
    hotdocs: hotdocsHandlers(tools),
    phenixid: phenixidHandlers(tools),
    risr: risrHandlers(tools),
  };
}

/** What is done for each step that a handler asks for with `followUp`. */
export function createSteps(tools: HandlerTools): readonly RunnableStep[] {
  return [...hotdocsSteps(tools)];
}
