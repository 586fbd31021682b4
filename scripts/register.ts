import { apiSettings, ConfigInvalid, readConfig, type Config } from '../src/kit/program/config.ts';
import { endpointsOf, isOpen, type EndpointConfig } from '../src/kit/endpoint/definition.ts';
import { messageOf } from '../src/kit/errors.ts';
import { pick, UsageError } from '../src/lab/usage.ts';
import { hasStatus } from '../src/kit/outgoing/tokens.ts';
import { createRisrApi, type RisrApi } from '../src/kit/sources/risr/api/api.ts';
import { risr } from '../src/kit/sources/risr/index.ts';
import type { Registration } from '../src/kit/sources/risr/api/registrations.ts';
import { app, environment } from './the-app.ts';
import { startupProblems } from '../src/kit/program/startup.ts';
import { readOptions, runCommand } from '../src/lab/command.ts';
import { onOneLine, printable } from '../src/lab/printable.ts';
import { openRegistrations, type Registrations } from './registrations.ts';

const USAGE = `Registers this receiver at risr/advance, with the secrets of its own endpoints.

  npm run register -- list [topic…]                   what is registered there, for whomever
  npm run register -- create --url <https://…> [topic…]   each open endpoint that is not registered yet
  npm run register -- test [topic…]                   has an example sent to what is registered for a topic
  npm run register -- remove [--url <https://…>] [topic…]  what was registered from here, or leads to that address

  --url    where the receiver is reached from outside; /risr/<topic> is put behind it
  --notes  a file of this command's own (default data/registrations.json)
  --help   this

Without topics it is about every open endpoint of risr. Secrets, and the way to the API (RISR_API_…), come from .env or
the environment. Ids are noted in the file of --notes. A new secret: remove, then create.
Exit code: 0 done, 1 not possible, 2 the command is not right.
`;

interface Registering {
  readonly api: RisrApi;
  readonly notes: Registrations;
  readonly topics: readonly Topic[];
  /** Without a slash at its end. */
  readonly base: string | undefined;
}

/** An open endpoint, and what is registered for it. */
interface Topic {
  readonly name: string;
  readonly path: string;
  readonly secret: string;
}

const commands: readonly (readonly [string, (tools: Registering) => Promise<void>])[] = [
  ['list', list],
  ['create', create],
  ['test', test],
  ['remove', remove],
];

/** Nothing could be done about it here. */
class NotPossible extends Error {
  override readonly name = 'NotPossible';
}

await runCommand(async (args) => {
  const { values, positionals } = readOptions({
    args,
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      notes: { type: 'string', default: 'data/registrations.json' },
    },
  });
  const [name, ...wanted] = positionals;
  if (name === undefined) throw new UsageError(USAGE);
  const command = pick('command', name, commands);
  const base = values.url === undefined ? undefined : baseIn(values.url);
  if (name === 'create' && base === undefined) throw new UsageError('create needs --url <https://…>.');
  try {
    await withTools(wanted, { base, notes: values.notes }, command);
    return 0;
  } catch (error) {
    if (!isExpected(error)) throw error;
    console.error(
      printable(error instanceof ConfigInvalid ? startupProblems(error).trimEnd() : error.message),
    );
    return 1;
  }
}, USAGE);

function isExpected(error: unknown): error is Error {
  return [ConfigInvalid, NotPossible].some((kind) => error instanceof kind);
}

/** Payloads are signed, not encrypted: only on this machine they may go without TLS. @throws UsageError */
function baseIn(text: string): string {
  const url = URL.parse(text);
  const local = url !== null && /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(url.hostname);
  if (url === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && local))) {
    throw new UsageError('--url: expected an address as https://receiver.example.org');
  }
  if (url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new UsageError('--url: expected no query, fragment or user in it.');
  }
  return url.href.replace(/\/+$/, '');
}

