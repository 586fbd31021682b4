import type { ParseArgsConfig } from 'node:util';
import { openTape } from '../src/kit/tape/open.ts';
import { commandEnvironment, readOptions, receiverUrl, runCommand, wholeNumber } from '../src/lab/command.ts';
import { pick, UsageError } from '../src/lab/usage.ts';
import { momentIn } from './inbox/choose.ts';
import { openedOrWhy, withOpened } from './inbox/with-inbox.ts';
import type { Chosen, Command } from './tape/command.ts';
import { exportHar, forget } from './tape/keep.ts';
import { list, show } from './tape/look.ts';

const USAGE = `Deliveries as they came: looks at them, sends them again, makes tests of them.

  npm run tape -- list                           all that is kept, oldest first; no credentials
  npm run tape -- show <n>                       one request, in the place of each credential its length
  npm run tape -- show <n> --raw                 its bytes as they came: with credentials and personal data
  npm run tape -- export --har [file] [<n> …]    as an HTTP archive, to standard output or a new file; with all of that, too
  npm run tape -- play <n> … --url address       sends them again, signed with the receiver's secret, times moved to now
  npm run tape -- play --all --url address       all that were genuine, oldest first; with --as-is those that were refused, too
  npm run tape -- witness <n> --name name        makes a test of one: test/app/witnesses/name.json, with neutral values of
                                                 the same shape, signed anew; npm run test:app runs it
  npm run tape -- forget <n> …                   or --all, or --older-than 3d (90min, 2h, 2031-02-03)

  --content            for show: the body, and what tokens say; may be personal data
  --as-is              for play: unchanged, with the headers that came; only Host and those of the connection are new
  --secret-file file   for play: sign with what this file holds, instead of with what .env or the environment has
  --rename name        for witness: a member's name that says something of somebody is replaced as well; several times
  --json               for list and show
  --help               this

What is kept is said by TAPE and TAPE_DAYS of the receiver. The tape is that of the inbox which INBOX_URL names, from .env or
the environment; if it is encrypted, INBOX_KEYS_FILE names the file of its keys.
Exit code: 0 done, 1 not found, not possible or not accepted, 2 the command is not right.
`;

const options = {
  content: { type: 'boolean', default: false },
  raw: { type: 'boolean', default: false },
  har: { type: 'boolean', default: false },
  url: { type: 'string' },
  'as-is': { type: 'boolean', default: false },
  'secret-file': { type: 'string' },
  name: { type: 'string' },
  rename: { type: 'string', multiple: true, default: [] },
  all: { type: 'boolean', default: false },
  'older-than': { type: 'string' },
  json: { type: 'boolean', default: false },
} as const satisfies ParseArgsConfig['options'];

const commands: readonly (readonly [string, Command])[] = [
  ['list', { run: list, options: ['json'], fits: none, expects: 'list takes no <n>: did you mean show?' }],
  [
    'show',
    {
      run: show,
      options: ['json', 'content', 'raw'],
      fits: (numbers, { raw, json, content }) => numbers.length === 1 && !(raw && (json || content)),
      expects: 'show takes one <n>, as list prints it, and --raw by itself.',
    },
  ],
  [
    'export',
    {
      run: exportHar,
      options: ['har'],
      fits: (_numbers, { har }) => har,
      expects: 'export takes --har, and a file and <n> … if you like.',
    },
  ],
  [
    'play',
    {
      // What few need is loaded only for it.
      run: async (...asked) => (await import('./tape/play.ts')).play(...asked),
      options: ['url', 'all', 'as-is', 'secret-file'],
      fits: (numbers, { all, url, asIs, secretFile }) =>
        all === none(numbers) && url !== undefined && !(asIs && secretFile !== undefined),
      expects: 'play takes either <n> … or --all, and --url address; --secret-file has no use with --as-is.',
    },
  ],
  [
    'witness',
    {
      run: async (...asked) => (await import('./tape/witness.ts')).witness(...asked),
      options: ['name', 'rename'],
      fits: (numbers, { name = '' }) => numbers.length === 1 && /^\w[\w-]{0,99}$/.test(name),
      expects: 'witness takes one <n>, and --name with letters, digits and dashes.',
    },
  ],
  [
    'forget',
    {
      run: forget,
      options: ['all', 'older-than'],
      fits: (numbers, { all, before }) =>
        [!none(numbers), all, before !== undefined].filter(Boolean).length === 1,
      expects: 'forget takes one of <n> …, --all and --older-than 3d.',
    },
  ],
];

function none(numbers: readonly number[]): boolean {
  return numbers.length === 0;
}

await runCommand(async (args) => {
  const { values, positionals, tokens } = readOptions({
    args,
    allowPositionals: true,
    options,
    tokens: true,
  });
  const [name, ...rest] = positionals;
  if (name === undefined) throw new UsageError(USAGE);
  const command = pick('command', name, commands);
  const given = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
  const unfit = given.find((option) => !command.options.includes(option));
  if (unfit !== undefined) throw new UsageError(`${name} takes no --${unfit}.`);
  const files = values.har ? rest.filter((text) => !/^\d/.test(text)) : [];
  if (files.length > 1) throw new UsageError(`export writes one file, and got ${files.length}.`);
  const numbers = rest
    .filter((text) => !files.includes(text))
    .map((text) => wholeNumber('<n>', text, { min: 1, max: 9_999_999_999 }));
  const olderThan = values['older-than'];
  const chosen: Chosen = {
    ...values,
    asIs: values['as-is'],
    secretFile: values['secret-file'],
    url: values.url === undefined ? undefined : receiverUrl(values.url, undefined),
    name: values.name,
    rename: new Set(values.rename),
    before: olderThan === undefined ? undefined : momentIn('--older-than', olderThan, Date.now()),
    file: files[0],
  };
  if (!command.fits(numbers, chosen)) throw new UsageError(command.expects);
  const tape = await openedOrWhy(commandEnvironment(), openTape);
  return withOpened(tape, (opened) => command.run(opened, [...new Set(numbers)], chosen));
}, USAGE);
