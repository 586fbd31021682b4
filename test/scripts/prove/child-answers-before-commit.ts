import { Server, ServerResponse } from 'node:http';
import { StatementSync } from 'node:sqlite';
import { wrapMethod } from '../../../scripts/prove/crash/fault.ts';

// Preloaded into a receiver that is going to be killed, this makes a liar of it: whatever it is asked at the time of a
// commit is answered before that commit.
const answers = new Set<() => void>();

wrapMethod(Server.prototype, 'emit', ({ args, go }) => {
  const [name, , response] = args;
  if (name === 'request' && response instanceof ServerResponse) {
    const answer = () => {
      if (!response.headersSent) response.writeHead(200).end();
    };
    answers.add(answer);
    response.once('close', () => answers.delete(answer));
  }
  return go();
});

wrapMethod(StatementSync.prototype, 'run', ({ self, go }) => {
  if (self.sourceSQL === 'COMMIT') for (const answer of answers) answer();
  return go();
});
