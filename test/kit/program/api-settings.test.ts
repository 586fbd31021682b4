import { expect, it } from '@jest/globals';
import { apiSettings, ConfigInvalid, readConfig } from '../../../src/kit/program/config.ts';
import type { Environment } from '../../../src/kit/program/reader.ts';
import { endpoint } from '../../../src/kit/endpoint/definition.ts';
import type { Source } from '../../../src/kit/source.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { acme } from '../../support/acme.ts';
import { fileWith } from '../../support/fixtures.ts';
import { secretsFor } from '../../support/receiver.ts';

function read(env: Environment) {
  return readConfig({ ...secretsFor(sources), ...env }, { sources });
}

function problemsOf(env: Environment): readonly string[] {
  try {
    read(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems;
    throw error;
  }
}

const risrApi = {
  RISR_API_CLIENT_ID: 'id',
  RISR_API_CLIENT_SECRET: 'hunter2 hunter2',
  RISR_API_ORGANISATION: 'org_demo',
};

it.each(sources.map((source): [string, Source] => [source.name, source]))(
  'has a default for every API setting of %s that its own schema accepts, and needs only settings that exist',
  (_name, { api }) => {
    for (const { schema, default: text } of Object.values(api?.settings ?? {})) {
      expect(schema.safeParse(text)).toMatchObject({ success: true });
    }
    expect(Object.keys(api?.settings ?? {})).toEqual(expect.arrayContaining([...(api?.needed ?? ['?'])]));
  },
);

it('reads the API settings of a source once, whatever endpoints it has', () => {
  const settings = apiSettings(read({ ...risrApi, RISR_API_URL: 'https://api.example.org' }), risr);
  expect(settings).toMatchObject({
    API_CLIENT_ID: 'id',
    API_CLIENT_SECRET: 'hunter2 hunter2',
    API_CALLS_PER_SECOND: 5,
  });
  expect(settings.API_URL?.href).toBe('https://api.example.org/');
});

it('has nothing for a source that it was not read for', () =>
  expect(() => apiSettings(read({}), acme)).toThrow('No API settings were read for acme'));

it('reads a password or certificate from a file', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
  const config = read({
    ...risrApi,
    RISR_API_CLIENT_SECRET: undefined,
    RISR_API_CLIENT_SECRET_FILE: fileWith('from a file\n'),
    PHENIXID_API_URL: 'https://swf.example.org:8081/',
    PHENIXID_API_CA_FILE: fileWith(`${pem}\n`),
    PHENIXID_API_HEADERS_FILE: fileWith('{"X-Api-Key": "key"}'),
  });
  expect(apiSettings(config, risr).API_CLIENT_SECRET).toBe('from a file');
  expect(apiSettings(config, phenixid)).toMatchObject({ API_CA: pem, API_HEADERS: { 'X-Api-Key': 'key' } });
  expect(config.warnings).toEqual([]);
});

it('refuses a value and a file of it at the same time, and a file that is not there', () => {
  expect(problemsOf({ ...risrApi, RISR_API_CLIENT_SECRET_FILE: fileWith('x') })).toEqual([
    'RISR_API_CLIENT_SECRET and RISR_API_CLIENT_SECRET_FILE are both set: keep one.',
  ]);
  expect(
    problemsOf({ ...risrApi, RISR_API_CLIENT_SECRET: '', RISR_API_CLIENT_SECRET_FILE: '/nowhere' }),
  ).toEqual(['RISR_API_CLIENT_SECRET_FILE names a file that cannot be read (ENOENT).']);
});

it('does not start with an API that is set up in part, and says what is missing', () =>
  expect(problemsOf({ RISR_API_CLIENT_ID: 'id', HOTDOCS_DOCUMENT_HOSTS: 'files.example.org' })).toEqual([
    'The API of hotdocs is set up in part: set HOTDOCS_API_URL, HOTDOCS_API_AUTH_URL, HOTDOCS_API_CLIENT_NAME, ' +
      'HOTDOCS_API_PRINCIPAL_NAME, HOTDOCS_API_PRINCIPAL_PASSWORD as well, or nothing of it.',
    'The API of risr is set up in part: set RISR_API_CLIENT_SECRET, RISR_API_ORGANISATION as well, or nothing of it.',
  ]));

