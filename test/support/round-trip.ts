import { app } from '../../src/app/index.ts';
import { withReceiver } from '../../src/lab/testing.ts';

/** One event that a source's mock sent to a receiver, and what became of it. */
export interface Trip {
  readonly source: string;
  readonly type: string;
  /** Whether the sender is content with the reply, and what it says of it. */
  readonly ok: boolean;
  readonly says: string;
  /** Status and note of the entry. */
  readonly entry: string;
}

/** Sends every event of every source of the app to a receiver that runs it. */
export async function roundTrip(): Promise<Trip[]> {
  return withReceiver(app, async ({ send }) => {
    const trips: Trip[] = [];
    for (const { name, events } of app.sources) {
      for (const type of Object.keys(events)) {
        const { verdict, entry } = await send(name, type);
        const became = entry === undefined ? 'none' : `${entry.status}: ${entry.note ?? ''}`;
        trips.push({ source: name, type, ...verdict, entry: became });
      }
    }
    return trips;
  });
}
