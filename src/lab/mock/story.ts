import type { Source } from '../../kit/source.ts';

/** Every event type of a source, in the order in which they happen in life where the source tells it. */
export function storyOf(source: Source): string[] {
  return [...new Set([...(source.story ?? []), ...Object.keys(source.events)])];
}
