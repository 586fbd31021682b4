import { resolve } from 'node:path';
import { pickOne } from '../../src/lab/usage.ts';
import { readOptions, runCommand, wholeNumber } from '../../src/lab/command.ts';
import { playRestarts, type Restarts } from '../../src/lab/restarts/play.ts';
import { engineNames } from '../../src/lab/rig/inboxes.ts';
import { textTable } from '../../src/lab/rig/table.ts';
import { inWorkplace } from './bench/workplace.ts';

const USAGE = `Ends the receiver with SIGTERM and starts it again, on a socket that its starter keeps as systemd does, while deliveries
come evenly: nothing may be refused, lost or stored twice.

  npm run prove -- restarts [--restarts n] [--every-ms n] [--engine sqlite|postgres]

  --restarts n      default 10
  --every-ms n      between two deliveries, default 5
  --engine name     of ${engineNames.join(', ')}; default both
  --directory path  for inbox files; default data

"sent again": a connection that its sender kept was just being closed when it was used again; the sender saw no reply, and sent
once more on another. The exit code is 0 only if nothing was refused, lost or stored twice.
`;

const ways = [
  { name: 'own connections', keepAlive: false, overlap: false },
  { name: 'kept connections', keepAlive: true, overlap: false },
  { name: 'own connections, started at once', keepAlive: false, overlap: true },
];

const HEAD = ['inbox', 'senders', 'sent', 'refused', 'lost', 'twice', 'sent again', 'slowest reply'];

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: {
      restarts: { type: 'string', default: '10' },
      'every-ms': { type: 'string', default: '5' },
      engine: { type: 'string' },
      directory: { type: 'string', default: 'data' },
    },
  });
  const restarts = wholeNumber('--restarts', values.restarts, { min: 1, max: 10_000 });
  const everyMs = wholeNumber('--every-ms', values['every-ms'], { min: 1, max: 60_000 });
  const engines =
    values.engine === undefined ? engineNames : [pickOne('--engine', values.engine, engineNames)];
  // The program runs in that folder, and the file is named to it.
  return inWorkplace(resolve(values.directory), async (place) => {
    const rows: string[][] = [];
    let failed = false;
    for (const engine of engines) {
      for (const way of ways) {
        const inboxUrl = await place.inboxes.urlOf(engine, way.name.replaceAll(/\W+/g, '-'));
        const outcome = await playRestarts({ ...way, folder: place.directory, inboxUrl, restarts, everyMs });
        rows.push([engine, way.name, ...cellsOf(outcome)]);
        failed ||= outcome.refused.size > 0 || outcome.lost > 0 || outcome.doubled > 0;
      }
    }
    console.log(textTable([HEAD, ...rows], 2));
    return failed ? 1 : 0;
  });
}, USAGE);

function cellsOf({ sent, refused, lost, doubled, sentAgain, slowestMs }: Restarts): string[] {
  const causes = [...refused].map(([cause, count]) => `${count} x ${cause}`).join(', ');
  return [String(sent), causes || '0', ...[lost, doubled, sentAgain].map(String), `${slowestMs} ms`];
}
