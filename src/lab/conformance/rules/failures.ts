import { setTimeout as pause } from 'node:timers/promises';
import { randomText } from '../../mock/random.ts';
import type { Finding, Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed, tried, worse } from '../trials.ts';
import { bytesOf, type Observation, type WireRequest } from '../wire.ts';
import { hasBody } from '../making/edit.ts';
import { namedBy, tellsEffects } from '../making/effects.ts';
import { where } from '../making/answers.ts';
import { hasOwnId, ownGenuine } from '../making/own-content.ts';

/** Group K, as far as it can be seen from outside: error pages, and what outlives a kill. */
export const failureRules: readonly Rule[] = [
  {
    id: 'K5-error-page',
    group: 'K',
    title: 'repeats nothing of an address or a header in an error page',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    why: 'A page that repeats what it was asked for runs script from a link, and shows that a framework answers where you thought you did.',
    fix: 'Answer errors with a short constant text, those of the framework and of the proxy too.',
    trials: () => [
      repeatsNothing('a path', (request, word) => ({ ...request, target: `/${word}-nowhere` })),
      repeatsNothing('a path with markup', (request, word) => ({
        ...request,
        target: `/<script>${word}</script>`,
      })),
      repeatsNothing('a query', (request, word) => ({ ...request, target: `/nowhere?${word}=${word}` })),
      repeatsNothing('a method', (request, word) => ({ ...request, method: word.toUpperCase() })),
      repeatsNothing('a type', (request, word) => ({
        ...request,
        target: '/nowhere',
        headers: [['Content-Type', `text/${word}`]],
      })),
    ],
  },
  {
    id: 'K6-under-way',
    group: 'K',
    title: 'answers what is under way when it is asked to end',
    severity: 'high',
    grade: 'durable',
    level: 1,
    alone: true,
    needs: 'terminate',
    oncePerSource: true,
    why: 'Every new version begins with the end of the old one. A delivery that is cut off then is lost wherever its sender does not send it again.',
    fix: 'On SIGTERM take no new connections, finish the requests that have begun, and end when they are answered or a time is over. See that the signal reaches the process: a shell or npm in front may keep it.',
    trials: where(hasBody, () => [underWay()]),
  },
  {
    id: 'K4-kept',
    group: 'K',
    title: 'keeps what it accepted when it is killed at once',
    severity: 'critical',
    grade: 'durable',
    level: 3,
    alone: true,
    oncePerSource: true,
    why: '2xx tells the sender that it need not care any more. What was only in memory then is lost for ever, and nobody knows.',
    fix: 'Write the event to disk, or to a database that does, before you answer; work on it afterwards.',
    trials: where(tellsEffects, () => [keptThroughKill]),
  },
  {
    id: 'K4-not-again',
    group: 'K',
    title: 'does nothing a second time because it was started again',
    severity: 'high',
    grade: 'durable',
    level: 3,
    alone: true,
    oncePerSource: true,
    why: 'A restart that begins from the start of its list sends mails and writes records once more.',
    fix: 'Note that an event is done in the same store as the event itself.',
    trials: where(hasOwnId, () => [notAgain]),
  },
  {
    id: 'K4-duplicate',
    group: 'K',
    title: 'recognises a redelivery across a restart',
    severity: 'high',
    grade: 'durable',
    level: 3,
    alone: true,
    oncePerSource: true,
    why: 'Senders deliver again after they heard nothing, which is what a restart makes of a reply under way.',
    fix: 'Keep the ids of events where the events are kept, not in memory.',
    trials: where(hasOwnId, () => [duplicateAfterRestart]),
  },
];

type Misdirect = (request: WireRequest, word: string) => WireRequest;

function repeatsNothing(name: string, misdirect: Misdirect): Trial {
  const expected = 'a reply without it';
  return tried(name, async (stage) => {
    const word = randomText(16, stage.random);
    const bare = { method: 'POST', target: '/nowhere', headers: [], body: Buffer.from('{}') } as const;
    const observation = await stage.send(misdirect(bare, word), 'misdirected', { allows: [501] });
    return textOf(observation).includes(word)
      ? failed(expected, `${describe(observation)} that repeats it`)
      : passed(expected, describe(observation));
  });
}

function textOf({ headers, body }: Observation): string {
  return `${headers.join('\n')}\n${body.toString('latin1')}`.toLowerCase();
}

