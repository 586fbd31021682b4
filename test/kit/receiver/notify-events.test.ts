import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { endpoint } from '../../../src/kit/endpoint/definition.ts';
import { DeadLetter } from '../../../src/kit/errors.ts';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import type { Occurrence, OutgoingRequest, Source } from '../../../src/kit/source.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { acme } from '../../support/acme.ts';
import { newInboxUrl } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { until } from '../../support/until.ts';

type Handler = (event: Occurrence) => unknown;

function latch(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return {
    opened: promise,
    open: () => resolve(undefined),
  };
}

const notifyEvents = [hotdocs, phenixid, risr].flatMap((source: Source) =>
  Object.entries(source.events).flatMap(([type, { mode }]) =>
    mode === 'notify' ? [{ name: `${source.name} ${type}`, source, type }] : [],
  ),
);
const withKey = notifyEvents.filter(({ source }) => source.name !== 'phenixid');

it.each(notifyEvents)(
  '$name: is stored before it is answered, and handled after',
  async ({ source, type }) => {
    const blocked = latch();
    const { receiver, sender } = await newReceiver({
      env: { INBOX_URL: newInboxUrl() },
      handlers: { [source.name]: { [type]: () => blocked.opened } },
    });
    const { status, body } = await sender.fire(source, type);
    expect([status, body.toString()]).toEqual([source.reply.accepted.status, source.reply.accepted.body]);
    // Another process sees only what is on disk.
    const beside = await openInbox(receiver.config.general.INBOX_URL, { maxWaiting: 1, owner: false });
    const [entry] = await beside.list({ limit: 1 });
    await beside.close();
    expect(['waiting', 'running']).toContain(entry?.status);
    expect(entry).toMatchObject({ source: source.name, type });
    blocked.open();
    await receiver.app.idle();
    expect((await receiver.app.inbox.list({ limit: 1 }))[0]?.status).toBe('done');
  },
);

it.each(withKey.flatMap((event) => ['memory:', 'sqlite:'].map((inbox) => ({ ...event, inbox }))))(
  '$name: 50 duplicates at once have one effect, in $inbox',
  async ({ source, type, inbox }) => {
    let runs = 0;
    const { receiver, sender } = await newReceiver({
      env: { INBOX_URL: inbox === 'memory:' ? inbox : newInboxUrl() },
      handlers: { [source.name]: { [type]: () => void (runs += 1) } },
    });
    const request = await sender.request(source, type);
    const replies = await Promise.all(Array.from({ length: 50 }, () => sender.send(request)));
    const { status, body } = source.reply.accepted;
    expect(new Set(replies.map((reply) => `${reply.status} ${reply.body.toString()}`))).toEqual(
      new Set([`${status} ${body}`]),
    );
    await receiver.app.idle();
    expect(runs).toBe(1);
    const outcomes = receiver.log.map((line) => line['outcome']);
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(49);
  },
);

it('takes the same content at another endpoint, with its own secret, for another event', async () => {
  const types: string[] = [];
  const note: Handler = ({ endpoint: path }) => types.push(path);
  const { receiver, sender } = await newReceiver({
    handlers: { risr: { booking_updated: note, profile_updated: note } },
  });
  const content = '{"webhook_request_id":"one","id":"b","rev":"1-a","state":{"id":"s","name":"S"}}';
  await sender.send(await sender.sign(risr, 'booking_updated', content));
  await sender.send(await sender.sign(risr, 'profile_updated', content));
  await receiver.app.idle();
  expect(types.sort()).toEqual(['/risr/booking_updated', '/risr/profile_updated']);
});

it('never drops a repeated notification of PhenixID, and never handles two of a task at the same time', async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const handler = async () => {
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running -= 1;
    runs += 1;
  };
  const { receiver, sender } = await newReceiver({ handlers: { phenixid: { OrderSigned: handler } } });
  const request = await sender.request(phenixid, 'OrderSigned');
  await Promise.all(Array.from({ length: 50 }, () => sender.send(request)));
  await receiver.app.idle();
  expect({ runs, most }).toEqual({ runs: 50, most: 1 });
});

