import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHandlers as createReferenceHandlers } from '../../src/example/handlers/index.ts';
import type { HandlerTools } from '../../src/example/handlers/tools.ts';
import type { AllHandlers } from '../../src/kit/handling/handle.ts';
import type { Occurrence } from '../../src/kit/source.ts';

export { createSteps } from '../../src/example/handlers/index.ts';

/** Handlers for a process under test: they leave a line in the file TRACES, and wait where the file GATE is named. */
export function createHandlers(tools: HandlerTools): AllHandlers {
  return {
    ...createReferenceHandlers(tools),
    risr: { profile_updated: trace, booking_updated: waitAndTrace },
    hotdocs: { InterviewLoadEvent: waitAndAnswer },
  };
}

async function waitAndAnswer(event: Occurrence): Promise<object> {
  await waitAndTrace(event);
  return {};
}

/** Whatever its signal says. */
async function waitAndTrace(event: Occurrence): Promise<void> {
  trace(event);
  while (!existsSync(process.env['GATE'] ?? '')) await sleep(5);
}

function trace({ id, attempt }: Occurrence): void {
  appendFileSync(process.env['TRACES'] ?? 'traces', `${id ?? ''} ${attempt}\n`);
}