it.each([
  ['PHENIXID_API_URL', 'ftp.hunter2.example'],
  ['PHENIXID_API_URL', 'ftp://hunter2.example'],
  ['PHENIXID_API_URL', 'https://user:hunter2@swf.example.org'],
  ['PHENIXID_API_URL', 'https://swf.example.org/?key=hunter2'],
  ['PHENIXID_API_URL', 'https://swf.example.org/#hunter2'],
  ['PHENIXID_API_VERSION', 'hunter2'],
  ['PHENIXID_API_HEADERS', 'X-Api-Key: hunter2'],
  ['PHENIXID_API_HEADERS', '["hunter2"]'],
  ['PHENIXID_API_HEADERS', '{"Host":"hunter2"}'],
  ['PHENIXID_API_HEADERS', '{"X-Api-Key":"hunter2\\r\\nX: y"}'],
  ['PHENIXID_API_HEADERS', '{"X Api":"hunter2"}'],
  ['PHENIXID_API_UNKNOWN_DELAYS_MS', '1,hunter2'],
  ['PHENIXID_API_KEY', 'hunter2'],
])('refuses a wrong %s without repeating it (%#)', (name, value) => {
  const [problem = '', ...others] = problemsOf({
    PHENIXID_API_URL: 'https://swf.example.org',
    [name]: value,
  });
  expect(others).toEqual([]);
  expect(problem).toMatch(new RegExp(`^${name}: expected `));
  expect(problem).not.toContain('hunter2');
});

it.each([' hunter2', 'hunter2\n', 'hunter2\nhunter2'])('refuses blanks around a password (%#)', (secret) => {
  const [problem = '', ...others] = problemsOf({ ...risrApi, RISR_API_CLIENT_SECRET: secret });
  expect([problem, others]).toEqual([
    'RISR_API_CLIENT_SECRET: expected one line without blanks around it.',
    [],
  ]);
});

it('takes no API setting for an installation of PhenixID', () => {
  const config = read({ PHENIXID_API_URL: 'https://swf.example.org' });
  expect([
    ...(config.endpoints.find(({ source }) => source.name === 'phenixid')?.credentials.keys() ?? []),
  ]).toEqual(['']);
  expect(problemsOf({ PHENIXID_API_SECRET: 'x'.repeat(16) })).toEqual([
    expect.stringMatching(/^PHENIXID_API_SECRET belongs to no endpoint/),
  ]);
});

it('warns of an API setting that it does not have', () =>
  expect(read({ RISR_API_CLIENT: 'id' }).warnings).toEqual([
    'RISR_API_CLIENT is set, but the receiver has no such setting. Did you mean RISR_API_CLIENT_ID?',
  ]));

const north = { PHENIXID_NORTH_SECRET: 'the-secret-of-the-installation-north' };

it('reads an API of its own for an installation or a second tenant, and nothing of the others for it', () => {
  const tenant = endpoint('/hotdocs/acme/done', hotdocs, 'NewWorkItemVersionComplete', {
    installation: 'acme',
  });
  const env = {
    ...secretsFor(sources, [tenant]),
    ...north,
    PHENIXID_NORTH_KEY: 'north wing',
    PHENIXID_API_URL: 'https://swf.example.org',
    PHENIXID_API_HEADERS: '{"X-Api-Key":"ours"}',
    PHENIXID_NORTH_API_URL: 'https://north.example.org',
    HOTDOCS_ACME_API_URL: 'https://acme.example.org/api/',
    HOTDOCS_ACME_API_AUTH_URL: 'https://acme.example.org/auth/',
    HOTDOCS_ACME_API_CLIENT_NAME: 'receiver',
    HOTDOCS_ACME_API_PRINCIPAL_NAME: 'receiver',
    HOTDOCS_ACME_API_PRINCIPAL_PASSWORD_FILE: fileWith('password of acme'),
  };
  const config = readConfig(env, { sources, endpoints: [tenant] });
  expect(config.warnings).toEqual([]);
  expect(config.installationApis).toMatchObject([
    { source: 'hotdocs', installation: 'acme', settings: { API_PRINCIPAL_PASSWORD: 'password of acme' } },
    { source: 'phenixid', installation: 'north wing', settings: { API_HEADERS: {} } },
  ]);
  const phenixidEndpoint = config.endpoints.find(({ source }) => source.name === 'phenixid');
  expect([...(phenixidEndpoint?.credentials.keys() ?? [])]).toEqual(['', 'north wing']);
});

it('does not start with an API of an installation that is set up in part', () =>
  expect(problemsOf({ ...north, PHENIXID_NORTH_API_VERSION: 'v1' })).toEqual([
    'The API of phenixid, installation north, is set up in part: set PHENIXID_NORTH_API_URL as well, or nothing of it.',
  ]));

it('warns of the API of an installation that there is not', () =>
  expect(read({ ...north, PHENIXID_NROTH_API_URL: 'https://north.example.org' }).warnings).toEqual([
    'PHENIXID_NROTH_API_URL is set, but the receiver has no such setting. Did you mean PHENIXID_NORTH_API_URL?',
  ]));
