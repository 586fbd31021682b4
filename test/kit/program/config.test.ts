import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConfigInvalid, readConfig, type Config } from '../../../src/kit/program/config.ts';
import type { Environment } from '../../../src/kit/program/reader.ts';
import { readTextFile } from '../../../src/kit/program/text-file.ts';
import { variables } from '../../../src/kit/program/variables.ts';
import {
  credentialVariable,
  endpoint,
  endpointsOf,
  importCredential,
  isOpen,
  variablePrefix,
  type EndpointConfig,
} from '../../../src/kit/endpoint/definition.ts';
import type { SettingDefinitions, Source } from '../../../src/kit/source.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { startupProblems, startupTable } from '../../../src/kit/program/startup.ts';
import { fileWith, newFolder } from '../../support/fixtures.ts';
import { secretsFor } from '../../support/receiver.ts';

const SECRET = secretNamed('the one that opens an endpoint');

function secretNamed(name: string): string {
  return hash('sha256', name);
}

function read(env: Environment): Config {
  return readConfig(env, { sources });
}

/** Everything that is wrong; empty when it would start. */
function problemsOf(env: Environment): readonly string[] {
  try {
    read(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems;
    throw error;
  }
}

function at(path: string, config: Config): EndpointConfig {
  const found = config.endpoints.find(({ definition }) => definition.path === path);
  if (found === undefined) throw new Error(`no endpoint ${path}`);
  return found;
}

it('needs no more than a secret: everything else has a default', () => {
  const { general, endpoints, warnings } = read({ RISR_PROFILE_UPDATED_SECRET: SECRET });
  expect(general).toMatchObject({ HOST: '127.0.0.1', PORT: 3000, INBOX_URL: 'sqlite:data/inbox.db' });
  expect(endpoints.filter(isOpen).map(({ definition }) => definition.path)).toEqual([
    '/risr/profile_updated',
  ]);
  expect(warnings).toEqual([]);
});

it('has a default for every variable that its own schema accepts', () => {
  const all: readonly SettingDefinitions[] = [variables, ...sources.map(({ settings }) => settings)];
  for (const definitions of all) {
    for (const { schema, default: text } of Object.values(definitions)) {
      expect(schema.safeParse(text)).toMatchObject({ success: true });
    }
  }
});

it('opens every endpoint under the name that is derived from its path', () => {
  const { endpoints } = read(secretsFor(sources));
  expect(endpoints.every(isOpen)).toBe(true);
  expect(endpoints.map(credentialVariable)).toEqual([
    'HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET',
    'HOTDOCS_POST_PROCESSING_EVENT_SECRET',
    'HOTDOCS_CUSTOM_INTERVIEW_EVENT_SECRET',
    'HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET',
    'HOTDOCS_ACTION_LINK_SECRET',
    'PHENIXID_SECRET',
    'RISR_USER_LOGGED_IN_SECRET',
    'RISR_USER_REGISTERED_SECRET',
    'RISR_PROFILE_UPDATED_SECRET',
    'RISR_BOOKING_UPDATED_SECRET',
    'RISR_BOOKING_STATE_CHANGED_SECRET',
  ]);
});

it('names everything that is wrong at once', () => {
  const problems = problemsOf({
    PORT: '70000',
    INBOX_URL: 'mysql://somewhere',
    HOTDOCS_KEY_ENCODING: 'rot13',
    HOTDOCS_ACTION_LINK_SECRET: 'short',
    HOTDOCS_POST_PROCESSING_EVENT_SECRET: ` ${SECRET}`,
    PHENIXID_SECRET: 'change-me-change-me',
    RISR_PROFILE_UPDATED_SECRET: SECRET,
    RISR_BOOKING_UPDATED_SECRET: SECRET,
    RISR_USER_LOGED_IN_SECRET: secretNamed('a misspelt one'),
    RISR_USER_REGISTERED_SECRET_FILE: '/nowhere/at/all',
  });
  expect(problems).toHaveLength(9);
  for (const named of [
    /^PORT: expected a whole number from 0 to 65535/,
    /^INBOX_URL: expected/,
    /^HOTDOCS_KEY_ENCODING: expected utf8, or base64, or either/,
    /^HOTDOCS_ACTION_LINK_SECRET .* 5 bytes/,
    /^HOTDOCS_POST_PROCESSING_EVENT_SECRET has blanks/,
    /^PHENIXID_SECRET still holds a placeholder/,
    /^RISR_PROFILE_UPDATED_SECRET and RISR_BOOKING_UPDATED_SECRET hold the same secret/,
    /^RISR_USER_LOGED_IN_SECRET belongs to no endpoint.* Did you mean RISR_USER_LOGGED_IN_SECRET\?/,
    /^RISR_USER_REGISTERED_SECRET_FILE names a file that cannot be read \(ENOENT\)/,
  ]) {
    expect(problems).toContainEqual(expect.stringMatching(named));
  }
});

const everyVariable = [
  ...Object.keys(variables),
  ...sources.flatMap((source: Source) =>
    endpointsOf(source).flatMap((definition) => {
      const prefix = variablePrefix(definition);
      const kinds = Object.keys(source.proof.kinds).flatMap((kind) => [kind, `${kind}_FILE`]);
      return [...kinds, ...Object.keys(source.settings)].map((name) => `${prefix}_${name}`);
    }),
  ),
  'PHENIXID_NORTH_SECRET',
  'PHENIXID_SOUTH_SECRET',
  'HOTDOCS_INTERVIEW_LOAD_EVNT_SECRET',
  'HOTDOCS_NOTHING_TOKEN_FILE',
  'RISR_WHATEVER',
];

it('never puts a value into a message, whatever stands where', () => {
  // Letters that no message of ours has, so that nothing is found by chance.
  const hidden = fc.string({
    unit: fc.constantFrom('Ä', 'Ö', 'æ', 'ø', '漢', '字', '§', '^', '~'),
    minLength: 4,
    maxLength: 40,
  });
  const value = fc
    .tuple(
      fc.constantFrom('', '', ' ', 'change-me-', ',', '\n', 'sqlite:', '12'),
      hidden,
      fc.constantFrom('', ' ', ','),
    )
    .map((parts) => ({ text: parts.join(''), hidden: parts[1] }));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...everyVariable), value, { minKeys: 1 }), (given) => {
      const env = Object.fromEntries(Object.entries(given).map(([name, { text }]) => [name, text]));
      const said = saidOf(env);
      for (const { hidden: text } of Object.values(given)) expect(said).not.toContain(text);
    }),
  );
});

