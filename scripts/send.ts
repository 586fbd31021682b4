import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseAssignment } from '../src/lab/mock/assign.ts';
import { listingOf, listingText } from '../src/lab/mock/listing.ts';
import { createRandom } from '../src/lab/mock/random.ts';
import { block, firedText, previewText, runText } from '../src/lab/mock/report.ts';
import type { RunSize } from '../src/lab/mock/run.ts';
import { createSender, type CredentialFor, type FireOptions, type Sender } from '../src/lab/mock/sender.ts';
import { pick, UsageError } from '../src/lab/usage.ts';
import { messageOf } from '../src/kit/errors.ts';
import type { Source } from '../src/kit/source.ts';
import { outcomeOf, outcomeOfMany, watchInbox, type Outcome, type Watched } from './send/outcome.ts';
import { app, environment } from './the-app.ts';
import { readOptions, receiverUrl, runCommand, wholeNumber } from '../src/lab/command.ts';
import { credentialsFrom } from '../src/lab/stage/credentials.ts';

const USAGE = `Sends an event as its product would, and judges the reply as that product would.

  npm run send -- <source> <event> [options]

  --set a.b=value      changes a member of the example; the value is JSON, or else text; several times
  --add a.b=value      the same for a member that the event does not have
  --data file          a JSON payload instead of the example; - reads standard input
  --switch name=choice changes how the request is made; several times
  --fault name         spoils it; the reply is then compared with what a correct receiver answers
  --count n            so many events, each with an id of its own; the result in figures
  --concurrency n      so many at a time
  --seed n             the same ids and the same chance again; a receiver knows such events already
  --url address        the receiver (default http://127.0.0.1:3000); with a path, that path is the endpoint
  --print              shows the event and the request without its proof, and sends nothing
  --wait seconds       for what becomes of it in the receiver's inbox (default 30)
  --help               this; after a source, its events, switches and faults

The secret is taken from the variable that the receiver reads, from .env or the environment. Sources are those of src/app;
with KIT_APP=src/example in the environment those of the reference receiver, as npm run example runs it.
What became of it is read in the inbox that INBOX_URL names, if the receiver is on this machine and its inbox is not memory:.
Exit code: 0 the reply is right, and the event is done; 1 it is not so; 2 the command is not right.
`;

await runCommand(async (args) => {
  const { values, positionals } = readOptions({
    args,
    allowPositionals: true,
    options: {
      set: { type: 'string', multiple: true, default: [] },
      add: { type: 'string', multiple: true, default: [] },
      data: { type: 'string' },
      switch: { type: 'string', multiple: true, default: [] },
      fault: { type: 'string' },
      count: { type: 'string', default: '1' },
      concurrency: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(randomInt(2 ** 32)) },
      url: { type: 'string' },
      print: { type: 'boolean', default: false },
      wait: { type: 'string', default: '30' },
      help: { type: 'boolean', default: false },
    },
  });
  const [sourceName, type, ...rest] = positionals;
  if (values.help) return help(sourceName);
  if (sourceName === undefined) throw new UsageError(`${USAGE}\n${overview()}`);
  const source = sourceNamed(sourceName);
  if (type === undefined) throw new UsageError(`Which event?\n\n${listingText(listingOf(source))}`);
  if (rest.length > 0) throw new UsageError(`Expected one source and one event, and then: ${rest.join(' ')}`);

  const url = receiverUrl(values.url, environment['PORT']);
  const seed = wholeNumber('--seed', values.seed, { min: 0, max: 2 ** 32 - 1 });
  const known = credentialsFrom(environment, app)(source);
  const credentialFor = values.print ? knownOrAny(source, known) : known;
  const sender = createSender({ source, url, credentialFor, random: createRandom(seed) });
  const chosen = {
    ...(values.data !== undefined && { payload: readPayload(values.data) }),
    set: [
      ...values.set.map(parseAssignment),
      ...values.add.map((text) => ({ ...parseAssignment(text), add: true })),
    ],
    switches: Object.fromEntries(values.switch.map(parseSwitch)),
    fault: values.fault,
    count: wholeNumber('--count', values.count, { min: 1, max: 10_000_000 }),
    concurrency: wholeNumber('--concurrency', values.concurrency, { min: 1, max: 1024 }),
  };
  const waitMs = wholeNumber('--wait', values.wait, { min: 0, max: 86_400 }) * 1_000;
  try {
    if (values.print) return await print(sender, type, chosen);
    return chosen.count === 1
      ? await sendOne(sender, type, chosen, { url, waitMs })
      : await sendMany(sender, type, chosen, { url, waitMs, seed });
  } finally {
    sender.close();
  }
});

