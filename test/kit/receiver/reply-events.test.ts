import { expect, it } from '@jest/globals';
import { DeadLetter } from '../../../src/kit/errors.ts';
import type { Entry } from '../../../src/kit/inbox/inbox.ts';
import type { Occurrence, Source } from '../../../src/kit/source.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { text } from '../../../src/kit/sources/hotdocs/answers/answers.ts';
import { newInboxUrl } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { type TestReceiver, type TestReceiverOptions } from '../../support/receiver.ts';
import { until } from '../../support/until.ts';

type Handler = (event: Occurrence) => unknown;

interface Harness extends TestReceiver {
  entry(): Promise<Entry | undefined>;
  /** What the log says of the delivery with this outcome. */
  line(outcome: string): unknown;
}

async function start(
  source: Source,
  type: string,
  handler: Handler,
  options: TestReceiverOptions = {},
): Promise<Harness> {
  const { receiver } = await newReceiver({
    handlers: { [source.name]: { [type]: handler } },
    ...options,
    env: { HOTDOCS_DEADLINE_MS: '150', RISR_DEADLINE_MS: '150', HANDLER_TIMEOUT_MS: '300', ...options.env },
  });
  return {
    ...receiver,
    entry: async () => (await receiver.app.inbox.list({ limit: 1 }))[0],
    line: (outcome) => receiver.log.find((line) => line['outcome'] === outcome),
  };
}

/** The reply of the source to a handler that failed. */
function harmless(source: Source, type: string, { config }: TestReceiver): { status: number; body: string } {
  const endpoint = config.endpoints.find(({ definition }) => definition.type === type);
  const { status, body } = source.reply.harmless(type, endpoint?.settings ?? {});
  return { status, body };
}

const replyEvents = [hotdocs, risr].flatMap((source: Source) =>
  Object.entries(source.events).flatMap(([type, definition]) =>
    definition.mode === 'reply'
      ? [{ name: `${source.name} ${type}`, source, type, retried: definition.afterFailure === 'retry' }]
      : [],
  ),
);

it('knows the five events for which somebody waits', () =>
  expect(replyEvents.map(({ name }) => name)).toEqual([
    'hotdocs CustomInterviewEvent',
    'hotdocs InterviewLoadEvent',
    'hotdocs ActionLink',
    'risr user_logged_in',
    'risr user_registered',
  ]));

it.each(replyEvents)('$name: a handler that throws costs the waiting person nothing', async (given) => {
  const { source, type, retried } = given;
  const receiver = await start(source, type, () => {
    throw new Error('the directory is away');
  });
  const reply = await receiver.sender.fire(source, type);
  expect({ status: reply.status, body: reply.body.toString() }).toEqual(harmless(source, type, receiver));
  await receiver.app.idle();
  expect(await receiver.entry()).toMatchObject({
    status: retried ? 'waiting' : 'dead',
    note: expect.stringContaining('handler_failed: the directory is away'),
  });
  expect(receiver.line('failed')).toMatchObject({
    level: 'error',
    type,
    why: 'handler_failed: the directory is away',
  });
});

it.each(replyEvents)(
  '$name: a handler that hangs is told to stop, and the reply is in time',
  async (given) => {
    const { source, type, retried } = given;
    let signal: AbortSignal | undefined;
    const receiver = await start(source, type, (event) => {
      signal = event.signal;
      return new Promise(() => undefined);
    });
    const reply = await receiver.sender.fire(source, type);
    expect({ status: reply.status, body: reply.body.toString() }).toEqual(harmless(source, type, receiver));
    expect(reply.ms).toBeGreaterThanOrEqual(140);
    expect(reply.ms).toBeLessThan(4_000);
    expect(signal?.aborted).toBe(true);
    await receiver.app.idle();
    expect(await receiver.entry()).toMatchObject({
      status: retried ? 'waiting' : 'dead',
      note: expect.stringMatching(/^handler_late: /),
    });
    expect(receiver.line('failed')).toMatchObject({ why: expect.stringMatching(/^handler_late: /) });
  },
);

it.each(replyEvents)(
  '$name: an answer that fits no schema is not passed on',
  async ({ source, type, retried }) => {
    const receiver = await start(source, type, () => ({ 'Tenant Name': 17n, secret: Symbol('no JSON') }));
    const reply = await receiver.sender.fire(source, type);
    expect({ status: reply.status, body: reply.body.toString() }).toEqual(harmless(source, type, receiver));
    await receiver.app.idle();
    // Trying again cannot mend an answer, not even where the work would be tried again.
    expect(retried).toBe(source.name === 'risr');
    expect(await receiver.entry()).toMatchObject({
      status: 'dead',
      note: expect.stringMatching(/^answer_invalid: /),
    });
    expect(receiver.line('failed')).toMatchObject({ why: expect.stringMatching(/^answer_invalid: /) });
  },
);

