import './child-haste.ts';
import { run } from '../../../src/kit/program/run.ts';
import { appOf } from '../../../src/lab/rig/app.ts';
import { createHandlers } from './child-handlers.ts';

// The real program, on handlers that only note what they were called for.
await run(appOf({ handlers: createHandlers() }));
