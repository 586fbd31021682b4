import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pick, UsageError } from '../src/lab/usage.ts';
import { sources } from '../src/kit/sources/index.ts';
import { runCommand } from '../src/lab/command.ts';
import { stampEvent } from './stamp/event.ts';
import { stampSource } from './stamp/source.ts';
import type { Stamped } from './stamp/stamped.ts';

const USAGE = `Begins a new source or a new event; what is left to fill in is printed.

  npm run new -- source <name>
  npm run new -- event <source> <event.type> [--reply]

  <name>        small letters, digits and dashes: the first segment of its paths
  <event.type>  exactly as the sender spells it
  --reply       somebody waits: what the handler answers is the reply
  --help        this

Exit code: 0 all is written, 1 something is to be added by hand, 2 nothing was written.
`;

const root = join(import.meta.dirname, '..');

await runCommand(async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { reply: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  const [what, ...names] = positionals;
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (what === undefined) throw new UsageError(USAGE);
  const stamp = pick<Stamp>('thing to begin', what, [
    ['source', newSource],
    ['event', newEvent],
  ]);
  return report(await stamp(names, values.reply));
});

type Stamp = (names: readonly string[], reply: boolean) => Promise<Stamped>;

async function newSource(names: readonly string[], reply: boolean): Promise<Stamped> {
  const [name, ...rest] = names;
  if (name === undefined || rest.length > 0) throw new UsageError(`Expected one name.\n\n${USAGE}`);
  if (reply) throw new UsageError('--reply is for an event.');
  return stampSource(root, name, sources);
}

async function newEvent(names: readonly string[], reply: boolean): Promise<Stamped> {
  const [source, type, ...rest] = names;
  if (source === undefined || type === undefined || rest.length > 0) {
    throw new UsageError(`Expected a source and an event type.\n\n${USAGE}`);
  }
  return stampEvent(root, { source, type, mode: reply ? 'reply' : 'notify' }, sources);
}

function report({ files, left, next }: Stamped): number {
  const unchanged = left.map(({ file }) => file);
  for (const file of files) if (!unchanged.includes(file)) console.log(`written  ${file}`);
  for (const { file, byHand } of left) {
    console.error(
      `\n${file} looks different from what was expected and is unchanged. Add by hand:\n${byHand}`,
    );
  }
  console.log(`\nNext, in this order:\n${next.map((step, index) => `  ${index + 1}. ${step}`).join('\n')}`);
  return left.length === 0 ? 0 : 1;
}
