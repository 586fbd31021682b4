import { run } from '../../kit/program/run.ts';
import { appOf } from '../rig/app.ts';

// The real program, on handlers that have nothing to do.
const nothing = () => undefined;
await run(appOf({ handlers: { phenixid: { OrderSigned: nothing }, risr: { booking_updated: nothing } } }));
