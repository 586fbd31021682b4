import { startFlawed } from './flawed.ts';

// What is not HTTP is an error that nobody catches.
startFlawed(() => undefined).on('clientError', (error) => {
  throw error;
});
