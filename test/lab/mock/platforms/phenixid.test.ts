import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { createPdf } from '../../../../src/lab/mock/platforms/documents.ts';
import { createFire } from '../../../../src/lab/mock/platforms/firing.ts';
import type { phenixidSeed } from '../../../../src/lab/mock/platforms/phenixid/seed.ts';
import {
  createPhenixidPlatform,
  type PhenixidPlatform,
} from '../../../../src/lab/mock/platforms/phenixid/platform.ts';
import { listenerOf } from '../../../../src/lab/mock/platforms/serve.ts';
import { createRandom } from '../../../../src/lab/mock/random.ts';
import type { Switches } from '../../../../src/kit/source.ts';
import { phenixid } from '../../../../src/kit/sources/phenixid/index.ts';
import { startOtherSide } from '../../../kit/outgoing/other-side.ts';
import { startApi, type Seen } from '../../../kit/sources/api-side.ts';
import { makeCertificates, requireOpenssl, type Certificates } from '../../../support/certificates.ts';
import { later, newFolder } from '../../../support/fixtures.ts';

const SECRET = 'swf-demo-secret-2031';
const TASK = '5d0a7f1e-3c42-4b8e-9a57-2f6c1b90d413';
const PDF = createPdf(['Rental agreement']);
const [FIRST, SECOND] = ['k.ek', '000000000000'] as const;

interface Given {
  readonly switches?: Switches;
  /** Instead of the usual keys of the section. */
  readonly webHook?: Readonly<Record<string, unknown>>;
  readonly seed?: z.input<typeof phenixidSeed>;
}

interface Stage {
  readonly platform: PhenixidPlatform;
  readonly clock: { ms: number };
  readonly arrived: readonly Seen[];
  /** Types of the events that have arrived, all pushes being over. */
  readonly events: () => Promise<string[]>;
  readonly call: (method: string, path: string, body?: unknown) => Promise<Called>;
}

interface Called {
  readonly status: number;
  readonly type: string | null;
  readonly bytes: Buffer;
  readonly json: () => Readonly<Record<string, unknown>>;
}

async function setUp({ switches = {}, webHook, seed = {} }: Given = {}): Promise<Stage> {
  const receiver = await startApi(() => ({ body: '{"ok":true}' }));
  later(() => receiver.stop());
  const clock = { ms: Date.UTC(2031, 1, 3, 9) };
  const random = createRandom(3);
  const now = () => new Date(clock.ms);
  const endpoint = `${receiver.origin}/automation`;
  const platform = createPhenixidPlatform({
    fire: createFire(phenixid, random, now),
    random,
    now,
    config: { webHook: { enabled: true, endpoint, secret: SECRET, ...webHook } },
    switches,
    seed,
  });
  const api = await startOtherSide(listenerOf(platform));
  later(() => api.stop());
  return {
    platform,
    clock,
    arrived: receiver.seen,
    async events() {
      await platform.settled();
      return receiver.seen.map(({ body }) => (JSON.parse(body) as { eventType: string }).eventType);
    },
    call: (method, path, body) => call(method, `${api.origin}/${path}`, body),
  };
}

async function call(method: string, url: string, body?: unknown): Promise<Called> {
  const raw = body instanceof FormData || typeof body === 'string' || body instanceof Uint8Array;
  const sent = body === undefined ? {} : { body: raw ? (body as FormData) : JSON.stringify(body) };
  const response = await fetch(url, { method, ...sent });
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    bytes,
    // A test reads of it what it is about.
    json: () => JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>,
  };
}

function form(fields: readonly (readonly [string, string | Uint8Array])[]): FormData {
  const data = new FormData();
  for (const [name, value] of fields) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, new Blob([new Uint8Array(value)]), 'agreement.pdf');
  }
  return data;
}

async function upload({ call: request }: Stage, pdf = PDF): Promise<string> {
  return String((await request('POST', 'api/v2/files', pdf)).json()['id']);
}

function taskBody(files: readonly string[], more: object = {}): object {
  return {
    title: 'Rental agreement',
    signers: [{ identifier: FIRST }, { identifier: SECOND }],
    files,
    ...more,
  };
}

