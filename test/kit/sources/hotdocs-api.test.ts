import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { apiSettings, readConfig } from '../../../src/kit/program/config.ts';
import { createHotdocsApi, type HotdocsApi } from '../../../src/kit/sources/hotdocs/api/api.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { json, manualTime, startApi, type Answer, type Seen } from './api-side.ts';
import { later, newFolder } from '../../support/fixtures.ts';
import { secretsFor } from '../../support/receiver.ts';

const ids = { workItemId: 'w-1', versionId: 'v-1' };
const upload = { ...ids, documentId: 'd-1', fileName: 'Lease.pdf', contentType: 'application/pdf' };
const body = Buffer.from('%PDF-1.7 a lease\n%%EOF\n');
const PASSWORD = 'a password, with blanks';

function settingsWith(env: Readonly<Record<string, string>>) {
  return apiSettings(readConfig({ ...secretsFor([hotdocs]), ...env }, { sources: [hotdocs] }), hotdocs);
}

/** A HotDocs Advance whose tokens are named `token-1`, `token-2` and so on, in the order of the logins. */
async function start(
  answer: (seen: Seen, token: string) => Answer | undefined | Promise<Answer | undefined>,
  { env = {}, login }: { env?: Readonly<Record<string, string>>; login?: (count: number) => Answer } = {},
) {
  let logins = 0;
  const side = await startApi((seen) => {
    if (seen.target !== '/auth/Authorize/ServicePrincipalLogIn') {
      return answer(seen, seen.headers.authorization ?? '');
    }
    logins += 1;
    return login?.(logins) ?? { headers: { 'Content-Type': 'text/plain' }, body: `token-${logins}` };
  });
  later(side.stop);
  const time = manualTime();
  const api = createHotdocsApi(
    settingsWith({
      HOTDOCS_API_URL: `${side.origin}/api/rest/v2.0/`,
      HOTDOCS_API_AUTH_URL: `${side.origin}/auth/`,
      HOTDOCS_API_CLIENT_NAME: 'receiver',
      HOTDOCS_API_PRINCIPAL_NAME: 'archive',
      HOTDOCS_API_PRINCIPAL_PASSWORD: PASSWORD,
      ...env,
    }),
    time,
  );
  return { api: opened(api), side, time, logins: () => logins, called: () => withoutLogins(side.calls()) };
}

function opened(api: HotdocsApi | undefined): HotdocsApi {
  if (api === undefined) throw new Error('not configured');
  later(() => api.close());
  return api;
}

function withoutLogins(calls: readonly string[]): string[] {
  return calls.filter((call) => !call.includes('/auth/'));
}

it('does not exist where nothing is configured', () =>
  expect(createHotdocsApi(settingsWith({}))).toBeUndefined());

it('logs in with names and password as JSON, and asks with the token', async () => {
  const { api, side } = await start(() => json({ status: 'Completed' }));
  expect(await api.versionStatus(ids)).toBe('Completed');
  const [login, status] = side.seen;
  expect(login).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
  expect(JSON.parse(login?.body ?? '')).toEqual({
    ClientName: 'receiver',
    PrincipalName: 'archive',
    PrincipalPassword: PASSWORD,
  });
  expect(status).toMatchObject({
    method: 'GET',
    target: '/api/rest/v2.0/WorkItems/w-1/Versions/v-1/Status',
    headers: { authorization: 'Bearer token-1' },
  });
});

it.each([
  'raw.token-1',
  ' raw.token-1\r\n',
  '"raw.token-1"',
  "'raw.token-1'",
  'Bearer raw.token-1',
  '"Bearer raw.token-1"',
  'bearer "raw.token-1"',
])('takes the token out of the login reply %j', async (reply) => {
  const { api, side } = await start(() => json('Saved'), { login: () => ({ body: reply }) });
  expect(await api.versionStatus(ids)).toBe('Saved');
  expect(side.seen.at(-1)?.headers.authorization).toBe('Bearer raw.token-1');
});

it.each(['', '<html>Sign in</html>', 'two words', 'token\r\nX-Evil: 1'])(
  'does not take the login reply %j for a token, and does not repeat it',
  async (reply) => {
    const { api, called } = await start(() => json('Saved'), { login: () => ({ body: reply }) });
    const failure = await api.login().catch(String);
    expect(failure).toContain(`${reply.length} bytes that are no token. Check HOTDOCS_API_AUTH_URL`);
    expect(called()).toEqual([]);
  },
);