it('handles the events of one subject in the order of acceptance, and other subjects meanwhile', async () => {
  const blocked = latch();
  const begun: string[] = [];
  const note: Handler = async ({ type, payload }) => {
    begun.push(`${type} ${JSON.stringify(payload).includes('"other"') ? 'other' : 'same'}`);
    if (begun.length === 1) await blocked.opened;
  };
  const { receiver, sender } = await newReceiver({
    handlers: { risr: { booking_updated: note, booking_state_changed: note } },
  });
  await sender.fire(risr, 'booking_updated');
  await sender.fire(risr, 'booking_state_changed');
  const example = risr.events.booking_updated.example;
  await sender.fire(risr, 'booking_updated', { payload: { ...example, id: 'other' } });
  await until('the other booking is handled', () => begun.length === 2);
  expect(begun).toEqual(['booking_updated same', 'booking_updated other']);
  blocked.open();
  await receiver.app.idle();
  expect(begun[2]).toBe('booking_state_changed same');
});

it('keeps an event it does not know, and handles it after the catalogue has learned it', async () => {
  const env = { INBOX_URL: newInboxUrl() };
  const before = await newReceiver({ env });
  const content = '{"eventType":"OrderArchived","taskId":"t-1"}';
  const reply = await before.sender.send(await before.sender.sign(phenixid, 'OrderSigned', content));
  expect(reply.status).toBe(200);
  await before.receiver.app.idle();
  const [entry] = await before.receiver.app.inbox.list({ limit: 1 });
  expect(entry).toMatchObject({
    type: 'OrderArchived',
    status: 'dead',
    note: expect.stringMatching(/^event_unknown: /),
  });
  await before.receiver.app.stop();

  const events: Source['events'] = { ...phenixid.events, OrderArchived: phenixid.events.OrderCreated };
  const taught: Source = { ...phenixid, events };
  const after = await newReceiver({
    env,
    sources: [taught],
    handlers: { phenixid: { OrderArchived: ({ payload }: Occurrence) => JSON.stringify(payload) } },
  });
  await after.receiver.app.inbox.replay(entry?.seq ?? 0);
  await after.receiver.app.idle();
  expect(await after.receiver.app.inbox.find(entry?.seq ?? 0)).toMatchObject({
    status: 'done',
    note: '{"taskId":"t-1"}',
  });
});

it.each([
  ['payload_invalid: taskId', '{"eventType":"OrderSigned","taskId":"../../admin"}'],
  ['payload_invalid: orderId and taskId differ', '{"eventType":"OrderSigned","taskId":"a","orderId":"b"}'],
  ['json_invalid', 'no JSON at all'],
  ['json_invalid', '[]'],
  ['json_forbidden', '{"eventType":"OrderSigned","taskId":"a","taskId":"b"}'],
  ['json_forbidden', '{"eventType":"OrderSigned","taskId":"a","__proto__":{}}'],
])('accepts genuine content that it cannot use, and says why: %s', async (why, content) => {
  const { receiver, sender } = await newReceiver();
  const reply = await sender.send(await sender.sign(phenixid, 'OrderSigned', content));
  expect([reply.status, reply.body.toString()]).toEqual([200, '{"ok":true}']);
  await receiver.app.idle();
  const [entry] = await receiver.app.inbox.list({ limit: 1 });
  expect(entry).toMatchObject({ status: 'dead', content: Buffer.from(content) });
  expect(entry?.note?.startsWith(why)).toBe(true);
  expect(receiver.log.find((line) => line['outcome'] === 'dead')).toMatchObject({ level: 'error' });
});

it('runs a dead letter again when it is replayed after the cause was mended', async () => {
  let mended = false;
  const handler: Handler = () => {
    if (!mended) throw new DeadLetter('handler_gave_up', 'the archive has no such folder');
    return 'archived';
  };
  const { receiver, sender } = await newReceiver({ handlers: { phenixid: { OrderAccepted: handler } } });
  await sender.fire(phenixid, 'OrderAccepted');
  await receiver.app.idle();
  const [dead] = await receiver.app.inbox.list({ status: 'dead', limit: 1 });
  expect(dead?.note).toBe('handler_gave_up: the archive has no such folder');
  mended = true;
  await receiver.app.inbox.replay(dead?.seq ?? 0);
  await receiver.app.idle();
  expect(await receiver.app.inbox.find(dead?.seq ?? 0)).toMatchObject({ status: 'done', note: 'archived' });
});