function tableOf(config: Config, url = 'http://127.0.0.1:3000', adminUrl?: string): string {
  return startupTable({ folder: 'src/app' }, config, { url, adminUrl, notWritten: new Map(), differing: 0 });
}

/** Everything that is printed for an environment. */
function saidOf(env: Environment): string {
  try {
    const config = read(env);
    return tableOf(config);
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    return `${startupProblems(error)}\n${error.message}\n${error.stack ?? ''}`;
  }
}

it('takes a setting of the endpoint before one of its source, and a blank one for unset', () => {
  const config = read({
    HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: SECRET,
    HOTDOCS_DEADLINE_MS: '3000',
    HOTDOCS_INTERVIEW_LOAD_EVENT_DEADLINE_MS: '1000',
    HOTDOCS_ACTION_LINK_DEADLINE_MS: '',
  });
  const deadline = (path: string) => at(path, config).settings['DEADLINE_MS'];
  expect(deadline('/hotdocs/InterviewLoadEvent')).toBe(1000);
  expect(deadline('/hotdocs/CustomInterviewEvent')).toBe(3000);
  expect(deadline('/hotdocs/ActionLink')).toBe(3000);
  expect(config.warnings).toEqual([]);
});

it('complains once about a setting that all endpoints of a source share', () =>
  expect(problemsOf({ RISR_PROFILE_UPDATED_SECRET: SECRET, RISR_DEADLINE_MS: 'soon' })).toEqual([
    'RISR_DEADLINE_MS: expected a whole number from 50 to 10000.',
  ]));

it('takes an empty secret variable for an unset one', () => {
  const config = read({ RISR_PROFILE_UPDATED_SECRET: SECRET, PHENIXID_SECRET: '' });
  expect(isOpen(at('/phenixid', config))).toBe(false);
});

