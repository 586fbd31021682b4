import { setTimeout as pause } from 'node:timers/promises';
import { answer } from '../content.ts';
import { json } from '../http.ts';
import { membersIn, type Delivery, type Event, type Members, type Parts, type Reply } from '../parts.ts';
import { right } from '../right.ts';
import { broken, type Villain } from '../villain.ts';

type AnswerTo = (members: Members, delivery: Delivery) => Promise<Reply> | Reply;

/** Answers an interview out of what the event says. */
function answering(answerTo: AnswerTo): Partial<Parts> {
  const said = new WeakMap<Event, Members>();
  return {
    read(content, delivery) {
      const event = right.read(content, delivery);
      if (event.misfit === undefined) said.set(event, membersIn(content.toString()));
      return event;
    },
    answer(event, delivery) {
      const members = said.get(event);
      const waits = (delivery.route.type ?? '').includes('Interview');
      return waits && members !== undefined ? answerTo(members, delivery) : answer(event, delivery);
    },
  };
}

function userOf({ createdBy }: Members): string {
  return JSON.stringify(createdBy ?? null);
}

function answers(of: Readonly<Record<string, unknown>>): Reply {
  return json(200, JSON.stringify(of), { 'Cache-Control': 'no-store' });
}

/** Kept under a key that it thinks is enough. */
function caching(keyOf: (members: Members) => unknown): Villain['start'] {
  return (credentials) => {
    const known = new Map<string, Reply>();
    return broken(
      answering((members) => {
        const key = JSON.stringify(keyOf(members) ?? null);
        const reply =
          known.get(key) ?? answers({ User: userOf(members), Item: JSON.stringify(members['data']) });
        known.set(key, reply);
        return reply;
      }),
    )(credentials);
  };
}

/** A page that is written from the claims of an action link. */
function page(write: (claims: Members) => string): Villain['start'] {
  return (credentials) => {
    let claims: Members = {};
    return broken({
      read(content, delivery) {
        const event = right.read(content, delivery);
        claims = event.misfit === undefined ? membersIn(content.toString()) : {};
        return event;
      },
      answer(event, delivery) {
        const usual = answer(event, delivery);
        return delivery.route.type === 'ActionLink' ? { ...usual, body: write(claims) } : usual;
      },
    })(credentials);
  };
}

function escaped(value: unknown): string {
  const text = typeof value === 'string' ? value : '';
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** What goes wrong between a question and the one who asked. */
export const personVillains: readonly Villain[] = [
  {
    name: 'keeps the current user in a global',
    sources: ['hotdocs'],
    breaks: 'Set at the beginning of a request, read after an await: by then it is the user of the next one.',
    claimedBy: ['J10-own-answer'],
    start: (credentials) => {
      let current = '';
      return broken(
        answering(async (members) => {
          current = userOf(members);
          await pause(10);
          return answers({ 'Agent Name': current });
        }),
      )(credentials);
    },
  },
  {
    name: 'keeps answers by template',
    sources: ['hotdocs'],
    breaks: 'Its cache has the template as a key, and what it holds is of the user who came first.',
    claimedBy: ['J10-own-answer'],
    start: caching(({ data }) => (data as Members | undefined)?.['templatePackageId']),
  },
  {
    name: 'keeps answers by user',
    sources: ['hotdocs'],
    breaks: 'Whoever opens a second interview finds the answers of the first one in it.',
    claimedBy: ['J10-own-answer'],
    start: caching(userOf),
  },
  {
    name: 'answers who is first',
    sources: ['hotdocs'],
    breaks: 'A lock that is not waited for: who comes while another is answered gets no answers.',
    claimedBy: ['J10-own-answer'],
    start: (credentials) => {
      let isBusy = false;
      return broken(
        answering(async (members) => {
          if (isBusy) return answers({});
          isBusy = true;
          await pause(10);
          isBusy = false;
          return answers({ 'Agent Name': userOf(members) });
        }),
      )(credentials);
    },
  },
  {
    name: 'answers a duplicate with nothing',
    sources: ['hotdocs'],
    breaks: 'An interview that asks twice, since the first reply was lost, gets 200 and no body.',
    claimedBy: ['U14-sender-content'],
    start: (credentials) => {
      const seen = new Set<string>();
      return broken({
        answer(event, delivery) {
          if (seen.has(event.ref)) return { status: 200, headers: {}, body: '' };
          seen.add(event.ref);
          return answer(event, delivery);
        },
      })(credentials);
    },
  },
  {
    name: 'answers every fifth interview in words',
    sources: ['hotdocs'],
    breaks: 'A worker of the old version is still among the new ones.',
    claimedBy: ['U14-sender-content'],
    start: (credentials) => {
      let count = 0;
      return broken(
        answering(() => {
          count += 1;
          return count % 5 === 0 ? { status: 200, headers: {}, body: 'OK' } : answers({});
        }),
      )(credentials);
    },
  },
  {
    name: 'lets proxies keep its answers',
    sources: ['hotdocs'],
    breaks: 'The framework says public, max-age=300 with whatever answers a GET.',
    claimedBy: ['J11-not-cached'],
    start: broken({
      finish: (reply) => ({
        ...reply,
        headers: { ...reply.headers, 'Cache-Control': 'public, max-age=300' },
      }),
    }),
  },
  {
    name: 'asks a directory for six seconds',
    sources: ['hotdocs'],
    breaks: 'Waits for another system without a limit of its own, and the user for both.',
    claimedBy: ['J12-prompt'],
    start: broken({
      async answer(event, delivery) {
        await pause(5_500, undefined, { ref: false });
        return answer(event, delivery);
      },
    }),
  },
  {
    name: 'trusts the ids in its pages',
    sources: ['hotdocs'],
    breaks: 'Escapes names, and writes the id of the work item as it came: an id is a UUID, after all.',
    claimedBy: ['J7-escaped'],
    start: page(
      ({ workItemId, actionLinkName }) =>
        `<!doctype html><h1>${escaped(actionLinkName)}</h1><p>Work item ${String(workItemId)}</p>`,
    ),
  },
  {
    name: 'escapes all but single quotes',
    sources: ['hotdocs'],
    breaks: 'Its attributes are in single quotes, and the function that escapes knows double ones.',
    claimedBy: ['J7-escaped'],
    start: page(({ actionLinkName }) => `<!doctype html><h1 title='${escaped(actionLinkName)}'>Done</h1>`),
  },
];
