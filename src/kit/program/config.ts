import { readPasses } from '../console/passes.ts';
import { closest, editDistance } from '../reading/closest.ts';
import { credentialVariable, isOpen, upperSnake, type EndpointConfig } from '../endpoint/definition.ts';
import type { TlsIdentity } from '../http/tls.ts';
import { isShared } from '../inbox/address.ts';
import type { App } from '../app.ts';
import type { ApiDefinition, SettingDefinitions, Settings, SettingValues, Source } from '../source.ts';
import { isSetUp } from './apis.ts';
import { readHandedSockets, type HandedSockets } from './handed-sockets.ts';
import { readEndpoints } from './read-endpoints.ts';
import { readTls } from './read-tls.ts';
import { Reader, type AllRead, type Environment } from './reader.ts';
import type { Doubt } from './text-file.ts';
import { variables, type GeneralSettings } from './variables.ts';

/** The whole configuration of a process. */
export interface Config {
  readonly general: GeneralSettings;
  readonly endpoints: readonly EndpointConfig[];
  /** What is set of each source's API, by the source's name: see `apiSettings`. */
  readonly apis: ReadonlyMap<string, Settings>;
  /** The same for installations that have an API of their own. */
  readonly installationApis: readonly InstallationApi[];
  /** The app's own settings. */
  readonly own: Settings;
  /** `undefined`: plain HTTP. */
  readonly tls: TlsIdentity | undefined;
  /** What it listens on in place of addresses of its own. */
  readonly sockets: HandedSockets;
  /** What is not wrong but deserves a look; printed at start-up. */
  readonly warnings: readonly string[];
  /** Where it comes from. */
  readonly read: AllRead;
}

/** An installation's own API: all of it is set anew, so that no password of another goes to its host. */
export interface InstallationApi {
  readonly source: string;
  readonly installation: string;
  readonly settings: Settings;
}

/** Everything that is wrong with the environment, at once. */
export class ConfigInvalid extends Error {
  override readonly name = 'ConfigInvalid';
  readonly problems: readonly string[];
  /** What is not wrong, but may be where it comes from. */
  readonly warnings: readonly string[];

  constructor(problems: readonly string[], warnings: readonly string[] = []) {
    super(problems.join('\n'));
    this.problems = problems;
    this.warnings = warnings;
  }
}

/** What the environment is read for: the senders, their further endpoints, and settings of the app's own. */
export type Configurable = Pick<App, 'sources' | 'endpoints' | 'settings'>;

/**
 * Reads the whole configuration, of which something may be in doubt already. Messages name variables, never values.
 * @throws ConfigInvalid
 */
export function readConfig(env: Environment, app: Configurable, doubts: readonly Doubt[] = []): Config {
  const reader = new Reader(env);
  const found = readAll(reader, app);
  const { general, endpoints } = found;
  for (const { name, text } of doubts) {
    if (name !== undefined && (reader.isKept(name) || OPENS.test(name))) reader.complain(text);
    else reader.warn(text);
  }
  noteStrangeVariables(reader, app);
  noteUnusedProxy(reader, app.sources, found.apis);
  checkRole(reader, general);
  checkTokens(reader, general);
  checkPorts(reader, general);
  if (reader.problems.length === 0 && general.ROLE !== 'worker' && !endpoints.some(isOpen)) {
    reader.complain(nothingOpen(endpoints));
  }
  if (reader.problems.length > 0) throw new ConfigInvalid(reader.problems, reader.warnings);
  return { ...found, warnings: reader.warnings, read: reader.all() };
}

function readAll(reader: Reader, app: Configurable): Omit<Config, 'warnings' | 'read'> {
  const general = reader.settings(variables, ['']);
  const endpoints = readEndpoints(reader, app.sources, app.endpoints ?? []);
  return {
    general,
    endpoints,
    apis: new Map(app.sources.flatMap((source) => readApi(reader, source))),
    installationApis: app.sources.flatMap((source) => readInstallationApis(reader, source, endpoints)),
    tls: readTls(reader, general),
    own: readOwn(reader, app.settings ?? {}),
    sockets: readHandedSockets(reader),
  };
}

/**
 * Some of the settings that are about no sender, for a command that needs no more, and warnings of names that are nearly
 * right.
 * @throws ConfigInvalid
 */
export function readGeneral<Name extends keyof GeneralSettings>(
  env: Environment,
  names: readonly Name[],
): { readonly general: Pick<GeneralSettings, Name>; readonly warnings: readonly string[] } {
  const reader = new Reader(env);
  const wanted = Object.entries(variables).filter(([name]) => names.some((one) => one === name));
  const general = reader.settings(Object.fromEntries(wanted), ['']);
  if (reader.problems.length > 0) throw new ConfigInvalid(reader.problems);
  noteMisspeltVariables(reader, namesOf(variables));
  // They have just been read by the definitions of these names.
  return { general: general as Pick<GeneralSettings, Name>, warnings: reader.warnings };
}

