import type { HandlersOf } from '../../kit/source.ts';
import type { __constant__ } from '../../kit/sources/__name__/index.ts';

/** What these need, hand it in: `records`, or a system of yours, is a parameter here and an argument in index.ts. */
export function __constant__Handlers(): HandlersOf<typeof __constant__.events> {
  return {
    'example.created': ({ payload }) => `saw ${payload.id}, did nothing yet`,
  };
}
