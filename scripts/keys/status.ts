import { messageOf } from '../../src/kit/errors.ts';
import { withoutPassword } from '../../src/kit/inbox/address.ts';
import { readSecretUses, type SecretUse } from '../../src/kit/inbox/uses.ts';
import { readGeneral } from '../../src/kit/program/config.ts';
import type { Environment } from '../../src/kit/program/reader.ts';
import { printable } from '../../src/lab/printable.ts';
import { moment, printJson, table } from '../inbox/print.ts';
import { nameOf, type Place } from './place.ts';
import { changedAt } from './secret-file.ts';
import { completeSince, lastUse, stateOf, type Known, type State } from './verdict.ts';

/** What the inbox says of the secrets of each place. @throws if it cannot be looked at */
export async function knownOf(environment: Environment, hours: number): Promise<(place: Place) => Known> {
  const { general } = readGeneral(environment, ['INBOX_URL', 'RETENTION_DAYS']);
  const uses = await readSecretUses(general.INBOX_URL).catch((error: unknown) => {
    throw new Error(withoutPassword(messageOf(error), general.INBOX_URL), { cause: error });
  });
  const now = Date.now();
  return (place) => ({
    uses: uses.filter((use) => isOf(place, use)),
    live: place.credential?.texts.length ?? 0,
    changedAt: place.file === undefined ? undefined : changedAt(place.file),
    completeSince: completeSince(uses, general.RETENTION_DAYS, now),
    ...{ now, hours },
  });
}

function isOf({ endpoint: { definition }, installation }: Place, use: SecretUse): boolean {
  return use.endpoint === definition.path && use.installation === (installation || definition.installation);
}

/** Which live secret of each endpoint was used when, and what may be done about it. */
export function printStatus(
  places: readonly Place[],
  knownOf: (place: Place) => Known,
  { json, hours }: { readonly json: boolean; readonly hours: number },
): number {
  const all = places.map((place) => ({ place, known: knownOf(place), state: stateOf(knownOf(place)) }));
  if (json) {
    return printJson(
      all.map(({ place, known, state }) => ({
        ...{ endpoint: nameOf(place), variable: place.variable, file: place.file ?? null },
        changed: moment(known.changedAt) ?? null,
        secrets: secretsOf(known).map(({ at, ...secret }) => ({ ...secret, lastUsed: moment(at) ?? null })),
        ...{ state, says: says(state, place, hours) ?? null },
      })),
    );
  }
  if (all.length === 0) console.log('No endpoint has a secret yet: npm run keys -- new <endpoint>');
  else console.log(table([['endpoint', 'secret', 'last used'], ...all.flatMap(rowsOf)]));
  for (const { place, state } of all) {
    const said = says(state, place, hours);
    if (said !== undefined) console.log(printable(`\n${nameOf(place)}: ${said}`));
  }
  return 0;
}

function secretsOf(known: Known) {
  return Array.from({ length: known.live }, (_, index) => ({
    secret: index + 1,
    at: lastUse(known, (secret) => secret === index + 1),
  }));
}

function rowsOf({ place, known }: { readonly place: Place; readonly known: Known }): string[][] {
  const since = known.changedAt === undefined ? 'never' : `not since ${moment(known.changedAt) ?? ''}`;
  return secretsOf(known).map(({ secret, at }) => [
    nameOf(place),
    known.live === 1 ? 'the only one' : `${secret} of ${known.live}${secret === 1 ? ', the newest' : ''}`,
    moment(at) ?? since,
  ]);
}

/** What a state means for the person who changes the secret. */
export function says(state: State, place: Place, hours: number): string | undefined {
  const finish = `npm run keys -- rotate '${nameOf(place)}' --finish`;
  switch (state) {
    case 'single':
      return undefined;
    case 'by-hand':
      return (
        `the secrets stand in ${place.variable} itself, so when they were changed is not known, and a use above may be that of ` +
        'another one that stood in its place. The line of each delivery in the log says which matched.'
      );
    case 'needed':
      return `the old one was needed within the last ${hours} h. Has the sender got the new one?`;
    case 'early':
      return `the new one has not been there for ${hours} h yet.`;
    case 'new-unused':
      return 'nothing has come with the new one yet. Has the sender got it?';
    case 'unknown':
      return `the inbox does not reach ${hours} h back: RETENTION_DAYS, or too many entries. Ask with fewer --hours.`;
    case 'unneeded':
      return `the old one has not been needed for ${hours} h: take it away. ${finish}`;
  }
}
