import { DeadLetter } from '../errors.ts';
import { CallRefused } from './errors.ts';

/** A call that was refused here will be refused again: the entry waits for a human instead. */
export async function orGiveUp<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof CallRefused)) throw error;
    throw new DeadLetter('handler_gave_up', error.message, { cause: error });
  }
}
