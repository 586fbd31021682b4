import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseAssignment } from '../src/lab/mock/assign.ts';
import { listingOf, listingText } from '../src/lab/mock/listing.ts';
import { createRandom } from '../src/lab/mock/random.ts';
import { firedText, runText } from '../src/lab/mock/report.ts';
import type { RunSize } from '../src/lab/mock/run.ts';
import { createSender, type FireOptions, type Sender } from '../src/lab/mock/sender.ts';
import { pick, UsageError } from '../src/lab/usage.ts';
import type { Source } from '../src/kit/source.ts';
import { app, environment } from './the-app.ts';
import { receiverUrl, runCommand, wholeNumber } from '../src/lab/command.ts';
import { credentialsFrom } from '../src/lab/stage/credentials.ts';

const USAGE = `Sends an event as its product would, and judges the reply as that product would.

  npm run send -- <source> <event> [options]

  --set a.b=value      changes a member of the example; the value is JSON, or else text; several times
  --data file          a JSON payload instead of the example; - reads standard input
  --switch name=choice changes how the request is made; several times
  --fault name         spoils it; the reply is then compared with what a correct receiver answers
  --count n            so many events, each with an id of its own; the result in figures
  --concurrency n      so many at a time
  --seed n             the same ids and the same chance again; a receiver knows such events already
  --url address        the receiver (default http://127.0.0.1:3000); with a path, that path is the endpoint
  --help               this; after a source, its events, switches and faults

The secret is taken from the variable that the receiver reads, from .env or the environment. Sources are those of src/app;
with KIT_APP=src/example in the environment those of the reference receiver, as npm run example runs it.
Exit code: 0 the reply is right, 1 it is not, 2 the command is not.
`;

await runCommand(async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      set: { type: 'string', multiple: true, default: [] },
      data: { type: 'string' },
      switch: { type: 'string', multiple: true, default: [] },
      fault: { type: 'string' },
      count: { type: 'string', default: '1' },
      concurrency: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(randomInt(2 ** 32)) },
      url: { type: 'string' },
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
  const credentialFor = credentialsFrom(environment, app)(source);
  const sender = createSender({ source, url, credentialFor, random: createRandom(seed) });
  const chosen = {
    ...(values.data !== undefined && { payload: readPayload(values.data) }),
    set: values.set.map(parseAssignment),
    switches: Object.fromEntries(values.switch.map(parseSwitch)),
    fault: values.fault,
    count: wholeNumber('--count', values.count, { min: 1, max: 10_000_000 }),
    concurrency: wholeNumber('--concurrency', values.concurrency, { min: 1, max: 1024 }),
  };
  try {
    return chosen.count === 1
      ? await sendOne(sender, type, chosen, url)
      : await sendMany(sender, type, chosen, seed);
  } finally {
    sender.close();
  }
});

async function sendOne(sender: Sender, type: string, chosen: FireOptions, url: URL): Promise<number> {
  const fired = await sender.fire(type, chosen);
  console.log(firedText(fired, url.origin));
  return fired.verdict.ok ? 0 : 1;
}

async function sendMany(
  sender: Sender,
  type: string,
  chosen: FireOptions & RunSize,
  seed: number,
): Promise<number> {
  const run = await sender.run(type, chosen);
  console.log(runText(run, `${sender.source.name} ${type} (--seed ${seed})`));
  return run.ok === run.count ? 0 : 1;
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
