import { defaultsOf } from '../endpoints.ts';
import { DoesNotApply, type EndpointUnderTest, type Finding, type Rule, type Trial } from '../rule.ts';
import { valuesOf } from '../reply.ts';
import type { Stage } from '../stage.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';
import type { Observation } from '../wire.ts';
import { where } from '../making/answers.ts';
import { person, thing, type Part } from '../making/people.ts';

/** Group J: the right answer to the right person. */
export const personRules: readonly Rule[] = [
  {
    id: 'J10-own-answer',
    group: 'J',
    title: 'answers each user with nothing of another one',
    severity: 'critical',
    grade: 'correct',
    level: 1,
    why: 'A current user that is kept where all requests see it, or an answer that is kept under too short a key, fills the interview of one client with the data of another. It happens when two come at once, and never in a test.',
    fix: 'Keep what belongs to a request in its own variables. What you cache, keep under everything that the answer depends on: the user, the work item and the template.',
    trials: where(answersInPerson, peopleAt),
  },
  {
    id: 'J11-not-cached',
    group: 'J',
    title: 'lets nobody keep the answer that somebody waits for',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'A proxy or browser that keeps an answer gives it to the next who asks: personal data to somebody else, old data to the same one.',
    fix: 'Say Cache-Control: no-store with every answer and every page. Look for a default of the framework, or a proxy, that says otherwise.',
    source: 'https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.5',
    trials: where(answersInPerson, () => [
      caching('says that it may be kept', (directives) =>
        /\bno-store\b|\bprivate\b|\bno-cache\b/.test(directives)
          ? undefined
          : /\bpublic\b|\b(?:s-maxage|max-age)=[1-9]/.exec(directives)?.[0],
      ),
      {
        ...caching('does not say no-store', (directives) =>
          /\bno-store\b/.test(directives) ? undefined : `Cache-Control: ${directives || 'nothing'}`,
        ),
        grade: 'hardened',
      },
    ]),
  },
  {
    id: 'J12-prompt',
    group: 'J',
    title: 'answers whoever waits within five seconds',
    severity: 'medium',
    grade: 'correct',
    level: 1,
    why: 'A user looks at an interview that does not open. How long its sender waits is not documented: the answer must not hang on the patience of others.',
    fix: 'Put a time limit of a few seconds on everything that the answer waits for, and answer without what has not come by then.',
    trials: where(isAwaited, () => [prompt()]),
  },
];

function isAwaited({ source, type }: EndpointUnderTest): boolean {
  return source.events[type]?.mode === 'reply';
}

/** Whether what is answered depends on whom: else it is the same as to everybody. */
function answersInPerson(at: EndpointUnderTest): boolean {
  const { reply } = at.source;
  return isAwaited(at) && reply.harmless(at.type, defaultsOf(at.source)).body !== reply.accepted.body;
}

interface Pair {
  readonly parts: readonly [Part, Part];
  /** What both have in common. */
  readonly rest: Part;
}

type Deliver = (ask: (part: Part) => Promise<Asked>, parts: Pair['parts']) => Promise<Asked[]>;

/** What somebody got. */
interface Asked {
  readonly part: Part;
  readonly observation: Observation;
}

const AT_ONCE = 20;

const atOnce: Deliver = async (ask, [one, other]) => [
  await ask(one),
  await ask(other),
  ...(await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => ask(at % 2 === 0 ? one : other)))),
];

const inTurn: Deliver = async (ask, [one, other]) => [await ask(one), await ask(other), await ask(one)];

function peopleAt(at: EndpointUnderTest): Trial[] {
  const users = (stage: Stage): Pair => ({ parts: twoOf(person, stage), rest: thing(at, stage.random) });
  const things = (stage: Stage): Pair => ({ parts: twoOf(thing, stage), rest: person(at, stage.random) });
  return [
    answersApart('one user after the other', users, inTurn),
    answersApart('two users at the same moment', users, atOnce),
    answersApart('one template and work item after the other', things, inTurn),
    answersApart('two templates and work items at the same moment', things, atOnce),
  ];
}

function twoOf(make: typeof person, { endpoint, random }: Stage): Pair['parts'] {
  return [make(endpoint, random), make(endpoint, random)];
}

function answersApart(name: string, pairFor: (stage: Stage) => Pair, deliver: Deliver): Trial {
  const expected = 'in each answer nothing of the other one, and of its own whatever it gets alone';
  return tried(name, async (stage): Promise<Finding> => {
    const { parts, rest } = pairFor(stage);
    if (parts[0].length === 0) throw new DoesNotApply('an event of this type says nothing of it');
    const ask = async (part: Part) => {
      const request = await stage.genuine({ set: [...rest, ...part] });
      return { part, observation: await stage.send(request, 'somebody') };
    };
    const all = (await deliver(ask, parts)).filter(({ observation }) => isAccepted(observation));
    const strange = all.flatMap(({ part, observation }) =>
      parts.filter((other) => other !== part).flatMap((other) => shownIn(observation, other)),
    );
    const [first] = strange;
    if (first !== undefined) return failed(expected, `an answer with ${first.path} of another request`);
    const own = all.map(({ part, observation }) => shownIn(observation, part).length);
    const lacks = own.filter((count, at) => at > 1 && count < Math.min(own[0] ?? 0, own[1] ?? 0)).length;
    if (lacks > 0) return failed(expected, `${lacks} answers without what the same request gets alone`);
    return passed(expected, `so it was with ${all.length}`);
  });
}

/** Members of an event that are repeated in an answer. */
function shownIn({ body }: Observation, part: Part): Part {
  const text = body.toString();
  return part.filter(({ value }) => text.includes(value));
}

function caching(name: string, wrong: (directives: string) => string | undefined): Trial {
  const expected = 'Cache-Control: no-store';
  return tried(name, async (stage) => {
    const observation = await stage.send(await stage.genuine(), 'delivery');
    const found = wrong(valuesOf(observation, 'cache-control').join(', ').toLowerCase());
    if (!isAccepted(observation) || observation.body.length === 0 || found === undefined) {
      return passed(expected, describe(observation));
    }
    return failed(expected, `${describe(observation)} with ${found}`);
  });
}

const PROMPT_MS = 5_000;
/** A machine that is busy is not so at each of them. */
const CHANCES = 2;

function prompt(): Trial {
  const expected = `a reply within ${PROMPT_MS} ms, of ${CHANCES} once at least`;
  return tried('a delivery that somebody waits for', async (stage) => {
    let observed = '';
    for (let chance = 0; chance < CHANCES; chance += 1) {
      const observation = await stage.send(await stage.genuine(), 'somebody waits');
      observed = `${describe(observation)} after ${Math.round(observation.ms)} ms`;
      if (observation.ms <= PROMPT_MS) return passed(expected, observed);
    }
    return failed(expected, observed);
  });
}