const orderFields = [
  ['title', 'Rental agreement'],
  ['description', 'Two parties'],
  ['dueDate', '2031-03-18T16:00:00'],
  ['upload', PDF],
  ['solicitor', '{"source":"INTERNAL","identifier":"b.holm","attributes":{}}'],
  ['signers', `{"source":"INTERNAL","identifier":"${FIRST}","attributes":{}}`],
  [
    'signers',
    `{"source":"EXTERNAL","identifier":"${SECOND}","attributes":{"mail":{"value":"p@example.net"}}}`,
  ],
] as const;

describe('API v2', () => {
  it('takes a file and makes a task of it, and OrderCreated is pushed', async () => {
    const stage = await setUp();
    const file = await upload(stage);
    const created = await stage.call('POST', 'api/v2/tasks', taskBody([file]));
    expect(created.status).toBe(200);
    expect(created.json()).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      title: 'Rental agreement',
      description: '',
      state: 'PENDING',
      solicitor: { source: 'INTERNAL', identifier: 'b.holm', attributes: {} },
      signers: [
        { source: 'INTERNAL', identifier: FIRST, attributes: {}, state: 'PENDING' },
        { source: 'INTERNAL', identifier: SECOND, attributes: {}, state: 'PENDING' },
      ],
      files: [file],
      tags: [],
    });
    const id = String(created.json()['id']);
    expect((await stage.call('GET', `api/v2/tasks/${id}`)).json()).toEqual(created.json());
    expect((await stage.call('GET', `api/v2/tasks/${id}/files`)).json()).toEqual([file]);
    expect(await stage.events()).toEqual(['OrderCreated']);
    const [{ target, headers, body } = {}] = stage.arrived;
    expect(target).toBe('/automation');
    expect(body).toBe(`{"orderId":"${id}","eventType":"OrderCreated","taskId":"${id}"}`);
    const signature = createHmac('sha256', SECRET).update(String(body)).digest('hex');
    expect(headers?.['x-signature']).toBe(signature);
  });

  it('takes a file from a form, too', async () => {
    const { call: request } = await setUp();
    const { status, json } = await request('POST', 'api/v2/files', form([['file', PDF]]));
    expect([status, json()]).toEqual([
      200,
      { id: expect.any(String), fileName: 'agreement.pdf', valid: true },
    ]);
  });

  it.each([
    ['is no PDF', Buffer.from('PK')],
    ['is empty', Buffer.alloc(0)],
    ['is not in the form', form([['file', 'text']])],
  ])('answers 400 to a file that %s', async (_, body) => {
    const { call: request } = await setUp();
    const { status, json } = await request('POST', 'api/v2/files', body);
    expect([status, json()]).toEqual([400, { message: expect.any(String) }]);
  });

  it.each([
    ['no JSON', () => '{"title":'],
    ['no title', (file: string) => taskBody([file], { title: undefined })],
    ['no signers', (file: string) => taskBody([file], { signers: [] })],
    [
      'the same signer twice',
      (file: string) => taskBody([file], { signers: [{ identifier: FIRST }, { identifier: FIRST }] }),
    ],
    [
      'a signer of an unknown source',
      (file: string) => taskBody([file], { signers: [{ source: 'X', identifier: FIRST }] }),
    ],
    ['a due date with a zone', (file: string) => taskBody([file], { dueDate: '2031-03-18T16:00:00Z' })],
    ['no files', () => taskBody([])],
    ['an unknown file', () => taskBody(['c4e1a8de-77b5-4f0e-8a0b-3d2f6f1b5a90'])],
  ])('answers 400 to a task with %s, and tells nobody', async (_, body) => {
    const stage = await setUp();
    const { status, json } = await stage.call('POST', 'api/v2/tasks', body(await upload(stage)));
    expect([status, json()]).toEqual([400, { message: expect.any(String) }]);
    expect(await stage.events()).toEqual([]);
    expect(stage.platform.tasks()).toEqual([]);
  });

  it('lets no two tasks have the same file', async () => {
    const stage = await setUp();
    const file = await upload(stage);
    expect((await stage.call('POST', 'api/v2/tasks', taskBody([file]))).status).toBe(200);
    expect((await stage.call('POST', 'api/v2/tasks', taskBody([file]))).status).toBe(400);
  });

  it('pushes one event for each part that an update changes', async () => {
    const stage = await setUp({ seed: { tasks: [{ id: TASK }] } });
    const file = await upload(stage);
    const task = (await stage.call('GET', `api/v2/tasks/${TASK}`)).json();
    const put = (changes: object) => stage.call('PUT', `api/v2/tasks/${TASK}`, { ...task, ...changes });
    expect((await put({ title: 'Another title', tags: ['a'] })).json()).toMatchObject({
      title: 'Another title',
    });
    expect(await stage.events()).toEqual([]);
    await put({ dueDate: '2031-03-18T16:00:00' });
    expect(await stage.events()).toEqual(['OrderDueDateUpdated']);
    await put({
      dueDate: '2031-03-19T16:00:00',
      description: 'other words',
      signers: [{ identifier: SECOND }],
      files: [file],
    });
    expect(new Set((await stage.events()).slice(1))).toEqual(
      new Set([
        'OrderDocumentUpdated',
        'OrderDueDateUpdated',
        'OrderSignersUpdated',
        'OrderDescriptionUpdated',
      ]),
    );
    expect(stage.arrived).toHaveLength(5);
  });

  it.each(['ACCEPTED', 'REJECTED', 'CANCELED'] as const)(
    'answers 400 to an update of a task that is %s',
    async (state) => {
      const stage = await setUp({ seed: { tasks: [{ id: TASK, state }] } });
      expect((await stage.call('PUT', `api/v2/tasks/${TASK}`, { description: 'x' })).status).toBe(400);
      expect(await stage.events()).toEqual([]);
    },
  );

  it('deletes a task with its files and tells nobody', async () => {
    const stage = await setUp({ seed: { tasks: [{ id: TASK }] } });
    const [file = ''] = stage.platform.task(TASK).files;
    const deleted = await stage.call('DELETE', `api/v2/tasks/${TASK}`);
    expect([deleted.status, deleted.type, deleted.bytes.toString()]).toEqual([
      200,
      'text/plain; charset=utf-8',
      'deleted',
    ]);
    expect((await stage.call('GET', `api/v2/tasks/${TASK}`)).status).toBe(400);
    expect((await stage.call('GET', `api/v2/files/${file}`)).status).toBe(400);
    expect(await stage.events()).toEqual([]);
  });

  it.each(['400', '404'])('answers %s to every unknown id, as switched', async (unknownId) => {
    const { call: request } = await setUp({ switches: { unknownId }, seed: { tasks: [{ id: TASK }] } });
    const calls = [
      ['GET', 'api/v2/tasks/x'],
      ['PUT', 'api/v2/tasks/x', {}],
      ['DELETE', 'api/v2/tasks/x'],
      ['GET', 'api/v2/tasks/x/files'],
      ['GET', 'api/v2/tasks/x/files/y'],
      ['GET', `api/v2/tasks/${TASK}/files/y`],
      ['GET', 'api/v2/files/y'],
      ['GET', 'orders/x'],
      ['GET', 'orders/x/status'],
      ['GET', 'orders/x/document'],
      ['DELETE', 'orders/x'],
      ['PUT', 'api/document_signing/orders/x', form([['title', 't']])],
    ] as const;
    for (const [method, path, body] of calls) {
      expect([path, (await request(method, path, body)).status]).toEqual([path, Number(unknownId)]);
    }
  });
});

