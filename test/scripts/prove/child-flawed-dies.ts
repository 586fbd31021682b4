import { startFlawed } from './flawed.ts';

// What is not HTTP is an error that nobody catches.
startFlawed(() => undefined).on('clientError', (error: NodeJS.ErrnoException, socket) => {
  // A connection that was cut is none of it: which comes first is chance.
  if (error.code?.startsWith('HPE_')) throw error;
  socket.destroy();
});
