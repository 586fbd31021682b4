import type { Inbox } from '../src/kit/inbox/inbox.ts';
import { pick, UsageError } from '../src/lab/usage.ts';
import { commandEnvironment, readOptions, runCommand, wholeNumber } from '../src/lab/command.ts';
import { effectsIn } from '../src/lab/rig/effects.ts';
import { discard, prune, replay } from './inbox/change.ts';
import { chosenBy, options } from './inbox/choose.ts';
import { backup, restoreBackup } from './inbox/backup.ts';
import type { Command } from './inbox/command.ts';
import { exportEntries } from './inbox/export.ts';
import { list, show, stats } from './inbox/look.ts';
import { migrate } from './inbox/migrate.ts';
import { checkNames } from './inbox/names.ts';
import { verify } from './inbox/verify.ts';
import { withAddress, withInbox, withKeys } from './inbox/with-inbox.ts';

const USAGE = `Looks into the inbox of a receiver, running or not, and changes what becomes of its entries.

  npm run inbox -- list                           entries, newest first
  npm run inbox -- show <seq>                     one entry; or show --id, the newest with that id
  npm run inbox -- replay <seq> …                 makes entries wait again, due at once and with a fresh count of attempts
  npm run inbox -- replay --dead                  all dead letters, oldest first
  npm run inbox -- discard <seq> … --reason "…"   makes waiting or dead entries done: they will not run
  npm run inbox -- prune --days n                 forgets what was done more than n days ago; a redelivery of it is
                                                  known for one all the same, as long as REPLAY_DAYS says
  npm run inbox -- stats                          how many wait, run, are done, are dead; how much waits, and since when
  npm run inbox -- export                         entries with their content, oldest first, one JSON object each line
  npm run inbox -- effects                        what became of every event, as the conformance suite asks for it
  npm run inbox -- backup <file>                  a copy of it as it is at one moment, while the receiver runs; checked
  npm run inbox -- restore <file>                 puts a copy in its place, while no receiver runs; the old one is put aside
  npm run inbox -- verify                         what is inconsistent in it or on its tape: a line for each kind; exit code 1
  npm run inbox -- migrate                        makes or updates the tables in PostgreSQL, as whoever INBOX_URL says
  npm run inbox -- migrate --print                the SQL of that, to read it or to run it oneself; changes nothing

  --status waiting|running|done|dead   for list and export
  --source name, --type event          for list, export, and replay --dead
  --id id                              for the same, and show: as the sender calls the event, what it is about (a task, a
                                       booking), or the X-Request-Id of the reply
  --subject text                       for the same: what is handled in turn, as list --json shows it: task:07c6ad8c-…
  --since 2h                           for the same: received since 90min, 2h, 3d, or 2031-02-03T14:00:00Z
  --limit n                            for list (default 20) and export (default all)
  --content                            for show: what was received and answered; may be personal data
  --reason text                        for discard: kept with the entry, never with personal data in it
  --days n                             for prune (default RETENTION_DAYS, where the receiver is told one); 0.5 and
                                       whatever is less than 1 need --yes here
  --print                              for migrate: changes nothing
  --json                               for programs; content as base64
  --help                               this

Replay is sealed: an entry was proven when it came, the proof is kept with it and is not repeated. It runs although its
token has expired, its secret was changed, or its endpoint was closed since.
effects is the probe of this kit's own receiver: npm run conform -- --probe "npm run --silent inbox -- effects". It prints
one JSON object: effects, the events that were handled and changed something, in that order, and quarantined, the dead
letters; ref is eventId of HotDocs (workItemId of an action link), webhook_request_id of risr, taskId of PhenixID.
export holds content as base64 and, where it is JSON, as \`payload\` too: personal data, store it accordingly.
The inbox is the one that INBOX_URL names, from .env or the environment (default sqlite:data/inbox.db). If it is
encrypted, INBOX_KEYS_FILE names the file of its keys. A running receiver takes up a replayed entry within a second.
Exit code: 0 done, 1 not found or not possible, 2 the command is not right.
`;

/** What entries can be found by. */
const named = ['source', 'type', 'id', 'subject', 'since'] as const;

const noSeq = (seqs: readonly number[]) => seqs.length === 0;

