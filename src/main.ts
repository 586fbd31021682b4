import { app } from './app/index.ts';
import { run } from './kit/index.ts';

await run(app);
