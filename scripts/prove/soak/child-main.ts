import './child-haste.ts';
import { openSync } from 'node:fs';
import type { AllHandlers } from '../../../src/kit/handling/handle.ts';
import { run } from '../../../src/kit/program/run.ts';
import { appOf } from '../../../src/lab/rig/app.ts';
import { noteNumber } from './ledger.ts';

// The real program, on handlers that only note what they were called for.
await run(appOf({ handlers: createHandlers() }));

/** They only leave the number of their event (see deliveries.ts) in the file HANDLED. */
function createHandlers(): AllHandlers {
  const file = openSync(process.env['HANDLED'] ?? 'handled', 'a');
  const note = (text: string) => noteNumber(file, Number(/\d+/.exec(text)?.[0]));
  return {
    phenixid: {
      OrderSigned: ({ payload }: { payload: { taskId: string } }) => note(payload.taskId),
    },
    hotdocs: {
      NewWorkItemVersionComplete: ({ payload }: { payload: { workItemName: string } }) =>
        note(payload.workItemName),
    },
    risr: {
      profile_updated: ({ payload }: { payload: { rev: string } }) => note(payload.rev),
    },
  };
}
