import { run } from '../../src/kit/program/run.ts';
import { appOf } from '../../src/lab/rig/app.ts';

// A program under test: one handler leaves a promise to itself that is rejected, another one a timer that throws.
await run(appOf({ handlers: { risr: { profile_updated: float, booking_updated: throwLater } } }));

function float(): void {
  void reject();
}

async function reject(): Promise<void> {
  throw new Error('nobody awaits this', { cause: new Error('the other side is away') });
}

function throwLater(): void {
  setTimeout(() => {
    throw new TypeError('nobody catches this');
  }, 0);
}
