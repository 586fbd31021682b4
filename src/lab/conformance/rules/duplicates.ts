import { proofKindOf } from '../endpoints.ts';
import type { Finding, Rule, Trial } from '../rule.ts';
import type { Genuine, Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed, tried, worse } from '../trials.ts';
import type { Observation } from '../wire.ts';
import { finalCount, judgeCount, tellsEffects } from '../making/effects.ts';
import { where } from '../making/answers.ts';
import { hasOwnId, ownGenuine } from '../making/own-content.ts';
import { encode, signParts, tokenIn, withToken, type Token } from '../making/token.ts';

const ONCE =
  'Store the id of an event with the event, under a unique constraint, and answer 2xx when it is there already.';

/** Group I, first part: one event, one effect. */
export const duplicateRules: readonly Rule[] = [
  {
    id: 'I3-at-once',
    group: 'I',
    title: 'does once what is delivered several times, also at the same time',
    severity: 'high',
    grade: 'correct',
    level: 2,
    why: 'Senders deliver again when they are unsure, and a second machine delivers at the same moment. Between looking for an id and writing it there is time for others.',
    fix: ONCE,
    trials: where(hasOwnId, () => [
      delivered('twice, one after the other', async (stage, request) => [
        await stage.send(request, 'first'),
        await stage.send(request, 'again'),
      ]),
      delivered('twenty times at once', (stage, request) =>
        Promise.all(Array.from({ length: 20 }, () => stage.send(request, 'at once'))),
      ),
      delivered('again after its effect', async (stage, request) => {
        const first = await stage.send(request, 'first');
        await stage.settled(({ effects }) => effects.some(({ ref }) => ref === request.ref));
        return [first, await stage.send(request, 'again')];
      }),
    ]),
  },
  {
    id: 'I3-repeats',
    group: 'I',
    title: 'takes notifications without an id for events of their own, however alike they are',
    severity: 'high',
    grade: 'durable',
    level: 2,
    why: 'The second signature of a task makes the same bytes as the first. Who drops it never hears that the task is complete.',
    fix: 'Deduplicate by nothing that the sender does not promise to be unique; make what follows harmless to repeat.',
    trials: where(
      (at) => tellsEffects(at) && !hasOwnId(at),
      () => [repeated()],
    ),
  },
  {
    id: 'I4-twins',
    group: 'I',
    title: 'does once what comes again in another spelling',
    severity: 'medium',
    grade: 'correct',
    level: 2,
    why: 'A redelivery may be signed anew, with other blanks or another order. Who compares bytes takes it for another event.',
    fix: 'Recognise an event by its id in the signed content, not by a hash of the request.',
    trials: where(
      (at) => hasOwnId(at) && proofKindOf(at) === 'token',
      () => [
        spelled('under another token header', ({ payload, secret }) =>
          signParts(encode('{"alg":"HS256"}'), payload, secret),
        ),
        spelled('with a blank behind its content', ({ header, payloadJson, secret }) =>
          signParts(header, encode(`${payloadJson} `), secret),
        ),
        spelled('printed anew', ({ header, payloadJson, secret }) =>
          signParts(header, encode(JSON.stringify(JSON.parse(payloadJson), null, 1)), secret),
        ),
      ],
    ),
  },
];

/** One event in several deliveries: each is accepted, or put off, and there is one effect. */
function delivered(
  name: string,
  deliver: (stage: Stage, request: Genuine) => Promise<readonly Observation[]>,
): Trial {
  return tried(name, async (stage) => {
    const request = await ownGenuine(stage);
    const replies = await deliver(stage, request);
    return worse(judgeReplies(replies), judgeCount(await finalCount(stage, request.ref, 1), 1));
  });
}

function judgeReplies(replies: readonly Observation[]): Finding {
  const expected = '2xx each time; 429 or 503 for some';
  const wrong = replies.find((reply) => !isAccepted(reply) && reply.status !== 429 && reply.status !== 503);
  if (wrong !== undefined) return failed(expected, describe(wrong));
  return replies.some(isAccepted) ? passed(expected, 'so it was') : failed(expected, 'none was accepted');
}

function repeated(): Trial {
  return tried('the same bytes once more', async (stage) => {
    const request = await ownGenuine(stage);
    await stage.send(request, 'first');
    await stage.settled(({ effects }) => effects.some(({ ref }) => ref === request.ref));
    const again = await stage.send(request, 'again');
    if (!isAccepted(again)) return failed('2xx', describe(again));
    return judgeCount(await finalCount(stage, request.ref, 2), 2);
  });
}

function spelled(name: string, respell: (token: Token) => string): Trial {
  return tried(name, async (stage) => {
    const request = await ownGenuine(stage);
    await stage.send(request, 'first');
    const token = tokenIn(request, stage.endpoint);
    const twin = await stage.send(withToken(request, token, respell(token)), 'in another spelling');
    const finding = judgeCount(await finalCount(stage, request.ref, 1), 1);
    return twin.status < 500 ? finding : worse(finding, failed('2xx or a refusal', describe(twin)));
  });
}
