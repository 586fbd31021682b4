import { exitCodes } from '../../src/lab/conformance/result.ts';

/** Aborts when Ctrl-C is pressed or the process is asked to end; the second time it ends at once. */
export function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    process.stderr.write('\nInterrupted: the last reply is waited for. Once more ends at once.\n');
    controller.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return controller.signal;
}