const ASKED_MS = 500;

/** All but its last byte has come when the receiver is asked to end. */
function underWay(): Trial {
  const expected = '2xx, or 503';
  return tried('a delivery that lacks its last byte', async (stage) => {
    const bytes = bytesOf(await stage.genuine(), stage.endpoint.url);
    const sent = Promise.withResolvers<unknown>();
    const asked = Promise.withResolvers<unknown>();
    const hold = { sent: () => sent.resolve(undefined), until: asked.promise };
    const reply = stage.send(bytes, 'under way', { manner: { stopAfterBytes: bytes.length - 1, hold } });
    await Promise.race([sent.promise, reply]);
    await pause(ASKED_MS);
    const again = stage.terminate();
    await pause(ASKED_MS);
    asked.resolve(undefined);
    const observation = await reply;
    await again;
    const isAnswered = isAccepted(observation) || observation.status === 503;
    return (isAnswered ? passed : failed)(expected, describe(observation));
  });
}

const LONGEST_MS = 20_000;
const BATCH = 8;

const keptThroughKill: Trial = {
  name: `${BATCH} deliveries`,
  async run(stage) {
    const expected = 'an effect of each that was accepted, or put aside';
    const requests = await Promise.all(Array.from({ length: BATCH }, () => ownGenuine(stage)));
    const replies = await Promise.all(requests.map((request) => stage.send(request, 'accepted')));
    await stage.restart();
    const accepted = requests.filter((_, index) => isAcceptedAt(replies, index)).map(({ ref }) => ref);
    if (accepted.length === 0) return noneAccepted(replies);
    // Somebody who waited for a reply has got it; that nobody wrote it down any more may be put aside.
    const { effects, quarantined } = await stage.settled(
      (now) => accepted.every((ref) => namedBy(now, ref) > 0),
      LONGEST_MS,
    );
    const counts = accepted.map((ref) => effects.filter((effect) => effect.ref === ref).length);
    const lost = accepted.filter((ref) => namedBy({ effects, quarantined }, ref) === 0).length;
    const twice = hasOwnId(stage.endpoint) ? counts.filter((count) => count > 1).length : 0;
    if (lost > 0) return failed(expected, `${lost} of ${accepted.length} were lost`);
    if (twice > 0) return failed(`exactly one effect of each`, `${twice} of ${accepted.length} had more`);
    return passed(expected, `none of ${accepted.length} was lost`);
  },
};

function isAcceptedAt(replies: readonly Observation[], index: number): boolean {
  const reply = replies[index];
  return reply !== undefined && isAccepted(reply);
}

function noneAccepted([first]: readonly Observation[]): Finding {
  return {
    outcome: 'inconclusive',
    expected: 'genuine deliveries are accepted first',
    observed: first === undefined ? 'nothing' : describe(first),
  };
}

const notAgain: Trial = {
  name: 'a delivery that was done before',
  run: (stage) => acrossRestart(stage, async () => passed('2xx', 'nothing sent')),
};

const duplicateAfterRestart: Trial = {
  name: 'a delivery that comes again',
  run: (stage) =>
    acrossRestart(stage, async (request) => {
      const observation = await stage.send(request, 'again');
      return isAccepted(observation)
        ? passed('2xx', describe(observation))
        : failed('2xx', `again: ${describe(observation)}`);
    }),
};

/** One delivery and its effect, a restart, whatever is to happen then, and a second delivery as a sign of the time. */
async function acrossRestart(
  stage: Stage,
  then: (request: WireRequest) => Promise<Finding>,
): Promise<Finding> {
  const expected = 'one effect';
  const request = await ownGenuine(stage);
  const first = await stage.send(request, 'first');
  if (!isAccepted(first)) return noneAccepted([first]);
  const has = (ref: string) => (now: { effects: readonly { ref?: string | undefined }[] }) =>
    now.effects.some((effect) => effect.ref === ref);
  await stage.settled(has(request.ref), LONGEST_MS);
  await stage.restart();
  const finding = await then(request);
  const later = await ownGenuine(stage);
  await stage.send(later, 'another');
  await stage.settled(has(later.ref), LONGEST_MS);
  const count = (await stage.effectsOf(request.ref)).length;
  const observed = `${count} effects`;
  return worse(finding, count === 1 ? passed(expected, 'one effect') : failed(expected, observed));
}
