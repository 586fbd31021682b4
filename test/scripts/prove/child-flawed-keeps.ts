import { startFlawed } from './flawed.ts';

const kept: Buffer[] = [];

// Ten megabytes more every tenth of a second, up to a gigabyte, however busy it is.
startFlawed(() => undefined);
setInterval(() => kept.length < 100 && kept.push(Buffer.alloc(10_000_000, 'x')), 100);