describe('signing', () => {
  it('is accepted with the last signature, and each signature changes the file', async () => {
    const stage = await setUp();
    const { task } = await stage.platform.createTask({
      documents: [{ fileName: 'lease.pdf', lines: ['Lease'] }],
      signers: [{ identifier: FIRST }, { identifier: SECOND }],
    });
    const [file = ''] = task.files;
    const download = async () => {
      const { status, type, bytes } = await stage.call('GET', `api/v2/files/${file}`);
      expect([status, type, bytes.subarray(0, 5).toString()]).toEqual([200, 'application/pdf', '%PDF-']);
      return bytes;
    };
    const unsigned = await download();
    await stage.platform.sign(task.id, SECOND);
    const once = await download();
    expect(stage.platform.task(task.id)).toMatchObject({
      state: 'PENDING',
      signers: [{ state: 'PENDING' }, { state: 'SIGNED' }],
    });
    const { task: accepted, fired } = await stage.platform.sign(task.id);
    const twice = await download();
    expect(accepted.state).toBe('ACCEPTED');
    expect(fired.map(({ type, verdict }) => [type, verdict.ok])).toEqual([
      ['OrderSigned', true],
      ['OrderAccepted', true],
    ]);
    expect(await stage.events()).toEqual(['OrderCreated', 'OrderSigned', 'OrderSigned', 'OrderAccepted']);
    expect(once.subarray(0, unsigned.length)).toEqual(unsigned);
    expect(twice.subarray(0, once.length)).toEqual(once);
    expect([once.length > unsigned.length, twice.length > once.length]).toEqual([true, true]);
    expect(once.toString('latin1')).toContain(`% Signed by ${SECOND} at 2031-02-03T09:00:00.000Z`);
    expect((await stage.call('GET', `api/v2/tasks/${task.id}/files/${file}`)).bytes).toEqual(twice);
    expect(stage.platform.files(task.id).map(({ fileName, body }) => [fileName, body])).toEqual([
      ['lease.pdf', twice],
    ]);
  });

  it.each([
    ['reject', 'REJECTED', 'OrderRejected'],
    ['cancel', 'CANCELED', 'OrderCanceled'],
    ['expire', 'EXPIRED', 'OrderExpired'],
  ] as const)('ends when somebody makes it %s, and stays so', async (deed, state, event) => {
    const stage = await setUp({ seed: { tasks: [{ id: TASK }] } });
    expect((await stage.platform[deed](TASK)).task.state).toBe(state);
    expect(await stage.events()).toEqual([event]);
    for (const other of ['sign', 'reject', 'cancel', 'expire'] as const) {
      await expect(stage.platform[other](TASK)).rejects.toThrow(`The task is ${state}.`);
    }
    expect((await stage.call('GET', `api/v2/tasks/${TASK}`)).json()).toMatchObject({ state });
    expect(await stage.events()).toEqual([event]);
  });

  it('refuses a second signature of one signer, and that of a stranger', async () => {
    const { platform } = await setUp({ seed: { tasks: [{ id: TASK, signedBy: [FIRST] }] } });
    await expect(platform.sign(TASK, FIRST)).rejects.toThrow(`The task does not wait for ${FIRST}.`);
    await expect(platform.sign(TASK, 'stranger')).rejects.toThrow('The task does not wait for stranger.');
  });

  it('goes on after it has expired, once it is given a later due date', async () => {
    const { platform, events } = await setUp({ seed: { tasks: [{ id: TASK, state: 'EXPIRED' }] } });
    expect((await platform.updateTask(TASK, { dueDate: '2031-02-03T08:59:59' })).task.state).toBe('EXPIRED');
    expect((await platform.updateTask(TASK, { dueDate: '2031-02-03T09:00:01' })).task.state).toBe('PENDING');
    await platform.sign(TASK);
    expect(await events()).toEqual(['OrderDueDateUpdated', 'OrderDueDateUpdated', 'OrderSigned']);
  });

  it('is accepted when the last signer who has not signed is taken off', async () => {
    const { platform, events } = await setUp({ seed: { tasks: [{ id: TASK, signedBy: [FIRST] }] } });
    const { task } = await platform.updateTask(TASK, {
      signers: [{ source: 'INTERNAL', identifier: FIRST, attributes: {} }],
    });
    expect(task).toMatchObject({ state: 'ACCEPTED', signers: [{ identifier: FIRST, state: 'SIGNED' }] });
    expect(await events()).toEqual(['OrderSignersUpdated', 'OrderAccepted']);
  });
});

