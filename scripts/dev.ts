import { randomInt } from 'node:crypto';
import { createServer } from 'node:http';
import { upperSnake } from '../src/kit/endpoint/definition.ts';
import { urlOf } from '../src/kit/http/listen.ts';
import { ConfigInvalid, readConfig, type Config } from '../src/kit/program/config.ts';
import type { Environment } from '../src/kit/program/reader.ts';
import { run } from '../src/kit/program/run.ts';
import type { Startable } from '../src/kit/program/start.ts';
import { variablesOf } from '../src/kit/program/text-file.ts';
import type { Source } from '../src/kit/source.ts';
import { readOptions, wholeNumber } from '../src/lab/command.ts';
import { createMockPage } from '../src/lab/console/mock-page.ts';
import { freePort } from '../src/lab/rig/ports.ts';
import { listenOnFree, openMock, type Mock } from '../src/lab/stage/mock.ts';
import { apiEnvironment } from '../src/lab/stage/products.ts';
import { UsageError } from '../src/lab/usage.ts';
import { appNamed } from './apps.ts';

const USAGE = `The receiver with your handlers, and the mock beside it, started again whenever you save a file.

  npm run dev -- [--no-mock]

  --no-mock   only the receiver, and its console
  MOCK_PORT   the mock's own port (default 4000; 0, or one that is taken: a free one)
  KIT_APP     src/example: the reference receiver in place of src/app

All deliveries are kept as they came, unless TAPE says otherwise, and handlers call the APIs of the mock where none of the
product's is set.
`;

try {
  const { values } = readOptions({
    args: process.argv.slice(2).filter((argument) => argument !== '--help'),
    options: { 'no-mock': { type: 'boolean', default: false } },
  });
  if (process.argv.includes('--help')) console.log(USAGE);
  else await develop(!values['no-mock']);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exit(2);
}

async function develop(withMock: boolean): Promise<void> {
  const app = appNamed(environment()['KIT_APP']);
  setWhereUnset({ TAPE: 'all' });
  // Both are said, and one is sent to, before anything listens there.
  for (const name of ['PORT', 'ADMIN_PORT'])
    if (environment()[name] === '0') process.env[name] = String(await freePort());
  const config = configOf(app);
  const mock = config && withMock ? await startMock(app, receiverOf(config)) : undefined;
  if (config) process.stderr.write(`${addresses(config, mock?.origin)}\n`);
  await run(app, { development: { pages: mock ? [createMockPage(mock)] : [] } });
}

/** As `run` reads it. */
function environment(): Environment {
  return variablesOf(process).read().env;
}

function setWhereUnset(variables: Readonly<Record<string, string>>): void {
  const env = environment();
  for (const [name, value] of Object.entries(variables)) if (!env[name]) process.env[name] = value;
}

/** `undefined`: what is wrong is said when it is run. */
function configOf(app: Startable): Config | undefined {
  try {
    return readConfig(environment(), app);
  } catch (error) {
    if (error instanceof ConfigInvalid) return undefined;
    throw error;
  }
}

function receiverOf({ general: { HOST, PORT }, tls }: Config): string {
  return addressOf(tls === undefined ? 'http' : 'https', HOST, PORT);
}

async function startMock(app: Startable, receiver: string): Promise<Mock> {
  const wanted = wholeNumber('MOCK_PORT', environment()['MOCK_PORT'] ?? '4000', { min: 0, max: 65_535 });
  const server = createServer();
  const port = await listenOnFree(server, wanted);
  if (wanted !== 0 && port !== wanted)
    console.error(`MOCK_PORT: ${wanted} is taken, so the mock has ${port}.`);
  callTheMock(app.sources, urlOf(server, 'http'));
  return openMock(server, {
    app,
    env: environment(),
    receiver: new URL(receiver),
    seed: randomInt(2 ** 31),
  });
}

/** Of a product that is set up in part, the rest is missed and not made up. */
function callTheMock(sources: readonly Source[], origin: string): void {
  const set = Object.entries(environment()).flatMap(([name, value]) => (value ? [name] : []));
  const without = sources.filter((source) => !set.some((name) => isOfApi(source, name)));
  const made = Object.entries(apiEnvironment(origin)).filter(([name]) =>
    without.some((source) => isOfApi(source, name)),
  );
  if (made.length === 0) return;
  setWhereUnset(Object.fromEntries(made));
  const titles = without.filter(({ api }) => api !== undefined).map(({ title }) => title);
  console.error(`Handlers call the APIs of the mock, since none is set of ${titles.join(', ')}.`);
}

/** For all of its endpoints, or for one of its installations. */
function isOfApi({ name, api }: Source, variable: string): boolean {
  const settings = Object.keys(api?.settings ?? {});
  return (
    variable.startsWith(`${upperSnake(name)}_`) &&
    settings.some((setting) => variable.replace(/_FILE$/, '').endsWith(`_${setting}`))
  );
}

/** What to open in a browser comes first. */
function addresses(config: Config, mock: string | undefined): string {
  const { ADMIN_HOST, ADMIN_PORT, CONSOLE } = config.general;
  const console =
    CONSOLE === 'on' && ADMIN_PORT !== undefined ? addressOf('http', ADMIN_HOST, ADMIN_PORT) : '';
  const places = { Console: console, Receiver: receiverOf(config), Mock: mock ?? '' };
  return Object.entries(places)
    .flatMap(([name, place]) => (place === '' ? [] : [`${name.padEnd(10)}${place}\n`]))
    .join('');
}

/** As it is reached from this machine. */
function addressOf(scheme: string, host: string, port: number): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${scheme}://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}
