import { join } from 'node:path';
import { app } from '../src/app/index.ts';
import type { Source } from '../src/kit/source.ts';
import { sources as products } from '../src/kit/sources/index.ts';
import { readOptions, runCommand } from '../src/lab/command.ts';
import { pick, UsageError } from '../src/lab/usage.ts';
import type { Stamped } from './stamp/draft.ts';
import { stampEvent } from './stamp/event.ts';
import { stampHandler } from './stamp/handler.ts';
import { stampSource } from './stamp/source.ts';

const USAGE = `Begins a new source, a new event or a handler, in src/app; what is left to fill in is printed.

  npm run new -- source <name> [--headers]
  npm run new -- event <source> <event.type> [--reply]
  npm run new -- handler <source> <event.type> [--from-example]

  <name>          small letters, digits and dashes: the first segment of its paths
  <event.type>    exactly as the sender spells it
  --headers       type and id of an event stand in headers, not in its body
  --reply         somebody waits: what the handler answers is the reply
  --from-example  as src/example has it, with what it needs, in place of an empty one
  --help          this

Exit code: 0 all is written, 1 something is to be added by hand, 2 nothing was written.
`;

const root = join(import.meta.dirname, '..');

await runCommand(async (args) => {
  const { values, positionals } = readOptions({
    args,
    allowPositionals: true,
    options: {
      headers: { type: 'boolean', default: false },
      reply: { type: 'boolean', default: false },
      'from-example': { type: 'boolean', default: false },
    },
  });
  const [what, ...names] = positionals;
  if (what === undefined) throw new UsageError(USAGE);
  const stamp = pick<Stamp>('thing to begin', what, [
    ['source', newSource],
    ['event', newEvent],
    ['handler', newHandler],
  ]);
  if (values.headers && stamp !== newSource) throw new UsageError('--headers is for a source.');
  if (values.reply && stamp !== newEvent) throw new UsageError('--reply is for an event.');
  if (values['from-example'] && stamp !== newHandler)
    throw new UsageError('--from-example is for a handler.');
  const { headers, reply } = values;
  return report(await stamp(names, { headers, reply, fromExample: values['from-example'] }));
}, USAGE);

interface Options {
  readonly headers: boolean;
  readonly reply: boolean;
  readonly fromExample: boolean;
}

type Stamp = (names: readonly string[], options: Options) => Promise<Stamped>;

async function newSource(names: readonly string[], { headers }: Options): Promise<Stamped> {
  const [name, ...rest] = names;
  if (name === undefined || rest.length > 0) throw new UsageError(`Expected one name.\n\n${USAGE}`);
  return stampSource(root, name, [...new Set<Source>([...products, ...app.sources])], { headers });
}

async function newEvent(names: readonly string[], { reply }: Options): Promise<Stamped> {
  return stampEvent(root, { ...sourceAndType(names), mode: reply ? 'reply' : 'notify' }, app.sources);
}

async function newHandler(names: readonly string[], { fromExample }: Options): Promise<Stamped> {
  return stampHandler(root, { ...sourceAndType(names), fromExample }, app.sources);
}

function sourceAndType([source, type, ...rest]: readonly string[]): { source: string; type: string } {
  if (source !== undefined && type !== undefined && rest.length === 0) return { source, type };
  throw new UsageError(`Expected a source and an event type.\n\n${USAGE}`);
}

function report({ files, left, next }: Stamped): number {
  for (const file of files) console.log(`written  ${file}`);
  for (const { file, byHand } of left) {
    console.error(`\n${file} looks different from what was expected there. Add by hand:\n${byHand}`);
  }
  console.log(`\nNext, in this order:\n${next.map((step, index) => `  ${index + 1}. ${step}`).join('\n')}`);
  return left.length === 0 ? 0 : 1;
}