it.each([400, 401])(
  'says what to check when the login is answered %i, and tries no second one',
  async (status) => {
    const { api, logins, called } = await start(() => json('Saved'), { login: () => ({ status }) });
    const failure = await api.versionStatus(ids).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'CallFailed', code: 'status', status });
    expect(String(failure)).toContain('HOTDOCS_API_CLIENT_NAME');
    expect(String(failure)).not.toContain(PASSWORD);
    expect([logins(), called()]).toEqual([1, []]);
  },
);

it('makes one login for 20 calls at the same time, and keeps the token for those to come', async () => {
  const { api, logins, called } = await start(() => json('Saved'));
  await Promise.all(Array.from({ length: 20 }, () => api.versionStatus(ids)));
  await api.login();
  expect([logins(), called().length]).toEqual([1, 20]);
});

it('renews an expired token once for 20 calls at the same time, and repeats each of them once', async () => {
  const { api, logins, called } = await start((_seen, token) =>
    token === 'Bearer token-1' ? { status: 401 } : json('Saved'),
  );
  const statuses = await Promise.all(Array.from({ length: 20 }, () => api.versionStatus(ids)));
  expect(new Set(statuses)).toEqual(new Set(['Saved']));
  expect([logins(), called().length]).toEqual([2, 40]);
});

it('gives up when a fresh token is answered 401, too', async () => {
  const { api, logins, called } = await start(() => ({ status: 401 }));
  await expect(api.versionStatus(ids)).rejects.toMatchObject({ status: 401 });
  expect([logins(), called().length]).toEqual([2, 2]);
});

it('logs in again after a login that failed', async () => {
  const { api, logins } = await start(() => json('Saved'), {
    login: (count) => (count === 1 ? { status: 401 } : { body: 'token-2' }),
  });
  await expect(api.versionStatus(ids)).rejects.toMatchObject({ status: 401 });
  expect(await api.versionStatus(ids)).toBe('Saved');
  expect(logins()).toBe(2);
});

it.each([400, 403, 404, 409, 415])('hands on status %i at once', async (status) => {
  const { api, called, time } = await start(() => ({ status }));
  await expect(api.uploadDocument({ ...upload, body })).rejects.toMatchObject({ code: 'status', status });
  expect([called().length, time.waits]).toEqual([1, []]);
});

it.each([
  ['a 500', { status: 500 }],
  ['a 503', { status: 503 }],
  ['a connection that is cut', undefined],
])('tries again after %s, later each time, and then hands it on', async (_what, answer) => {
  const { api, called, time } = await start(() => answer);
  await expect(api.versionStatus(ids)).rejects.toThrow('WorkItems/w-1/Versions/v-1/Status');
  expect(called()).toHaveLength(4);
  expect(time.waits).toEqual([375, 750, 1500]); // three quarters of 500, 1000, 2000: the jitter's middle
});

it('tries again when a call takes too long', async () => {
  let asked = 0;
  const { api, time } = await start(
    async () => {
      asked += 1;
      return asked === 1 ? new Promise<Answer>(() => undefined) : json('Saved');
    },
    { env: { HOTDOCS_API_TIMEOUT_MS: '150' } },
  );
  expect(await api.versionStatus(ids)).toBe('Saved');
  expect(time.waits).toEqual([375]);
});

it('waits as long as a 429 asks', async () => {
  let asked = 0;
  const { api, time } = await start(() => {
    asked += 1;
    return asked === 1 ? { status: 429, headers: { 'Retry-After': '7' } } : json('Saved');
  });
  expect(await api.versionStatus(ids)).toBe('Saved');
  expect(time.waits).toEqual([7000]);
});

it('stops waiting when its signal aborts', async () => {
  const controller = new AbortController();
  const { api, called } = await start(() => {
    controller.abort(new Error('the handler is late'));
    return { status: 503 };
  });
  await expect(api.versionStatus(ids, controller.signal)).rejects.toThrow('the handler is late');
  expect(called()).toHaveLength(1);
});

it('uploads the bytes with their type, and names, order and place in the address', async () => {
  const { api, side } = await start(() => ({ status: 204 }));
  await api.uploadDocument({
    ...upload,
    fileName: 'Mietvertrag & Co.pdf',
    name: 'Lease +1',
    assembledOrder: 0,
    body,
  });
  expect(side.seen.at(-1)).toMatchObject({
    method: 'PUT',
    target:
      '/api/rest/v2.0/WorkItems/w-1/Versions/v-1/Documents/d-1/Content' +
      '?filename=Mietvertrag%20%26%20Co.pdf&name=Lease%20%2B1&assembledorder=0',
    headers: { 'content-type': 'application/pdf', authorization: 'Bearer token-1' },
    body: body.toString(),
  });
});

