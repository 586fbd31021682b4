import { randomUuid } from '../../mock/random.ts';
import { proofKindOf } from '../endpoints.ts';
import type { Rule, Trial } from '../rule.ts';
import type { Genuine } from '../stage.ts';
import { answered, describe, failed, isAccepted, tried, worse } from '../trials.ts';
import { withHeader } from '../making/edit.ts';
import { finalCount, judgeCount, tellsEffects } from '../making/effects.ts';
import { where } from '../making/answers.ts';
import { hasOwnId, ownContent, ownGenuine, revisionOf, withMembers } from '../making/own-content.ts';
import { signParts, tokenIn, withToken } from '../making/token.ts';

/** Group I, second part: what makes two deliveries one event. */
export const identityRules: readonly Rule[] = [
  {
    id: 'I5-forged-first',
    group: 'I',
    title: 'lets a forged delivery not stand in the way of the genuine one',
    severity: 'critical',
    grade: 'durable',
    level: 2,
    why: 'Where ids are noted before the proof is checked, anybody who guesses or sees an id can make the event disappear.',
    fix: 'Verify first. Nothing may be written, cached or counted as seen before that.',
    trials: where(
      (at) => hasOwnId(at) && proofKindOf(at) === 'token',
      () => [forgedFirst()],
    ),
  },
  {
    id: 'I5-unsigned-header',
    group: 'I',
    title: 'does not tell events apart by headers that nobody signed',
    severity: 'high',
    grade: 'correct',
    level: 2,
    why: 'Proxies add and change such headers, and attackers too: one event becomes many, or many become one.',
    fix: 'Take the id of an event from its signed content only.',
    trials: (at) => [...(hasOwnId(at) ? [otherHeaders()] : []), ...(tellsEffects(at) ? [sameHeaders()] : [])],
  },
  {
    id: 'I5-same-id',
    group: 'I',
    title: 'survives the id of an earlier event with other content',
    severity: 'medium',
    grade: 'correct',
    level: 1,
    why: 'It should not happen and does, when a sender corrects an event. A constraint of a database that nobody catches answers 500 for ever.',
    fix: 'Decide which of the two counts, and answer 2xx.',
    trials: where(
      (at) => hasOwnId(at) && proofKindOf(at) === 'token',
      () => [
        answered(
          'an id twice',
          async (genuine, stage) => {
            await stage.send(genuine, 'first');
            const { payloadJson } = tokenIn(genuine, stage.endpoint);
            return stage.proven(withMembers(payloadJson, ',"corrected":true'));
          },
          ['2xx', 400, 409, 422],
        ),
      ],
    ),
  },
  {
    id: 'I5-other-id',
    group: 'I',
    title: 'does what comes under two ids twice, however alike it is',
    severity: 'high',
    grade: 'durable',
    level: 2,
    why: 'Two users may do the same thing within a second. Who compares content drops the second one.',
    fix: 'Recognise an event by its id, not by a hash of its content.',
    // Two deliveries of one revision of a document say the same, whatever their ids.
    trials: where(
      (at) => hasOwnId(at) && proofKindOf(at) === 'token' && revisionOf(at) === undefined,
      () => [otherId()],
    ),
  },
];

function forgedFirst(): Trial {
  return tried('a forged one, then the genuine one', async (stage) => {
    const request = await ownGenuine(stage);
    const token = tokenIn(request, stage.endpoint);
    const forged = signParts(token.header, token.payload, `not ${token.secret}`);
    await stage.send(withToken(request, token, forged), 'forged', { failedProof: true });
    const genuine = await stage.send(request, 'genuine');
    if (!isAccepted(genuine)) return failed('2xx', `the genuine one: ${describe(genuine)}`);
    return judgeCount(await finalCount(stage, request.ref, 1), 1);
  });
}

const NAMES = [
  'X-Request-Id',
  'Idempotency-Key',
  'Webhook-Id',
  'X-Webhook-Id',
  'X-Delivery-Id',
  'X-Event-Id',
];

function withIds(request: Genuine, id: string): Genuine {
  return NAMES.reduce((changed, name) => withHeader(changed, name, id), request);
}

function otherHeaders(): Trial {
  return tried('one event under two ids in headers', async (stage) => {
    const request = await ownGenuine(stage);
    await stage.send(withIds(request, randomUuid(stage.random)), 'first');
    await stage.send(withIds(request, randomUuid(stage.random)), 'again');
    return judgeCount(await finalCount(stage, request.ref, 1), 1);
  });
}

function sameHeaders(): Trial {
  return tried('two events under one id in headers', async (stage) => {
    const id = randomUuid(stage.random);
    const requests = [await ownGenuine(stage), await ownGenuine(stage)] as const;
    for (const request of requests) await stage.send(withIds(request, id), 'under one id');
    const counts = [];
    for (const { ref } of requests) counts.push(judgeCount(await finalCount(stage, ref, 1), 1));
    return counts.reduce(worse);
  });
}

function otherId(): Trial {
  return tried('the same content under another id', async (stage) => {
    const { json, ref } = ownContent(stage);
    const other = randomUuid(stage.random);
    const contents = [json, json.replaceAll(ref, other)];
    for (const content of contents) await stage.send(await stage.proven(content), 'under its id');
    const counts = [];
    for (const id of [ref, other]) counts.push(judgeCount(await finalCount(stage, id, 1), 1));
    return counts.reduce(worse);
  });
}