it.each(['', '\n', '\r\n'])('reads a secret from a file that ends with %j', (end) => {
  const config = read({ PHENIXID_SECRET_FILE: fileWith(`${SECRET}${end}`) });
  expect(at('/phenixid', config).credentials.get('')?.texts).toEqual([SECRET]);
});

it('reads several secrets from one file', () => {
  const older = secretNamed('older');
  const config = read({ PHENIXID_SECRET_FILE: fileWith(`${SECRET},${older}\n`) });
  expect(at('/phenixid', config).credentials.get('')?.texts).toEqual([SECRET, older]);
});

it.each([
  ['only a line end', '\n', /^PHENIXID_SECRET holds an empty secret/],
  ['nothing', '', /^PHENIXID_SECRET holds an empty secret/],
  ['two line ends', `${SECRET}\n\n`, /^PHENIXID_SECRET has blanks or line ends/],
])('refuses a secret file that holds %s', (_what, content, problem) =>
  expect(problemsOf({ PHENIXID_SECRET_FILE: fileWith(content) })).toEqual([expect.stringMatching(problem)]),
);

it('refuses a secret file that cannot be read, without naming it', () => {
  const folder = tmpdir();
  expect(problemsOf({ PHENIXID_SECRET_FILE: folder })).toEqual([
    'PHENIXID_SECRET_FILE names a file that cannot be read (it is a folder: name a file in it).',
  ]);
});

it('refuses a secret and a file of it at the same time', () => {
  const env = { PHENIXID_SECRET: SECRET, PHENIXID_SECRET_FILE: fileWith(SECRET) };
  expect(problemsOf(env)).toEqual(['PHENIXID_SECRET and PHENIXID_SECRET_FILE are both set: keep one.']);
});

it('keeps several live secrets in their order, newest first', async () => {
  const older = secretNamed('older');
  const config = read({ PHENIXID_SECRET: `${SECRET},${older}` });
  const credential = at('/phenixid', config).credentials.get('');
  expect(credential?.texts).toEqual([SECRET, older]);
  const imported = credential && (await importCredential(credential, at('/phenixid', config)));
  expect(imported?.map(({ position, bytes }) => [position, bytes.toString()])).toEqual([
    [1, SECRET],
    [2, older],
  ]);
});

it.each([` ${SECRET}`, `${SECRET} `, `${SECRET}\n`, `\t${SECRET}`, `${SECRET}, ${secretNamed('older')}`])(
  'refuses blanks around a secret (%#)',
  (secret) =>
    expect(problemsOf({ PHENIXID_SECRET: secret })).toEqual([
      'PHENIXID_SECRET has blanks or line ends around a secret; remove them.',
    ]),
);

it.each([`${SECRET},`, `,${SECRET}`, ','])('refuses an empty secret among several (%#)', (secret) =>
  expect(problemsOf({ PHENIXID_SECRET: secret })).toContainEqual(
    expect.stringMatching(/^PHENIXID_SECRET holds an empty secret/),
  ),
);

it.each([
  'change-me-change-me-change-me-change-me',
  'CHANGEME',
  'replace-me-with-the-secret-of-the-webhook',
  'your-secret-goes-here-your-secret-goes-here',
  'x'.repeat(32),
  'placeholder-placeholder-placeholder',
  'replace-with-64-hex-characters',
])('refuses the placeholder %s', (secret) =>
  expect(problemsOf({ PHENIXID_SECRET: secret })).toEqual([
    'PHENIXID_SECRET still holds a placeholder; put the agreed secret there.',
  ]),
);

it.each([
  ["the sender's name", 'RISR_USER_REGISTERED_SECRET', 'risr'],
  ["the sender's full name", 'PHENIXID_SECRET', 'PhenixID Signing Workflow'],
  ['the name of an event', 'HOTDOCS_ACTION_LINK_SECRET', 'NewWorkItemVersionComplete'],
  ['an event in another spelling', 'RISR_BOOKING_UPDATED_SECRET', 'Booking-State-Changed'],
])('refuses what anybody can guess: %s', (_what, variable, secret) =>
  expect(problemsOf({ [variable]: secret })).toEqual([
    `${variable} holds a name from the sender's documentation, which anybody can guess.`,
  ]),
);