it('leaves out what an upload does not say', async () => {
  const { api, called } = await start(() => ({ status: 201 }));
  await api.uploadDocument({ ...upload, body });
  expect(called()).toEqual([
    'PUT /api/rest/v2.0/WorkItems/w-1/Versions/v-1/Documents/d-1/Content?filename=Lease.pdf',
  ]);
});

it.each(['..', '.', '', 'a/b', 'a%2fb', 'a\\b', 'a?b', 'a#b', 'a b', 'a;b', 'x'.repeat(129), 'å'])(
  'refuses the id %j, which could change the path',
  async (workItemId) => {
    const { api, side } = await start(() => json('Saved'));
    await expect(api.versionStatus({ ...ids, workItemId })).rejects.toMatchObject({
      name: 'CallRefused',
      code: 'url_invalid',
    });
    expect(side.seen).toEqual([]);
  },
);

it('sets the status of post-processing as far as it is known how', async () => {
  const { api, side } = await start(() => ({}));
  await api.setPostProcessingStatus({ ...ids, status: 'Complete' });
  expect(side.seen.at(-1)).toMatchObject({
    method: 'PUT',
    target: '/api/rest/v2.0/WorkItems/w-1/Versions/v-1/PostProcessingStatus',
    headers: { 'content-type': 'application/json' },
    body: '{"status":"Complete"}',
  });
});

it('sets the status by another verb, path and body where the operator says so', async () => {
  const { api, side } = await start(() => ({}), {
    env: {
      HOTDOCS_API_FINISH_METHOD: 'POST',
      HOTDOCS_API_FINISH_PATH: '/WorkItems/{workItemId}/Versions/active/Status?status={status}',
      HOTDOCS_API_FINISH_BODY: 'none',
    },
  });
  await api.setPostProcessingStatus({ ...ids, status: 'Failed' });
  expect(side.seen.at(-1)).toMatchObject({
    method: 'POST',
    target: '/api/rest/v2.0/WorkItems/w-1/Versions/active/Status?status=Failed',
    body: '',
  });
});

it.each([
  ['Completed', 'Completed'],
  ['"Completed"', 'Completed'],
  ['{"Status":"PostProcessingFailed","at":1}', 'PostProcessingFailed'],
])('reads the status of a version from %j', async (written, status) => {
  const { api } = await start(() => ({ body: written }));
  expect(await api.versionStatus(ids)).toBe(status);
});

it.each(['', '<html></html>', '{}', '[]', '{"status":7}'])('finds no status in %j', async (written) => {
  const { api } = await start(() => ({ body: written }));
  await expect(api.versionStatus(ids)).rejects.toThrow('no status');
});

it('stores a document from the API under its hash', async () => {
  const directory = newFolder();
  const { api, side } = await start(() => ({ body }));
  const url = new URL(`${side.origin}/api/rest/v1.1/workitems/w-1/documents/d-1/content`);
  const downloaded = await api.documentContent(url, directory);
  expect(downloaded).toMatchObject({ bytes: body.length, sha256: hash('sha256', body) });
  expect(await readFile(downloaded.file)).toEqual(body);
  expect(side.seen.at(-1)?.headers.authorization).toBe('Bearer token-1');
});

it('renews its token for a document, too', async () => {
  const directory = newFolder();
  const { api, side, logins } = await start((_seen, token) =>
    token === 'Bearer token-1' ? { status: 401 } : { body },
  );
  await api.documentContent(new URL('/documents/d-1', side.origin), directory);
  expect([logins(), await readdir(directory)]).toEqual([2, [hash('sha256', body)]]);
});

it('fetches a document from a listed host without the token', async () => {
  const directory = newFolder();
  const store = await startApi(() => ({ body }));
  later(store.stop);
  const { api, logins } = await start(() => ({ body }), { env: { HOTDOCS_DOCUMENT_HOSTS: store.origin } });
  await api.documentContent(new URL('/d-1', store.origin), directory);
  expect(store.seen[0]?.headers).not.toHaveProperty('authorization');
  expect(logins()).toBe(0);
});

it('shows its token to another name of the same API', async () => {
  const directory = newFolder();
  const alias = await startApi(() => ({ body }));
  later(alias.stop);
  const { api } = await start(() => ({ body }), { env: { HOTDOCS_API_ALIASES: alias.origin } });
  await api.documentContent(new URL('/d-1', alias.origin), directory);
  expect(alias.seen[0]?.headers.authorization).toBe('Bearer token-1');
});

