// Compiled and never run: each line below an expected error must be one, or `tsc` complains of the comment.
import { z } from 'zod';
import { defineStep, runs, type FollowUp } from '../../../src/kit/step.ts';

const mail = defineStep('mail', z.object({ to: z.string(), copies: z.int().default(1) }));

export function ask(followUp: FollowUp): void {
  followUp(mail, { to: 'ada' });
  followUp(mail, { to: 'ada', copies: 2 }, { subject: 'person:ada' });
  // @ts-expect-error the step is told to whom
  followUp(mail, {});
  // @ts-expect-error a name is text
  followUp(mail, { to: 7 });
  // @ts-expect-error the step knows no subject line
  followUp(mail, { to: 'ada', title: 'Hello' });
  // @ts-expect-error the step has to be defined
  followUp('mail', { to: 'ada' });
}

export const fitting = runs(mail, async ({ data }) => `${data.copies.toFixed()} to ${data.to}`);

// @ts-expect-error the data have `to`
export const misspeltMember = runs(mail, ({ data }) => typeof data.too);

// @ts-expect-error a step says a few words, or nothing
export const otherAnswer = runs(mail, ({ data }) => data.copies);
