import { readFileSync } from 'node:fs';
import { closest } from '../reading/closest.ts';
import {
  credentialVariable,
  endpointsOf,
  isOpen,
  upperSnake,
  variablePrefix,
  type Credential,
  type EndpointConfig,
} from '../endpoints.ts';
import { messageOf } from '../errors.ts';
import type { CertificateDemand } from '../proofs/client-certificate.ts';
import { tlsProblems, tlsWarning, type TlsIdentity } from '../http/tls.ts';
import { isShared } from '../inbox/address.ts';
import { decimal, integer, matching, oneOf, portOrOff, text } from '../reading/settings.ts';
import type {
  ApiDefinition,
  EndpointDefinition,
  SettingDefinitions,
  Settings,
  SettingValues,
  Source,
} from '../source.ts';

/** The environment as this program reads it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that is not about one sender's endpoints or API. */
export const variables = {
  ROLE: {
    schema: oneOf('both', 'receiver', 'worker'),
    default: 'both',
    summary:
      'What this process does: `receiver` stores deliveries and answers, `worker` handles what is stored and takes none, ' +
      '`both`. Several processes need a `postgres://` inbox.',
  },
  HOST: { schema: text(), default: '127.0.0.1', summary: 'Address the receiver listens on.' },
  PORT: {
    schema: integer({ min: 0, max: 65_535 }),
    default: '3000',
    summary: 'Its port; 0 takes a free one.',
  },
  TLS_CERT: {
    schema: text(),
    default: '',
    file: true,
    summary:
      'With `TLS_KEY`, the receiver speaks HTTPS (TLS 1.2 and 1.3) itself. PEM; `TLS_CERT_FILE` names its file: the ' +
      "receiver's certificate, then the authorities in between. Read at start.",
  },
  TLS_KEY: {
    schema: text(),
    default: '',
    file: true,
    summary: 'PEM: the key of `TLS_CERT`, without a passphrase. `TLS_KEY_FILE` names its file.',
  },
  TLS_CLIENT_CA: {
    schema: text(),
    default: '',
    file: true,
    summary:
      'PEM: the authorities whose client certificates count, where an endpoint demands one. `TLS_CLIENT_CA_FILE` names ' +
      'its file.',
  },
  TLS_CLIENT_CRL: {
    schema: text(),
    default: '',
    file: true,
    summary:
      'PEM: the lists of certificates that each of these authorities has revoked. `TLS_CLIENT_CRL_FILE` names its file. ' +
      'Once a list is out of date every client certificate is refused: renew it, and restart.',
  },
  INBOX_URL: {
    schema: matching(
      /^(memory:|sqlite:(?!\/\/|:memory:).+|postgres(ql)?:\/\/\S+)$/,
      'memory:, sqlite:<file> or postgres://<user>:<password>@<host>/<database>',
    ),
    default: 'sqlite:data/inbox.db',
    summary:
      'Where accepted deliveries are kept: `sqlite:<file>`, `postgres://…` (for several processes or machines) or ' +
      '`memory:` (lost on exit; for tests).',
  },
  INBOX_MAX_WAITING: {
    schema: integer({ min: 1, max: 100_000_000 }),
    default: '1000000',
    summary: 'With this many entries waiting, deliveries are answered 503.',
  },
  INBOX_MAX_WAITING_BYTES: {
    schema: integer({ min: 1, max: 1_000_000_000_000 }),
    default: '4294967296',
    summary: 'With so much content waiting, deliveries are answered 503.',
  },
  INBOX_KEYS: {
    schema: text(),
    default: '',
    file: true,
    summary:
      'Keys that contents are encrypted with where they are kept: a line each, newest first, 32 random bytes as base64 ' +
      '(`openssl rand -base64 32`). `INBOX_KEYS_FILE` names their file. Empty: nothing is encrypted.',
  },
  RETENTION_DAYS: {
    schema: decimal({ min: 0, max: 36_500 }),
    default: '7',
    summary:
      'So long an entry is kept after it was handled, so long its redelivery is known for one; 0.5 is half a day. 0 keeps ' +
      'all for ever. Dead letters stay.',
  },
  RECORDS_FILE: {
    schema: text(),
    default: 'data/records.db',
    summary: 'Where the reference handlers keep their records; yours will have a system of its own.',
  },
  ARCHIVE_DIR: {
    schema: text(),
    default: 'data/archive',
    summary: 'Where the reference handlers put documents, each in a file named by its SHA-256.',
  },
  RECONCILE_EVERY_MS: {
    schema: integer({ min: 100, max: 86_400_000 }),
    default: '900000',
    summary: 'How often unfinished signing tasks are asked after: their sender tells each event once.',
  },
  HOTDOCS_POST_PROCESSING_FAILURE: {
    schema: oneOf('failed', 'complete'),
    default: 'failed',
    summary: 'When documents cannot be changed for good: report that, or give the user the originals.',
  },
  HOTDOCS_ACTION_LINK_ORIGIN: {
    schema: matching(/^$|^https?:\/\/[^/?#\s@]+$/, 'an origin such as https://acme.hotdocsadvance.com'),
    default: '',
    summary: 'Of the window that an action link page may hand answers to. Without it the page has no script.',
  },
  HOTDOCS_ACTION_LINK_MESSAGE: {
    schema: text(),
    default: 'answers',
    summary: '`type` of the message that hands them over. Not documented.',
  },
  ADMIN_HOST: {
    schema: text(),
    default: '127.0.0.1',
    summary: 'Address that health and readiness are asked at. Whoever reaches it may ask.',
  },
  ADMIN_PORT: {
    schema: portOrOff(),
    default: '3001',
    summary: 'Its port: `/live` and `/ready`. 0 takes a free one, `off` opens none.',
  },
  LOG_LEVEL: {
    schema: oneOf('info', 'warn', 'error', 'silent'),
    default: 'info',
    summary: 'At `info` there is one line per delivery.',
  },
  REQUEST_TIMEOUT_MS: {
    schema: integer({ min: 100, max: 300_000 }),
    default: '10000',
    summary: 'A request must have arrived whole within this time.',
  },
  TRUST_PROXY_HOPS: {
    schema: integer({ min: 0, max: 16 }),
    default: '0',
    summary: 'Proxies in front that append to X-Forwarded-For; used only to count failed proofs by address.',
  },
  FAILED_PROOF_LIMIT: {
    schema: integer({ min: 1, max: 1_000_000 }),
    default: '100',
    summary: 'After this many failed proofs a minute from one address, further ones are answered 429.',
  },
  HANDLER_CONCURRENCY: {
    schema: integer({ min: 1, max: 1000 }),
    default: '8',
    summary: 'Handlers of stored entries that run at the same time.',
  },
  HANDLER_TIMEOUT_MS: {
    schema: integer({ min: 100, max: 86_400_000 }),
    default: '60000',
    summary: 'Time of one attempt of the worker.',
  },
  HANDLER_ATTEMPTS: {
    schema: integer({ min: 1, max: 100 }),
    default: '12',
    summary: 'Attempts before an entry becomes a dead letter.',
  },
  SHUTDOWN_MS: {
    schema: integer({ min: 0, max: 600_000 }),
    default: '10000',
    summary: 'On SIGTERM, what is in flight has this long.',
  },
} as const satisfies SettingDefinitions;

export interface Config {
  readonly general: SettingValues<typeof variables>;
  readonly endpoints: readonly EndpointConfig[];
  /** What is set of each source's API, by the source's name: see `apiSettings`. */
  readonly apis: ReadonlyMap<string, Settings>;
  /** `undefined`: plain HTTP. */
  readonly tls: TlsIdentity | undefined;
  /** What is not wrong but deserves a look; printed at start-up. */
  readonly warnings: readonly string[];
}

/** Everything that is wrong with the environment, at once. */
export class ConfigInvalid extends Error {
  override readonly name = 'ConfigInvalid';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * Reads the whole configuration. Messages name variables, never values.
 * @throws ConfigInvalid
 */
export function readConfig(
  env: Environment,
  sources: readonly Source[],
  further: readonly EndpointDefinition[] = [],
): Config {
  const reader = new Reader(env);
  const general = reader.settings(variables, ['']);
  const endpoints = sources.flatMap((source) =>
    [...endpointsOf(source), ...further.filter((endpoint) => endpoint.source === source.name)].map(
      (definition) => readEndpoint(reader, definition, source),
    ),
  );
  const apis = new Map(sources.flatMap((source) => readApi(reader, source)));
  refuseDoubledEndpoints(reader, endpoints);
  const tls = readTls(reader, general);
  refuseSharedSecrets(reader, endpoints);
  noteUnknownVariables(reader, sources);
  checkRole(reader, general);
  if (reader.problems.length === 0 && general.ROLE !== 'worker' && !endpoints.some(isOpen)) {
    reader.complain(
      `No endpoint has a secret, so nothing could be received. Set one, for example ${exampleVariable(endpoints)}, ` +
        'to the secret you agreed with the sender (copy templates/env.example to .env and fill it in), ' +
        'or run "npm run demo" to see everything with secrets made on the spot.',
    );
  }
  if (reader.problems.length > 0) throw new ConfigInvalid(reader.problems);
  return { general, endpoints, apis, tls, warnings: reader.warnings };
}

/** What is set of a source's API, for the client that it defines. @throws unless the configuration is of this source */
export function apiSettings<Api extends SettingDefinitions>(
  { apis }: Config,
  { name }: { readonly name: string; readonly api?: ApiDefinition<Api> },
): SettingValues<Api> {
  const values = apis.get(name);
  if (values === undefined) throw new Error(`No API settings were read for ${name}.`);
  return values as SettingValues<Api>; // readConfig read them by this source's definitions
}

/** A receiver whose inbox no worker can reach would take in what is never handled. */
function checkRole(reader: Reader, { ROLE, INBOX_URL, ADMIN_HOST }: Config['general']): void {
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

function readEndpoint(reader: Reader, definition: EndpointDefinition, source: Source): EndpointConfig {
  const prefix = variablePrefix(definition);
  const settings = reader.settings(source.settings, [`${prefix}_`, `${upperSnake(source.name)}_`]);
  const credentials = new Map<string, Credential>();
  for (const [installation, variable] of installationsOf(reader, source, prefix)) {
    const credential = reader.credential(source, variable);
    const other = credentials.get(installation);
    if (credential && other) reader.complain(sameInstallation(other, credential));
    if (credential) credentials.set(installation, credential);
  }
  const unproven = !credentials.has('') && source.proof.without?.(settings) !== undefined;
  const certificate = readCertificateDemand(reader, prefix, source.clientCertificate?.(settings));
  if (unproven && certificate === undefined) {
    reader.warnings.push(
      `${definition.path} accepts deliveries without any proof, as set. Anybody who finds it can send to it.`,
    );
  }
  return { definition, source, settings, credentials, unproven, certificate };
}

/** What an endpoint demands of a client certificate, if anything. Half a demand would let in whom it should not. */
function readCertificateDemand(
  reader: Reader,
  prefix: string,
  demand: CertificateDemand | undefined,
): CertificateDemand | undefined {
  if (demand === undefined) return undefined;
  const setting = `${prefix}_CLIENT_CERTIFICATE`;
  const named = demand.subject !== '' || demand.fingerprints.length > 0;
  if (!demand.required) {
    if (named)
      reader.complain(
        `${setting} is off although a subject or fingerprint is set: set it to required, or neither.`,
      );
    return undefined;
  }
  if (!named) {
    reader.complain(
      `${setting} is required, but any certificate of the authority would do: set ${setting}_SUBJECT or ` +
        `${setting}_FINGERPRINT.`,
    );
  }
  if (!reader.isSet('TLS_CLIENT_CA')) {
    reader.complain(
      `${setting} is required, but TLS_CLIENT_CA_FILE is not set: the receiver would ask nobody for a certificate.`,
    );
  }
  return demand;
}

function readTls(reader: Reader, general: Config['general']): TlsIdentity | undefined {
  const given = (name: keyof typeof general & `TLS_${string}`) =>
    reader.isSet(name) ? general[name] : undefined;
  const cert = given('TLS_CERT');
  const key = given('TLS_KEY');
  const clientAuthorities = given('TLS_CLIENT_CA');
  const revocations = given('TLS_CLIENT_CRL');
  if ([cert, key, clientAuthorities, revocations].every((text) => text === undefined)) return undefined;
  if (cert === undefined || key === undefined) {
    reader.complain('TLS is set up in part: set TLS_CERT_FILE and TLS_KEY_FILE, or nothing of it.');
    return undefined;
  }
  if (revocations !== undefined && clientAuthorities === undefined)
    reader.complain(
      'TLS_CLIENT_CRL_FILE is set without TLS_CLIENT_CA_FILE: nobody is asked for a certificate.',
    );
  const identity = { cert, key, clientAuthorities, revocations };
  for (const problem of tlsProblems(identity, (name) => reader.nameOf(name))) reader.complain(problem);
  const warning = tlsWarning(identity, Date.now());
  if (warning !== undefined) reader.warnings.push(warning);
  return identity;
}

function readApi(reader: Reader, { name, api }: Source): [source: string, settings: Settings][] {
  if (api === undefined) return [];
  const prefix = `${upperSnake(name)}_`;
  const isSet = (setting: string) => reader.isSet(prefix + setting);
  const missing = api.needed.filter((setting) => api.settings[setting]?.default === '' && !isSet(setting));
  if (missing.length > 0 && Object.keys(api.settings).some(isSet)) {
    const variables = missing.map((setting) => prefix + setting).join(', ');
    reader.complain(`The API of ${name} is set up in part: set ${variables} as well, or nothing of it.`);
  }
  return [[name, reader.settings(api.settings, [prefix])]];
}

function sameInstallation(one: Credential, other: Credential): string {
  return `${one.variable} and ${other.variable} are for the same ?key=: give each installation a key of its own.`;
}

/** The installations that have a credential variable, each with that variable's beginning; the one without a key first. */
function installationsOf(
  reader: Reader,
  source: Source,
  prefix: string,
): [installation: string, variable: string][] {
  if (source.installations !== true) return [['', prefix]];
  const suffixes = Object.keys(source.proof.kinds).join('|');
  const pattern = new RegExp(`^${prefix}_(\\w+)_(?:${suffixes})(?:_FILE)?$`);
  const names = new Set(reader.names().flatMap((name) => pattern.exec(name)?.[1] ?? []));
  names.delete('API'); // what begins so is about the source's API
  return [
    ['', prefix],
    ...[...names].map((name): [string, string] => [
      reader.text(`${prefix}_${name}_KEY`) ?? name.toLowerCase().replaceAll('_', '-'),
      `${prefix}_${name}`,
    ]),
  ];
}

/** Of two endpoints with one path, or one variable for two secrets, only one would ever receive. */
function refuseDoubledEndpoints(reader: Reader, endpoints: readonly EndpointConfig[]): void {
  const paths = new Map<string, string>();
  for (const { definition } of endpoints) {
    const prefix = variablePrefix(definition);
    const other = paths.get(prefix);
    if (other === undefined) paths.set(prefix, definition.path);
    else
      reader.complain(
        `${other} and ${definition.path} would share the variable ${prefix}_SECRET: rename one.`,
      );
  }
}

/** One secret on two endpoints would let a delivery for one be replayed on the other. */
function refuseSharedSecrets(reader: Reader, endpoints: readonly EndpointConfig[]): void {
  const usedBy = new Map<string, string>();
  for (const { credentials } of endpoints) {
    for (const { variable, texts } of credentials.values()) {
      for (const secret of texts) {
        const other = usedBy.get(secret);
        if (other === undefined) usedBy.set(secret, variable);
        else if (other === variable) reader.complain(`${variable} holds the same secret twice.`);
        else
          reader.complain(
            `${other} and ${variable} hold the same secret: a delivery for one could be replayed on the other. ` +
              'Agree a secret of its own for each endpoint.',
          );
      }
    }
  }
}

/** The end of a variable that opens an endpoint. */
const OPENS = /_(SECRET|TOKEN)(_FILE)?$/;

function noteUnknownVariables(reader: Reader, sources: readonly Source[]): void {
  const prefixes = sources.map((source) => `${upperSnake(source.name)}_`);
  for (const name of reader.unread()) {
    if (!prefixes.some((prefix) => name.startsWith(prefix))) continue;
    const suggestion = closest(name, reader.known());
    const hint = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`;
    if (OPENS.test(name) || (suggestion !== undefined && OPENS.test(suggestion))) {
      reader.complain(`${name} belongs to no endpoint, so its secret would go unused.${hint}`);
    } else {
      reader.warnings.push(`${name} is set, but the receiver has no such setting.${hint}`);
    }
  }
}

function exampleVariable(endpoints: readonly EndpointConfig[]): string {
  const first = endpoints[0];
  if (first === undefined) return 'one of its secrets';
  return credentialVariable(first);
}

/** Whether a text is the name of the sender or of one of its events, in whatever spelling. */
function isNameIn({ name, title, events }: Source, secret: string): boolean {
  return [name, title, ...Object.keys(events)].some((known) => upperSnake(known) === upperSnake(secret));
}

const PLACEHOLDER = /^(.)\1+$|change.?me|replace.?(with|me)|your.?(secret|token)|placeholder/i;

/** Reads variables, remembers which were asked for, and collects what is wrong instead of stopping at the first. */
class Reader {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly #env: Environment;
  readonly #asked = new Set<string>();

  constructor(env: Environment) {
    this.#env = env;
  }

  names(): string[] {
    return Object.keys(this.#env);
  }

  known(): string[] {
    return [...this.#asked];
  }

  unread(): string[] {
    return this.names().filter((name) => !this.#asked.has(name));
  }

  /** A variable's text; unset and empty are the same. */
  text(name: string): string | undefined {
    this.#asked.add(name);
    return this.#env[name] === '' ? undefined : this.#env[name];
  }

  /** Whether a variable, or the file that may stand for it, is given. */
  isSet(name: string): boolean {
    return this.text(name) !== undefined || this.text(`${name}_FILE`) !== undefined;
  }

  /** Where a setting that may be kept in a file was read from. */
  nameOf(name: string): string {
    return this.text(`${name}_FILE`) === undefined ? name : `${name}_FILE`;
  }

  /** Each setting from the first of the prefixes that has it, else its default. */
  settings<Definitions extends SettingDefinitions>(
    definitions: Definitions,
    prefixes: readonly string[],
  ): SettingValues<Definitions> {
    const values = Object.entries(definitions).map(([name, definition]) => {
      const names = prefixes.map((prefix) => prefix + name);
      const read = (name: string) => (definition.file === true ? this.#textOrFile(name) : this.text(name));
      const set = names.find((candidate) => read(candidate) !== undefined);
      const result = definition.schema.safeParse(set === undefined ? definition.default : read(set));
      if (!result.success) {
        const wanted = result.error.issues.map((issue) => issue.message).join('; ');
        this.complain(`${set ?? name}: ${wanted}.`);
        // It will not start, but what else is wrong can only be found out with a value here.
        return [name, definition.schema.safeParse(definition.default).data];
      }
      return [name, result.data];
    });
    // The entries have just been made from these definitions, name by name.
    return Object.fromEntries(values) as SettingValues<Definitions>;
  }

  /** The credential behind a prefix, of whichever kind is set. */
  credential(source: Source, prefix: string): Credential | undefined {
    const found = Object.keys(source.proof.kinds).flatMap((kind) => {
      const variable = `${prefix}_${kind}`;
      const value = this.#textOrFile(variable);
      return value === undefined ? [] : [{ kind, variable, texts: value.split(',') }];
    });
    const [first, second] = found;
    if (first === undefined) return undefined;
    if (second) {
      this.complain(
        `${first.variable} and ${second.variable} are both set: one endpoint has one kind of proof.`,
      );
    }
    for (const secret of first.texts) this.#checkSecret(first.variable, secret, source);
    return first;
  }

  #textOrFile(variable: string): string | undefined {
    const direct = this.text(variable);
    const file = this.text(`${variable}_FILE`);
    if (file === undefined) return direct;
    if (direct !== undefined) this.complain(`${variable} and ${variable}_FILE are both set: keep one.`);
    try {
      // Editors and `echo` end a file with a line end; it is not part of the secret.
      return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      this.complain(`${variable}_FILE names a file that cannot be read (${codeOf(error)}).`);
      return undefined;
    }
  }

  #checkSecret(variable: string, secret: string, source: Source): void {
    const bytes = Buffer.byteLength(secret);
    if (secret.trim() !== secret) {
      this.complain(`${variable} has blanks or line ends around a secret; remove them.`);
    } else if (secret === '') {
      this.complain(`${variable} holds an empty secret: an empty key would let anybody sign.`);
    } else if (PLACEHOLDER.test(secret)) {
      this.complain(`${variable} still holds a placeholder; put the agreed secret there.`);
    } else if (isNameIn(source, secret)) {
      this.complain(`${variable} holds a name from the sender's documentation, which anybody can guess.`);
    } else if (bytes < 16) {
      this.complain(`${variable} holds a secret of ${bytes} bytes; fewer than 16 can be guessed.`);
    } else if (bytes < 32) {
      this.warnings.push(`${variable} holds a secret of ${bytes} bytes; 32 or more are advised.`);
    }
  }

  complain(problem: string): void {
    // A setting of a whole source is read once per endpoint; one complaint is enough.
    if (!this.problems.includes(problem)) this.problems.push(problem);
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error
    ? String(error.code)
    : messageOf(error);
}