it.each(['profile_updated', 'booking_updated', 'booking_state_changed', 'user_registered', 'user_logged_in'])(
  'does nothing for the test payload that risr sends to %s',
  async (type) => {
    let runs = 0;
    const { receiver, sender } = await newReceiver({
      handlers: { risr: { [type]: () => void (runs += 1) } },
    });
    const before = receiver.records.list('person');
    const reply = await sender.fire(risr, type, { switches: { testPayload: 'yes' } });
    expect([reply.status, reply.body.toString()]).toEqual([200, '{"ok":true}']);
    await receiver.app.idle();
    expect(runs).toBe(0);
    expect(receiver.log).toContainEqual(
      expect.objectContaining({ type, why: expect.stringContaining('test payload') }),
    );
    expect(await receiver.app.inbox.list({ limit: 1 })).toMatchObject([
      { status: 'done', note: expect.stringMatching(/test payload/) },
    ]);
    expect(receiver.records.list('profile')).toEqual([]);
    expect(receiver.records.list('person')).toEqual(before);
  },
);

it('records which of two live secrets proved a delivery, and refuses the one that was taken away', async () => {
  const [newest, older, gone] = ['n', 'o', 'g'].map((letter) => `${letter}-secret-of-thirty-two-characters`);
  const { receiver, sender } = await newReceiver({
    env: { RISR_PROFILE_UPDATED_SECRET: `${newest ?? ''},${older ?? ''}` },
  });
  const fire = async (secret = '') => (await sender.fire(risr, 'profile_updated', { secret })).status;
  expect([await fire(newest), await fire(older), await fire(gone)]).toEqual([200, 200, 401]);
  const entries = await receiver.app.inbox.list({ limit: 10 });
  expect(entries.map(({ secret }) => secret)).toEqual([2, 1]);
  const accepted = receiver.log.filter((line) => line['outcome'] === 'accepted');
  expect(accepted.map((line) => line['secret'])).toEqual([1, 2]);
});

const NORTH = 'the-secret-of-the-installation-north';
const installations = { PHENIXID_NORTH_SECRET: NORTH, PHENIXID_NORTH_KEY: 'north wing' };

it.each(['one', 'none', 'two'])('knows an installation by its key behind %s slash', async (slash) => {
  const { receiver, sender } = await newReceiver({ env: installations });
  const { status } = await sender.fire(phenixid, 'OrderSigned', {
    secret: NORTH,
    switches: { key: 'north wing', slash },
  });
  expect(status).toBe(200);
  await receiver.app.idle();
  expect(await receiver.app.inbox.list({ limit: 1 })).toMatchObject([
    { installation: 'north wing', status: 'done' },
  ]);
});

it.each([
  ['the secret of another installation', { key: 'north wing', secret: undefined }, 'proof_mismatch'],
  ['the secret of this one without its key', { key: '', secret: NORTH }, 'proof_mismatch'],
  ['a key that is not configured', { key: 'south', secret: NORTH }, 'installation_unknown'],
  [
    'a key named like a member of every object',
    { key: 'constructor', secret: NORTH },
    'installation_unknown',
  ],
])('refuses %s', async (_what, { key, secret }, code) => {
  const { receiver, sender } = await newReceiver({ env: installations });
  const reply = await sender.fire(phenixid, 'OrderSigned', {
    switches: { key },
    ...(secret === undefined ? {} : { secret }),
  });
  expect([reply.status, reply.body.toString()]).toEqual([401, '{"error":"Unauthorized"}']);
  expect(receiver.log.find((line) => line['outcome'] === 'rejected')).toMatchObject({ code });
  expect(await receiver.app.inbox.list({ limit: 1 })).toEqual([]);
});

