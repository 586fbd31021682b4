import { setTimeout as pause } from 'node:timers/promises';
import { randomUuid } from '../../mock/random.ts';
import type { EndpointUnderTest, Finding, Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';
import { countOf, finalCount, judgeCount, namedBy, tellsEffects } from '../making/effects.ts';
import { where } from '../making/answers.ts';
import { hasOwnId, ownGenuine } from '../making/own-content.ts';

/** Group I, last part: what a receiver remembers, and for how long. */
export const stateRules: readonly Rule[] = [
  {
    id: 'I11-at-once',
    group: 'I',
    title: 'loses none of twenty different events that come at once',
    severity: 'critical',
    grade: 'durable',
    level: 2,
    why: 'Senders work through lists: twenty bookings change in the same second. Code that is busy with one of them, says 200 and goes on has lost the others.',
    fix: 'Store every event before you answer. Where you cannot, answer 503 with Retry-After, and not 200.',
    trials: where(tellsEffects, () => [manyAtOnce()]),
  },
  {
    id: 'I12-two-endpoints',
    group: 'I',
    title: 'does at each endpoint what comes under one id at two of them',
    severity: 'low',
    grade: 'hardened',
    level: 2,
    oncePerSource: true,
    why: 'A UUID should be the only one of its kind, and no sender promises so of two webhooks. In one table for all of them the second event is taken for a duplicate of the first, and is lost.',
    fix: 'Keep ids together with the endpoint that the event came to.',
    trials: (at, others) =>
      (hasOwnId(at) ? others.filter((other) => isBeside(at, other)) : []).slice(0, 1).map(oneIdAt),
  },
  {
    id: 'I13-long-memory',
    group: 'I',
    title: 'recognises a redelivery when fifty others and three seconds have come between',
    severity: 'high',
    grade: 'correct',
    level: 2,
    slow: true,
    oncePerSource: true,
    why: 'A list of the last few ids is full after a busy minute, and a sender delivers again after an hour: everything is done twice just when much is going on.',
    fix: 'Keep the id with the event, under a unique constraint, as long as you keep the event.',
    trials: where(hasOwnId, () => [againAfter(50, 3)]),
  },
  {
    id: 'I13-longer-memory',
    group: 'I',
    title: 'recognises a redelivery after 1,200 others and half a minute',
    severity: 'high',
    grade: 'correct',
    level: 2,
    exhausting: true,
    oncePerSource: true,
    why: 'A cache of a thousand ids, or one that forgets after ten seconds, is enough for every test and for no sender.',
    fix: 'Keep the id with the event, under a unique constraint, as long as you keep the event.',
    trials: where(hasOwnId, () => [againAfter(1_200, 30)]),
  },
];

const AT_ONCE = 20;

function manyAtOnce(): Trial {
  const expected = 'an effect of each that was accepted, or put aside';
  return tried(`${AT_ONCE} events`, async (stage): Promise<Finding> => {
    const sent = await deliverAll(stage, AT_ONCE);
    const wrong = sent.find(
      ({ status }) => (status < 200 || status > 299) && status !== 429 && status !== 503,
    );
    if (wrong !== undefined) return failed('2xx; 429 or 503 for some', wrong.says);
    const accepted = sent.filter(({ status }) => status < 300);
    const now = await stage.settled((effects) => accepted.every(({ ref }) => namedBy(effects, ref) > 0));
    const lost = accepted.filter(({ ref }) => namedBy(now, ref) === 0).length;
    if (lost > 0) return failed(expected, `${lost} of ${accepted.length} that were accepted had none`);
    return passed(expected, `so it was with ${accepted.length}`);
  });
}

interface Sent {
  readonly ref: string;
  readonly status: number;
  readonly says: string;
}

/** So many events, each about something of its own, at the same time. */
async function deliverAll(stage: Stage, count: number): Promise<Sent[]> {
  const requests = await Promise.all(Array.from({ length: count }, () => ownGenuine(stage)));
  return Promise.all(
    requests.map(async (request) => {
      const observation = await stage.send(request, 'one of many');
      return { ref: request.ref, status: observation.status, says: describe(observation) };
    }),
  );
}

function isBeside(at: EndpointUnderTest, other: EndpointUnderTest): boolean {
  return other.source.name === at.source.name && other.url.origin === at.url.origin && hasOwnId(other);
}

function oneIdAt(other: EndpointUnderTest): Trial {
  return tried(`the same id at ${other.name}`, async (stage) => {
    const id = randomUuid(stage.random);
    for (const changes of [{ id }, { id, of: other }]) {
      const observation = await stage.send(await ownGenuine(stage, changes), 'under one id');
      if (!isAccepted(observation)) return failed('2xx', describe(observation));
    }
    return judgeCount(await finalCount(stage, id, 2), 2);
  });
}

/** A delivery and its effect; then so many others, and as long a time; and the same delivery again. */
function againAfter(others: number, seconds: number): Trial {
  return tried(`after ${others} others and ${seconds} seconds`, async (stage) => {
    const request = await ownGenuine(stage);
    await stage.send(request, 'first');
    await stage.settled((now) => countOf(now, request.ref) > 0);
    const over = pause(seconds * 1_000);
    for (let left = others; left > 0; left -= AT_ONCE) await deliverAll(stage, Math.min(left, AT_ONCE));
    await over;
    await stage.send(request, 'again');
    return judgeCount(await finalCount(stage, request.ref, 1), 1);
  });
}
