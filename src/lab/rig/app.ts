import type { AllHandlers } from '../../kit/handling/handle.ts';
import type { Startable } from '../../kit/program/start.ts';
import type { EndpointDefinition, NamedSource } from '../../kit/source.ts';
import { sources as products } from '../../kit/sources/index.ts';
import type { RunnableStep } from '../../kit/step.ts';

export interface AppParts {
  /** By source and type; all others are not written. */
  readonly handlers: AllHandlers;
  readonly steps?: readonly RunnableStep[];
  /** The products by default. */
  readonly sources?: readonly NamedSource[];
  readonly endpoints?: readonly EndpointDefinition[];
}

/** An app that a tool or test makes for itself, of the handlers it needs. */
export function appOf({ handlers, steps = [], sources = products, endpoints = [] }: AppParts): Startable {
  return {
    folder: 'an app of the lab',
    sources,
    endpoints,
    open: () => undefined,
    handlers: () => handlers,
    steps: () => steps,
  };
}
