import type { SwitchDefinitions, SwitchValues } from '../../../../kit/source.ts';

/** What the platform itself can vary; all other switches are its sender's. Each names a gap of the documentation. */
export const hotdocsSwitches = {
  loginReply: { values: ['raw', 'quoted', 'bearer'], summary: 'How the token of the login is written.' },
  docUrl: {
    values: ['usual', 'v1.1', 'v2.0-versioned'],
    summary:
      'Path of the download addresses. Usual is v1.1, as published; with the version during post-processing.',
  },
  docAuth: { values: ['required', 'none'], summary: 'Whether a download needs the API token.' },
  putStatus: { values: ['200', '201', '204'], summary: 'Answer to an upload.' },
  allowFailed: { values: ['true', 'false'], summary: 'Whether post-processing may be set to Failed.' },
  onError: {
    values: ['continue', 'show-error', 'mark-failed'],
    summary:
      'After a bad reply: go on without it, tell the user, or also end post-processing as PostProcessingFailed.',
  },
  retries: { text: '0', summary: 'How often a notification that failed is sent again.' },
  retryDelayMs: { text: '1000', summary: 'How long it waits before each.' },
} as const satisfies SwitchDefinitions;

export type HotdocsChoices = SwitchValues<typeof hotdocsSwitches>;
