import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { styleText } from 'node:util';
import { endpointsOf } from '../src/kit/endpoint/definition.ts';
import { createChaos, type Chaos } from '../src/lab/mock/chaos.ts';
import type { Disturb } from '../src/lab/mock/platforms/serve.ts';
import { createRandom, type Random } from '../src/lab/mock/random.ts';
import { scenarioOf, scenarios } from '../src/lab/mock/scenarios/index.ts';
import { missingIn, play } from '../src/lab/mock/scenarios/play.ts';
import type { Scenario } from '../src/lab/mock/scenarios/scenario.ts';
import { sendingLine } from '../src/lab/mock/server.ts';
import { onOneLine } from '../src/lab/printable.ts';
import { app, environment } from './the-app.ts';
import { readOptions, receiverUrl, runCommand, untilStopped, wholeNumber } from '../src/lab/command.ts';
import { credentialsFrom } from '../src/lab/stage/credentials.ts';
import { listenOn } from '../src/lab/rig/ports.ts';
import { isTaken, openMock, type Mock, type MockOptions } from '../src/lab/stage/mock.ts';
import { apiEnvironment, readState } from '../src/lab/stage/products.ts';

const USAGE = `The three products with their APIs: keep running on this machine, and send on request.

  npm run mock -- [--url address] [--scenario name] [--chaos seed] [--seed n] [--state file] [--phenixid-config file]

  --url address    the receiver (default http://127.0.0.1:3000)
  --scenario name  plays one and ends, with exit code 0 only if all that should come of it shows in the product:
                   ${scenarios.map(({ name }) => name).join(', ')}
  --chaos seed     on a bad day: events late, out of order, twice or broken off, APIs failing
  --seed n         the same ids in every run
  --state file     what the products begin with: JSON with members hotdocs, phenixid, risr
  --phenixid-config file
                   a config.json of Signing Workflow: its section webHook says where its events go
  MOCK_PORT        the mock's own port (default 4000; 0 takes a free one)
  KIT_APP          src/example: for the reference receiver, as npm run example runs it, in place of src/app
`;

const SEEDS = { min: 0, max: 2 ** 31 };
/** The receiver may have to try again. */
const PATIENCE_MS = 20_000;
/** So long after its last call it is taken to be done. */
const QUIET_MS = 1_000;

await runCommand(async (args) => {
  const { values } = readOptions({
    args,
    options: {
      url: { type: 'string' },
      scenario: { type: 'string' },
      chaos: { type: 'string' },
      seed: { type: 'string' },
      state: { type: 'string' },
      'phenixid-config': { type: 'string' },
    },
  });
  const port = wholeNumber('MOCK_PORT', environment['MOCK_PORT'] ?? '4000', { min: 0, max: 65_535 });
  const url = receiverUrl(values.url, environment['PORT']);
  const scenario = values.scenario === undefined ? undefined : scenarioOf(values.scenario);
  if (scenario) demandSecrets(scenario);
  const chaosSeed = values.chaos === undefined ? undefined : wholeNumber('--chaos', values.chaos, SEEDS);
  const seed = values.seed === undefined ? randomInt(2 ** 31) : wholeNumber('--seed', values.seed, SEEDS);
  const state = values.state === undefined ? undefined : readState(values.state);

  const server = createServer();
  if (!(await listen(server, port))) return 1;
  const phenixidConfig = values['phenixid-config'];
  const mock = open(server, { receiver: url, seed, chaosSeed, state, phenixidConfig });
  try {
    return await (scenario ? playOnce(mock, scenario) : runUntilStopped(mock));
  } finally {
    mock.close();
  }
}, USAGE);

interface CountedMock extends Mock {
  /** To the products' APIs. */
  readonly calls: readonly string[];
  readonly chaos: Chaos | undefined;
  readonly random: Random;
}

interface CountedOptions extends Pick<MockOptions, 'receiver' | 'seed' | 'state' | 'phenixidConfig'> {
  readonly chaosSeed: number | undefined;
}

