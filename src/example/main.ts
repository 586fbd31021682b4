import { run } from '../kit/index.ts';
import { example } from './index.ts';

await run(example);