it('takes no secret of random letters for a placeholder', () =>
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (random) => {
      fc.pre(new Set(random).size > 1);
      expect(problemsOf({ PHENIXID_SECRET: Buffer.from(random).toString('hex') })).toEqual([]);
    }),
  ));

it.each([
  [15, 1, 0],
  [16, 0, 1],
  [31, 0, 1],
  [32, 0, 0],
])('a secret of %i bytes: %i problems, %i warnings', (bytes, problems, warnings) => {
  const env = { PHENIXID_SECRET: SECRET.slice(0, bytes) };
  expect(problemsOf(env)).toHaveLength(problems);
  if (problems === 0) expect(read(env).warnings).toHaveLength(warnings);
});

it('counts the bytes of a secret, not its letters', () =>
  expect(problemsOf({ PHENIXID_SECRET: 'åäöåäöåä' })).toEqual([]));

it.each([
  [{ RISR_USER_REGISTERED_SECRET: SECRET, RISR_USER_LOGGED_IN_SECRET: SECRET }],
  [{ RISR_USER_REGISTERED_SECRET: SECRET, RISR_USER_LOGGED_IN_SECRET: `${secretNamed('other')},${SECRET}` }],
  [{ RISR_USER_REGISTERED_SECRET: SECRET, PHENIXID_SECRET: SECRET }],
  [{ HOTDOCS_ACTION_LINK_SECRET: SECRET, HOTDOCS_POST_PROCESSING_EVENT_TOKEN: SECRET }],
  [{ HOTDOCS_ACTION_LINK_TOKEN: SECRET, PHENIXID_SECRET: SECRET }],
  [{ PHENIXID_NORTH_SECRET: SECRET, PHENIXID_SOUTH_SECRET: SECRET }],
  [{ PHENIXID_SECRET: SECRET, PHENIXID_NORTH_SECRET: SECRET }],
])('refuses one secret in two places: %#', (env) => {
  const [problem = '', ...others] = problemsOf(env);
  expect(others).toEqual([]);
  expect(problem).toContain('hold the same secret: a delivery for one could be replayed on the other');
  for (const variable of Object.keys(env)) expect(problem).toContain(variable);
});

it('refuses one secret on three endpoints, naming them all', () => {
  const problems = problemsOf({
    RISR_USER_REGISTERED_SECRET: SECRET,
    RISR_USER_LOGGED_IN_SECRET: SECRET,
    RISR_PROFILE_UPDATED_SECRET: SECRET,
  });
  expect(problems).toHaveLength(2);
});

it('says once that a secret stands several times in one variable', () =>
  expect(problemsOf({ PHENIXID_SECRET: `${SECRET},${SECRET},${SECRET}` })).toEqual([
    'PHENIXID_SECRET holds the same secret twice.',
  ]));

it('refuses two kinds of proof on one endpoint', () => {
  const problems = problemsOf({
    HOTDOCS_ACTION_LINK_SECRET: SECRET,
    HOTDOCS_ACTION_LINK_TOKEN: secretNamed('token'),
  });
  expect(problems).toEqual([
    'HOTDOCS_ACTION_LINK_SECRET and HOTDOCS_ACTION_LINK_TOKEN are both set: one endpoint has one kind of proof.',
  ]);
});

it('reads the installations of PhenixID, each with the key that it is given or the one its name makes', () => {
  const config = read({
    PHENIXID_NORTH_SECRET: SECRET,
    PHENIXID_NORTH_KEY: 'QueryParameterKey',
    PHENIXID_SOUTH_WING_SECRET: secretNamed('south wing'),
  });
  expect([...at('/phenixid', config).credentials.keys()]).toEqual(['QueryParameterKey', 'south-wing']);
  expect(config.warnings).toEqual([]);
});

it('reads the secret of an installation from a file', () => {
  const config = read({ PHENIXID_NORTH_SECRET_FILE: fileWith(`${SECRET}\n`) });
  expect(at('/phenixid', config).credentials.get('north')?.texts).toEqual([SECRET]);
});

