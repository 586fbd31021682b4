import { DoesNotApply, type EndpointUnderTest, type Finding, type Rule, type Trial } from '../rule.ts';
import type { Effects, Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';
import type { WireRequest } from '../wire.ts';
import { withPath } from '../making/edit.ts';
import { countOf, judgeCount, namedBy, passTime, tellsEffects } from '../making/effects.ts';
import { byStranger, lookingProven } from '../making/forgery.ts';
import {
  isWritten,
  membersOf,
  ownContent,
  ownGenuine,
  roomOf,
  typeMemberOf,
  withMembers,
} from '../making/own-content.ts';

/** Groups I and F: nothing comes of what was refused, and something of all that was accepted. */
export const consequenceRules: readonly Rule[] = [
  {
    id: 'I10-refused-no-effect',
    group: 'I',
    title: 'does nothing for deliveries that it refuses',
    severity: 'critical',
    grade: 'authentic',
    level: 2,
    why: 'A refusal is only a number. Where the work began before it, the forged event has happened.',
    fix: 'Verify first, then store, then act. Nothing may be queued before the proof holds.',
    trials: (at) => (tellsEffects(at) ? refusals(at) : []),
  },
  {
    id: 'F11-kept',
    group: 'F',
    title: 'loses nothing that it accepted, though it cannot use it',
    severity: 'high',
    grade: 'durable',
    level: 2,
    alone: true,
    why: 'The sender has heard that all is well and will not send it again. An event of a new type, or with a member changed, is still an event.',
    fix: 'Store what was proven as it came, put aside what does not fit, and let a human look at it.',
    trials: (at) => (isWritten(at) && tellsEffects(at) ? misfits(at) : []),
  },
  {
    id: 'I14-goes-on',
    group: 'I',
    title: 'goes on with others after an event that it cannot handle',
    severity: 'critical',
    grade: 'durable',
    level: 2,
    alone: true,
    why: 'A worker that ends at an event, or tries it for ever, stops everything behind it. All that comes later is accepted, and nothing comes of it.',
    fix: 'Catch what a handler throws, note it with the event, try it again a few times and later than the others, and then put it aside.',
    trials: (at) => (isWritten(at) && tellsEffects(at) ? poisons(at) : []),
  },
];

function refusals(at: EndpointUnderTest): Trial[] {
  const forgeries = at.source.proof.forgeries.filter(
    (forgery) => !at.accepts.has(`alg=${forgery.toUpperCase()}`),
  );
  return [
    ...forgeries.map((forgery) =>
      withoutEffect(`forged: ${forgery}`, ({ content }) => lookingProven(at, forgery, content)),
    ),
    withoutEffect('signed with another secret', ({ content }) => byStranger(at, content)),
    withoutEffect('on a path of nobody', async ({ stage, content }) =>
      withPath(await stage.proven(content), `${at.url.pathname}-of-nobody`),
    ),
  ];
}

interface Given {
  readonly stage: Stage;
  readonly content: string;
}

function withoutEffect(name: string, make: (given: Given) => Promise<WireRequest>): Trial {
  return tried(name, async (stage) => {
    const { json, ref } = ownContent(stage);
    const observation = await stage.send(await make({ stage, content: json }), 'attack');
    await passTime(stage);
    const finding = judgeCount(namedBy(await stage.effects(), ref), 0);
    return { ...finding, observed: `${describe(observation)}, ${finding.observed}` };
  });
}

function misfits(at: EndpointUnderTest): Trial[] {
  const typeMember = typeMemberOf(at);
  return [
    ...(typeMember === undefined ? [] : [kept('an event type that nobody knows', unknownType(at))]),
    kept('members of another type', (json) => replacedTexts(json)),
    kept('no members but its id', (json, ref) => onlyId(json, ref)),
    kept('a member twice', (json) => withMembers(json, ',"x":1,"x":2')),
  ];
}

function unknownType({ type }: EndpointUnderTest): (json: string) => string {
  return (json) => json.replace(`"${type}"`, '"SomethingForgotten"');
}

/** Accepted, and then neither done nor put aside, is lost. */
function kept(name: string, change: (json: string, ref: string) => string): Trial {
  const expected = 'an effect, or put aside';
  return tried(name, async (stage): Promise<Finding> => {
    const { json, ref } = ownContent(stage);
    await passTime(stage);
    const before = sizeOf(await stage.effects());
    const observation = await stage.send(await stage.proven(change(json, ref)), 'that does not fit');
    if (!isAccepted(observation)) {
      const refused = {
        expected,
        observed: `${describe(observation)}: it was refused, and is lost unless sent again`,
      };
      return { outcome: observation.status >= 500 ? 'failed' : 'warned', ...refused };
    }
    const after = sizeOf(await stage.settled((now) => sizeOf(now) > before));
    return after > before ? passed(expected, 'so it was') : failed(expected, 'neither');
  });
}

/** Each may be too much for some code that handles it. */
function poisons(at: EndpointUnderTest): Trial[] {
  return [
    ...(typeMemberOf(at) === undefined ? [] : [goesOn('an event type that nobody knows', unknownType(at))]),
    goesOn('members of another type', replacedTexts),
    goesOn('no members but its id', onlyId),
    goesOn('null in the place of all but its id', (json, ref) => replacedBy(json, ref, null)),
    goesOn('an empty text in the place of all but its id', (json, ref) => replacedBy(json, ref, '')),
    goesOn('a text of 100,000 letters', (json) => withMembers(json, `,"note":"${'n'.repeat(100_000)}"`)),
    goesOn('NUL and half a surrogate pair', (json) => withMembers(json, ',"note":"\\u0000\\ud800"')),
    goesOn('a number beyond all numbers', (json) => withMembers(json, ',"note":1e400')),
  ];
}

/** Whatever becomes of it, an event about something else has its effect, and it is not forgotten itself. */
function goesOn(name: string, change: (json: string, ref: string) => string): Trial {
  const expected =
    'an effect of the next event about something else, and of the first an effect, or put aside';
  return tried(name, async (stage): Promise<Finding> => {
    const { json, ref } = ownContent(stage);
    const content = change(json, ref);
    if (content.length > roomOf(stage.endpoint)) throw new DoesNotApply('it has no room for as much');
    await passTime(stage);
    const before = sizeOf(await stage.effects());
    const observation = await stage.send(await stage.proven(content), 'that may not fit');
    const next = await ownGenuine(stage);
    await stage.send(next, 'about something else');
    const wanted = before + (isAccepted(observation) ? 2 : 1);
    const now = await stage.settled((effects) => countOf(effects, next.ref) > 0 && sizeOf(effects) >= wanted);
    const first = `the first: ${describe(observation)}`;
    if (countOf(now, next.ref) === 0) return failed(expected, `${first}; of the next no effect`);
    if (sizeOf(now) < wanted) return failed(expected, `${first}, and then neither`);
    return passed(expected, `${first}; of the next an effect`);
  });
}

function replacedBy(json: string, ref: string, value: unknown): string {
  const changed = Object.entries(membersOf(json)).map(([name, own]) => [name, own === ref ? own : value]);
  return JSON.stringify(Object.fromEntries(changed));
}

function sizeOf({ effects, quarantined }: Effects): number {
  return effects.length + quarantined.length;
}

/** Every text that is no id and no type becomes a list. */
function replacedTexts(json: string): string {
  const changed = Object.entries(membersOf(json)).map(([name, value]): [string, unknown] => [
    name,
    typeof value === 'string' && !/^[0-9a-f-]{36}$|^[A-Za-z_]+$/.test(value) ? [value] : value,
  ]);
  return JSON.stringify({ ...Object.fromEntries(changed), invented: { of: [null] } });
}

function onlyId(json: string, ref: string): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(membersOf(json)).filter(([, value]) => value === ref)),
  );
}
