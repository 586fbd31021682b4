import type { z } from 'zod';
import type { Listed } from './source.ts';

/** Work that follows from an event and is as durable: its name, and the shape of what it is told. */
export interface Step<Schema extends z.ZodType = z.ZodType> {
  /** Kept with what waits to be done: once in use, it is not changed. */
  readonly name: string;
  readonly schema: Schema;
}

/** Names a step. Its data are kept as JSON, so the schema has to take what JSON gives back. */
export function defineStep<Schema extends z.ZodType>(name: string, schema: Schema): Step<Schema> {
  return { name, schema };
}

/**
 * Asks for a step to be done once the handler has succeeded: stored in the same commit, with attempts of its own. A
 * handler that fails asked for nothing.
 * @throws DeadLetter `step_data_invalid` when the data do not fit the step's schema
 */
export type FollowUp = <Schema extends z.ZodType>(
  step: Step<Schema>,
  data: z.input<Schema>,
  options?: FollowUpOptions,
) => void;

export interface FollowUpOptions {
  /** What it is about, in the words of the catalogue's `subject`. The subject of the event itself by default. */
  readonly subject?: string;
}

/** What a step is told when it runs. */
export interface StepTask<Data> {
  readonly data: Data;
  /** Whose event it follows from, as the event's handler was told. */
  readonly installation: string | undefined;
  /** First is 1. More than 1: an earlier attempt failed or was interrupted, and may have done part of its work. */
  readonly attempt: number;
  /** When it fails, the step is a dead letter. */
  readonly lastAttempt: boolean;
  /** Aborts when its time is over. */
  readonly signal: AbortSignal;
  readonly followUp: FollowUp;
}

/** A step and what is done for it. */
export interface RunnableStep {
  readonly step: Step;
  /** What its task holds was checked where it was written. */
  readonly run: (task: StepTask<never>) => Said | Promise<Said>;
}

/** What a handler or step may say of what it did: a few words, kept with the entry, or that nothing changed. */
export type Said = string | Unchanged | undefined | void;

/** The event told nothing new, and nothing was done. */
export class Unchanged {
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/** What is kept with the entry, of whatever a handler has returned. */
export function saidOf(said: unknown): { readonly note: string | undefined; readonly unchanged?: boolean } {
  if (said instanceof Unchanged) return { note: said.why, unchanged: true };
  return { note: typeof said === 'string' ? said : undefined };
}

/** What a handler returns where an event told it nothing new: older than what is known already, for example. */
export function unchanged(why: string): Unchanged {
  return new Unchanged(why);
}

/** Says what is done for a step. */
export function runs<Schema extends z.ZodType>(
  step: Step<Schema>,
  run: (task: StepTask<Listed<z.output<Schema>>>) => Said | Promise<Said>,
): RunnableStep {
  return { step, run };
}
