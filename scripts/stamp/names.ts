import { Script } from 'node:vm';
import { upperSnake } from '../../src/kit/endpoint/definition.ts';
import { UsageError } from '../../src/lab/usage.ts';
import type { Source } from '../../src/kit/source.ts';

const KEBAB = /^[a-z][a-z0-9]{0,31}(-[a-z0-9]{1,32}){0,4}$/;
/** What can stand in a path as it is, so that the address to register is the name itself. */
const EVENT_TYPE = /^[A-Za-z][\w.:-]{0,99}$/;

/** `acme-orders` as a constant: `acmeOrders`. */
export function constantOf(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `acme-orders` as a title: `Acme Orders`. */
export function titleOf(name: string): string {
  return name.replace(
    /(?:^|-)([a-z0-9])/g,
    (part, letter: string) => (part.startsWith('-') ? ' ' : '') + letter.toUpperCase(),
  );
}

/**
 * `code` is what the name will stand in as a constant.
 * @throws UsageError when a source cannot have this name
 */
export function checkSourceName(name: string, sources: readonly Source[], code: readonly string[]): void {
  if (!KEBAB.test(name)) {
    throw new UsageError(
      `${JSON.stringify(name)} cannot be a source's name: expected small letters, digits and single dashes, a letter first.`,
    );
  }
  if (sources.some((source) => source.name === name)) {
    throw new UsageError(`There is a source ${name} already.`);
  }
  checkPrefix(name, sources);
  const constant = constantOf(name);
  if (isReserved(constant) || code.some((text) => wordsOf(text).has(constant))) {
    throw new UsageError(
      `${constant} means something else in the code; for example ${name}-webhooks is free.`,
    );
  }
}

/** @throws UsageError when an event type of this source cannot be spelled so */
export function checkEventType(type: string, source: Source): void {
  if (!EVENT_TYPE.test(type)) {
    throw new UsageError(
      `${JSON.stringify(type)} cannot be an event type: expected letters, digits and _ . : - only, a letter first, ` +
        'exactly as the sender spells it.',
    );
  }
  if (type in Object.prototype) {
    throw new UsageError(
      `${type} cannot be an event type here: in the code every object has a member of this name.`,
    );
  }
  const twin = Object.keys(source.events).find((known) => upperSnake(known) === upperSnake(type));
  if (twin === type) throw new UsageError(`${source.name} has the event ${type} already.`);
  if (twin !== undefined) {
    throw new UsageError(`${source.name} has the event ${twin}: ${type} would have the same variables.`);
  }
}

/** Variables begin with the source's name, so no name may be how another's variables begin. */
function checkPrefix(name: string, sources: readonly Source[]): void {
  const prefix = `${upperSnake(name)}_`;
  const other = sources.find((source) => {
    const otherPrefix = `${upperSnake(source.name)}_`;
    return prefix.startsWith(otherPrefix) || otherPrefix.startsWith(prefix);
  });
  if (other === undefined) return;
  throw new UsageError(
    `Variables of ${name} would begin with ${prefix}, and could be taken for those of ${other.name}.`,
  );
}

function isReserved(word: string): boolean {
  try {
    new Script(`'use strict'; const ${word} = 0;`);
    return word === 'await'; // in modules only
  } catch {
    return true;
  }
}

/** Every word of a text but those in comments and strings. */
function wordsOf(text: string): Set<string> {
  const code = text.replace(/\/\*[^]*?\*\/|\/\/.*|'[^'\n]*'|`[^`]*`/g, ' ');
  return new Set(code.match(/[A-Za-z_$][\w$]*/g));
}
