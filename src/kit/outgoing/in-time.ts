import { CallFailed, nameOf } from './errors.ts';

/**
 * Runs a call with a signal that aborts with the call's own or when its time is over, and rejects with that reason,
 * whatever the interrupted call says about its end.
 */
export async function inTime<Result>(
  call: { readonly method: string; readonly url: URL; readonly signal?: AbortSignal | undefined },
  limitMs: number,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const over = new AbortController();
  const timer = setTimeout(() => {
    over.abort(new CallFailed('late', `${nameOf(call)} was not done within ${limitMs} ms.`));
  }, limitMs);
  const signal = call.signal === undefined ? over.signal : AbortSignal.any([call.signal, over.signal]);
  try {
    signal.throwIfAborted();
    return await run(signal);
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}
