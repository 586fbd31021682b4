import { startFlawed } from './flawed.ts';

// Trims each body with a pattern that takes the square of a run of blanks.
startFlawed((body) => body.replace(/[\s+]+$/, ''));
