import { z } from 'zod';
import { event } from '../../../kit/index.ts';

/** Every event type, spelled exactly as the sender spells it. */
export const events = {
  'example.created': event({
    mode: 'notify',
    summary: 'An example to begin with: put an event of the sender in its place.',
    schema: z.looseObject({ id: z.string() }),
    example: { id: 'example-1' },
    subject: ({ id }) => `example:${id}`,
  }),
};
