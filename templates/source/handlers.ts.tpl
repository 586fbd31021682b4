import { notWritten, type HandlersOf } from '../../kit/index.ts';
import type { __constant__ } from '../sources/__name__/index.ts';
import type { Tools } from '../tools.ts';

/** What is done with each event of __Title__. `npm run new -- handler __name__ <event>` begins one. */
export function __constant__Handlers(_tools: Tools): HandlersOf<typeof __constant__.events> {
  return {
    'example.created': notWritten,
  };
}
