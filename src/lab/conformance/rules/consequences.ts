import type { EndpointUnderTest, Finding, Rule, Trial } from '../rule.ts';
import type { Effects, Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';
import type { WireRequest } from '../wire.ts';
import { withPath } from '../making/edit.ts';
import { judgeCount, namedBy, passTime, tellsEffects } from '../making/effects.ts';
import { byStranger, lookingProven } from '../making/forgery.ts';
import { isWritten, membersOf, ownContent, typeMemberOf, withMembers } from '../making/own-content.ts';

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
  const unknown = (json: string) => json.replace(`"${at.type}"`, '"SomethingForgotten"');
  return [
    ...(typeMember === undefined ? [] : [kept('an event type that nobody knows', unknown)]),
    kept('members of another type', (json) => replacedTexts(json)),
    kept('no members but its id', (json, ref) => onlyId(json, ref)),
    kept('a member twice', (json) => withMembers(json, ',"x":1,"x":2')),
  ];
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