it('does the same work for a key that is not configured as for one that is', async () => {
  const keysTried: number[] = [];
  const kinds = Object.entries(phenixid.proof.kinds).map(([name, kind]) => {
    const proof: typeof kind.proof = (settings) => {
      const usual = kind.proof(settings);
      return {
        ...usual,
        verify: (delivery, secrets) => {
          keysTried.push(secrets.length);
          return usual.verify(delivery, secrets);
        },
      };
    };
    return [name, { ...kind, proof }] as const;
  });
  const watched = { ...phenixid, proof: { ...phenixid.proof, kinds: Object.fromEntries(kinds) } };
  const { sender } = await newReceiver({ env: installations, sources: [hotdocs, watched, risr] });
  for (const key of ['north wing', 'south']) {
    const forged = { secret: 'a-secret-that-nobody-has-set-here', switches: { key } };
    expect((await sender.fire(phenixid, 'OrderSigned', forged)).status).toBe(401);
  }
  expect(keysTried).toEqual([1, 1]);
});

it.each(['&key=north%20wing', '&key=south', '&key'])(
  'refuses a key that is there twice: %s',
  async (further) => {
    const { sender } = await newReceiver({ env: installations });
    const request = await sender.request(phenixid, 'OrderSigned', {
      secret: NORTH,
      switches: { key: 'north wing' },
    });
    expect((await sender.send({ ...request, target: `${request.target}${further}` })).status).toBe(401);
  },
);

it('asks for the secret where one is set, even if deliveries without one were to be accepted', async () => {
  const env = { PHENIXID_SIGNATURE_SCHEME: 'unsigned' };
  const { receiver, sender } = await newReceiver({ env });
  const { status } = await sender.fire(phenixid, 'OrderSigned', { switches: { scheme: 'unsigned' } });
  expect(status).toBe(401);
  expect(receiver.config.warnings).toEqual([]);
});

it('accepts deliveries without proof where an operator has chosen so and set no secret', async () => {
  const env = { PHENIXID_SIGNATURE_SCHEME: 'unsigned', PHENIXID_SECRET: undefined };
  const { receiver, sender } = await newReceiver({ env });
  const { status } = await sender.fire(phenixid, 'OrderSigned', { switches: { scheme: 'unsigned' } });
  expect(status).toBe(200);
  expect(await receiver.app.inbox.list({ limit: 1 })).toMatchObject([{ secret: 0 }]);
});

it('answers 503 when the inbox is full, stores nothing, and takes the redelivery when there is room', async () => {
  const blocked = latch();
  const { receiver, sender } = await newReceiver({
    env: { INBOX_MAX_WAITING: '1', HANDLER_CONCURRENCY: '1' },
    handlers: { risr: { profile_updated: () => blocked.opened } },
  });
  const fire = () => sender.fire(risr, 'profile_updated');
  expect((await fire()).status).toBe(200);
  await until('the first is running', async () => (await receiver.app.inbox.stats()).running === 1);
  const waiting = await sender.request(risr, 'profile_updated');
  expect((await sender.send(waiting)).status).toBe(200);

  const refused = await sender.request(risr, 'profile_updated');
  const reply = await sender.send(refused);
  expect([reply.status, reply.body.toString()]).toEqual([503, '{"error":"Service Unavailable"}']);
  expect(reply.headers['retry-after']).toMatch(/^\d+$/);
  expect(receiver.log.at(-1)).toMatchObject({ outcome: 'rejected', code: 'inbox_full' });
  expect(await receiver.app.inbox.stats()).toMatchObject({ waiting: 1, running: 1 });
  // What is stored already is no further entry.
  expect((await sender.send(waiting)).status).toBe(200);

  blocked.open();
  await receiver.app.idle();
  expect((await sender.send(refused)).status).toBe(200);
  await receiver.app.idle();
  expect(await receiver.app.inbox.stats()).toMatchObject({ done: 3 });
});

