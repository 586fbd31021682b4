import { read } from '../content.ts';
import type { Delivery, Event, Members, Parts } from '../parts.ts';
import { Refusal } from '../parts.ts';
import { all, broken, type Villain } from '../villain.ts';

/** Does something with the members of genuine content, before it is stored. */
function working(work: (members: Members, event: Event, delivery: Delivery) => void): Partial<Parts> {
  return {
    read(content, delivery) {
      const event = read(content, delivery);
      work(JSON.parse(content.toString()) as Members, event, delivery); // of genuine senders
      return event;
    },
  };
}

/** What goes wrong when genuine content is not what was expected. */
export const misfitVillains: readonly Villain[] = [
  {
    name: 'breaks on events it does not know',
    sources: ['hotdocs', 'phenixid'],
    breaks: 'Its switch ends in `throw new Error("unreachable")`, and the event is lost.',
    claimedBy: ['F8-event-type'],
    start: broken(
      working((_members, { misfit }) => {
        if (misfit !== undefined) throw new Error('unreachable');
      }),
    ),
  },
  {
    name: 'forgets what does not fit',
    sources: all,
    breaks: 'Says that all is well to content it cannot use, and drops it.',
    claimedBy: ['F11-kept'],
    start: broken({
      store(event, journal) {
        if (event.misfit === undefined && !journal.has(event)) journal.append(event);
      },
    }),
  },
  {
    name: 'breaks on deep content',
    sources: all,
    breaks: 'Walks through the payload by recursion, until the stack is full.',
    claimedBy: ['F5-depth'],
    start: broken(
      working((members) => {
        depthOf(members);
      }),
    ),
  },
  {
    name: 'breaks on members of Object',
    sources: all,
    breaks: 'Looks handlers up in a bare object, where `constructor` and `__proto__` are found.',
    claimedBy: ['F3-object-members'],
    start: broken(
      working((members) => {
        const handlers: Readonly<Record<string, string>> = {};
        for (const name of [members['eventType'], ...Object.keys(members)]) {
          if (typeof name === 'string' && name in handlers) throw new TypeError(`${name} is not a handler`);
        }
      }),
    ),
  },
  {
    name: 'breaks on large numbers',
    sources: all,
    breaks: 'BigInt(1e400) is BigInt(Infinity), and throws.',
    claimedBy: ['F4-numbers'],
    start: broken(
      working((members) => {
        for (const value of Object.values(members)) if (typeof value === 'number') BigInt(value);
      }),
    ),
  },
  {
    name: 'breaks on texts that are none',
    sources: all,
    breaks: 'encodeURIComponent throws on half a surrogate pair, a database on NUL.',
    claimedBy: ['E6-odd-characters'],
    start: broken(
      working((members) => {
        const text = Object.values(members)
          .filter((value) => typeof value === 'string')
          .join();
        encodeURIComponent(text);
        if (text.includes('\0')) throw new Error('invalid byte sequence for encoding "UTF8": 0x00');
      }),
    ),
  },
  {
    name: 'breaks on members of another type',
    sources: all,
    breaks: 'A list where a text was is asked for toLowerCase, a missing one for its length.',
    claimedBy: ['F7-shape'],
    start: broken(
      working((members, _event, { route }) => {
        // As in a language without types.
        const named = members as Readonly<Record<string, string>>;
        const expected = { hotdocs: 'eventType', phenixid: 'eventType', risr: 'id' }[route.source];
        const special: Readonly<Record<string, string>> = {
          user_logged_in: 'user',
          user_registered: 'user',
          ActionLink: 'workItemId',
        };
        const name = special[route.type ?? ''] ?? expected;
        (named[name] as unknown as string).toLowerCase();
        for (const value of Object.values(members))
          if (value === null) throw new TypeError('null has no length');
      }),
    ),
  },
  {
    name: 'breaks on members that come twice',
    sources: all,
    breaks: 'A strict reader throws where nobody catches, and the sender is told 500.',
    claimedBy: ['F2-members-twice'],
    start: broken({
      read(content, delivery) {
        const names = [...content.toString().matchAll(/[{,]"((?:[^"\\]|\\.)*)":/g)].map(([, name]) => name);
        if (new Set(names).size < names.length) throw new SyntaxError('duplicate key');
        return read(content, delivery);
      },
    }),
  },
  {
    name: 'breaks on long texts',
    sources: all,
    breaks: 'Has columns of 255 characters, and a database that says so when it is too late.',
    claimedBy: ['F6-size'],
    start: broken(
      working((members) => {
        for (const value of Object.values(members)) {
          if (typeof value === 'string' && value.length > 255)
            throw new Error('value too long for type varchar(255)');
        }
      }),
    ),
  },
  {
    name: 'fears texts',
    sources: all,
    breaks: 'A firewall in front refuses names like O’Brien; DROP and a lease with <script> in its title.',
    claimedBy: ['F10-hostile-text'],
    start: broken(
      working((members) => {
        if (/<script|drop table|\$\{|\.\.\//i.test(JSON.stringify(members))) throw new Refusal(403);
      }),
    ),
  },
  {
    name: 'breaks on what is not JSON',
    sources: ['phenixid'],
    breaks: 'Genuine bytes that are no JSON make the parser throw, and the sender is told 500.',
    claimedBy: ['F1-not-json'],
    start: broken(working(() => undefined)),
  },
];

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).slice(0, 100).map(depthOf));
}