describe('API v1', () => {
  it.each(['api/document_signing/orders', 'orders'])(
    'plays an order from beginning to end at /%s',
    async (base) => {
      const stage = await setUp();
      const created = await stage.call('POST', base, form(orderFields));
      const id = created.bytes.toString();
      expect([created.status, id]).toEqual([200, expect.stringMatching(/^[0-9a-f-]{36}$/)]);
      expect((await stage.call('GET', `${base}/${id}`)).json()).toMatchObject({
        orderId: id,
        status: 'PENDING',
        description: 'Two parties',
        dueDate: '2031-03-18T16:00:00',
        signers: [
          { identifier: FIRST },
          { source: 'EXTERNAL', attributes: { mail: { value: 'p@example.net' } } },
        ],
      });
      const changes = form([
        ['description', 'Three parties'],
        ['upload', createPdf(['Another'])],
      ]);
      expect((await stage.call('PUT', `${base}/${id}`, changes)).json()).toMatchObject({
        description: 'Three parties',
      });
      await stage.events();
      expect((await stage.call('GET', `${base}/${id}/document`)).status).toBe(400);
      await stage.platform.sign(id);
      await stage.platform.sign(id);
      expect((await stage.call('GET', `${base}/${id}/status`)).bytes.toString()).toBe('ACCEPTED');
      const document = await stage.call('GET', `${base}/${id}/document`);
      expect([document.status, document.type]).toEqual([200, 'application/pdf']);
      expect(document.bytes.toString('latin1')).toContain('Another');
      expect((await stage.call('DELETE', `${base}/${id}`)).status).toBe(200);
      expect((await stage.call('GET', `${base}/${id}/status`)).status).toBe(400);
      expect(await stage.events()).toEqual([
        'OrderCreated',
        'OrderDocumentUpdated',
        'OrderDescriptionUpdated',
        'OrderSigned',
        'OrderSigned',
        'OrderAccepted',
      ]);
    },
  );

  it.each([
    ['word', 'text/plain; charset=utf-8', 'PENDING'],
    ['json-string', 'application/json; charset=utf-8', '"PENDING"'],
    ['object', 'application/json; charset=utf-8', '{"status":"PENDING"}'],
  ])('writes the status as %s, as switched', async (orderStatus, type, text) => {
    const { call: request } = await setUp({ switches: { orderStatus }, seed: { tasks: [{ id: TASK }] } });
    const status = await request('GET', `orders/${TASK}/status`);
    expect([status.type, status.bytes.toString()]).toEqual([type, text]);
  });

  it.each([
    ['that is none', { title: 'x' }],
    ['without a title', form(orderFields.filter(([name]) => name !== 'title'))],
    ['without a file', form(orderFields.filter(([name]) => name !== 'upload'))],
    ['without signers', form(orderFields.filter(([name]) => name !== 'signers'))],
    ['with a signer who is not JSON', form([...orderFields, ['signers', 'k.ek']])],
    ['with a file that is no PDF', form([...orderFields, ['upload', Buffer.from('PK')]])],
  ])('answers 400 to a form %s', async (_, body) => {
    const { call: request, events } = await setUp();
    const { status, json } = await request('POST', 'orders', body);
    expect([status, json()]).toEqual([400, { message: expect.any(String) }]);
    expect(await events()).toEqual([]);
  });
});

