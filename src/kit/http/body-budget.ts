import type { IncomingMessage } from 'node:http';
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

/** One address may have half of it, so that it cannot keep the others out. */
export function createBodyBudget(budgetBytes: number, addressOf: AddressOf): BodyBudget {
  const takenBy = new Map<string, number>();
  let taken = 0;

  function change(address: string, bytes: number): void {
    const ofAddress = (takenBy.get(address) ?? 0) + bytes;
    taken += bytes;
    if (ofAddress === 0) takenBy.delete(address);
    else takenBy.set(address, ofAddress);
  }

  return {
    open(request) {
      const address = addressOf(request); // a connection that has ended has none
      let own = 0;
      return {
        grow(bytes) {
          const more = bytes - own;
          const ofAddress = (takenBy.get(address) ?? 0) + more;
          if (taken + more > budgetBytes || ofAddress > budgetBytes / 2) return false;
          change(address, more);
          own = bytes;
          return true;
        },
        giveBack() {
          change(address, -own);
          own = 0;
        },
      };
    },
  };
}
