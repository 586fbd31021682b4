import { createRandom } from '../../src/lab/mock/random.ts';
import { createSender } from '../../src/lab/mock/sender.ts';
import type { Source } from '../../src/kit/source.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { startReceiver, type TestReceiver } from './receiver.ts';

/** One event that a source's mock sent to a receiver, and what became of it. */
export interface Trip {
  readonly source: string;
  readonly type: string;
  /** What the sender says of the reply. */
  readonly says: string;
  readonly ok: boolean;
  /** Status and note of the entry. */
  readonly entry: string;
}

/** Sends every event of every source to a receiver with the reference handlers, and waits until all are handled. */
export async function roundTrip(): Promise<Trip[]> {
  const receiver = await startReceiver();
  try {
    const sent = [];
    for (const source of sources) sent.push(...(await sendAll(source, receiver)));
    await receiver.app.idle();
    const entries = await receiver.app.inbox.list({ limit: 1000 });
    return sent.map((trip) => {
      const entry = entries.find(({ source, type }) => source === trip.source && type === trip.type);
      return { ...trip, entry: entry === undefined ? 'none' : `${entry.status}: ${entry.note ?? ''}` };
    });
  } finally {
    await receiver.stop();
  }
}

async function sendAll(source: Source, receiver: TestReceiver): Promise<Omit<Trip, 'entry'>[]> {
  const [kind = ''] = Object.keys(source.proof.kinds);
  const sender = createSender({
    source,
    url: new URL(receiver.url),
    random: createRandom(1),
    credentialFor: ({ path }) => ({ kind, text: receiver.secretOf(path) }),
  });
  try {
    const trips = [];
    for (const type of Object.keys(source.events)) {
      const { verdict } = await sender.fire(type);
      trips.push({ source: source.name, type, ...verdict });
    }
    return trips;
  } finally {
    sender.close();
  }
}
