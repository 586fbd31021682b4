import { parseArgs } from 'node:util';
import { runCommand } from './command.ts';
import { effectsIn } from './conform/inbox-effects.ts';
import { withInbox } from './inbox/with-inbox.ts';

const USAGE = `The probe of this kit's own receiver for the conformance suite: what became of every event, as one JSON object.

  npm run --silent effects

  npm run conform -- --probe "npm run --silent effects"

Looks into the inbox that INBOX_URL names, as \`npm run inbox\` does. effects: events that were handled, in that order;
quarantined: dead letters. ref is eventId of HotDocs (workItemId of an action link), webhook_request_id of risr, taskId of
PhenixID. An event that a reference handler passed over, because it knew something newer, has no effect.
Exit code: 0 told, 1 not possible, 2 the command is not right.
`;

await runCommand(async (args) => {
  const { values } = parseArgs({ args, options: { help: { type: 'boolean', default: false } } });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  return withInbox(async (inbox) => {
    console.log(JSON.stringify(await effectsIn(inbox)));
    return 0;
  });
});
