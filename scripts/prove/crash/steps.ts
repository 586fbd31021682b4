import type { Entry } from '../../../src/kit/inbox/inbox.ts';

/** The step that a child's handlers ask for after some events, and those events. */
export const STEP = 'afterwards';
const ASKING: readonly string[] = ['NewWorkItemVersionComplete', 'profile_updated'];

export function asksForStep({ type }: Pick<Entry, 'type'>): boolean {
  return ASKING.includes(type);
}

/** Where an entry has its endpoint that a handler made. */
export const STEP_ENDPOINT = `#${STEP}`;

export function isStep({ endpoint }: Pick<Entry, 'endpoint'>): boolean {
  return endpoint === STEP_ENDPOINT;
}