describe('switches', () => {
  it('sends each event twice, with the same bytes', async () => {
    const { platform, arrived } = await setUp({ switches: { deliveries: 'twice' } });
    await platform.createTask();
    expect(arrived).toHaveLength(2);
    expect(arrived[0]?.body).toBe(arrived[1]?.body);
    expect(arrived[0]?.headers['x-signature']).toBe(arrived[1]?.headers['x-signature']);
  });

  it('sends OrderAccepted before the last OrderSigned', async () => {
    const { platform, events } = await setUp({
      switches: { lastSignature: 'accepted-first' },
      seed: { tasks: [{ id: TASK, signedBy: [FIRST] }] },
    });
    await platform.sign(TASK);
    expect(await events()).toEqual(['OrderAccepted', 'OrderSigned']);
  });

  it('pushes before the API shows the change', async () => {
    const { platform, clock, call: request } = await setUp({ switches: { apiLagMs: '500' } });
    const { task, fired } = await platform.createTask();
    const shown = async () => {
      const { status, json } = await request('GET', `api/v2/tasks/${task.id}`);
      return status === 200 ? json()['state'] : status;
    };
    expect(fired).toHaveLength(1);
    expect(await shown()).toBe(400);
    clock.ms += 500;
    expect(await shown()).toBe('PENDING');
    await platform.cancel(task.id);
    expect([platform.task(task.id).state, await shown()]).toEqual(['CANCELED', 'PENDING']);
    clock.ms += 500;
    expect(await shown()).toBe('CANCELED');
  });

  it('makes the API slow', async () => {
    const { platform, call: request } = await setUp({ seed: { tasks: [{ id: TASK }] } });
    platform.choose({ apiDelayMs: '60' });
    const begun = performance.now();
    await request('GET', `api/v2/tasks/${TASK}`);
    expect(performance.now() - begun).toBeGreaterThan(55);
  });

  it('leaves the signature and the body to those of the sender', async () => {
    const { platform, arrived } = await setUp({
      switches: { encoding: 'base64', prefix: 'sha256=', body: 'old' },
    });
    const { task } = await platform.createTask();
    expect(arrived[0]?.body).toBe(`{"orderId":"${task.id}","eventType":"OrderCreated"}`);
    expect(arrived[0]?.headers['x-signature']).toMatch(/^sha256=[A-Za-z0-9+/]{43}=$/);
  });

  it('refuses a choice that there is not, and keeps those it had', async () => {
    const { platform } = await setUp({ switches: { deliveries: 'twice' } });
    expect(() => platform.choose({ unknownId: '500' })).toThrow('Valid: 400, 404.');
    expect((await platform.createTask()).fired).toHaveLength(2);
  });
});

