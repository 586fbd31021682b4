import type { SwitchDefinitions, SwitchValues } from '../../../../kit/source.ts';

/** What the platform itself can vary; all other switches are its sender's. Each names a gap of the documentation. */
export const risrSwitches = {
  deliveries: {
    values: ['once', 'duplicate', 'redelivered'],
    summary: 'Once, or again with the same webhook_request_id, or again with another one.',
  },
  several: {
    values: ['one-by-one', 'parallel'],
    summary: 'How the registrations of a topic, and the topics of a transition, are called.',
  },
  retries: { text: '0', summary: 'How often a hook that failed is called again, unless a user waits.' },
  retryDelayMs: { text: '1000', summary: 'How long it waits before each.' },
  conflict: { values: ['409', '412'], summary: 'Answer to a stale `rev`.' },
  success: { values: ['usual', '200'], summary: 'Answer to what was made or removed: 201 and 204, or 200.' },
} as const satisfies SwitchDefinitions;

export type RisrChoices = SwitchValues<typeof risrSwitches>;
