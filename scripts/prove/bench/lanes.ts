import type { InboxName } from '../../../src/lab/rig/inboxes.ts';
import type { Kind } from './requests.ts';

/** Who is measured. `held`: the kit with handlers that wait, so that accepting is all there is to do. */
export type Name = Stranger | 'kit-sqlite' | Held | Taped | 'kit-sqlite-counting' | Watched;
/** With a console that nobody looks at, and with five that somebody does. */
export type Watched = 'kit-sqlite-alone' | 'kit-sqlite-watched';
export type Held = `kit-${InboxName}-held`;
/** The same with another TAPE. */
export type Taped = 'kit-sqlite-off' | 'kit-sqlite-all';
export type Stranger =
  'raw' | 'express' | 'fastify' | 'express-sqlite' | 'express-bullmq' | 'express-pg-boss';

/** One measurement: who, what, over how many connections. */
export interface Lane {
  readonly name: Name;
  readonly kind: Kind;
  readonly connections: number;
  /** A version of the kit, where it is not the one that measures. */
  readonly revision?: string;
}

/** A row of the table: the processor time of one lane against that of another. */
export interface Comparison {
  readonly section: Section;
  readonly what: string;
  readonly lane: Lane;
  readonly against: Lane;
  /** What it is about, where it is about one. */
  readonly inbox?: InboxName;
  readonly atMost?: number;
}

export type Section = Kind | 'durable' | 'tape' | 'metrics' | 'console';

const kinds: readonly (readonly [Kind, string, raw: number, express: number, fastify: number])[] = [
  ['json', 'JSON with an HMAC', 2.7, 0.7, 1.3],
  ['form', 'JWT in a form', 4.6, 0.95, 1.7],
  ['jws', 'JWS as the body', 4.4, 1.1, 1.5],
];

/** What is compared, in the order of the table in scripts/prove/README.md, with the targets. */
export function comparisonsAt(connections: number): Comparison[] {
  const lane = (name: Name, kind: Kind): Lane => ({ name, kind, connections });
  const durable = (name: Name, other: Name, what: string, atMost?: number): Comparison => ({
    section: 'durable',
    what,
    lane: lane(name, 'json'),
    against: lane(other, 'json'),
    inbox: name.startsWith('kit-postgres') ? 'postgres' : 'sqlite',
    ...(atMost !== undefined && { atMost }),
  });
  const part = (section: Section, ...of: Parameters<typeof durable>) => ({ ...durable(...of), section });
  const taped = (name: Name, words: string, atMost?: number) =>
    part('tape', name, 'kit-sqlite-off', `\`sqlite:\` with \`TAPE=${words}\` against \`TAPE=off\``, atMost);
  return [
    ...acceptingAt(lane),
    taped('kit-sqlite-held', 'refused', 1.02),
    taped('kit-sqlite-all', 'all'),
    part(
      'metrics',
      'kit-sqlite-counting',
      'kit-sqlite-held',
      '`sqlite:` with metrics against `ADMIN_PORT=off`',
      1.03,
    ),
    part(
      'console',
      'kit-sqlite-watched',
      'kit-sqlite-alone',
      '`sqlite:` with five consoles open against none',
      1.05,
    ),
    durable('kit-sqlite-held', 'kit-memory-held', '`sqlite:` against `memory:`'),
    durable('kit-sqlite', 'kit-sqlite-held', '`sqlite:` while handlers run, against handlers that wait'),
    durable(
      'kit-sqlite-held',
      'express-sqlite',
      '`sqlite:` against Express and a commit each on SQLite',
      0.4,
    ),
    durable('kit-sqlite-held', 'express-bullmq', '`sqlite:` against Express and BullMQ, with its Redis', 0.4),
    durable('kit-postgres-held', 'kit-memory-held', '`postgres:`, with its server, against `memory:`'),
    durable(
      'kit-postgres-held',
      'express-pg-boss',
      '`postgres:` against Express and pg-boss, with the server',
      0.4,
    ),
  ];
}

function acceptingAt(lane: (name: Name, kind: Kind) => Lane): Comparison[] {
  return kinds.flatMap(([kind, spoken, raw, express, fastify]) => {
    const against = (stranger: Stranger, words: string, atMost: number): Comparison => ({
      section: kind,
      what: `${spoken}: \`sqlite:\` against ${words}`,
      lane: lane('kit-sqlite-held', kind),
      against: lane(stranger, kind),
      atMost,
    });
    return [
      against('raw', 'node:http and the check by hand', raw),
      against('express', 'Express, helmet, rate limit, jose, a log line', express),
      against('fastify', 'Fastify, jose, a log line', fastify),
    ];
  });
}

/** The same in another version of the kit, for each kind of delivery and each inbox. */
export function comparisonsWith(
  revision: string,
  inboxes: readonly InboxName[],
  connections: number,
): Comparison[] {
  return inboxes.flatMap((inbox) =>
    kinds.map(([kind, spoken]): Comparison => {
      const lane: Lane = { name: `kit-${inbox}-held`, kind, connections };
      const what = `\`${inbox}:\` accepts ${spoken}`;
      return { section: kind, what, lane, against: { ...lane, revision }, inbox };
    }),
  );
}

export function isSame(one: Lane, other: Lane): boolean {
  return one.kind === other.kind && one.connections === other.connections && isSameName(one, other);
}

/** They share a process. */
export function isSameName(one: Lane, other: Lane): boolean {
  return one.name === other.name && one.revision === other.revision;
}

/** Duplicates are cheaper to accept: whoever tells them apart must not get an event twice. */
export function mayRepeat({ name }: Lane): boolean {
  return !name.startsWith('kit-');
}
