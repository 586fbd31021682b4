import { run } from '../../../src/kit/program/run.ts';
import { appOf } from '../../../src/lab/rig/app.ts';
import { createHandlers, createSteps } from './child-handlers.ts';

// The real program, on handlers that leave their effects in a file.
await run(appOf({ handlers: createHandlers(), steps: createSteps() }));