it('refuses two installations with one key: the secret of the first would go unused', () => {
  const problems = problemsOf({
    PHENIXID_NORTH_SECRET: SECRET,
    PHENIXID_SOUTH_SECRET: secretNamed('south'),
    PHENIXID_SOUTH_KEY: 'north',
  });
  expect(problems).toEqual([
    'PHENIXID_NORTH_SECRET and PHENIXID_SOUTH_SECRET are for the same ?key=: give each installation a key of its own.',
  ]);
});

it.each([
  ['HOTDOCS_INTERVIEW_LOAD_EVNT_SECRET', 'HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET'],
  ['HOTDOCS_LOAD_INTERVIEW_EVENT_SECRET', undefined],
  ['RISR_PROFILE_UPLOADED_SECRET', 'RISR_PROFILE_UPDATED_SECRET'],
  ['RISR_SECRET', undefined],
  ['HOTDOCS_ACTION_LINK_TOKN_SECRET', 'HOTDOCS_ACTION_LINK_SECRET'],
  ['HOTDOCS_ACTION_LINK_SECERT', 'HOTDOCS_ACTION_LINK_SECRET'],
])('does not start with a secret in %s', (misspelt, meant) => {
  const [problem = '', ...others] = problemsOf({ PHENIXID_SECRET: SECRET, [misspelt]: secretNamed('lost') });
  expect(others).toEqual([]);
  expect(problem).toContain(`${misspelt} belongs to no endpoint`);
  if (meant !== undefined) expect(problem).toContain(`Did you mean ${meant}?`);
});

it('warns of a setting it does not have, and leaves the variables of others alone', () => {
  const env = { PHENIXID_SECRET: SECRET, RISR_DEADLINE: '1', PATH: '/bin', DATABASE_SECRET: 'x' };
  expect(read(env).warnings).toEqual([
    'RISR_DEADLINE is set, but the receiver has no such setting. Did you mean RISR_DEADLINE_MS?',
  ]);
});

it('does not start with nothing to receive, and says what to do', () => {
  const [problem = '', ...others] = problemsOf({});
  expect(others).toEqual([]);
  expect(problem).toContain('HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET');
  expect(problem).toContain('templates/env.example');
  expect(problem).toContain('npm run demo');
});

it('opens PhenixID without a secret where its deliveries are said to be unsigned, and warns', () => {
  const config = read({ PHENIXID_SIGNATURE_SCHEME: 'unsigned' });
  expect(isOpen(at('/phenixid', config))).toBe(true);
  expect(config.warnings).toEqual([
    expect.stringMatching(/^\/phenixid accepts deliveries without any proof/),
  ]);
  expect(tableOf(config)).toContain('/phenixid  ');
  expect(tableOf(config)).toMatch(/\/phenixid +OPEN TO ANYBODY/);
});

it('asks an installation for its secret though others are open to anybody', () => {
  const config = read({ PHENIXID_SIGNATURE_SCHEME: 'unsigned', PHENIXID_NORTH_SECRET: SECRET });
  const table = tableOf(config);
  expect(table).toMatch(/\/phenixid +OPEN TO ANYBODY/);
  expect(table).toMatch(/\/phenixid\?key=north +open {4}secret/);
});

it('gives a further endpoint its secret by its path, and its settings by its source', () => {
  const config = readConfig(
    { HOTDOCS_LOOKUP_TENANT_SECRET: SECRET, HOTDOCS_DEADLINE_MS: '700' },
    {
      sources,
      endpoints: [endpoint('/hotdocs/lookup-tenant', hotdocs, 'CustomInterviewEvent')],
    },
  );
  const lookup = at('/hotdocs/lookup-tenant', config);
  expect(isOpen(lookup)).toBe(true);
  expect(lookup.settings['DEADLINE_MS']).toBe(700);
  expect(isOpen(at('/hotdocs/CustomInterviewEvent', config))).toBe(false);
});

it.each([
  ['PORT', ['', '0', '65535'], ['-1', '65536', '3000.5', '0x10', 'http', ' 3000']],
  ['INBOX_URL', ['memory:', 'sqlite:data/inbox.db'], ['memory', 'inbox.db', 'mysql://a', 'sqlite:']],
  ['LOG_LEVEL', ['debug', 'info', 'silent'], ['trace', 'INFO']],
])('%s takes its values and no others', (name, good, bad) => {
  for (const value of good) expect(problemsOf({ PHENIXID_SECRET: SECRET, [name]: value })).toEqual([]);
  for (const value of bad) {
    expect(problemsOf({ PHENIXID_SECRET: SECRET, [name]: value })).toEqual([
      expect.stringMatching(`^${name}: expected`),
    ]);
  }
});

