import { startContestant, startHeld, type Contestant } from './contestant.ts';
import type { InboxName, Inboxes } from '../../../src/lab/rig/inboxes.ts';
import type { Kind } from './requests.ts';

/** `held`: the handlers wait, so that accepting is all there is to do. The others of the kit handle what they accept. */
export type Name = Stranger | 'memory' | 'sqlite' | 'memory-held' | 'sqlite-held' | 'postgres-held';
type Stranger = 'raw-json' | 'raw-form' | 'raw-jws' | 'express';

/** One measurement: who, what, over how many connections. */
export interface Lane {
  readonly name: Name;
  readonly kind: Kind;
  readonly connections: number;
}

/** A row of the table: one lane against another. */
export interface Comparison {
  readonly section: Section;
  readonly what: string;
  readonly lane: Lane;
  readonly against: Lane;
  /** What it is about, where it is about one. */
  readonly inbox?: InboxName;
  readonly atLeast?: number;
}

export type Section = 'json' | 'form' | 'jws' | 'durable' | 'express';

/** What is compared, in the order of the table in scripts/prove/README.md, with the targets. */
export function comparisonsAt(connections: number): Comparison[] {
  const lane = (name: Name, kind: Kind, times = 1): Lane => ({
    name,
    kind,
    connections: connections * times,
  });
  const both = (kind: Kind, against: Lane, what: string, atLeast: number): Comparison[] => [
    { section: kind, what: `\`memory:\`, ${what}`, lane: lane('memory-held', kind), against, atLeast },
    { section: kind, what: 'the same, while handlers run', lane: lane('memory', kind), against },
  ];
  const durable = (inbox: 'sqlite' | 'postgres', times: number, atLeast: number): Comparison => ({
    section: 'durable',
    what: `\`${inbox}:\` against \`memory:\`, ${connections * times} connections`,
    lane: lane(`${inbox}-held`, 'json', times),
    against: lane('memory-held', 'json', times),
    inbox,
    atLeast,
  });
  const express = (kind: Kind, what: string): Comparison => ({
    section: 'express',
    what: `\`memory:\` against Express + helmet + rate limit + pino line, ${what}`,
    lane: lane('memory-held', kind),
    against: lane('express', kind),
    atLeast: 3,
  });
  return [
    ...both('json', lane('raw-json', 'json'), 'PhenixID JSON, against raw node:http + HMAC', 0.7),
    ...both('form', lane('raw-form', 'form'), 'HotDocs form JWT, against raw node:http + HS256 by hand', 0.6),
    ...both('jws', lane('raw-jws', 'jws'), 'risr JWS, against raw node:http + HS256 by hand', 0.6),
    durable('sqlite', 1, 0.75),
    durable('sqlite', 2, 0.75),
    {
      section: 'durable',
      what: 'the same, while handlers run in both',
      lane: lane('sqlite', 'json'),
      against: lane('memory', 'json'),
      inbox: 'sqlite',
    },
    durable('postgres', 1, 0.55),
    durable('postgres', 2, 0.55),
    express('json', 'PhenixID JSON'),
    express('form', 'form JWT with jose and the secret as text'),
    express('jws', 'JWS with jose and the secret as text'),
  ];
}

/** Duplicates are cheaper to accept: whoever tells them apart must not get an event twice. */
export function mayRepeat(name: Name): boolean {
  return strangers.has(name);
}

const strangers: ReadonlySet<Name> = new Set<Stranger>(['raw-json', 'raw-form', 'raw-jws', 'express']);

export async function startNamed(name: Name, inboxes: Inboxes): Promise<Contestant> {
  switch (name) {
    case 'raw-json':
    case 'raw-form':
    case 'raw-jws':
      return startContestant(name, 'contestants/raw.ts', { CHECK: name.slice('raw-'.length) });
    case 'express':
      return startContestant(name, 'contestants/express.ts');
    case 'memory':
    case 'sqlite':
      return startContestant(name, '../../../src/example/main.ts', {
        INBOX_URL: await inboxes.urlOf(name, name),
      });
    case 'memory-held':
      return startHeld(name, { INBOX_URL: await inboxes.urlOf('memory', name) });
    case 'sqlite-held':
      return startHeld(name, { INBOX_URL: await inboxes.urlOf('sqlite', name) });
    case 'postgres-held':
      return startHeld(name, { INBOX_URL: await inboxes.urlOf('postgres', name) });
  }
}