function open(server: Server, { chaosSeed, ...options }: CountedOptions): CountedMock {
  const chaos =
    chaosSeed === undefined
      ? undefined
      : createChaos({ seed: chaosSeed, maxDelayMs: 1000, isLost: () => false });
  const calls: string[] = [];
  const disturb: Disturb = (platform, request) => {
    if (request.path[0] !== 'admin') calls.push(`${platform} ${request.method}`);
    return undefined;
  };
  const mock = openMock(server, { app, env: environment, chaos, disturb, ...options });
  return { ...mock, calls, chaos, random: createRandom(options.seed) };
}

/** Where nothing can be sent, nothing would come of it. @throws UsageError that names the variable */
function demandSecrets({ platform }: Scenario): void {
  const credentialsOf = credentialsFrom(environment, app);
  for (const source of app.sources.filter(({ name }) => name === platform)) {
    for (const { type = '', path } of endpointsOf(source)) {
      credentialsOf(source)({ type, path, switches: {} });
    }
  }
}

async function playOnce(mock: CountedMock, scenario: Scenario): Promise<number> {
  const { origin, products, fired, calls, chaos, random } = mock;
  console.log(`${scenario.summary}\n`);
  const world = { ...products, receiver: undefined, random };
  const breath = chaos && { breath: () => chaos.breath() };
  const played = await play(scenario, world, { patienceMs: PATIENCE_MS, ...breath });
  await untilQuiet(mock);

  for (const { type, verdict } of fired) show(verdict.ok, `${type}: ${verdict.says}`);
  for (const one of played.observed) if ('found' in one) show(true, `→ ${one.what}: ${one.found}`);
  for (const words of missingIn(played)) show(false, `→ ${words}`);
  show(calls.length > 0, `→ the receiver called the API ${calls.length} times`);
  const right =
    fired.every(({ verdict }) => verdict.ok) && missingIn(played).length === 0 && calls.length > 0;
  if (!right) console.log(`\n${adviceFor(origin)}`);
  console.log('\nWhat the receiver has kept cannot be seen from here; npm run demo looks at both sides.');
  return right ? 0 : 1;
}

function show(right: boolean, words: string): void {
  console.log(styleText(right ? 'green' : 'red', onOneLine(`${right ? '✓' : '✗'} ${words}`)));
}

/** The products know when they have sent everything, but not when the receiver has done everything. */
async function untilQuiet({ products, calls, fired, chaos }: CountedMock): Promise<void> {
  const { hotdocs, phenixid, risr } = products;
  let before = -1;
  while (calls.length + fired.length !== before) {
    before = calls.length + fired.length;
    await Promise.all([hotdocs.settled(), phenixid.settled(), risr.settled(), chaos?.settled()]);
    await pause(QUIET_MS);
  }
}

/** What to set so that handlers can call the APIs that the mock has. */
function adviceFor(origin: string): string {
  const variables = Object.entries(apiEnvironment(origin)).map(([name, value]) => `  ${name}=${value}`);
  return ['So that the receiver can call back, its .env needs:', '', ...variables].join('\n');
}

async function listen(server: Server, port: number): Promise<boolean> {
  try {
    await listenOn(server, port);
    return true;
  } catch (error) {
    if (!isTaken(error)) throw error;
    console.error(
      `Port ${port} is taken; is a mock running already? MOCK_PORT=4001 npm run mock takes another.`,
    );
    return false;
  }
}

async function runUntilStopped({ origin, receiver, senders }: Mock): Promise<number> {
  console.log(`The mock listens at ${origin} and sends to ${receiver.href}; Ctrl-C ends it.

  what it can do    curl ${origin}
  send an event     ${sendingLine(senders, new URL(origin).host)}
  let the receiver call back, once
                    curl ${origin}/env >> .env
`);
  await untilStopped();
  return 0;
}