it.each(['receiver', 'worker'])(
  'takes the role of %s alone only on an inbox that others can reach',
  (ROLE) => {
    const env = { RISR_PROFILE_UPDATED_SECRET: SECRET, ROLE };
    expect(problemsOf(env)).toEqual([expect.stringMatching(/^ROLE is .*set INBOX_URL to postgres:/)]);
    expect(problemsOf({ ...env, INBOX_URL: 'memory:' })).toHaveLength(1);
    expect(problemsOf({ ...env, INBOX_URL: 'postgres://kit:secret@db/inbox' })).toEqual([]);
  },
);

it('needs no secret in a worker, which takes no deliveries', () => {
  expect(problemsOf({ ROLE: 'worker', INBOX_URL: 'postgres://db/inbox' })).toEqual([]);
  expect(problemsOf({ ROLE: 'receiver', INBOX_URL: 'postgres://db/inbox' })).toHaveLength(1);
});

it.each([
  'postgres:',
  'postgres://',
  'postgres:/db/inbox',
  'mysql://db/inbox',
  'sqlite:',
  'Postgres://db/inbox',
])('refuses an inbox at %s', (INBOX_URL) =>
  expect(problemsOf({ RISR_PROFILE_UPDATED_SECRET: SECRET, INBOX_URL })).toEqual([
    expect.stringMatching(/^INBOX_URL: expected memory:, sqlite:<file> or postgres:/),
  ]),
);

it.each([
  ['off', undefined],
  ['0', 0],
  ['', 3001],
  ['3101', 3101],
])('takes ADMIN_PORT=%s', (ADMIN_PORT, port) =>
  expect(read({ RISR_PROFILE_UPDATED_SECRET: SECRET, ADMIN_PORT }).general.ADMIN_PORT).toBe(port),
);

it.each(['none', '65536', '-1', '30 01'])('refuses ADMIN_PORT=%s', (ADMIN_PORT) =>
  expect(problemsOf({ RISR_PROFILE_UPDATED_SECRET: SECRET, ADMIN_PORT })).toEqual([
    'ADMIN_PORT: expected a port from 0 to 65535, or off.',
  ]),
);

it.each([
  ['127.0.0.1', 0],
  ['::1', 0],
  ['localhost', 0],
  ['0.0.0.0', 1],
  ['10.0.0.7', 1],
])('warns where others than this machine can ask how the process is: ADMIN_HOST=%s', (ADMIN_HOST, warnings) =>
  expect(read({ RISR_PROFILE_UPDATED_SECRET: SECRET, ADMIN_HOST }).warnings).toHaveLength(warnings),
);

it('reads the keys of the inbox from their file, all lines of it', () => {
  const keys = ['one', 'two'].map((name) => hash('sha256', name, 'base64')).join('\n');
  const INBOX_KEYS_FILE = fileWith(`${keys}\n`);
  expect(read({ RISR_PROFILE_UPDATED_SECRET: SECRET, INBOX_KEYS_FILE }).general.INBOX_KEYS).toBe(keys);
});

it('names the inbox in the start-up table without its password, and a worker has no endpoints there', () => {
  const env = { RISR_PROFILE_UPDATED_SECRET: SECRET, INBOX_URL: 'postgres://kit:hidden@db.example/inbox' };
  const both = tableOf(read(env), 'http://here', 'http://there');
  expect(both).toMatch(
    /^advance-receiver-kit [\d.]+, running src\/app\nListening on http:\/\/here\nWorking on postgres:\/\/db\.example\/inbox\nHealth on http:/,
  );
  const worker = tableOf(read({ ...env, ROLE: 'worker' }), '');
  expect(worker).toMatch(/^advance-receiver-kit .*\nWorking on postgres:\/\/db\.example\/inbox\n\n$/);
  const receiver = tableOf(read({ ...env, ROLE: 'receiver' }), 'http://here');
  expect(receiver).not.toMatch(/Working|hidden/);
});

