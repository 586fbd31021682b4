import { messageOf } from '../src/kit/errors.ts';
import { readOptions, runCommand, wholeNumber } from '../src/lab/command.ts';
import { pickOne, UsageError } from '../src/lab/usage.ts';
import { failed } from './inbox/print.ts';
import { finish, newSecret, rotate, type Choices } from './keys/change.ts';
import { findPlace, placesOf } from './keys/place.ts';
import { knownOf, printStatus } from './keys/status.ts';

const USAGE = `The secrets of the endpoints: makes them, says which are used, changes one without a delivery lost.

  npm run keys -- new <endpoint>               makes a secret, writes its file, says where it is to be put
  npm run keys -- status                       which live secret of each endpoint was used when
  npm run keys -- rotate <endpoint>            puts a new secret before the old one in its file: both are live
  npm run keys -- rotate <endpoint> --finish   takes the old one away; refused while it is needed

  --folder dir   for new: where its file is made (default secrets)
  --given        for new and rotate: the secret is on standard input, for a sender that makes it itself
  --print        for new and rotate: prints the secret
  --hours n      for status and --finish: so long the old one must not have been needed (default 72)
  --json         for status
  --help         this

<endpoint> is its path, /risr/profile_updated, with ?key= for an installation, or its variable, RISR_PROFILE_UPDATED_SECRET.
Which secret was used is taken from the entries of the inbox that INBOX_URL names: they say which one proved them. A secret
that stands in a variable itself is not changed; what to do by hand is said.
Exit code: 0 done, 1 not possible, 2 the command is not right.
`;

const optionsOf = {
  new: ['folder', 'given', 'print'],
  status: ['hours', 'json'],
  rotate: ['given', 'print', 'finish', 'hours'],
} as const;

await runCommand(async (args) => {
  const { values, positionals } = readOptions({
    args,
    allowPositionals: true,
    options: {
      folder: { type: 'string' },
      given: { type: 'boolean' },
      print: { type: 'boolean' },
      finish: { type: 'boolean' },
      hours: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const [first, name, ...others] = positionals;
  if (first === undefined) throw new UsageError(USAGE);
  const command = pickOne('command', first, ['new', 'status', 'rotate'] as const);
  const taken: readonly string[] = optionsOf[command];
  const unfit = Object.keys(values).find((option) => !taken.includes(option));
  if (unfit !== undefined) throw new UsageError(`${command} takes no --${unfit}.`);
  if ((command === 'status') !== (name === undefined) || others.length > 0)
    throw new UsageError(
      command === 'status' ? 'status takes no endpoint.' : `${command} takes one endpoint.`,
    );
  const isEnd = values.finish === true;
  if (isEnd && (values.given === true || values.print === true))
    throw new UsageError('--finish makes no secret: --given and --print have no use with it.');
  if (!isEnd && command === 'rotate' && values.hours !== undefined)
    throw new UsageError('--hours goes with --finish.');
  const choices = {
    folder: values.folder ?? 'secrets',
    given: values.given === true,
    print: values.print === true,
    hours: wholeNumber('--hours', values.hours ?? '72', { min: 0, max: 87_600 }),
  };
  try {
    return await run(command, name, { ...choices, finish: isEnd, json: values.json === true });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return failed(messageOf(error)); // of a file, or of the inbox
  }
}, USAGE);

async function run(
  command: keyof typeof optionsOf,
  name: string | undefined,
  choices: Choices & { readonly finish: boolean; readonly json: boolean },
): Promise<number> {
  const { app, environment } = await import('./the-app.ts');
  const places = placesOf(app, environment);
  if (name === undefined) {
    const live = places.filter(({ credential }) => credential !== undefined);
    return printStatus(live, await knownOf(environment, choices.hours), choices);
  }
  const place = findPlace(name, places, environment);
  if (command === 'new') return newSecret(place, choices);
  if (!choices.finish) return rotate(place, app, environment, choices);
  return finish(place, app, environment, (await knownOf(environment, choices.hours))(place));
}