it.each([null, undefined, 'text', Object.create(null) as unknown, { message: 7 }])(
  'a handler may throw anything: %p',
  async (thrown) => {
    const receiver = await start(hotdocs, 'InterviewLoadEvent', () => {
      throw thrown;
    });
    const reply = await receiver.sender.fire(hotdocs, 'InterviewLoadEvent');
    expect([reply.status, reply.body.toString()]).toEqual([200, '{}']);
    await receiver.app.idle();
    expect(await receiver.entry()).toMatchObject({
      status: 'dead',
      note: expect.stringMatching(/^handler_failed: /),
    });
  },
);

it('keeps what a handler said short, in the entry and in the log', async () => {
  const receiver = await start(hotdocs, 'InterviewLoadEvent', () => {
    throw new Error('x'.repeat(300_000));
  });
  await receiver.sender.fire(hotdocs, 'InterviewLoadEvent');
  await receiver.app.idle();
  expect((await receiver.entry())?.note?.length).toBeLessThan(600);
  expect(JSON.stringify(receiver.line('failed')).length).toBeLessThan(1_000);
});

it.each(['CustomInterviewEvent', 'InterviewLoadEvent'])(
  '%s: answers of 300 KB, more than Advance reads, are not sent',
  async (type) => {
    const receiver = await start(hotdocs, type, () => ({ 'Tenant Name': text('x'.repeat(300_000)) }));
    const reply = await receiver.sender.fire(hotdocs, type);
    expect([reply.status, reply.body.toString()]).toEqual([200, '{}']);
    await receiver.app.idle();
    expect(await receiver.entry()).toMatchObject({
      status: 'dead',
      note: expect.stringMatching(/^answer_too_large: .*EXTERNAL_ANSWERS_MAX_BYTES/),
    });
  },
);

it('answers of 300 KB are sent where Advance was told to read them', async () => {
  const handler = () => ({ 'Tenant Name': text('x'.repeat(300_000)) });
  const env = { HOTDOCS_EXTERNAL_ANSWERS_MAX_BYTES: '400000' };
  const receiver = await start(hotdocs, 'InterviewLoadEvent', handler, { env });
  const reply = await receiver.sender.fire(hotdocs, 'InterviewLoadEvent');
  expect(reply.body.length).toBeGreaterThan(300_000);
});

it('a page may have 300 KB', async () => {
  const receiver = await start(hotdocs, 'ActionLink', () => `<p>${'x'.repeat(300_000)}</p>`);
  const reply = await receiver.sender.fire(hotdocs, 'ActionLink');
  expect(reply.body.length).toBe(300_007);
  await receiver.app.idle();
  expect(await receiver.entry()).toMatchObject({ status: 'done', note: 'a page of 300007 bytes' });
});

it('a login handler may say 300 KB, which the sender does not get to see', async () => {
  const receiver = await start(risr, 'user_logged_in', () => 'x'.repeat(300_000));
  const reply = await receiver.sender.fire(risr, 'user_logged_in');
  expect(reply.body.toString()).toBe('{"ok":true}');
  await receiver.app.idle();
  const entry = await receiver.entry();
  expect(entry?.status).toBe('done');
  expect(entry?.note?.length).toBeLessThan(600);
});

it.each([
  [
    'does not fit its schema',
    '{"eventId":"e-1","data":{"user":{"email":true}}}',
    /^payload_invalid: user\.email/,
  ],
  ['is of an unknown type', '{"eventId":"e-2","eventType":"InterviewPaused","data":{}}', /^event_unknown: /],
  ['is of another endpoint', '{"eventId":"e-3","eventType":"PostProcessingEvent"}', /^event_mismatch: /],
  ['has a member twice', '{"eventId":"e-4","data":{},"data":{}}', /^json_forbidden: /],
])('lets an interview open empty when the event %s', async (_what, content, note) => {
  const receiver = await start(hotdocs, 'InterviewLoadEvent', () => ({ 'Tenant Name': text('Jonas Weber') }));
  const reply = await receiver.sender.send(
    await receiver.sender.sign(hotdocs, 'InterviewLoadEvent', content),
  );
  expect([reply.status, reply.body.toString()]).toEqual([200, '{}']);
  await receiver.app.idle();
  expect(await receiver.entry()).toMatchObject({ status: 'dead', note: expect.stringMatching(note) });
});