/** Variables that look as if they were for the receiver, but are none that it reads. */
export function strangeVariables(env: Environment, app: Configurable): readonly string[] {
  const reader = new Reader(env);
  readAll(reader, app);
  const known = new Set([...reader.problems, ...reader.warnings]);
  noteStrangeVariables(reader, app);
  return [...reader.problems, ...reader.warnings].filter((text) => !known.has(text));
}

/** What is set of a source's API, for the client that it defines. @throws unless the configuration is of this source */
export function apiSettings<Api extends SettingDefinitions>(
  { apis }: Config,
  { name }: { readonly name: string; readonly api?: ApiDefinition<Api> | undefined },
): SettingValues<Api> {
  const values = apis.get(name);
  if (values === undefined) throw new Error(`No API settings were read for ${name}.`);
  return values as SettingValues<Api>; // readConfig read them by this source's definitions
}

/** An app's own settings; one that has the name of one of the kit's could not be told from it. */
function readOwn(reader: Reader, definitions: SettingDefinitions): Settings {
  const known = reader.known();
  for (const name of Object.keys(definitions)) {
    if (known.includes(name)) reader.complain(`${name} is a setting of the kit: give yours another name.`);
  }
  return reader.settings(definitions, ['']);
}

/** A receiver whose inbox no worker can reach would take in what is never handled. */
function checkRole(reader: Reader, general: GeneralSettings): void {
  const { ROLE, INBOX_URL, ADMIN_HOST } = general;
  if (ROLE !== 'both' && !isShared(INBOX_URL)) {
    reader.complain(
      `ROLE is ${ROLE}, so there are several processes, and they need an inbox in common: set INBOX_URL to postgres://…, ` +
        'or ROLE to both.',
    );
  }
  if (!/^(localhost|127(\.\d+){3}|::1)$/.test(ADMIN_HOST)) {
    reader.warnings.push(
      'ADMIN_HOST is no loopback address: whoever reaches it can ask how this process is.',
    );
  }
}

/** Whose it is decides what its holder may do. */
function checkTokens(reader: Reader, { CONSOLE_TOKEN, CONSOLE_LOOK_TOKEN }: GeneralSettings): void {
  const acting = new Set(readPasses(CONSOLE_TOKEN, 'act').map(({ token }) => token));
  const isInBoth = readPasses(CONSOLE_LOOK_TOKEN, 'look').some(({ token }) => acting.has(token));
  if (isInBoth) reader.complain('One token is in CONSOLE_TOKEN and in CONSOLE_LOOK_TOKEN: give it one role.');
}

/** One port can serve two addresses of a machine, but neither of them beside all of its addresses. */
function checkPorts(reader: Reader, { ROLE, HOST, PORT, ADMIN_HOST, ADMIN_PORT }: GeneralSettings): void {
  if (ROLE === 'worker' || PORT === 0 || ADMIN_PORT !== PORT) return;
  const overlap =
    HOST === ADMIN_HOST || [HOST, ADMIN_HOST].some((host) => /^(0\.0\.0\.0|::|localhost|)$/.test(host));
  if (overlap) reader.complain('ADMIN_PORT and PORT are the same: set ADMIN_PORT to another one, or to off.');
}

function readApi(reader: Reader, { name, api }: Source): [source: string, settings: Settings][] {
  if (api === undefined) return [];
  const prefix = `${upperSnake(name)}_`;
  isAnySet(reader, name, api, prefix);
  return [[name, reader.settings(api.settings, [prefix])]];
}

function readInstallationApis(
  reader: Reader,
  { name, api }: Source,
  endpoints: readonly EndpointConfig[],
): InstallationApi[] {
  if (api === undefined) return [];
  const own = endpoints.filter(({ source }) => source.name === name);
  return [...new Map(own.flatMap(installationPrefixes))].flatMap(([installation, prefix]) =>
    isAnySet(reader, `${name}, installation ${installation},`, api, prefix)
      ? [{ source: name, installation, settings: reader.settings(api.settings, [prefix]) }]
      : [],
  );
}

/** What the variables of each of an endpoint's installations begin with. */
function installationPrefixes({ definition, source, credentials }: EndpointConfig): [string, string][] {
  const { installation } = definition;
  const named = [...credentials].filter(([key]) => key !== '');
  return [
    ...named.map(([key, { kind, variable }]): [string, string] => [key, variable.slice(0, -kind.length)]),
    ...(installation === undefined
      ? []
      : [
          [installation, `${upperSnake(source.name)}_${upperSnake(installation)}_`] satisfies [
            string,
            string,
          ],
        ]),
  ];
}