async function withTools(
  wanted: readonly string[],
  { base, notes: file }: { readonly base: string | undefined; readonly notes: string },
  run: (tools: Registering) => Promise<void>,
): Promise<void> {
  const config = readConfig(environment, app);
  const topics = topicsIn(config, wanted);
  const api = createRisrApi(apiSettings(config, risr));
  if (api === undefined) {
    throw new NotPossible('Set RISR_API_CLIENT_ID, RISR_API_CLIENT_SECRET and RISR_API_ORGANISATION first.');
  }
  try {
    await run({ api, notes: notesIn(file), topics, base });
  } finally {
    await api.close();
  }
}

function notesIn(file: string): Registrations {
  try {
    return openRegistrations(file);
  } catch (error) {
    throw new NotPossible(`${file} cannot be used: ${messageOf(error)}`);
  }
}

/** @throws UsageError for a topic that does not exist, NotPossible for one whose endpoint is closed */
function topicsIn({ endpoints }: Config, wanted: readonly string[]): Topic[] {
  const known = endpointsOf(risr).flatMap(({ path, type }): [string, EndpointConfig][] => {
    const endpoint = endpoints.find(({ definition }) => definition.path === path);
    return endpoint === undefined || type === undefined ? [] : [[type, endpoint]];
  });
  const chosen = wanted.map((name): [string, EndpointConfig] => [name, pick('topic', name, known)]);
  const closed = chosen.find(([, endpoint]) => !isOpen(endpoint));
  if (closed !== undefined) throw new NotPossible(`${closed[0]} has no secret, so its endpoint is closed.`);
  return (chosen.length > 0 ? chosen : known).flatMap(([name, { definition, credentials }]) => {
    const [secret] = credentials.get('')?.texts ?? [];
    return secret === undefined ? [] : [{ name, path: definition.path, secret }];
  });
}

async function list(tools: Registering): Promise<void> {
  const registrations = await registered(tools);
  if (registrations.length === 0) console.log('Nothing is registered.');
  for (const { topic, url, id, rev } of registrations) print(topic, url, id, rev);
}

/** Listed first, so that nothing is registered twice; where that fails nothing is registered at all. */
async function create(tools: Registering): Promise<void> {
  const { api, notes, topics, base = '' } = tools;
  const there = await registered(tools);
  for (const { name: topic, path, secret } of topics) {
    const url = base + path;
    const known = there.find((registration) => registration.topic === topic && registration.url === url);
    const made = known ?? (await api.registrations.create({ topic, url, secret }));
    notes.note({ id: made.id, rev: made.rev, topic, url });
    print(topic, url, made.id, known ? 'was registered already' : 'registered');
  }
}

async function test({ api, topics }: Registering): Promise<void> {
  for (const { name } of topics) {
    await api.testHook(name);
    console.log(`${name}  an example was sent: the receiver's log says what came`);
  }
}

async function remove(tools: Registering): Promise<void> {
  const { api, notes, topics, base } = tools;
  const noted = notes.list();
  const isOurs = ({ id, url, topic }: Registration) =>
    base === undefined
      ? noted.some((one) => one.id === id && one.url === url)
      : topics.some(({ name, path }) => name === topic && url === base + path);
  const ours = (await registered(tools)).filter(isOurs);
  if (ours.length === 0) console.log('Nothing of this receiver is registered.');
  for (const { id, rev, topic, url } of ours) {
    await api.registrations.remove({ id, rev });
    notes.forget(id);
    print(topic, url, id, 'removed');
  }
}

/** On a line: the API's words may be anything. */
function print(...cells: readonly string[]): void {
  console.log(onOneLine(cells.join('  ')));
}

/** As the API lists them. That call is not documented: where there is none, what was noted here has to do. */
async function registered({ api, notes, topics }: Registering): Promise<Registration[]> {
  const all = await api.registrations.list().catch((error: unknown) => {
    if (hasStatus(error, 404, 405)) return notes.list();
    throw error;
  });
  return all.filter(({ topic }) => topics.some(({ name }) => name === topic));
}
