import type { Destination, OutgoingRequest } from '../source.ts';

/** Makes a request that only looks proven. */
export type Forger<Choices> = (
  content: Buffer,
  to: Destination,
  choices: Choices,
) => OutgoingRequest | Promise<OutgoingRequest>;

/** The forgeries of a source by their names, as a data sheet wants them. */
export function forging<Choices>(source: string, forgers: Readonly<Record<string, Forger<Choices>>>) {
  const forgeries = Object.keys(forgers);
  return {
    forgeries,
    async forge(
      forgery: string,
      content: Buffer,
      to: Destination,
      choices: Choices,
    ): Promise<OutgoingRequest> {
      const forger = Object.hasOwn(forgers, forgery) ? forgers[forgery] : undefined;
      if (forger) return forger(content, to, choices);
      throw new Error(`${source} has no forgery "${forgery}": use ${forgeries.join(', ')}.`);
    },
  };
}
