import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { effectKey, readEffects } from '../../../scripts/prove/crash/effects.ts';
import { startEngine, type Engine } from '../../../scripts/prove/crash/engine.ts';
import { entriesWhenDrained, playCrash } from '../../../scripts/prove/crash/play.ts';
import { pointsOf } from '../../../scripts/prove/crash/points.ts';
import {
  effectsFile,
  environmentOf,
  secretOf,
  startReceiver,
} from '../../../scripts/prove/crash/receiver.ts';
import { sendAll, unsent, type Sent } from '../../../scripts/prove/crash/sending.ts';
import type { EngineName } from '../../../src/lab/rig/inboxes.ts';
import { newFolder } from '../../support/fixtures.ts';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { createTestSender } from '../../support/test-sender.ts';
import { until } from '../../support/until.ts';

const ATTEMPTS = 3;

/** What every kind of durable inbox must survive. `npm run prove -- crash` plays more seeds of each point. */
export function describeCrashes(name: EngineName): void {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine(name);
  });
  afterAll(() => engine.close());

  it(`keeps every promise when the receiver is killed at one point after the other: ${pointsOf(name).join(', ')}`, async () => {
    const wanted = pointsOf(name);
    const crash = await playCrash({ engine, points: wanted, seed: 1 });
    expect(crash.problems).toEqual([]);
    expect(crash.killed).toBe(wanted.length);
    expect(crash.stored).toBe(crash.handled + crash.gone);
    expect(crash.effects).toBeGreaterThan(200);
  });

  it('buries an event that kills its handler each time, after its attempts, and handles the others', () =>
    buriesThePoisoned(engine, newFolder()));
}

async function buriesThePoisoned(engine: Engine, folder: string): Promise<void> {
  const inboxUrl = await engine.newInbox(folder);
  const env = {
    ...environmentOf(folder, inboxUrl),
    HANDLER_ATTEMPTS: String(ATTEMPTS),
    POISONED_EVENT: 'poisoned',
  };
  const sent = await profiles(['poisoned', 'other', 'another', AFTER_THE_POISONED]);
  let deaths = 0;
  while (await diesHandling(sent, env)) {
    deaths += 1;
    await engine.quiet(inboxUrl);
    await engine.lapseLeases(inboxUrl);
  }

  const entries = await entriesWhenDrained(inboxUrl);
  const endings = Object.fromEntries(entries.map(({ eventId = '', status }) => [eventId, status]));
  expect(endings).toEqual({ poisoned: 'dead', other: 'done', another: 'done', [AFTER_THE_POISONED]: 'done' });
  const poisoned = entries.find(({ status }) => status === 'dead');
  expect(poisoned?.note).toContain('interrupted');
  expect(deaths).toBe(ATTEMPTS);
  expect(poisoned && readEffects(effectsFile(folder)).runs.get(effectKey(poisoned))).toBe(ATTEMPTS);
}

/** Of the same profile. */
const AFTER_THE_POISONED = 'after-poisoned';

/** An edit of a profile for each id. */
async function profiles(ids: readonly string[]): Promise<Sent[]> {
  const sender = createTestSender({ url: 'http://127.0.0.1:1', secretOf });
  const example = risr.events.profile_updated.example;
  const requests = ids.map((id) => {
    const profile = id === AFTER_THE_POISONED ? 'poisoned' : id;
    return sender.request(risr, 'profile_updated', { id, payload: { ...example, id: profile } });
  });
  return (await Promise.all(requests)).map((request) => unsent({ request, digest: '', genuine: true }));
}

/** Starts a receiver and sends what has no answer. Resolves with whether it died before all was handled. */
async function diesHandling(sent: readonly Sent[], env: Record<string, string>): Promise<boolean> {
  const receiver = await startReceiver({ env });
  let died = false;
  void receiver.ended.then(() => (died = true));
  await sendAll(receiver.address, sent, { connections: 1 });
  const inbox = await openInbox(env['INBOX_URL'] ?? '', { maxWaiting: 1, owner: false });
  await until('the receiver dies, or all is handled', async () => {
    const { waiting, running } = await inbox.stats();
    return died || (waiting + running === 0 && sent.every(({ answered }) => answered));
  });
  await inbox.close();
  const diedByItself = died;
  receiver.kill();
  await receiver.ended;
  return diedByItself;
}