async function print(sender: Sender, type: string, chosen: FireOptions): Promise<number> {
  console.log(previewText(await sender.preview(type, chosen)));
  return 0;
}

interface Watching {
  readonly url: URL;
  readonly waitMs: number;
}

async function sendOne(
  sender: Sender,
  type: string,
  chosen: FireOptions,
  { url, waitMs }: Watching,
): Promise<number> {
  // What cannot be sent is said before anything is opened.
  const { content, event } = await sender.preview(type, chosen);
  return watching(url, async (watched) => {
    const fired = await sender.fire(type, { ...chosen, id: event.id, at: event.at });
    console.log(firedText(fired, url.origin));
    const outcome = (seen: Watched) => outcomeOf(seen, { ...fired, content }, waitMs);
    const right = fired.reply === undefined || (await tell(watched, outcome));
    return fired.verdict.ok && right ? 0 : 1;
  });
}

async function sendMany(
  sender: Sender,
  type: string,
  chosen: FireOptions & RunSize,
  { url, waitMs, seed }: Watching & { readonly seed: number },
): Promise<number> {
  const source = sender.source.name;
  return watching(url, async (watched) => {
    const run = await sender.run(type, chosen);
    console.log(runText(run, `${source} ${type} (--seed ${seed})`));
    const outcome = (seen: Watched) => outcomeOfMany(seen, { source, type, waitMs, taken: run.ok });
    const right = chosen.fault !== undefined || (await tell(watched, outcome));
    return run.ok === run.count && right ? 0 : 1;
  });
}

async function watching(url: URL, send: (watched: Watched | string) => Promise<number>): Promise<number> {
  const watched = await watchInbox(url, environment);
  try {
    return await send(watched);
  } finally {
    if (typeof watched !== 'string') await watched.inbox.close();
  }
}

/** Resolves with false where it became something else than it should. */
async function tell(
  watched: Watched | string,
  outcomeIn: (seen: Watched) => Promise<Outcome>,
): Promise<boolean> {
  const unseen = (why: string): Outcome => ({ right: undefined, says: why });
  const outcome =
    typeof watched === 'string'
      ? unseen(watched)
      : await outcomeIn(watched).catch((error: unknown) => unseen(messageOf(error)));
  const { right, says, further = [] } = outcome;
  const verdict = right === undefined ? 'not seen' : right ? 'right' : 'WRONG';
  console.log(block([['inbox', `${verdict}: ${says}`], ...further.map((line) => ['', line] as const)]));
  return right !== false;
}

/** What is only shown needs no secret. */
function knownOrAny({ proof }: Source, known: CredentialFor): CredentialFor {
  return (to) => {
    try {
      return known(to);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return { kind: Object.keys(proof.kinds)[0] ?? '', text: 'none-is-known-for-this-endpoint-0' };
    }
  };
}

function help(sourceName: string | undefined): number {
  if (sourceName === undefined) console.log(`${USAGE}\n${overview()}`);
  else console.log(listingText(listingOf(sourceNamed(sourceName))));
  return 0;
}

function overview(): string {
  const lines = app.sources.map(({ name, events }) => `  ${name}: ${Object.keys(events).join(', ')}`);
  return ['Sources and events:', ...lines].join('\n');
}

function sourceNamed(name: string): Source {
  return pick<Source>(
    'source',
    name,
    app.sources.map((source) => [source.name, source]),
  );
}

function parseSwitch(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--switch: expected name=choice and got ${text}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function readPayload(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw new UsageError(`--data: ${file} ${why}.`, { cause: error });
  }
}
