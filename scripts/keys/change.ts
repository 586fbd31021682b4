import { join, resolve } from 'node:path';
import { ConfigInvalid, readConfig, type Configurable } from '../../src/kit/program/config.ts';
import type { Environment } from '../../src/kit/program/reader.ts';
import { printable } from '../../src/lab/printable.ts';
import { UsageError } from '../../src/lab/usage.ts';
import { failed } from '../inbox/print.ts';
import { nameOf, type Place } from './place.ts';
import { freshSecret, givenSecret, replaceSecretFile, writeSecretFile } from './secret-file.ts';
import { says } from './status.ts';
import { stateOf, type Known } from './verdict.ts';

export interface Choices {
  readonly folder: string;
  /** The secret is on standard input. */
  readonly given: boolean;
  readonly print: boolean;
  readonly hours: number;
}

/** Writes the first secret of an endpoint into a file. */
export function newSecret(place: Place, { folder, given, print }: Choices): number {
  if (place.credential !== undefined || place.file !== undefined) {
    return failed(
      `${nameOf(place)} has a secret already. Another one: npm run keys -- rotate '${nameOf(place)}'`,
    );
  }
  const text = secretFor(place, given);
  const file = resolve(join(folder, place.variable));
  writeSecretFile(file, text);
  console.log(printable(`written  ${file}`));
  if (print) console.log(text);
  const key = place.installation;
  const usual = /^[a-z0-9-]*$/.test(key);
  console.log(
    printable(
      [
        '',
        `1. Set ${place.variable}_FILE=${file} in .env or the environment of the receiver.`,
        ...(usual ? [] : [`   Set ${place.variable.replace(/[A-Z]+$/, 'KEY')}=${key}, too.`]),
        `2. ${atSender(place, given)}`,
        '3. Start the receiver, or send it SIGHUP where the endpoint was open before.',
      ].join('\n'),
    ),
  );
  return 0;
}

/** Puts a new secret before the one that is there: both are live. */
export function rotate(place: Place, app: Configurable, environment: Environment, choices: Choices): number {
  const refused = whyNot(place, app, environment);
  if (refused !== undefined) return failed(refused);
  const { file = '', credential } = place;
  const texts = credential?.texts ?? [];
  if (texts.length > 1) {
    return failed(
      `${nameOf(place)} has ${texts.length} live secrets: first take the old one away, with --finish, then begin anew.`,
    );
  }
  const text = secretFor(place, choices.given);
  if (texts.includes(text)) return failed('This is the secret that is there already.');
  replaceSecretFile(file, [text, ...texts].join(','));
  console.log(printable(`written  ${file}: the new secret, a comma, the old one`));
  if (choices.print) console.log(text);
  console.log(
    printable(
      [
        '',
        `1. A running receiver takes it up within seconds, or with SIGHUP: its log says ${place.variable} (2 live).`,
        `2. ${atSender(place, choices.given)}`,
        '3. See which one is used: npm run keys -- status',
        `4. Once the old one is not needed: npm run keys -- rotate '${nameOf(place)}' --finish`,
      ].join('\n'),
    ),
  );
  return 0;
}

/** Takes the old secrets away, unless one of them is still needed, or nobody knows. */
export function finish(place: Place, app: Configurable, environment: Environment, known: Known): number {
  const refused = whyNot(place, app, environment);
  if (refused !== undefined) return failed(refused);
  const { file = '', credential } = place;
  const [newest = '', ...old] = credential?.texts ?? [];
  if (old.length === 0) return failed(`${nameOf(place)} has one secret only: nothing is to be taken away.`);
  const state = stateOf(known);
  if (state !== 'unneeded') {
    const why = says(state, place, known.hours) ?? '';
    return failed(
      `Nothing was changed, both stay: ${why}\nIf it must go all the same, remove it from ${file}: what stands behind the comma.`,
    );
  }
  replaceSecretFile(file, newest);
  console.log(
    printable(`written  ${file}: the new secret only. A running receiver takes it up within seconds.`),
  );
  return 0;
}

/** Why what stands in the file would not be what is in use, or cannot be changed there. */
function whyNot(place: Place, app: Configurable, environment: Environment): string | undefined {
  if (place.credential === undefined)
    return `${nameOf(place)} has no secret yet: npm run keys -- new '${nameOf(place)}'`;
  if (place.file === undefined) {
    return [
      `The secret stands in ${place.variable} itself, and only files are changed by this command. By hand:`,
      `1. ${place.kind.madeThere === true ? 'Have the sender make a new one' : 'Make one: openssl rand -hex 32'}. Put it before the old one, with a comma between them, and send the receiver SIGHUP.`,
      `2. ${atSender(place, false)}`,
      '3. When the log no longer says of a delivery that secret 2 matched, remove the old one and the comma; SIGHUP.',
      `Or move it into a file, named by ${place.variable}_FILE.`,
    ].join('\n');
  }
  try {
    readConfig(environment, app);
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    return `Nothing was changed: a receiver would not take it up, because its configuration is in doubt.\n${error.message}`;
  }
  return undefined;
}

/** @throws UsageError where the sender makes its secrets itself */
function secretFor(place: Place, given: boolean): string {
  if (given) return givenSecret();
  if (place.kind.madeThere !== true) return freshSecret(place.kind);
  throw new UsageError(
    `${place.endpoint.source.title} makes this secret itself. It stands here: ${place.kind.place ?? ''}. Give it on standard ` +
      'input, with --given.',
  );
}

function atSender({ endpoint: { source }, kind }: Place, given: boolean): string {
  const where = kind.place ?? kind.summary;
  if (kind.madeThere === true || given) return `At ${source.title} it stands here: ${where}.`;
  return `At ${source.title}, put the new one here: ${where}.`;
}