/** Whether anything of an API is set; complains where it is not enough. */
function isAnySet(
  reader: Reader,
  whose: string,
  { needed, settings }: ApiDefinition,
  prefix: string,
): boolean {
  const isSet = (setting: string) => reader.isSet(prefix + setting);
  const missing = needed.filter((setting) => settings[setting]?.default === '' && !isSet(setting));
  const set = Object.keys(settings).filter(isSet);
  if (missing.length > 0 && set.length > 0) {
    const variables = missing.map((setting) => prefix + setting).join(', ');
    reader.complain(`The API of ${whose} is set up in part: set ${variables} as well, or nothing of it.`);
  }
  return set.length > 0;
}

/** The end of a variable that opens an endpoint. */
const OPENS = /_(SECRET|TOKEN)(_FILE)?$/;

function noteStrangeVariables(reader: Reader, { sources, settings = {} }: Configurable): void {
  const useless = reader.uselessFiles();
  for (const name of useless) reader.complain(`${name}_FILE would not be read: set ${name} itself.`);
  noteUnknownVariables(
    reader,
    sources,
    useless.map((name) => `${name}_FILE`),
  );
  noteMisspeltVariables(reader, [...namesOf(variables), ...namesOf(settings)]);
}

function noteUnknownVariables(reader: Reader, sources: readonly Source[], told: readonly string[]): void {
  const prefixes = sources.map((source) => `${upperSnake(source.name)}_`);
  for (const name of reader.unread().filter((name) => !told.includes(name))) {
    const isOurs = prefixes.some((prefix) => name.startsWith(prefix));
    const suggestion = closest(isOurs ? name : withPrefix(name, prefixes), reader.known());
    if (!isOurs && (suggestion === undefined || reader.isSet(suggestion))) continue;
    const hint = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`;
    if (OPENS.test(name) || (suggestion !== undefined && OPENS.test(suggestion))) {
      reader.complain(`${name} belongs to no endpoint, so its secret would go unused.${hint}`);
    } else if (isOurs && name.endsWith('_FILE')) {
      reader.complain(`${name} would not be read: there is no such setting.${hint}`);
    } else {
      reader.warn(`${name} is set, but the receiver has no such setting.${hint}`);
    }
  }
}

/** A name in capitals, with the prefix that it nearly has; empty if it has none. */
function withPrefix(name: string, prefixes: readonly string[]): string {
  const words = name.toUpperCase().split('_');
  for (const prefix of prefixes) {
    for (const count of [1, 2]) {
      const written = `${words.slice(0, count).join('')}_`;
      if (prefix.startsWith(written.charAt(0)) && editDistance(written, prefix) <= prefix.length / 3)
        return prefix + words.slice(count).join('_');
    }
  }
  return '';
}

/** How a proxy is set for programs that read the environment for one. */
const PROXIES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);

function noteUnusedProxy(reader: Reader, sources: readonly Source[], apis: Config['apis']): void {
  const set = [...PROXIES, 'NODE_USE_ENV_PROXY'].find((name) => reader.text(name) !== undefined);
  if (set === undefined) return;
  const [open, others] = [true, false].map((is) =>
    sources.filter(({ name, api }) => api !== undefined && isSetUp(api, apis.get(name)) === is),
  );
  const variables = (open?.length ? open : (others ?? []))
    .filter(({ name }) => apis.get(name)?.['API_PROXY'] === undefined)
    .map(({ name }) => `${upperSnake(name)}_API_PROXY`);
  if (variables.length > 0)
    reader.warnings.push(
      `${set} is set but not used: calls to an API go through the proxy that ${variables.join(', or ')} names.`,
    );
}

/** The variables of settings, and those that name a file for one. */
function namesOf(definitions: SettingDefinitions): string[] {
  return Object.entries(definitions).flatMap(([name, { file }]) =>
    file === true ? [name, `${name}_FILE`] : [name],
  );
}

/** Short names resemble much that stands in an environment. */
const SHORTEST_MISSPELT = 7;
/** They are set on many machines, for OpenSSL. */
const OTHERS = new Set(['SSL_CERT_FILE', 'SSL_CERT_DIR']);

function noteMisspeltVariables(reader: Reader, names: readonly string[]): void {
  const known = names.filter((name) => name.length >= SHORTEST_MISSPELT);
  for (const name of reader.unread().filter((each) => !OTHERS.has(each))) {
    const capitals = names.find((other) => other === name.toUpperCase());
    const meant = capitals ?? (name.length < SHORTEST_MISSPELT ? undefined : closest(name, known));
    if (meant !== undefined && !reader.isSet(meant))
      reader.warn(`${name} is set, but the receiver has no such setting. Did you mean ${meant}?`);
  }
}

function nothingOpen([first]: readonly EndpointConfig[]): string {
  const variable = first === undefined ? 'one of its secrets' : credentialVariable(first);
  return (
    `No endpoint has a secret, so nothing could be received. Set one, for example ${variable}, ` +
    'to the secret you agreed with the sender (copy templates/env.example to .env and fill it in), ' +
    'or run "npm run demo" to see everything with secrets made on the spot.'
  );
}
