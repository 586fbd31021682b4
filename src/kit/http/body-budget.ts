import type { IncomingMessage } from 'node:http';
import { ipKeyGenerator } from 'express-rate-limit';
import type { AddressOf } from './address.ts';

/** The memory that bodies may take, all together, until their requests are answered. */
export interface BodyBudget {
  /** What one request takes of it; nothing at first. */
  open(request: IncomingMessage): BodyShare;
}

export interface BodyShare {
  /** Whether the body may take so much in all. */
  grow(bytes: number): boolean;
  giveBack(): void;
}

/** One network may have half of it, so that it cannot keep the others out. */
export function createBodyBudget(budgetBytes: number, addressOf: AddressOf): BodyBudget {
  const takenBy = new Map<string, number>();
  let taken = 0;

  function change(network: string, bytes: number): void {
    const ofNetwork = (takenBy.get(network) ?? 0) + bytes;
    taken += bytes;
    if (ofNetwork === 0) takenBy.delete(network);
    else takenBy.set(network, ofNetwork);
  }

  return {
    open(request) {
      const network = ipKeyGenerator(addressOf(request)); // a connection that has ended has none
      let own = 0;
      return {
        grow(bytes) {
          const more = bytes - own;
          const ofNetwork = (takenBy.get(network) ?? 0) + more;
          if (taken + more > budgetBytes || ofNetwork > budgetBytes / 2) return false;
          change(network, more);
          own = bytes;
          return true;
        },
        giveBack() {
          change(network, -own);
          own = 0;
        },
      };
    },
  };
}