it('does not start an endpoint that is left no method', () => {
  const secret = { HOTDOCS_ACTION_LINK_SECRET: SECRET };
  expect(problemsOf({ ...secret, HOTDOCS_METHODS: 'POST' })).toEqual([]);
  expect(problemsOf({ HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: SECRET, HOTDOCS_METHODS: 'GET' })).toEqual([]);
  expect(problemsOf({ ...secret, HOTDOCS_METHODS: 'GET' })).toEqual([
    'HOTDOCS_ACTION_LINK_METHODS leaves no method that is ever used for it: allow POST.',
  ]);
});

it.each([
  ['PHENIX_SECRET', 'PHENIXID_SECRET'],
  ['PHOENIX_SECRET', 'PHENIXID_SECRET'],
  ['phenixid_secret', 'PHENIXID_SECRET'],
  ['HOT_DOCS_ACTION_LINK_SECRET', 'HOTDOCS_ACTION_LINK_SECRET'],
  ['RIS_BOOKING_UPDATED_SECRET_FILE', 'RISR_BOOKING_UPDATED_SECRET_FILE'],
])('does not start with a secret in %s, whose prefix is nearly right', (misspelt, meant) => {
  const env = { RISR_PROFILE_UPDATED_SECRET: SECRET, [misspelt]: secretNamed('lost') };
  expect(problemsOf(env)).toEqual([
    `${misspelt} belongs to no endpoint, so its secret would go unused. Did you mean ${meant}?`,
  ]);
  expect(
    problemsOf({ ...env, [meant]: meant.endsWith('FILE') ? fileWith(secretNamed('x')) : secretNamed('x') }),
  ).toEqual([]);
});

