import { randomText, randomUuid, type Random } from '../../mock/random.ts';
import type { EndpointUnderTest } from '../rule.ts';
import { leavesOf, UUID } from './variants.ts';

/** Somebody, or what somebody works on: members of an event with texts that no other event has. */
export type Part = readonly { readonly path: string; readonly value: string }[];

/** Whom an event comes from, as far as its members say so. */
const OF_PERSON = /user|createdby|login|mail|eppn/i;

export function person(at: EndpointUnderTest, random: Random): Part {
  return partOf(at, random, (path) => OF_PERSON.test(path));
}

export function thing(at: EndpointUnderTest, random: Random): Part {
  return partOf(at, random, (path) => !OF_PERSON.test(path));
}

/** Texts that look as those of the example do; those that name a kind are left as they are. */
function partOf(
  { source, type }: EndpointUnderTest,
  random: Random,
  isMeant: (path: string) => boolean,
): Part {
  const own = new Map<string, string | undefined>();
  return leavesOf(source.events[type]?.example).flatMap(([path, text]) => {
    if (!isMeant(path)) return [];
    if (!own.has(text)) own.set(text, likewise(text, random));
    const value = own.get(text);
    return value === undefined ? [] : [{ path, value }];
  });
}

const LENGTH = 16;

function likewise(text: string, random: Random): string | undefined {
  if (UUID.test(text)) return randomUuid(random);
  const word = randomText(LENGTH, random);
  if (text.includes('@')) return `${word}@example.org`;
  return text.includes(' ') ? word : undefined;
}