it('asks no other host for a document', async () => {
  const directory = newFolder();
  const stranger = await startApi(() => ({ body }));
  later(stranger.stop);
  const { api, side } = await start(() => ({ body }));
  await expect(api.documentContent(new URL('/d-1', stranger.origin), directory)).rejects.toMatchObject({
    name: 'CallRefused',
  });
  expect([stranger.seen, side.seen, await readdir(directory)]).toEqual([[], [], []]);
});

it('asks no document of the host where it logs in, if that is another one', async () => {
  const auth = await startApi(() => ({ body: 'token' }));
  later(auth.stop);
  const { api } = await start(() => ({ body }), { env: { HOTDOCS_API_AUTH_URL: `${auth.origin}/auth` } });
  await api.login();
  expect(auth.calls()).toEqual(['POST /auth/Authorize/ServicePrincipalLogIn']);
  const document = api.documentContent(new URL('/d-1', auth.origin), newFolder());
  await expect(document).rejects.toMatchObject({ name: 'CallRefused' });
});

it('leaves nothing of a document that is larger than it may be', async () => {
  const directory = newFolder();
  const { api, side } = await start(() => ({ body: Buffer.alloc(2000) }), {
    env: { HOTDOCS_API_MAX_FILE_BYTES: '1024' },
  });
  const document = api.documentContent(new URL('/d-1', side.origin), directory);
  await expect(document).rejects.toMatchObject({ code: 'too_large' });
  expect([await readdir(directory), withoutLogins(side.calls()).length]).toEqual([[], 1]);
});

it('follows a redirect to a listed host, where it does not carry its token', async () => {
  const elsewhere = await startApi(() => ({ body }));
  later(elsewhere.stop);
  const { api, side } = await start(
    () => ({ status: 302, headers: { Location: `${elsewhere.origin}/d-1?sig=1` } }),
    { env: { HOTDOCS_DOCUMENT_HOSTS: elsewhere.origin } },
  );
  const { bytes } = await api.documentContent(new URL('/d-1', side.origin), newFolder());
  expect([bytes, elsewhere.calls()]).toEqual([body.length, ['GET /d-1?sig=1']]);
  expect(elsewhere.seen[0]?.headers).not.toHaveProperty('authorization');
});

it('carries its token to another name of the same API', async () => {
  const alias = await startApi(() => ({ body }));
  later(alias.stop);
  const { api, side } = await start(() => ({ status: 307, headers: { Location: `${alias.origin}/d-1` } }), {
    env: { HOTDOCS_API_ALIASES: alias.origin },
  });
  await api.documentContent(new URL('/d-1', side.origin), newFolder());
  expect(alias.seen[0]?.headers.authorization).toBe('Bearer token-1');
});

it('says which setting lets a document come from where a redirect leads', async () => {
  const elsewhere = await startApi(() => ({ body }));
  later(elsewhere.stop);
  const { api, side } = await start(() => ({
    status: 302,
    headers: { Location: `${elsewhere.origin}/?sig=hush` },
  }));
  const failure = await api
    .documentContent(new URL('/d-1', side.origin), newFolder())
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'CallRefused', code: 'redirect_refused' });
  expect(String(failure)).toContain('list it in HOTDOCS_DOCUMENT_HOSTS');
  expect(String(failure)).not.toContain('hush');
  expect(elsewhere.seen).toEqual([]);
});

it('takes for a document only what its event announces', async () => {
  const { api, side } = await start(() => ({ headers: { 'Content-Type': 'application/pdf' }, body }));
  const url = new URL('/d-1', side.origin);
  const lease = (fileName: string) => api.documentContent(url, newFolder(), undefined, { fileName });
  expect(await lease('Lease.pdf')).toMatchObject({ bytes: body.length });
  await expect(lease('Lease.docx')).rejects.toMatchObject({ code: 'content' });
});

it.each([
  ['a byte order mark', Buffer.from('\ufefftoken-7')],
  ['UTF-16', Buffer.from('\ufefftoken-7', 'utf16le')],
])('takes the token out of a login reply with %s', async (_what, reply) => {
  const { api, side } = await start(() => json('Saved'), { login: () => ({ body: reply }) });
  await api.versionStatus(ids);
  expect(side.seen.at(-1)?.headers.authorization).toBe('Bearer token-7');
});