it.each([
  ['TLS_CERTFILE', 'TLS_CERT_FILE'],
  ['INBOXKEYS_FILE', 'INBOX_KEYS_FILE'],
  ['HOTDOC_API_URL', 'HOTDOCS_API_URL'],
  ['log_level', 'LOG_LEVEL'],
  ['port', 'PORT'],
  ['TRUST_PROXY_HOP', 'TRUST_PROXY_HOPS'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['RETENTION_DAY', 'RETENTION_DAYS'],
])('asks of %s whether %s is meant', (misspelt, meant) => {
  expect(read({ PHENIXID_SECRET: SECRET, [misspelt]: '1' }).warnings).toEqual([
    `${misspelt} is set, but the receiver has no such setting. Did you mean ${meant}?`,
  ]);
});

it.each([
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REST_API_URL',
  'JIRA_API_URL',
  'PHP_SECRET',
  'HOST_SECRET',
  'HOTEL_TOKEN',
  'RUST_LOG',
])('leaves %s to others', (name) => {
  expect(read({ PHENIXID_SECRET: SECRET, [name]: '1' }).warnings).toEqual([]);
});

it.each(['PHENIXID_API_USER_FILE', 'PHENIXID_API_URL_FILE', 'RISR_DEADLINE_MS_FILE'])(
  'does not start with %s, which no setting is read from',
  (name) => {
    expect(problemsOf({ PHENIXID_SECRET: SECRET, [name]: '/etc/hostname' })).toEqual([
      expect.stringMatching(`^${name} would not be read`),
    ]);
  },
);

it.each([
  [`PHENIXID_SECRET=${SECRET}`, /begins with the name of a variable/],
  [`export PHENIXID_SECRET=${SECRET}`, /begins with the name of a variable/],
  [`PHENIXID_SECRET: ${SECRET}`, /begins with the name of a variable/],
  [`\u201c${SECRET}\u201d`, /has a quotation mark at an end/],
  [`${SECRET}\u2019`, /has a quotation mark at an end/],
])('refuses a secret as it was copied, in the variable or in its file: %s', (secret, why) => {
  const direct = problemsOf({ PHENIXID_SECRET: secret });
  const inFile = problemsOf({ PHENIXID_SECRET_FILE: fileWith(secret) });
  expect(direct).toEqual([expect.stringMatching(why)]);
  expect(inFile).toEqual(direct);
  expect(direct.join()).not.toContain(SECRET);
});

it.each([';', '; ', ' ', ' | '])('warns of two secrets with %j between them', (between) => {
  const { warnings } = read({ PHENIXID_SECRET: SECRET + between + secretNamed('new') });
  expect(warnings).toEqual([expect.stringMatching(/PHENIXID_SECRET .*put a comma there/)]);
});

it('warns of a password that was copied with its name', () => {
  const { warnings } = read({
    RISR_PROFILE_UPDATED_SECRET: SECRET,
    RISR_API_ORGANISATION: 'org',
    RISR_API_CLIENT_ID: 'id',
    RISR_API_CLIENT_SECRET: `RISR_API_CLIENT_SECRET=${SECRET}`,
  });
  expect(warnings).toEqual([
    expect.stringMatching(/^RISR_API_CLIENT_SECRET begins with the name of a variable/),
  ]);
});

it('names the variable that holds the keys of the inbox, whichever it is', () => {
  expect(problemsOf({ PHENIXID_SECRET: SECRET, INBOX_KEYS: 'abc' })).toEqual([
    expect.stringMatching(/^INBOX_KEYS: Line 1 is not base64/),
  ]);
  expect(problemsOf({ PHENIXID_SECRET: SECRET, INBOX_KEYS_FILE: fileWith('\nabc') })).toEqual([
    expect.stringMatching(/^INBOX_KEYS_FILE: Line 2 is not base64/),
  ]);
});

it.each([
  [{}, true],
  [{ HOST: '0.0.0.0' }, true],
  [{ HOST: '127.0.0.2' }, false],
  [{ ADMIN_PORT: '0', PORT: '0' }, false],
])('says that ADMIN_PORT is the same as PORT, where they would meet: %j', (env, meet) => {
  const problems = problemsOf({ PHENIXID_SECRET: SECRET, PORT: '3000', ADMIN_PORT: '3000', ...env });
  expect(problems).toEqual(meet ? [expect.stringMatching(/^ADMIN_PORT and PORT are the same/)] : []);
});

/** Windows has no such files. */
const itOnUnix = process.platform === 'win32' ? it.skip : it;

itOnUnix('refuses a pipe for the file of a secret, and does not wait for somebody to write to it', () => {
  const pipe = join(newFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  expect(problemsOf({ PHENIXID_SECRET_FILE: pipe })).toEqual([
    'PHENIXID_SECRET_FILE names a file that cannot be read (it is a pipe: name a regular file).',
  ]);
});

it.each([
  'postgres://hooks:p@ss/w:rd@127.0.0.1:1/inbox',
  'postgres://hooks:p/ss/w:rd@127.0.0.1:1/inbox',
  'postgres://hooks:12?p@ss@127.0.0.1:1/inbox',
  'postgres://hooks:12/p@ss',
  'postgres://hooks:p#ss@127.0.0.1:1/inbox',
  'postgres://hooks:p%ss@127.0.0.1:1/inbox',
])('refuses %s as INBOX_URL, says what to encode, and prints no part of it', (INBOX_URL) => {
  const said = saidOf({ PHENIXID_SECRET: SECRET, INBOX_URL });
  expect(said).toMatch(/INBOX_URL: expected .* percent-encoded: @ is %40/);
  expect(said).not.toMatch(/hooks|[@/?#%]ss\b|rd@|127/);
});

it('says of a file with NUL bytes what it has', () => {
  expect(readTextFile(fileWith('A_B=1\n\0\0\0\0')).oddity).toMatch(/^has NUL bytes in it/);
  expect(readTextFile(fileWith('\0\0\0\0')).oddity).toMatch(/^has NUL bytes in it/);
  expect(readTextFile(fileWith('A_B=1\n')).oddity).toBeUndefined();
});

it('names the file of every source whose handlers are not written', () => {
  const config = read({ PHENIXID_SECRET: SECRET });
  const notWritten = new Map(
    sources.map((source): [Source, string[]] => [source, Object.keys(source.events)]),
  );
  const table = startupTable({ folder: 'src/app' }, config, {
    ...{ url: '', adminUrl: undefined, notWritten },
    differing: 0,
  });
  for (const name of ['hotdocs', 'phenixid', 'risr'])
    expect(table).toMatch(new RegExp(`Write them in .*src/app/handlers/${name}\\.ts`));
});