const takesFile = { takesFile: true, options: [], fits: noSeq } as const;

const commands: readonly (readonly [string, Command])[] = [
  [
    'list',
    {
      run: list,
      options: ['status', ...named, 'limit'],
      fits: noSeq,
      expects: 'list takes no <seq>: did you mean show?',
    },
  ],
  [
    'show',
    {
      run: show,
      options: ['content', 'id'],
      fits: (seqs, { filter }) => seqs.length === (filter.about === undefined ? 1 : 0),
      expects: 'show takes one <seq>, as list prints it, or --id.',
    },
  ],
  [
    'replay',
    {
      run: replay,
      options: ['dead', ...named],
      fits: (seqs, { dead, filter }) =>
        dead ? noSeq(seqs) : seqs.length > 0 && Object.keys(filter).length === 0,
      expects:
        'replay takes either <seq> … or --dead; what finds entries, as --source and --type, goes with --dead.',
    },
  ],
  [
    'discard',
    {
      run: discard,
      options: ['reason'],
      fits: (seqs, { reason = '' }) => seqs.length > 0 && reason.trim() !== '',
      expects: 'discard takes <seq> … and --reason "why they need not run".',
    },
  ],
  [
    'prune',
    {
      run: prune,
      options: ['days', 'yes'],
      fits: (seqs, { days, yes }) => noSeq(seqs) && days !== undefined && (yes || days >= 1),
      expects:
        'prune takes no <seq>, and --days n unless RETENTION_DAYS says it. Less than a day forgets what was done only ' +
        'hours ago, and no replay brings it back: add --yes if that is meant.',
    },
  ],
  ['stats', { run: stats, options: [], fits: noSeq, expects: 'stats takes no <seq>.' }],
  [
    'export',
    {
      run: exportEntries,
      options: ['status', ...named, 'limit'],
      fits: noSeq,
      expects: 'export takes no <seq>.',
    },
  ],
  ['effects', { run: effects, options: [], fits: noSeq, expects: 'effects takes no <seq>.' }],
  ['backup', { runAt: backup, ...takesFile, expects: 'backup takes one file, which is not there yet.' }],
  ['restore', { runAt: restoreBackup, ...takesFile, expects: 'restore takes one file, as backup wrote it.' }],
  ['verify', { runWithKeys: verify, options: [], fits: noSeq, expects: 'verify takes no <seq>.' }],
  ['migrate', { runAt: migrate, options: ['print'], fits: noSeq, expects: 'migrate takes no <seq>.' }],
];

async function effects(inbox: Inbox): Promise<number> {
  console.log(JSON.stringify(await effectsIn(inbox)));
  return 0;
}

await runCommand(async (args) => {
  const { values, positionals } = readOptions({ args, allowPositionals: true, options });
  const [name, ...rest] = positionals;
  if (name === undefined) throw new UsageError(USAGE);
  const command = pick('command', name, commands);
  const unfit = Object.keys(values).find((option) => option !== 'json' && !command.options.includes(option));
  if (unfit !== undefined) throw new UsageError(`${name} takes no --${unfit}.`);
  const files = command.takesFile === true ? rest : [];
  if (command.takesFile === true && files.length !== 1) throw new UsageError(command.expects);
  const [first] = files.length > 0 ? [] : rest;
  if (first !== undefined && !/^\d/.test(first) && !['show', 'replay', 'discard'].includes(name)) {
    throw new UsageError(`${name} takes options only, and got ${JSON.stringify(first.slice(0, 80))}.`);
  }
  const given = (first === undefined ? [] : rest).map((text) =>
    wholeNumber('<seq>', text, { min: 1, max: Number.MAX_SAFE_INTEGER }),
  );
  const seqs = [...new Set(given)];
  const env = commandEnvironment();
  const chosen = chosenBy(values, env);
  if (!command.fits(seqs, chosen)) throw new UsageError(command.expects);
  if ('runAt' in command) return withAddress(env, (url) => command.runAt(url, chosen, files));
  if ('runWithKeys' in command) return withKeys(env, (url, keys) => command.runWithKeys(url, chosen, keys));
  return withInbox(env, async (inbox) => {
    await checkNames(inbox, chosen.filter);
    return command.run(inbox, seqs, chosen);
  });
}, USAGE);
