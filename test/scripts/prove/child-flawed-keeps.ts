import { startFlawed } from './flawed.ts';

const kept: Buffer[] = [];

// Something of each request stays, up to 600 MB.
startFlawed(() => kept.length < 600 && kept.push(Buffer.alloc(1_000_000, 'x')));