describe('the webHook section', () => {
  it.each([
    ['is off', { enabled: false }],
    ['is off because it does not say', { enabled: undefined }],
  ])('sends nothing while it %s', async (_, webHook) => {
    const { platform, arrived } = await setUp({ webHook });
    expect((await platform.createTask()).fired).toEqual([]);
    expect(arrived).toEqual([]);
  });

  it('sends nothing where there is no such section', async () => {
    const random = createRandom(1);
    const fire = createFire(phenixid, random);
    const platform = createPhenixidPlatform({
      fire,
      random,
      now: () => new Date(0),
      config: { primaryServerPort: 8080 },
    });
    expect((await platform.createTask()).fired).toEqual([]);
  });

  it('reads its configuration from a file', async () => {
    const directory = newFolder();
    const file = join(directory, 'config.json');
    const receiver = await startApi(() => ({}));
    later(() => receiver.stop());
    const webHook = { enabled: true, endpoint: `${receiver.origin}/automation`, secret: SECRET };
    await writeFile(file, JSON.stringify({ automationApiEnabled: true, webHook }));
    const random = createRandom(1);
    const options = { fire: createFire(phenixid, random), random, now: () => new Date(0) };
    await createPhenixidPlatform({ ...options, config: file }).createTask();
    expect(receiver.seen).toHaveLength(1);
    expect(() => createPhenixidPlatform({ ...options, config: `${file}.bak` })).toThrow(
      'cannot be read as JSON',
    );
  });

  it('puts the key behind the endpoint, with a slash of its own', async () => {
    const { platform, arrived } = await setUp({ webHook: { key: 'site-north' } });
    await platform.createTask();
    expect(arrived[0]?.target).toBe('/automation/?key=site-north');
  });

  it('signs nothing without a secret', async () => {
    const { platform, arrived } = await setUp({ webHook: { secret: undefined } });
    await platform.createTask();
    expect(arrived[0]?.headers).not.toHaveProperty('x-signature');
  });

  it('goes on when its receiver is not there', async () => {
    const gone = await startOtherSide(() => undefined);
    await gone.stop();
    const { platform } = await setUp({ webHook: { endpoint: `${gone.origin}/automation` } });
    const { task, fired } = await platform.createTask();
    expect(fired).toMatchObject([{ unreachable: true, verdict: { ok: false } }]);
    expect(platform.task(task.id).state).toBe('PENDING');
  });

  it('waits for a reply as long as connectionTimeout says, and no longer', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    later(() => {
      silent.close();
      silent.closeAllConnections();
    });
    const address = silent.address();
    const endpoint = `http://127.0.0.1:${typeof address === 'object' ? String(address?.port) : ''}/x`;
    const { platform } = await setUp({ webHook: { endpoint, connectionTimeout: 'PT0.1S' } });
    const { fired } = await platform.createTask();
    expect(fired[0]?.verdict.says).toMatch(/^No reply from .* within 0\.1 s\.$/);
  });

  it.each([
    ['PT60S', 60_000],
    ['PT1M', 60_000],
    ['PT0.5S', 500],
    ['PT0,25S', 250],
    ['PT1H1M1S', 3_661_000],
    ['P1DT1S', 86_401_000],
    ['pt2s', 2_000],
  ])('reads the duration %s', async (connectionTimeout, ms) => {
    const timeouts = new Set<number | undefined>();
    const random = createRandom(1);
    const platform = createPhenixidPlatform({
      fire: async (type, payload, target) => {
        timeouts.add(target.timeoutMs);
        return createFire(phenixid, random)(type, payload, target);
      },
      random,
      now: () => new Date(0),
      config: { webHook: { enabled: true, endpoint: 'http://127.0.0.1:9/x', connectionTimeout } },
    });
    await platform.createTask();
    expect([...timeouts]).toEqual([ms]);
  });

  it.each([
    [{ connectionTimeout: 'P1M' }, 'Java duration'],
    [{ connectionTimeout: 'P1Y' }, 'Java duration'],
    [{ connectionTimeout: 'PT' }, 'Java duration'],
    [{ connectionTimeout: 'P1DT' }, 'Java duration'],
    [{ connectionTimeout: 'PT-1S' }, 'Java duration'],
    [{ connectionTimeout: 'PT0S' }, 'Java duration'],
    [{ connectionTimeout: '30' }, 'Java duration'],
    [{ connectionTimeout: 30 }, 'connectionTimeout'],
    [{ endpoint: undefined }, 'no endpoint'],
    [{ endpoint: 'ftp://receiver.example' }, 'endpoint'],
    [{ endpoint: 'http://receiver.example/?key=x' }, 'no query'],
    [{ enabled: 'true' }, 'enabled'],
    [{ secret: '' }, 'secret'],
    [{ conectionTimeout: 'PT1S' }, 'conectionTimeout'],
    [{ useSslClientCert: true }, 'needs sslKeyFile'],
    [{ useSslClientCert: true, sslKeyFile: 'no such file' }, 'cannot be read'],
    [{ useSslTrustAll: false, sslTrustFile: 'package.json' }, 'is not PEM'],
    [{ useSslClientCert: true, sslKeyFile: 'package.json' }, 'neither PKCS#12 nor PEM'],
  ])('names what is wrong with %j', async (webHook, words) => {
    await expect(setUp({ webHook })).rejects.toThrow(words);
  });
});