it('tries the work of a failed login again by itself, and does it', async () => {
  const attempts: number[] = [];
  const receiver = await start(risr, 'user_registered', ({ attempt }) => {
    attempts.push(attempt);
    if (attempt === 1) throw new Error('the directory is away');
    return 'permissions filled in';
  });
  await receiver.sender.fire(risr, 'user_registered');
  await until('the worker has done it', async () => (await receiver.entry())?.status === 'done');
  expect(attempts).toEqual([1, 2]);
  expect(await receiver.entry()).toMatchObject({ note: 'permissions filled in', attempts: 2 });
});

it('gives up the work of a login after as many attempts as are set, and says why it failed', async () => {
  const receiver = await start(
    risr,
    'user_registered',
    () => {
      throw new Error('the directory is away');
    },
    { env: { HANDLER_ATTEMPTS: '1' } },
  );
  await receiver.sender.fire(risr, 'user_registered');
  await receiver.app.idle();
  expect(await receiver.entry()).toMatchObject({
    status: 'dead',
    note: expect.stringContaining('handler_failed: the directory is away'),
  });
});

it('does not try again what the handler gave up', async () => {
  const receiver = await start(risr, 'user_registered', () => {
    throw new DeadLetter('handler_gave_up', 'no such organisation');
  });
  await receiver.sender.fire(risr, 'user_registered');
  await receiver.app.idle();
  expect(await receiver.entry()).toMatchObject({
    status: 'dead',
    note: 'handler_gave_up: no such organisation',
  });
});

it('records a login handler that came late but succeeded, and does not run it again', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<string>();
  let runs = 0;
  const handler = () => {
    runs += 1;
    return released;
  };
  const receiver = await start(risr, 'user_logged_in', handler, { env: { HANDLER_TIMEOUT_MS: '60000' } });
  const reply = await receiver.sender.fire(risr, 'user_logged_in');
  expect(reply.body.toString()).toBe('{"ok":true}');
  expect(receiver.line('failed')).toMatchObject({ why: expect.stringMatching(/^handler_late/) });
  expect(await receiver.entry()).toMatchObject({ status: 'running' });
  release('tied to the user at last');
  await receiver.app.idle();
  expect(await receiver.entry()).toMatchObject({ status: 'done', note: 'tied to the user at last' });
  expect(runs).toBe(1);
});

it('keeps the failure of an interview handler that came late: nobody got its answers', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<unknown>();
  const receiver = await start(hotdocs, 'InterviewLoadEvent', () => released);
  await receiver.sender.fire(hotdocs, 'InterviewLoadEvent');
  await receiver.app.idle();
  release({ 'Tenant Name': text('Jonas Weber') });
  await released;
  await receiver.app.idle();
  expect(await receiver.entry()).toMatchObject({
    status: 'dead',
    note: expect.stringMatching(/^handler_late/),
  });
});

it('runs two logins of one user one after the other', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<string>();
  const order: string[] = [];
  const handlers = {
    risr: {
      user_registered: () => released.finally(() => order.push('registered')),
      user_logged_in: () => {
        order.push('logged in');
      },
    },
  };
  const env = { RISR_DEADLINE_MS: '10000', HANDLER_TIMEOUT_MS: '10000' };
  const receiver = await start(risr, 'user_registered', () => undefined, { handlers, env });
  const first = receiver.sender.fire(risr, 'user_registered');
  await until('the first is running', async () => (await receiver.entry())?.status === 'running');
  const second = await receiver.sender.fire(risr, 'user_logged_in');
  expect(second.body.toString()).toBe('{"ok":true}');
  expect(order).toEqual([]);
  release('done');
  await first;
  await receiver.app.idle();
  expect(order).toEqual(['registered', 'logged in']);
});

it.each(replyEvents)(
  '$name: replies 503 to a failure where ON_FAILURE is error',
  async ({ source, type, retried }) => {
    const receiver = await start(
      source,
      type,
      () => {
        throw new Error('the directory is away');
      },
      { env: { HOTDOCS_ON_FAILURE: 'error', RISR_ON_FAILURE: 'error' } },
    );
    const reply = await receiver.sender.fire(source, type);
    expect([reply.status, reply.body.toString()]).toEqual([503, '{"error":"Service Unavailable"}']);
    expect(reply.headers['retry-after']).toMatch(/^\d+$/);
    await receiver.app.idle();
    expect(await receiver.entry()).toMatchObject({
      status: retried ? 'waiting' : 'dead',
      note: expect.stringContaining('handler_failed: the directory is away'),
    });
  },
);

