import { CallFailed } from './errors.ts';

/** What a login gave. */
export interface Token {
  readonly text: string;
  /** How long it can be relied on; Infinity where the login does not say. */
  readonly usableMs: number;
}

/** Makes a call with a token, and once more with a new one if the first is answered 401. */
export type WithToken = <Result>(call: (token: string) => Promise<Result>) => Promise<Result>;

/** Keeps one token in memory. Calls that need one at the same time share one login; a login that fails is not kept. */
export function createTokens(login: () => Promise<Token>, now: () => number): WithToken {
  let held: Held | undefined;
  let renewal: Promise<Held> | undefined;

  async function renew(): Promise<Held> {
    const started = now();
    const { text, usableMs } = await login();
    return (held = { text, until: started + usableMs });
  }

  async function current(): Promise<Held> {
    if (held !== undefined && now() < held.until) return held;
    renewal ??= renew().finally(() => (renewal = undefined));
    return renewal;
  }

  return async (call) => {
    const token = await current();
    try {
      return await call(token.text);
    } catch (error) {
      if (!hasStatus(error, 401)) throw error;
      // A parallel call may have renewed it meanwhile.
      if (held === token) held = undefined;
      return call((await current()).text);
    }
  };
}

/** Whether a call failed because it was answered with one of these statuses. */
export function hasStatus(error: unknown, ...statuses: number[]): error is CallFailed {
  return error instanceof CallFailed && error.code === 'status' && statuses.includes(error.status ?? 0);
}

interface Held {
  readonly text: string;
  readonly until: number;
}