const hasOpenssl = requireOpenssl('TLS of the mock Signing Workflow');

(hasOpenssl ? describe : describe.skip)('over TLS', () => {
  let certificates: Certificates;
  let directory: string;

  beforeAll(async () => {
    certificates = await makeCertificates();
    directory = await mkdtemp(join(tmpdir(), 'phenixid-'));
  });
  afterAll(async () => {
    await certificates.remove();
    await rm(directory, { recursive: true, force: true });
  });

  function pkcs12(password: string): string {
    const { certFile, keyFile } = certificates.client;
    const file = join(directory, 'swf-client.p12');
    const pair = ['-in', certFile, '-inkey', keyFile];
    execFileSync('openssl', ['pkcs12', '-export', ...pair, '-out', file, '-passout', `pass:${password}`]);
    return file;
  }

  async function pushTo(webHook: Readonly<Record<string, unknown>>, demanding: boolean): Promise<string> {
    const { cert, key } = certificates.server;
    const ca = certificates.authority.cert;
    const side = await startOtherSide((_, response) => response.end('{"ok":true}'), {
      cert,
      key,
      ca,
      requestCert: demanding,
      rejectUnauthorized: demanding,
    });
    later(() => side.stop());
    const { platform } = await setUp({ webHook: { endpoint: `${side.origin}/automation`, ...webHook } });
    return (await platform.createTask()).fired[0]?.verdict.says ?? '';
  }

  it('trusts every certificate unless told otherwise', async () => {
    expect(await pushTo({}, false)).toBe('delivered');
    expect(await pushTo({ useSslTrustAll: false }, false)).toMatch(/could not be reached/);
  });

  it('trusts what the trust file says', async () => {
    const sslTrustFile = certificates.authority.certFile;
    expect(await pushTo({ useSslTrustAll: false, sslTrustFile }, false)).toBe('delivered');
    const other = certificates.flawedServers['self-signed'].certFile;
    expect(await pushTo({ useSslTrustAll: false, sslTrustFile: other }, false)).toMatch(
      /could not be reached/,
    );
  });

  it('shows its certificate, from PKCS#12 or PEM, only where it is told to', async () => {
    const sslKeyFile = pkcs12('changeit');
    const section = {
      useSslTrustAll: false,
      sslTrustFile: certificates.authority.certFile,
      sslKeyFile,
      sslKeyPassword: 'changeit',
    };
    expect(await pushTo({ ...section, useSslClientCert: true }, true)).toBe('delivered');
    expect(await pushTo({ ...section, useSslClientCert: false }, true)).not.toBe('delivered');
    const pem = join(directory, 'client.pem');
    await writeFile(pem, certificates.client.cert + certificates.client.key);
    expect(await pushTo({ ...section, sslKeyFile: pem, useSslClientCert: true }, true)).toBe('delivered');
  });

  it('says that the password of the key file is wrong', async () => {
    const section = { useSslClientCert: true, sslKeyFile: pkcs12('changeit'), sslKeyPassword: 'wrong' };
    await expect(setUp({ webHook: section })).rejects.toThrow('sslKeyPassword is wrong');
  });
});