it('while shutting down answers what it has begun, and takes what still comes on its connections', async () => {
  const blocked = latch();
  let begun = false;
  const handler: Handler = async () => {
    begun = true;
    await blocked.opened;
    return {};
  };
  const { receiver, sender } = await newReceiver({
    handlers: { hotdocs: { CustomInterviewEvent: handler } },
  });
  const further = bytesOf(await sender.request(risr, 'profile_updated'));
  const { hostname, port } = new URL(receiver.url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  const closed = once(socket, 'close');
  // Its headers are on their way when the shutdown begins.
  socket.write(further.slice(0, 20));
  const inFlight = sender.fire(hotdocs, 'CustomInterviewEvent');
  await until('the handler runs', () => begun);
  const stopped = receiver.app.stop();
  socket.write(further.slice(20));
  await closed;
  expect(received).toMatch(/^HTTP\/1\.1 200 /);
  expect(received).toMatch(/^Connection: close\r$/im);
  expect(receiver.log.at(-1)).toMatchObject({ type: 'profile_updated', outcome: 'accepted' });
  blocked.open();
  expect((await inFlight).status).toBe(200);
  await stopped;
});

it('is down as soon as what it has begun is answered, though the sender would keep its connection', async () => {
  const blocked = latch();
  let begun = false;
  const handler: Handler = async () => {
    begun = true;
    await blocked.opened;
    return {};
  };
  const { receiver, sender } = await newReceiver({
    handlers: { hotdocs: { CustomInterviewEvent: handler } },
  });
  const inFlight = sender.fire(hotdocs, 'CustomInterviewEvent');
  await until('the handler runs', () => begun);
  const stopping = performance.now();
  const stopped = receiver.app.stop();
  blocked.open();
  const reply = await inFlight;
  expect([reply.status, reply.headers['connection']]).toEqual([200, 'close']);
  await stopped;
  expect(performance.now() - stopping).toBeLessThan(2_000);
});

/** A request as text for a socket. */
function bytesOf({ method, target, headers, body }: OutgoingRequest): string {
  const lines = Object.entries({ Host: 'localhost', 'Content-Length': String(body.length), ...headers });
  const head = [`${method} ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)];
  return `${head.join('\r\n')}\r\n\r\n${body.toString()}`;
}

it('serves a second webhook of one event type at a path of its own, with a secret of its own', async () => {
  const path = '/hotdocs/lookup-tenant';
  const paths: string[] = [];
  const { receiver, sender } = await newReceiver({
    further: [endpoint(path, hotdocs, 'CustomInterviewEvent')],
    handlers: { hotdocs: { CustomInterviewEvent: (event: Occurrence) => void paths.push(event.endpoint) } },
  });
  expect(receiver.secretOf(path)).not.toBe(receiver.secretOf('/hotdocs/CustomInterviewEvent'));
  await sender.fire(hotdocs, 'CustomInterviewEvent', { path });
  await sender.fire(hotdocs, 'CustomInterviewEvent');
  expect(paths).toEqual([path, '/hotdocs/CustomInterviewEvent']);
  const crossed = await sender.fire(hotdocs, 'CustomInterviewEvent', {
    path,
    secret: receiver.secretOf('/hotdocs/CustomInterviewEvent'),
  });
  expect(crossed.status).toBe(401);
});

it('lets a further endpoint have settings of its own', async () => {
  const path = '/hotdocs/lookup-tenant';
  const { sender } = await newReceiver({
    further: [endpoint(path, hotdocs, 'CustomInterviewEvent')],
    env: { HOTDOCS_LOOKUP_TENANT_ANSWER_DIALECT: 'B' },
  });
  expect((await sender.fire(hotdocs, 'CustomInterviewEvent', { path })).body.toString()).toContain(
    '"answers":',
  );
  expect((await sender.fire(hotdocs, 'CustomInterviewEvent')).body.toString()).not.toContain('"answers":');
});

it.each(Object.keys(hotdocs.events).filter((type) => type !== 'ActionLink'))(
  'HotDocs %s: takes the legacy access token where one is set instead of a secret',
  async (type) => {
    const prefix = `HOTDOCS_${type.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`;
    const token = 'an-access-token-of-some-length-1';
    const { receiver, sender } = await newReceiver({
      env: { [`${prefix}_SECRET`]: undefined, [`${prefix}_TOKEN`]: token },
    });
    const fire = async (secret: string, kind: string) =>
      (await sender.fire(hotdocs, type, { secret, kind })).status;
    expect(await fire(token, 'TOKEN')).toBe(200);
    expect(await fire(`${token}x`, 'TOKEN')).toBe(401);
    expect(await fire(token, 'SECRET')).toBe(401);
    await receiver.app.idle();
    expect(await receiver.app.inbox.list({ limit: 10 })).toMatchObject([{ type, status: 'done', secret: 1 }]);
  },
);

it('tries a failed handler again after a second, by itself', async () => {
  const attempts: number[] = [];
  const handler: Handler = ({ attempt }) => {
    attempts.push(attempt);
    if (attempt === 1) throw new Error('the archive is away');
    return 'archived';
  };
  const { receiver, sender } = await newReceiver({ handlers: { phenixid: { OrderAccepted: handler } } });
  await sender.fire(phenixid, 'OrderAccepted');
  await receiver.app.idle();
  const failedAt = Date.now();
  const [waiting] = await receiver.app.inbox.list({ limit: 1 });
  expect(waiting).toMatchObject({
    status: 'waiting',
    attempts: 1,
    note: expect.stringContaining('handler_failed: the archive is away'),
  });
  const { dueAt = 0, receivedAt = 0 } = waiting ?? {};
  expect(dueAt - receivedAt).toBeGreaterThanOrEqual(750);
  expect(dueAt - failedAt).toBeLessThanOrEqual(1_000);
  const done = async () => (await receiver.app.inbox.stats()).done === 1;
  await until('the worker has tried again', done);
  expect(attempts).toEqual([1, 2]);
  const outcomes = receiver.log.map(({ level, outcome, attempt }) => ({ level, outcome, attempt }));
  expect(outcomes).toEqual([
    { level: 'info', outcome: 'accepted', attempt: undefined },
    { level: 'warn', outcome: 'retry', attempt: 1 },
    { level: 'info', outcome: 'done', attempt: 2 },
  ]);
});

it('makes an event a dead letter after as many attempts as are set', async () => {
  const handler: Handler = () => {
    throw new Error('the archive is away');
  };
  const { receiver, sender } = await newReceiver({
    env: { HANDLER_ATTEMPTS: '1' },
    handlers: { phenixid: { OrderAccepted: handler } },
  });
  await sender.fire(phenixid, 'OrderAccepted');
  await receiver.app.idle();
  expect(await receiver.app.inbox.list({ limit: 1 })).toMatchObject([
    { status: 'dead', attempts: 1, note: expect.stringContaining('handler_failed: the archive is away') },
  ]);
});

it('answers a defect of its own with 500, tells nothing outside and everything in the log', async () => {
  const { receiver, sender } = await newReceiver({ sources: [acme] });
  // Acme's envelope is written carelessly: it lets JSON.parse throw what no receiver expects.
  const reply = await sender.send(await sender.sign(acme, 'order.created', 'no JSON'));
  expect([reply.status, reply.body.toString()]).toEqual([500, '{"error":"Internal Server Error"}']);
  expect(receiver.log.at(-1)).toMatchObject({
    level: 'error',
    code: 'internal_error',
    err: { stack: expect.stringContaining('acme.ts') },
  });
});

it('writes no secret and nothing of a payload into the log', async () => {
  const { receiver, sender } = await newReceiver();
  for (const source of [hotdocs, phenixid, risr] as const satisfies Source[]) {
    for (const type of Object.keys(source.events)) {
      await sender.fire(source, type);
      await sender.fire(source, type, { secret: 'another-secret-of-some-length-32' });
    }
  }
  await receiver.app.idle();
  const log = JSON.stringify(receiver.log);
  for (const { credentials } of receiver.config.endpoints) {
    for (const { texts } of credentials.values())
      for (const secret of texts) expect(log).not.toContain(secret);
  }
  for (const personal of ['asa.lind', 'Lind', 'Keller', 'keller@acme', 'Lease 2024', 'usr-4471']) {
    expect(log).not.toContain(personal);
  }
});
