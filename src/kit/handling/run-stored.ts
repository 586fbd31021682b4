import { DeadLetter } from '../errors.ts';
import type { Run } from '../inbox/worker/attempt.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { isFollowUp } from './handle.ts';
import { handle, type Calling } from './handle.ts';
import { runStep } from './run-step.ts';

/** The worker's way to the handlers: by the endpoint an entry came to, open or closed by now; and to the steps. */
export function runStored(endpoints: readonly Endpoint[], calling: Calling): Run {
  const byPath = new Map(endpoints.map((endpoint) => [endpoint.definition.path, endpoint]));
  return async (entry, signal) => {
    if (isFollowUp(entry)) return runStep(entry, calling, signal);
    const endpoint = byPath.get(entry.endpoint);
    if (endpoint === undefined)
      throw new DeadLetter('event_unknown', `No endpoint ${entry.endpoint} exists now.`);
    const { event } = endpoint;
    if (event?.mode === 'reply' && event.afterFailure === 'record' && entry.attempts > 1) {
      throw new DeadLetter(
        'handler_late',
        'The receiver stopped before it was written down what came of it; nobody waits now.',
      );
    }
    const { note, unchanged, followUps } = await handle(entry, endpoint, calling, signal);
    return { note, unchanged, followUps };
  };
}
