import { ACTION_LINK, INTERVIEW_LOAD } from '../events.ts';
import type { Choices } from '../switches.ts';

/** The pages on the events name POST and GET, some for the same event; which is used may be chosen in Advance (HD-4). */
export function methods(type: string | undefined): readonly string[] {
  if (type === ACTION_LINK) return ['POST'];
  return type === INTERVIEW_LOAD ? ['GET', 'POST', 'PUT'] : ['POST', 'GET', 'PUT'];
}

/** The sender's half: the method chosen for the request, or the usual one where there is no choice. */
export function methodFor(type: string, { verb }: Choices): string {
  const [usual = 'POST', ...others] = methods(type);
  return verb !== 'usual' && others.includes(verb) ? verb : usual;
}
