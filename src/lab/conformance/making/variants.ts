import { randomText } from '../../mock/random.ts';
import { switchesOf, type Order } from '../../mock/request.ts';
import { DoesNotApply, type EndpointUnderTest } from '../rule.ts';
import type { Genuine, Stage } from '../stage.ts';
import { bytesOf } from '../wire.ts';
import { hasOwnId, isTest, membersOf, ownGenuine, sampleOf } from './own-content.ts';

/** One way in which a genuine delivery may come, other than the usual one. */
export interface Variant {
  /** `verb=GET`, or a few words. */
  readonly name: string;
  /** What it stands for. */
  readonly says: string;
  /** Whether the event can be told among the effects by its id. */
  readonly isNamed: boolean;
  make(stage: Stage): Promise<Genuine>;
}

/** What a receiver must take: what its sender's papers show or leave open, and what its owner claims besides. */
export function claimedVariants(at: EndpointUnderTest): Variant[] {
  return isTest(at) ? [] : [...switched(at, isClaimed), ...inContent(at)];
}

/** Whatever a sender may be set to, claimed or not. */
export function plausibleVariants(at: EndpointUnderTest): Variant[] {
  return switched(at, (_name, _choice, { agreed }) => agreed !== true);
}

type Definition = EndpointUnderTest['source']['switches'][string];
type IsMeant = (name: string, choice: string, definition: Definition, at: EndpointUnderTest) => boolean;

const isClaimed: IsMeant = (name, choice, { agreed, expected }, { type, accepts }) =>
  (accepts.has('all') && agreed !== true) ||
  accepts.has(`${name}=${choice}`) ||
  expected?.(type).includes(choice) === true;

function switched(at: EndpointUnderTest, isMeant: IsMeant): Variant[] {
  const usual = switchesOf(at.source, at.switches);
  return Object.entries(at.source.switches).flatMap(([name, definition]) =>
    (definition.values ?? [])
      .filter((choice) => choice !== usual[name] && isMeant(name, choice, definition, at))
      .map((choice) => ({
        name: `${name}=${spelled(choice)}`,
        says: definition.summary,
        isNamed: !hasOwnId(at) || hasOwnId({ ...at, switches: { ...at.switches, [name]: choice } }),
        make: (stage) => chosen(stage, { [name]: choice }),
      })),
  );
}

/** Two of them differ in more than punctuation. */
function spelled(choice: string): string {
  return choice.replace(/^_/, 'underscore ').replaceAll(':', ' colon').replaceAll('=', ' equals sign');
}

type Switches = NonNullable<Order['switches']>;

async function chosen(stage: Stage, switches: Switches): Promise<Genuine> {
  if (await changesNothing(stage, switches)) {
    throw new DoesNotApply('a genuine request to this endpoint is the same with it');
  }
  return ownGenuine(stage, { switches });
}

async function changesNothing({ endpoint, proven }: Stage, switches: Switches): Promise<boolean> {
  const at = new Date();
  const content = sampleOf(endpoint, { at });
  if (content !== sampleOf(endpoint, { at, switches })) return false;
  const [usual, other] = await Promise.all([proven(content), proven(content, { switches })]);
  return bytesOf(usual, endpoint.url).equals(bytesOf(other, endpoint.url));
}

function inContent(at: EndpointUnderTest): Variant[] {
  const { source, type } = at;
  const names = leavesOf(source.events[type]?.example).filter(([, text]) => isName(text));
  const least = leastOf(at);
  const named = (name: string, says: string, make: Variant['make']) => [{ name, says, make, isNamed: true }];
  return [
    ...named(
      'an id that is no UUID',
      'An id is a text to be compared, whatever it has looked like so far.',
      otherId,
    ),
    ...named(
      'members that nobody has heard of',
      'Senders add members with a release, and tell nobody.',
      (stage) => ownGenuine(stage, { set: [{ path: 'invented', value: { of: [null, true] } }] }),
    ),
    ...(names.length === 0
      ? []
      : named(
          'names in other alphabets',
          'People and documents are called Ångström, 東京 and Зоя.',
          (stage) =>
            ownGenuine(stage, {
              set: names.map(([path, text]) => ({ path, value: `${text} Ångström 東京 Зоя` })),
            }),
        )),
    ...(sampleOf(at, { payload: least }).length === sampleOf(at).length
      ? []
      : named('nothing but what it needs', 'No page says that the other members are always there.', (stage) =>
          ownGenuine(stage, { payload: least }),
        )),
  ];
}

/** Of the sender's own where it writes one, else that of what the event is about. */
async function otherId(stage: Stage): Promise<Genuine> {
  const { endpoint, random } = stage;
  const id = `id-${randomText(16, random)}.7`;
  if (hasOwnId(endpoint)) return ownGenuine(stage, { id });
  const leaves = leavesOf(endpoint.source.events[endpoint.type]?.example);
  const [first] = leaves.filter(([, text]) => UUID.test(text));
  const set = leaves.filter(([, text]) => text === first?.[1]).map(([path]) => ({ path, value: id }));
  return { ...(await ownGenuine(stage, { set })), ref: id };
}

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Written by a person: other texts may be looked up. */
function isName(text: string): boolean {
  return /^\p{L}+(?: [\p{L}\d-]+)+$|[^\x20-\x7e]/u.test(text);
}

/** The texts in a payload, each with its path. */
export function leavesOf(value: unknown, path = ''): (readonly [path: string, text: string])[] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    leavesOf(inner, path === '' ? name : `${path}.${name}`),
  );
}

/** The usual payload without members that its schema can do without. */
function leastOf({ source, type }: EndpointUnderTest): unknown {
  const { schema, example } = source.events[type] ?? {};
  let members = membersOf(JSON.stringify(example ?? {}));
  for (const name of Object.keys(members)) {
    const others = Object.fromEntries(Object.entries(members).filter(([other]) => other !== name));
    const parsed = schema?.safeParse(others);
    // What is filled in where it is missing is documented to be there.
    if (parsed?.success === true && !hasMember(parsed.data, name)) members = others;
  }
  return members;
}

function hasMember(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name);
}
