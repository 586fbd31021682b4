import { hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import { apiSettings, readConfig } from '../../../src/kit/program/config.ts';
import { createPhenixidApi, type PhenixidApi } from '../../../src/kit/sources/phenixid/api/api.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { hasEnded } from '../../../src/kit/sources/phenixid/api/task.ts';
import { startOtherSide } from '../outgoing/other-side.ts';
import { json, manualTime, startApi, type Answer, type Seen } from './api-side.ts';
import { makeCertificates, requireOpenssl } from '../../support/certificates.ts';
import { later, newFolder } from '../../support/fixtures.ts';
import { secretsFor } from '../../support/receiver.ts';

type Env = Readonly<Record<string, string>>;
const TASK = '5d0a7f1e-3c42-4b8e-9a57-2f6c1b90d413';
const v1 = { PHENIXID_API_VERSION: 'v1' };
const pdf = Buffer.from('%PDF-1.7 signed by all\n%%EOF\n');

function settingsWith(env: Env) {
  return apiSettings(readConfig({ ...secretsFor([phenixid]), ...env }, { sources: [phenixid] }), phenixid);
}

async function start(
  answer: (seen: Seen) => Answer | undefined | Promise<Answer | undefined>,
  env: Env = {},
) {
  const side = await startApi(answer);
  later(side.stop);
  const time = manualTime();
  const api = createPhenixidApi(settingsWith({ PHENIXID_API_URL: side.origin, ...env }), time);
  return { api: opened(api), side, time };
}

function opened(api: PhenixidApi | undefined): PhenixidApi {
  if (api === undefined) throw new Error('not configured');
  later(() => api.close());
  return api;
}

it('does not exist where nothing is configured', () =>
  expect(createPhenixidApi(settingsWith({}))).toBeUndefined());

it('fetches a task by v2', async () => {
  const raw = {
    id: TASK,
    title: 'Rental agreement',
    state: 'PENDING',
    files: ['f-1', { id: 'f-2' }],
    tags: [],
  };
  const { api, side } = await start(() => json(raw));
  expect(await api.fetchTask(TASK)).toEqual({ id: TASK, state: 'PENDING', fileIds: ['f-1', 'f-2'], raw });
  expect(side.calls()).toEqual([`GET /api/v2/tasks/${TASK}`]);
});

it.each(['id', 'taskId', 'orderId'])('knows a task by its %s', async (member) => {
  const { api } = await start(() => json({ [member]: TASK.toUpperCase(), state: 'PENDING' }));
  expect(await api.fetchTask(TASK)).toMatchObject({ id: TASK, fileIds: [] });
});

it.each([
  [{ id: 7, state: 'PENDING' }, '7'],
  [{ id: 7, taskId: TASK, state: 'PENDING' }, TASK],
])('knows a task by an id that is a number: %j', async (raw, id) => {
  const { api } = await start(() => json(raw));
  expect(await api.fetchTask(id)).toMatchObject({ id, state: 'PENDING' });
});

it('refuses the answer about another task', async () => {
  const { api } = await start(() => json({ id: 'another', state: 'ACCEPTED' }));
  await expect(api.fetchTask(TASK)).rejects.toThrow('another task');
});

it.each(['state', 'status', 'orderState', 'orderStatus', 'taskState'])(
  'finds the state in %s',
  async (member) => {
    const { api } = await start(() => json({ [member]: 'ACCEPTED' }));
    expect(await api.fetchTask(TASK)).toMatchObject({ state: 'ACCEPTED' });
  },
);

it.each([
  ['accepted', 'ACCEPTED', true],
  ['ORDER_ACCEPTED', 'ACCEPTED', true],
  ['OrderRejected', 'REJECTED', true],
  ['CANCELLED', 'CANCELED', true],
  ['order_cancelled', 'CANCELED', true],
  ['Expired', 'EXPIRED', true],
  ['IN_PROGRESS', 'INPROGRESS', false],
  ['PENDING', 'PENDING', false],
])('reads the state %s as %s', async (written, state, ended) => {
  const { api } = await start(() => json({ state: written }));
  const task = await api.fetchTask(TASK);
  expect(task).toMatchObject({ state });
  expect(task !== 'gone' && hasEnded(task)).toBe(ended);
});

it.each(['{}', '{"state":7}', 'not JSON', '[]', '<html>Log in</html>', ''])(
  'does not take %j for a task',
  async (body) => {
    const { api } = await start(() => ({ body }));
    const failure = await api.fetchTask(TASK).catch(String);
    expect(failure).toMatch(
      /^(Error|ReplyUnexpected): The (task is not as expected|API answered a task without a state)/,
    );
    expect(failure).not.toContain('Log in');
  },
);

it.each([
  ['ACCEPTED', 'ACCEPTED'],
  [' accepted\n', 'ACCEPTED'],
  ['"ACCEPTED"', 'ACCEPTED'],
  ['{"status":"ORDER_CANCELLED"}', 'CANCELED'],
  ['{"orderStatus":"PENDING","at":1}', 'PENDING'],
])('fetches the status %j of an order by v1', async (body, state) => {
  const { api, side } = await start(() => ({ body }), v1);
  expect(await api.fetchTask(TASK)).toEqual({ id: TASK, state, fileIds: ['document'], raw: body });
  expect(side.calls()).toEqual([`GET /api/document_signing/orders/${TASK}/status`]);
});

it.each(['', '<html></html>', '{}', '[]'])('finds no status in %j', async (body) => {
  const { api } = await start(() => ({ body }), v1);
  await expect(api.fetchTask(TASK)).rejects.toThrow('without a state');
});

it.each([400, 404])('takes a task for gone after %i and three more tries', async (status) => {
  const { api, side, time } = await start(() => ({ status }));
  expect(await api.fetchTask(TASK)).toBe('gone');
  expect([side.seen.length, time.waits]).toEqual([4, [1000, 5000, 30_000]]);
});

it('finds a task that is there a moment after its event', async () => {
  let asked = 0;
  const { api, time } = await start(() => {
    asked += 1;
    return asked < 3 ? { status: 404 } : json({ state: 'PENDING' });
  });
  expect(await api.fetchTask(TASK)).toMatchObject({ state: 'PENDING' });
  expect(time.waits).toEqual([1000, 5000]);
});

it('waits for an unknown task as long as the operator says', async () => {
  const { api, side, time } = await start(() => ({ status: 404 }), {
    PHENIXID_API_UNKNOWN_DELAYS_MS: '5, 7',
  });
  expect(await api.fetchTask(TASK)).toBe('gone');
  expect([side.seen.length, time.waits]).toEqual([3, [5, 7]]);
});

it.each([401, 403])('hands on status %i of the proxy at once: the task may well be there', async (status) => {
  const { api, side } = await start(() => ({ status }));
  await expect(api.fetchTask(TASK)).rejects.toMatchObject({ code: 'status', status });
  expect(side.seen).toHaveLength(1);
});

it.each([
  ['a 500', { status: 500 }],
  ['a 504', { status: 504 }],
  ['a connection that is cut', undefined],
])('tries again after %s, and then hands it on', async (_what, answer) => {
  const { api, side, time } = await start(() => answer);
  await expect(api.fetchTask(TASK)).rejects.toMatchObject({ name: 'CallFailed' });
  expect([side.seen.length, time.waits]).toEqual([4, [375, 750, 1500]]);
});

it('tries again when a task takes too long', async () => {
  let asked = 0;
  const { api } = await start(
    async () => {
      asked += 1;
      return asked === 1 ? new Promise<Answer>(() => undefined) : json({ state: 'PENDING' });
    },
    { PHENIXID_API_TIMEOUT_MS: '150' },
  );
  expect(await api.fetchTask(TASK)).toMatchObject({ state: 'PENDING' });
});

it('waits as long as a 429 asks', async () => {
  let asked = 0;
  const { api, time } = await start(() => {
    asked += 1;
    return asked === 1 ? { status: 429, headers: { 'Retry-After': '3' } } : json({ state: 'PENDING' });
  });
  await api.fetchTask(TASK);
  expect(time.waits).toEqual([3000]);
});

it('starts no more than five calls within a second', async () => {
  const { api, side, time } = await start(() => json({ state: 'PENDING' }));
  for (let count = 0; count < 11; count += 1) await api.fetchTask(TASK);
  expect([side.seen.length, time.waits]).toEqual([11, [1000, 1000]]);
});

it.each(['..', '.', '', 'a/b', 'a%2Fb', 'a?b', '../files/f-1', 'å'])(
  'refuses the task id %j, which could change the path',
  async (id) => {
    const { api, side } = await start(() => json({ state: 'PENDING' }));
    await expect(api.fetchTask(id)).rejects.toMatchObject({ name: 'CallRefused', code: 'url_invalid' });
    expect(side.seen).toEqual([]);
  },
);

it.each([
  ['texts', ['f-1', 'f-2']],
  ['objects', [{ id: 'f-1', fileName: '../../x.pdf' }, { fileId: 'f-2' }]],
  ['texts in a member', { files: ['f-1', 'f-2'] }],
  ['objects in a member', { fileIds: [{ id: 'f-1' }, 'f-2'] }],
])('lists file ids that come as %s', async (_what, list) => {
  const { api, side } = await start(() => json(list));
  expect(await api.fileIds(TASK)).toEqual(['f-1', 'f-2']);
  expect(side.calls()).toEqual([`GET /api/v2/tasks/${TASK}/files`]);
});

it('lists file ids that are numbers', async () => {
  const { api } = await start(() => json([7, { id: 8 }, { fileId: '9' }]));
  expect(await api.fileIds(TASK)).toEqual(['7', '8', '9']);
});

it.each([[[2 ** 60]], [[7.5]], [[{ name: 'x' }]], ['f-1'], [{ status: 'generating' }]])(
  'does not take %j for a list of files',
  async (list) => {
    const { api } = await start(() => json(list));
    await expect(api.fileIds(TASK)).rejects.toThrow();
  },
);

it('knows without asking that an order of v1 has one document', async () => {
  const { api, side } = await start(() => ({}), v1);
  expect([await api.fileIds(TASK), side.seen]).toEqual([['document'], []]);
});

it.each([
  ['v2', {}, '/api/v2/files/f-1'],
  [
    'v2 at another path',
    { PHENIXID_API_FILE_PATH: '/api/v2/tasks/{taskId}/files/{fileId}' },
    `/api/v2/tasks/${TASK}/files/f-1`,
  ],
  ['v1', v1, `/api/document_signing/orders/${TASK}/document`],
])('stores a signed file by %s, whatever its content type', async (_what, env, path) => {
  const directory = newFolder();
  const { api, side } = await start(() => ({ headers: { 'Content-Type': 'text/html' }, body: pdf }), env);
  const { file, sha256, bytes } = await api.downloadFile(TASK, 'f-1', directory);
  expect([sha256, bytes, side.calls()]).toEqual([hash('sha256', pdf), pdf.length, [`GET ${path}`]]);
  expect(await readFile(file)).toEqual(pdf);
  expect(await readdir(directory)).toEqual([sha256]);
});

it('puts paths below a base that has a path itself', async () => {
  const { api, side } = await start(() => json({ state: 'PENDING' }));
  const behind = opened(
    createPhenixidApi(settingsWith({ PHENIXID_API_URL: `${side.origin}/swf/` }), manualTime()),
  );
  await behind.fetchTask('t-1');
  await api.fetchTask('t-2');
  expect(side.calls()).toEqual(['GET /swf/api/v2/tasks/t-1', 'GET /api/v2/tasks/t-2']);
});

it.each(['../tasks', 'f/1', 'f%2e', '..'])(
  'refuses the file id %j, which could change the path',
  async (id) => {
    const directory = newFolder();
    const { api, side } = await start(() => ({ body: pdf }));
    await expect(api.downloadFile(TASK, id, directory)).rejects.toMatchObject({ code: 'url_invalid' });
    expect([side.seen, await readdir(directory)]).toEqual([[], []]);
  },
);

it.each(['<html>Log in</html>', '', '%PD', `${' '.repeat(1020)}%PDF-1.7 %%EOF`])(
  'keeps nothing of %j, which is no PDF',
  async (body) => {
    const directory = newFolder();
    const { api } = await start(() => ({ headers: { 'Content-Type': 'application/pdf' }, body }));
    await expect(api.downloadFile(TASK, 'f-1', directory)).rejects.toThrow(
      `${body.length} bytes that are no PDF`,
    );
    expect(await readdir(directory)).toEqual([]);
  },
);

it('keeps nothing of a file that is larger than it may be', async () => {
  const directory = newFolder();
  const large = Buffer.concat([pdf, Buffer.alloc(2000)]);
  const { api } = await start(() => ({ body: large }), { PHENIXID_API_MAX_FILE_BYTES: '1024' });
  await expect(api.downloadFile(TASK, 'f-1', directory)).rejects.toMatchObject({ code: 'too_large' });
  expect(await readdir(directory)).toEqual([]);
});

it('shows the proxy its headers on every call', async () => {
  const { api, side } = await start(
    ({ target }) => (target.includes('/files/') ? { body: pdf } : json({ state: 'X' })),
    {
      PHENIXID_API_HEADERS: '{"X-Api-Key":"key of the proxy","X-Tenant":"north"}',
    },
  );
  await api.fetchTask(TASK);
  await api.downloadFile(TASK, 'f-1', newFolder());
  for (const { headers } of side.seen) {
    expect(headers).toMatchObject({ 'x-api-key': 'key of the proxy', 'x-tenant': 'north' });
  }
});

const itWithOpenssl = requireOpenssl('client certificates of API calls') ? it : it.skip;

itWithOpenssl(
  'shows its client certificate to a proxy that demands one, and says what to check without it',
  async () => {
    const certificates = await makeCertificates();
    later(() => certificates.remove());
    const { authority, server, client } = certificates;
    const demanding = { ...server, ca: authority.cert, requestCert: true };
    const proxy = await startOtherSide((_, response) => response.end('{"state":"PENDING"}'), demanding);
    later(proxy.stop);
    const api = (env: Env) =>
      opened(createPhenixidApi(settingsWith({ PHENIXID_API_URL: proxy.origin, ...env }), manualTime()));
    const trusting = { PHENIXID_API_CA_FILE: authority.certFile };
    const shown = { PHENIXID_API_CERT_FILE: client.certFile, PHENIXID_API_KEY_FILE: client.keyFile };
    expect(await api({ ...trusting, ...shown }).fetchTask(TASK)).toMatchObject({ state: 'PENDING' });
    await expect(api(trusting).fetchTask(TASK)).rejects.toThrow('client certificate');
    await expect(api(shown).fetchTask(TASK)).rejects.toMatchObject({ code: 'tls' });
    expect(proxy.requests).toHaveLength(1);
  },
);

it('stops waiting for its turn when its signal aborts', async () => {
  const { api, side } = await start(() => json({ state: 'PENDING' }));
  await expect(api.fetchTask(TASK, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  expect(side.seen).toEqual([]);
});
