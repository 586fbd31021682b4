import type { DriftFound } from '../../src/kit/facts/findings.ts';
import type { Learnt } from './learnt.ts';

const ZOD: Readonly<Record<string, string>> = {
  string: 'z.string()',
  number: 'z.number()',
  boolean: 'z.boolean()',
  object: 'z.looseObject({})',
  array: 'z.array(z.unknown())',
};

/** The lines with which events.ts of a source would know what has come (… is what stands there), and the commands for new events. */
export function patchOf({ source, drift }: Learnt): string {
  const events = drift.filter(({ kind }) => kind === 'event');
  const members = Map.groupBy(
    drift.filter(({ kind }) => kind !== 'event'),
    ({ kind, type, path }) => [kind, type, path].join(' '),
  );
  const byEvent = Map.groupBy([...members.values()], ([first]) => first?.type ?? '');
  return [
    ...(byEvent.size === 0 ? [] : [`// ${source.name}: events.ts of its folder`]),
    ...[...byEvent].flatMap(([type, groups]) => [`// ${type}`, ...groups.map(lineOf)]),
    ...events.map(({ type, count }) => `npm run new -- event ${source.name} ${type}   # came ${count} times`),
  ].join('\n');
}

function lineOf(group: readonly DriftFound[]): string | undefined {
  const [first] = group;
  if (first === undefined) return undefined;
  const { kind, path } = first;
  const at = path.lastIndexOf('.');
  const name = path.slice(at + 1);
  const place = at === -1 ? '' : `in ${path.slice(0, at)}`;
  const types = [...new Set(group.map(({ came }) => came))];
  const count = group.reduce((sum, found) => sum + found.count, 0);
  if (path === '') return `  // the payload itself is ${types.join(' or ')}, ${count} times`;
  if (name.startsWith('(')) return `  // ${path}, ${count} times: where names are data, z.record takes them`;
  const member = (zod: string, ...notes: readonly string[]) => {
    const comment = [place, ...notes].filter(Boolean).join('; ');
    const type = name.endsWith('[]') ? `z.array(${zod})` : zod;
    return `  ${memberOf(name)}: ${type},${comment === '' ? '' : ` // ${comment}`}`;
  };
  switch (kind) {
    case 'new':
      return member(`${zodOf(types)}.optional()`);
    case 'type':
      return types.join() === 'null' ? member('….nullish()') : member(`z.union([…, ${zodOf(types)}])`);
    case 'word':
      return member(`z.enum([…, ${types.map((word) => `'${word}'`).join(', ')}])`);
    case 'missing':
      return member('….optional()', `was missing ${count} times`);
    case 'gone':
      return `  // ${path} has not come any more: is it needed?`;
    case 'event':
      return undefined;
  }
}

function memberOf(name: string): string {
  const plain = name.replace(/\[\]$/, '');
  return /^[A-Za-z_$][\w$]*$/.test(plain) ? plain : `'${plain}'`;
}

function zodOf(types: readonly string[]): string {
  const own = types.flatMap((type) => (type in ZOD ? [ZOD[type] ?? ''] : []));
  const [only = 'z.unknown()'] = own;
  const type = own.length > 1 ? `z.union([${own.join(', ')}])` : only;
  return types.includes('null') && own.length > 0 ? `${type}.nullable()` : type;
}
