import { join } from 'node:path';
import { styleText } from 'node:util';
import type { Entry } from '../src/kit/inbox/inbox.ts';
import type { Fired, Sender } from '../src/lab/mock/sender.ts';
import { storyOf } from '../src/lab/mock/story.ts';
import { scenarios } from '../src/lab/mock/scenarios/index.ts';
import { play, type Observed, type Played } from '../src/lab/mock/scenarios/play.ts';
import type { Scenario } from '../src/lab/mock/scenarios/scenario.ts';
import { stagedExample } from '../src/example/staged.ts';
import { kitVersion } from '../src/kit/program/version.ts';
import { definitionOf, type Source } from '../src/kit/source.ts';
import { readOptions, runCommand, untilStopped, wholeNumber } from '../src/lab/command.ts';
import { newFolder } from '../src/lab/rig/folder.ts';
import { setUp, type Stage } from '../src/lab/stage/stage.ts';
import { playRefusals } from './demo/refusals.ts';
import { aligned, cut, printRow, statusOf, timeOf, typeWidth, type Cells } from './demo/rows.ts';

const USAGE = `Starts the receiver and the three products with secrets made on the spot, plays a scenario of each, and shows every
event and what came of it on both sides.

  npm run demo -- [--once] [--chaos seed]

  --once        ends after the last row, with exit code 0 only if every row is as it should be
  --chaos seed  on a bad day: events late, out of order, twice or lost, APIs failing; the same seed does the same again
`;

/** As shells say it of what Ctrl-C has ended. */
const INTERRUPTED = 130;
const SEEDS = { min: 0, max: 2 ** 31 };
const PLACES = { platform: 'there, in the product', receiver: 'here, in the receiver' };

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: {
      once: { type: 'boolean', default: false },
      chaos: { type: 'string' },
    },
  });
  const chaosSeed = values.chaos === undefined ? undefined : wholeNumber('--chaos', values.chaos, SEEDS);
  return runDemo(values.once, chaosSeed);
}, USAGE);

async function runDemo(once: boolean, chaosSeed: number | undefined): Promise<number> {
  let code = INTERRUPTED;
  // At once, whatever is waited for: nothing here is worth an orderly end, and the folder goes with the process.
  void untilStopped().then(() => process.exit(code));
  const { path: folder } = newFolder('advance-receiver-kit');
  const stage = await setUp(stagedExample, folder, { chaosSeed });
  try {
    console.log(
      `advance-receiver-kit ${kitVersion()}, running src/example\n` +
        `Receiver ${stage.app.url}, mock ${stage.mockUrl}, each endpoint with a secret made just now.`,
    );
    const stays = once ? undefined : stage.app.adminUrl;
    const asExpected = [...(await playStories(stage)), ...(await playRefusals(stage, folder, stays))];
    const failed = asExpected.filter((right) => !right).length;
    console.log(
      `\n${failed === 0 ? 'Every row is as it should be.' : `${failed} rows are NOT as they should be.`}`,
    );
    code = failed === 0 ? 0 : 1;
    if (!once) {
      showAround(stage, folder);
      await untilStopped();
    }
    return code;
  } finally {
    await stage.tearDown();
  }
}

async function playStories(stage: Stage): Promise<boolean[]> {
  const asExpected: boolean[] = [];
  const titles: Cells = ['event', 'how it proved itself', 'reply', 'ms', 'what its handler did'];
  console.log(`\n${cut(`  ${aligned(titles)}`)}`);
  for (const sender of stage.senders) asExpected.push(...(await playStory(stage, sender)));
  if (stage.chaos) console.log(`\n${stage.chaos.deeds.length} things went wrong on purpose.`);
  return asExpected;
}

/** What a scenario does not send is sent singly. */
async function playStory(stage: Stage, sender: Sender): Promise<boolean[]> {
  const { source } = sender;
  const played = await Promise.all(scenariosOf(source.name).map((scenario) => playScenario(stage, scenario)));
  console.log(`\n${styleText('bold', source.title)}`);
  const asExpected: boolean[] = [];
  for (const type of storyOf(source)) {
    const fired = stage.fired.filter((one) => one.source === source.name && one.type === type);
    const whole = fired.find(({ fault }) => fault === undefined) ?? fired[0];
    asExpected.push(await showEvent(stage, source, whole ?? (await fireSingly(stage, sender, type))));
  }
  return [...asExpected, ...played.flatMap(({ observed }) => observed.map(showEffect))];
}

function scenariosOf(platform: string): Scenario[] {
  return scenarios.filter((scenario) => scenario.platform === platform);
}

function playScenario(stage: Stage, scenario: Scenario): Promise<Played> {
  const { world, chaos } = stage;
  const settle = () => stage.settle();
  return play(scenario, world, { settle, ...(chaos && { breath: () => chaos.breath() }) });
}

async function fireSingly(stage: Stage, sender: Sender, type: string): Promise<Fired> {
  const fired = await sender.fire(type);
  await stage.settle();
  return fired;
}

async function showEvent({ app, chaos }: Stage, source: Source, fired: Fired): Promise<boolean> {
  const { type } = fired;
  const entries = await app.inbox.list({ source: source.name, type, limit: 100 });
  const lost = chaos !== undefined && fired.fault !== undefined && entries.length === 0;
  const right =
    lost || (fired.verdict.ok && entries.length > 0 && entries.every(({ status }) => status === 'done'));
  const done = definitionOf(source, type)?.mode === 'reply' ? 'answered' : 'stored';
  const effect = lost
    ? 'lost on its way'
    : right
      ? (entries.at(-1)?.note ?? '')
      : complaintOf(fired, entries);
  const reply = lost ? 'none' : `${statusOf(fired)} ${done}`;
  printRow(right, right ? 'green' : 'red', [
    type,
    lost ? 'broken off' : fired.proof,
    reply,
    timeOf(fired),
    effect,
  ]);
  return right;
}

function showEffect(observed: Observed): boolean {
  const right = 'found' in observed;
  const words = right ? observed.found : `NOT so: ${observed.missing}`;
  const line = `${right ? '✓' : '✗'} → ${PLACES[observed.where].padEnd(typeWidth - 2)}  ${observed.what}: ${words}`;
  console.log(styleText(right ? 'green' : 'red', cut(line)));
  return right;
}

function complaintOf({ verdict }: Fired, entries: readonly Entry[]): string {
  if (!verdict.ok) return verdict.says;
  const undone = entries.find(({ status }) => status !== 'done');
  return `NOT handled: ${undone?.status ?? 'never stored'} ${undone?.note ?? ''}`;
}

function showAround({ app, mockUrl, log, senders }: Stage, folder: string): void {
  const [first] = senders;
  const name = first?.source.name ?? '';
  const [type] = first ? storyOf(first.source) : [];
  console.log(`
Everything keeps running; Ctrl-C ends it. Where to look next:

  look at it          ${app.adminUrl ?? ''}
  send one yourself   curl -H 'Content-Type: application/json' -d '{}' ${mockUrl}/send/${name}/${type ?? ''}
  what can be sent    ${mockUrl}
  what was received   INBOX_URL=sqlite:${join(folder, 'inbox.db')} npm run inbox -- list
  why it was refused  npx node --env-file=${join(folder, '.env')} scripts/explain.ts
  what is done then   src/example/handlers/; yours go into src/app/handlers/
  with real secrets   copy templates/env.example to .env, fill it in, npm start

The receiver's log from here on:
`);
  log.print();
}