it('has at the start what it is seeded with, and sends nothing for it', async () => {
  const stage = await setUp({
    seed: {
      tasks: [
        { id: TASK, title: 'Half signed', signedBy: [FIRST] },
        { title: 'Withdrawn', state: 'CANCELED' },
      ],
    },
  });
  expect(stage.platform.tasks()).toMatchObject([
    {
      id: TASK,
      title: 'Half signed',
      state: 'PENDING',
      signers: [{ state: 'SIGNED' }, { state: 'PENDING' }],
    },
    { title: 'Withdrawn', state: 'CANCELED' },
  ]);
  expect(await stage.events()).toEqual([]);
});

it('makes the same ids and the same files for the same seed', async () => {
  const [one, other] = [await setUp(), await setUp()];
  const made = await Promise.all([one, other].map(({ platform }) => platform.createTask()));
  const [first, second] = made.map(({ task }) => task);
  expect(first).toEqual(second);
  expect(one.platform.files(first?.id ?? '')).toEqual(other.platform.files(second?.id ?? ''));
});

it('lets people act over HTTP, too', async () => {
  const { call: request, events } = await setUp();
  const id = String((await request('POST', 'admin/tasks')).json()['id']);
  await request('POST', `admin/tasks/${id}/sign`, { signer: SECOND });
  expect((await request('POST', `admin/tasks/${id}/reject`)).json()).toMatchObject({ state: 'REJECTED' });
  expect((await request('POST', `admin/tasks/${id}/cancel`)).status).toBe(400);
  expect((await request('PUT', 'admin/switches', { unknownId: '404' })).status).toBe(204);
  expect((await request('POST', 'admin/tasks/x/expire')).status).toBe(404);
  expect((await request('GET', 'admin/tasks')).json()).toMatchObject([{ id, state: 'REJECTED' }]);
  expect((await request('GET', 'admin/deliveries')).json()).toHaveLength(3);
  expect(await events()).toEqual(['OrderCreated', 'OrderSigned', 'OrderRejected']);
});
