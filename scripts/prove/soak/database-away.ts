import { setTimeout as pause } from 'node:timers/promises';
import {
  onlyAcceptedOr503,
  promisesKept,
  within,
  type HardTime,
  type HardTimesOptions,
} from './hard-time.ts';
import { numbersBelow, startSurvivor, untilOver } from './survivor.ts';

/** When this part of all is accepted, the database goes. */
const BEFORE = 0.1;

/** Ends the database under a receiver as a power cut would, and starts it again. */
export async function databaseAway(options: HardTimesOptions): Promise<HardTime> {
  const { directory, inboxes, deliveries, secondsAway } = options;
  const inboxUrl = await inboxes.urlOf('postgres', 'away');
  const server = await inboxes.server();
  const survivor = await startSurvivor({ directory, name: 'database-away', inboxUrl, size: deliveries });
  const { replies } = survivor;
  const sending = survivor.send(numbersBelow(deliveries));
  await untilOver(sending, () => (replies.get(200) ?? 0) >= deliveries * BEFORE);
  await server.stop();
  await pause(secondsAway * 1000);
  await server.start();
  const back = performance.now();
  const acceptsAgainMs = await survivor.nextAccepted(sending);
  await sending;
  const survived = await survivor.finish();
  return {
    name: `database away for ${secondsAway} s`,
    ...{ replies, acceptsAgainMs, handledMs: performance.now() - back, survived },
    findings: [
      { text: 'the database was away: deliveries were refused', kept: (replies.get(503) ?? 0) > 0 },
      onlyAcceptedOr503(replies),
      within('deliveries are accepted again when it is back', acceptsAgainMs, 5_000),
      promisesKept(survived),
    ],
  };
}