it('replies to the redelivery of a failed login as soon as the work is done, where ON_FAILURE is error', async () => {
  const receiver = await start(
    risr,
    'user_registered',
    ({ attempt }) => {
      if (attempt === 1) throw new Error('the directory is away');
    },
    { env: { RISR_ON_FAILURE: 'error' } },
  );
  const request = await receiver.sender.request(risr, 'user_registered');
  expect((await receiver.sender.send(request)).status).toBe(503);
  await receiver.app.idle();
  expect((await receiver.sender.send(request)).status).toBe(200);
  expect((await receiver.sender.send(request)).status).toBe(200);
  expect(await receiver.app.inbox.stats()).toMatchObject({ done: 1, waiting: 0 });
});

it.each(['memory:', 'sqlite:'])(
  'answers duplicates with the very same bytes and runs once, in %s',
  async (inbox) => {
    let runs = 0;
    const url = inbox === 'memory:' ? inbox : newInboxUrl();
    const handler = () => {
      runs += 1;
      return { 'Tenant Name': text(`answer ${runs}`) };
    };
    const receiver = await start(hotdocs, 'InterviewLoadEvent', handler, { env: { INBOX_URL: url } });
    const request = await receiver.sender.request(hotdocs, 'InterviewLoadEvent');
    const first = await receiver.sender.send(request);
    const second = await receiver.sender.send(request);
    expect(first.body.toString()).toContain('answer 1');
    expect(second.body).toEqual(first.body);
    expect(second.headers['content-type']).toBe(first.headers['content-type']);
    expect(runs).toBe(1);
    expect(receiver.line('duplicate')).toMatchObject({ level: 'info', type: 'InterviewLoadEvent' });
  },
);

it.each(['memory:', 'sqlite:'])(
  'lets 50 duplicates at once wait for the one answer, in %s',
  async (inbox) => {
    const { promise: released, resolve: release } = Promise.withResolvers<unknown>();
    let runs = 0;
    const url = inbox === 'memory:' ? inbox : newInboxUrl();
    const handler = () => {
      runs += 1;
      return released;
    };
    const env = { INBOX_URL: url, HOTDOCS_DEADLINE_MS: '10000' };
    const receiver = await start(hotdocs, 'InterviewLoadEvent', handler, { env });
    const request = await receiver.sender.request(hotdocs, 'InterviewLoadEvent');
    const replies = Array.from({ length: 50 }, () => receiver.sender.send(request));
    await until('the handler runs', () => runs > 0);
    release({ 'Tenant Name': text('Jonas Weber') });
    const bodies = (await Promise.all(replies)).map(({ status, body }) => `${status} ${body.toString()}`);
    expect(new Set(bodies)).toEqual(new Set(['200 {"Tenant Name":"Jonas Weber"}']));
    expect(runs).toBe(1);
    expect(await receiver.app.inbox.stats()).toMatchObject({ done: 1, waiting: 0, running: 0 });
  },
);

it('gives 50 duplicates at once of an event whose handler hangs one harmless answer, and runs once', async () => {
  let runs = 0;
  const handler = () => {
    runs += 1;
    return new Promise(() => undefined);
  };
  const env = { HANDLER_TIMEOUT_MS: '60000', SHUTDOWN_MS: '0' };
  const receiver = await start(risr, 'user_logged_in', handler, { env });
  const request = await receiver.sender.request(risr, 'user_logged_in');
  const replies = await Promise.all(Array.from({ length: 50 }, () => receiver.sender.send(request)));
  expect(new Set(replies.map(({ body }) => body.toString()))).toEqual(new Set(['{"ok":true}']));
  expect(runs).toBe(1);
});

it('gives the same answer to a duplicate that is stored in the moment in which the first is answered', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<unknown>();
  let verified = 0;
  const kind = hotdocs.proof.kinds['SECRET'];
  if (kind === undefined) throw new Error('hotdocs has no SECRET');
  const proof: typeof kind.proof = (values) => ({
    ...kind.proof(values),
    async verify(delivery, secrets) {
      const proven = await kind.proof(values).verify(delivery, secrets);
      verified += 1;
      // After the duplicate has asked the inbox, and before the inbox commits.
      if (verified === 2) process.nextTick(release, { 'Tenant Name': text('Jonas Weber') });
      return proven;
    },
  });
  const kinds = { ...hotdocs.proof.kinds, SECRET: { ...kind, proof } };
  const watched: Source = { ...hotdocs, proof: { ...hotdocs.proof, kinds } };
  const env = { INBOX_URL: newInboxUrl(), HOTDOCS_DEADLINE_MS: '10000' };
  const receiver = await start(watched, 'InterviewLoadEvent', () => released, { sources: [watched], env });
  const request = await receiver.sender.request(hotdocs, 'InterviewLoadEvent');
  const first = receiver.sender.send(request);
  await until('the handler runs', async () => (await receiver.entry())?.status === 'running');
  const second = await receiver.sender.send(request);
  expect(second.body.toString()).toBe('{"Tenant Name":"Jonas Weber"}');
  expect((await first).body).toEqual(second.body);
});

