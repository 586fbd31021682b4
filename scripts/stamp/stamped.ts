import type { Edit } from './edit.ts';

/** What was written, and what is still to be done. */
export interface Stamped {
  readonly files: readonly string[];
  /** Edits whose place was not found. */
  readonly left: readonly Edit[];
  readonly next: readonly string[];
}
