import { writeFileSync } from 'node:fs';
import { readFacts } from '../src/kit/facts/open.ts';
import { messageOf } from '../src/kit/errors.ts';
import { kitVersion } from '../src/kit/program/version.ts';
import { readOptions, runCommand } from '../src/lab/command.ts';
import { printable } from '../src/lab/printable.ts';
import { pick, UsageError } from '../src/lab/usage.ts';
import { failed, moment, printJson } from './inbox/print.ts';
import { requireReceived, withAddress } from './inbox/with-inbox.ts';
import { learntOf, type Learnt } from './facts/learnt.ts';
import { patchOf } from './facts/patch.ts';
import { hiddenPage, pageOf, reportOf } from './facts/print.ts';

const USAGE = `What the senders really do, by the deliveries that came: what is assumed of them, and whether it is so.

  npm run facts                       every fact that a delivery shows, and what has been seen
  npm run facts -- --patch            the lines for events.ts: members, types, words and events that it does not know
  npm run facts -- --report [file]    the same in Markdown, without any value, for the maintainers of the kit
  npm run facts -- --without-observer the facts that no delivery shows, and why

  --source name   of this source only
  --json          for programs
  --help          this

Counted are constant words, never a value of a delivery; beside the inbox that INBOX_URL names, from .env or the environment:
in a file beside that of SQLite (its name with .facts.json behind it), or in a table of PostgreSQL. To begin anew, stop the
receiver and remove the file, or empty the table inbox.fact.
Exit code: 0 done, 1 not possible, 2 the command is not right.
`;

await runCommand(async (args) => {
  const { values, positionals } = readOptions({
    args,
    allowPositionals: true,
    options: {
      patch: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      'without-observer': { type: 'boolean', default: false },
      source: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [file, ...others] = positionals;
  if (others.length > 0 || (file !== undefined && !values.report)) {
    throw new UsageError('Expected options only; a file goes with --report.');
  }
  const { patch, report, json, 'without-observer': hidden } = values;
  if ([patch, report, json, hidden].filter(Boolean).length > 1) {
    throw new UsageError('--patch, --report, --json and --without-observer: one of them at a time.');
  }
  const { app, environment } = await import('./the-app.ts');
  const named = app.sources.map((source) => [source.name, source] as const);
  const sources = values.source === undefined ? app.sources : [pick('source', values.source, named)];
  if (hidden) return print(hiddenPage(sources.map((source) => learntOf(source, []))));
  return withAddress(environment, async (url) => {
    requireReceived(url);
    const counts = await readFacts(url);
    const learnt = sources.map((source) => learntOf(source, counts));
    if (json) return printJson(learnt.map(toJson));
    if (patch) return print(learnt.map(patchOf).filter(Boolean).join('\n\n') || 'Nothing has drifted.');
    if (!report) return print(pageOf(learnt));
    const text = reportOf(learnt, kitVersion());
    if (file === undefined) return print(text);
    try {
      writeFileSync(file, `${text}\n`);
    } catch (error) {
      return failed(`${file} cannot be written: ${messageOf(error)}`);
    }
    return print(`written  ${file}`);
  });
}, USAGE);

function print(text: string): number {
  console.log(printable(text));
  return 0;
}

function toJson({ source, came, examined, since, findings, drift }: Learnt): object {
  return {
    source: source.name,
    came,
    examined,
    since: moment(since),
    facts: findings.map(({ fact: { id, what, assumed }, state, seen }) => ({
      ...{ id, what, assumed, state },
      seen: seen.map(({ first, last, ...variant }) => ({
        ...variant,
        first: moment(first),
        last: moment(last),
      })),
    })),
    drift: drift.map(({ first, last, ...found }) => ({ ...found, first: moment(first), last: moment(last) })),
  };
}
