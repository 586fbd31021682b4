import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../src/kit/program/run.ts';
import type { Occurrence } from '../../src/kit/source.ts';
import { appOf } from '../../src/lab/rig/app.ts';

// A program under test: its handlers leave a line in the file TRACES, and wait where the file GATE is named.
await run(
  appOf({
    handlers: {
      risr: { profile_updated: trace, booking_updated: waitAndTrace },
      hotdocs: { InterviewLoadEvent: waitAndAnswer },
    },
  }),
);

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