it('remembers an answer beyond a restart', async () => {
  const env = { INBOX_URL: newInboxUrl() };
  const before = await start(hotdocs, 'InterviewLoadEvent', () => ({ 'Tenant Name': text('first') }), {
    env,
  });
  const request = await before.sender.request(hotdocs, 'InterviewLoadEvent');
  const first = await before.sender.send(request);
  await before.app.stop();
  const after = await start(hotdocs, 'InterviewLoadEvent', () => ({ 'Tenant Name': text('second') }), {
    env,
  });
  expect((await after.sender.send(request)).body).toEqual(first.body);
});

it('runs the handler again for the redelivery of an event that failed', async () => {
  let runs = 0;
  const receiver = await start(hotdocs, 'InterviewLoadEvent', () => {
    runs += 1;
    if (runs === 1) throw new Error('the directory is away');
    return { 'Tenant Name': text('Jonas Weber') };
  });
  const request = await receiver.sender.request(hotdocs, 'InterviewLoadEvent');
  expect((await receiver.sender.send(request)).body.toString()).toBe('{}');
  const again = await receiver.sender.send(request);
  expect(again.body.toString()).toBe('{"Tenant Name":"Jonas Weber"}');
  await receiver.app.idle();
  expect(await receiver.app.inbox.stats()).toMatchObject({ done: 1, dead: 0 });
  expect((await receiver.sender.send(request)).body).toEqual(again.body);
  expect(runs).toBe(2);
});

it('takes two clicks on an action link for two events, even when they look the same', async () => {
  let runs = 0;
  const receiver = await start(hotdocs, 'ActionLink', () => {
    runs += 1;
    return `<p>click ${runs}</p>`;
  });
  const request = await receiver.sender.request(hotdocs, 'ActionLink');
  expect((await receiver.sender.send(request)).body.toString()).toBe('<p>click 1</p>');
  expect((await receiver.sender.send(request)).body.toString()).toBe('<p>click 2</p>');
});

it('on shutdown answers an interview whose handler goes on, and does not call it again: nobody waits', async () => {
  const env = { INBOX_URL: newInboxUrl(), HOTDOCS_DEADLINE_MS: '60000' };
  let runs = 0;
  const handler = () => {
    runs += 1;
    return new Promise(() => undefined);
  };
  const before = await start(hotdocs, 'InterviewLoadEvent', handler, { env: { ...env, SHUTDOWN_MS: '0' } });
  const sent = before.sender.fire(hotdocs, 'InterviewLoadEvent');
  await until('the handler runs', () => runs > 0);
  await before.app.stop();
  const { status, body } = await sent;
  expect([status, body.toString()]).toEqual([200, '{}']);
  const after = await start(hotdocs, 'InterviewLoadEvent', handler, { env });
  await after.app.idle();
  expect(runs).toBe(1);
  expect(await after.entry()).toMatchObject({
    status: 'dead',
    note: 'handler_late: the receiver is shutting down',
  });
});

it('on shutdown lets a login pass whose handler goes on, and does the work after it', async () => {
  const env = { INBOX_URL: newInboxUrl(), RISR_DEADLINE_MS: '10000' };
  let runs = 0;
  const before = await start(
    risr,
    'user_logged_in',
    () => {
      runs += 1;
      return new Promise(() => undefined);
    },
    { env: { ...env, SHUTDOWN_MS: '0' } },
  );
  const sent = before.sender.fire(risr, 'user_logged_in');
  await until('the handler runs', () => runs > 0);
  await before.app.stop();
  expect((await sent).status).toBe(200);
  const attempts: number[] = [];
  const handler = ({ attempt }: Occurrence) => {
    attempts.push(attempt);
    return 'welcome';
  };
  const after = await start(risr, 'user_logged_in', handler, { env });
  await after.app.idle();
  expect(attempts).toEqual([2]);
  // The attempt that was cut short does not count.
  expect(await after.entry()).toMatchObject({ status: 'done', attempts: 1 });
});
