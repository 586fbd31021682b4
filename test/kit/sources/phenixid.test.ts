import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Delivery } from '../../../src/kit/delivery.ts';
import { endpointsOf } from '../../../src/kit/endpoint/definition.ts';
import { DeadLetter } from '../../../src/kit/errors.ts';
import { importSecret } from '../../../src/kit/proofs/secrets.ts';
import type { OutgoingRequest, Settings, Switches } from '../../../src/kit/source.ts';
import { events } from '../../../src/kit/sources/phenixid/events.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';

const secret = 'swf-demo-secret-2031';
const task = '5d0a7f1e-3c42-4b8e-9a57-2f6c1b90d413';
const [endpoint] = endpointsOf(phenixid);
const to = { path: '/phenixid', type: 'OrderSigned', credential: { kind: 'SECRET', text: secret } };

const defaults: Switches = Object.fromEntries(
  Object.entries(phenixid.switches).map(([name, { values, text }]) => [name, values?.[0] ?? text ?? '']),
);
const everySwitch = Object.entries(phenixid.switches).flatMap(([name, { values, text }]) =>
  (values ?? [text ?? '']).map((value): [string, string] => [name, value]),
);

function settingsWith(change: Readonly<Record<string, string>> = {}): Settings {
  return Object.fromEntries(
    Object.entries(phenixid.settings).map(([name, setting]) => [
      name,
      setting.schema.parse(change[name] ?? setting.default),
    ]),
  );
}

function deliveryOf({ method, target, headers, body }: OutgoingRequest): Delivery {
  return {
    method,
    query: target.split('?')[1] ?? '',
    headers: Object.entries(headers).flat(),
    body,
    receivedAt: Date.now(),
  };
}

function write(payload: unknown, choices: Switches = defaults, type = 'OrderSigned'): Buffer {
  return phenixid.envelope.write({ type, id: 'unused', payload, at: new Date(0) }, choices);
}

function read(content: Buffer | string) {
  if (endpoint === undefined) throw new Error('phenixid has no endpoint');
  return phenixid.envelope.read(Buffer.from(content), endpoint, settingsWith(), {});
}

function proofFor(scheme: string) {
  const settings = settingsWith({ SIGNATURE_SCHEME: scheme });
  if (scheme === 'unsigned') return phenixid.proof.without?.(settings);
  return phenixid.proof.kinds['SECRET']?.proof(settings);
}

async function verify(request: OutgoingRequest, scheme = 'hmac-sha256', text = secret): Promise<Buffer> {
  const proven = await proofFor(scheme)?.verify(deliveryOf(request), [await importSecret(text)]);
  if (proven === undefined) throw new Error(`no proof for ${scheme}`);
  return proven.content;
}

function judge(status: number, ms = 20) {
  const reply = { status, headers: {}, body: Buffer.from('{"ok":true}'), ms };
  return phenixid.reply.judge(reply, 'OrderSigned', defaults);
}

it.each(everySwitch)('reads back every event that the sender writes with %s=%s', async (name, value) => {
  const choices = { ...defaults, [name]: value };
  for (const [type, { schema, example }] of Object.entries(events)) {
    const request = await phenixid.proof.sign(write(example, choices, type), { ...to, type }, choices);
    const envelope = read(await verify(request, choices['scheme']));
    expect(envelope).toMatchObject({ type, id: undefined, key: undefined });
    expect(schema.parse(envelope.payload).taskId).toBe(example.taskId);
  }
});

it.each([
  ['OrderCreated', '028254e454bc3abcdeec8d53e4681d17070241bf283d0e1e875dae381fd118fd'],
  ['OrderDocumentUpdated', '73d689b4f07cc1308a259d53812222b35ab97f25b8e3a73269d82313645b1d1e'],
  ['OrderAccepted', 'c5ceafff90d0d69af89f2b3a0caba9a9cf72fe2646bf310eafda27e20afe2661'],
  ['OrderSigned', 'f98b5e4e2c6c000b85845ce6fa983dbba3bfd34e0a2dfcd0ddc5b9c61c31dc08'],
  ['OrderRejected', 'e0a3670694aa90adbedd86fbe5b9179341faa1911bda154e7bcc9c14ca07e79f'],
  ['OrderCanceled', '4d71ef3c86b0152c296c7405cd6494e46a3aa8457bb60fa70c1257cdbd472749'],
  ['OrderExpired', '468145e71ed7a0098ee66a8b11c774461fcbe8837998f327a3ec89ed9ead2d0e'],
  ['OrderDueDateUpdated', 'dc7cdb52179288dd2724b2ca129ab330eb9de85e690d18a7c39dbc54f8f48608'],
  ['OrderSignersUpdated', 'a70077ce23e9ed20e8a43e47eb63fe523dcb14cd35b79c52e48f2814faa89c6f'],
  ['OrderDescriptionUpdated', 'e9893cfd64fd2457320bcc17ce12e750c474c91fac66be0bcd77d936ee77e85f'],
])('writes and signs %s as openssl does', async (type, signature) => {
  const content = write({ taskId: task, orderId: task }, defaults, type);
  expect(content.toString()).toBe(`{"orderId":"${task}","eventType":"${type}","taskId":"${task}"}`);
  const request = await phenixid.proof.sign(content, { ...to, type }, defaults);
  expect(request.headers['X-Signature']).toBe(signature);
});

it.each([
  [{ pretty: 'yes' }, '1572a60bc0c7364684b36e74561679387f15d95df857ac0ef7cc70b70c6e75c5'],
  [{ body: 'old' }, '9cae2a9911b954e033f0414f297ead80e137aff9b33ea2ad87c67b503cb0e1b0'],
  [{ body: 'future' }, 'acd2911aa8d71dd5d501d3943ceaca9d9ba10b4e77676e994184c9080f7fc792'],
  [{ encoding: 'base64' }, '+YteTixsAAuFhFzm+pg9u6O/004KLfzQ3cW5xhwx3Ag='],
  [{ encoding: 'base64url' }, '-YteTixsAAuFhFzm-pg9u6O_004KLfzQ3cW5xhwx3Ag'],
  [{ letterCase: 'upper' }, 'F98B5E4E2C6C000B85845CE6FA983DBBA3BFD34E0A2DFCD0DDC5B9C61C31DC08'],
  [{ prefix: 'sha256=' }, 'sha256=f98b5e4e2c6c000b85845ce6fa983dbba3bfd34e0a2dfcd0ddc5b9c61c31dc08'],
  [{ scheme: 'sha256-body-secret' }, '1a8df6be906c3124f3d7f83bdfa37d23db09f7aebdddb27d2d63171dbc3f6504'],
  [{ scheme: 'sha256-secret-body' }, 'bf44877de329b91543db48683d79d1559024afe6bb89dc368a7107d1455350ea'],
])('signs %j as openssl does', async (change, signature) => {
  const choices: Switches = { ...defaults, ...change };
  const request = await phenixid.proof.sign(write({ taskId: task }, choices), to, choices);
  expect(request.headers['X-Signature']).toBe(signature);
});

it.each([
  [{}, '/phenixid'],
  [{ key: 'site-north' }, '/phenixid/?key=site-north'],
  [{ key: 'site-north', slash: 'none' }, '/phenixid?key=site-north'],
  [{ key: 'site-north', slash: 'two' }, '/phenixid//?key=site-north'],
  [{ slash: 'two' }, '/phenixid/'],
  [{ key: 'å b' }, '/phenixid/?key=%C3%A5%20b'],
])('sends %j to %s', async (change, target) => {
  const request = await phenixid.proof.sign(write({ taskId: task }), to, { ...defaults, ...change });
  expect(request.target).toBe(target);
});

it.each(phenixid.proof.forgeries)('refuses the forgery %s', async (forgery) => {
  const request = await phenixid.proof.forge(forgery, write({ taskId: task }), to, defaults);
  await expect(verify(request)).rejects.toThrow();
});

it('refuses a hash of the body alone under every scheme', async () => {
  const request = await phenixid.proof.forge('plain-sha256', write({ taskId: task }), to, defaults);
  await expect(verify(request, 'sha256-body-secret')).rejects.toMatchObject({ code: 'proof_mismatch' });
  await expect(verify(request, 'sha256-secret-body')).rejects.toMatchObject({ code: 'proof_mismatch' });
});

it('knows no other forgery', async () => {
  await expect(phenixid.proof.forge('constructor', Buffer.alloc(0), to, defaults)).rejects.toThrow(
    'no forgery',
  );
});

it('never falls back to another scheme than the one that is set', async () => {
  const choices = { ...defaults, scheme: 'sha256-body-secret' };
  const request = await phenixid.proof.sign(write({ taskId: task }), to, choices);
  await expect(verify(request, 'hmac-sha256')).rejects.toMatchObject({ code: 'proof_mismatch' });
});

it('accepts without a signature only where that is set in words', () => {
  expect(phenixid.proof.without?.(settingsWith())).toBeUndefined();
  const insecure = settingsWith({ SIGNATURE_SCHEME: 'unsigned' });
  expect(phenixid.proof.without?.(insecure)?.scheme).toBe('unsigned');
});

it('asks for the signature where a secret is set, even beside the insecure setting', () => {
  const insecure = settingsWith({ SIGNATURE_SCHEME: 'unsigned' });
  expect(phenixid.proof.kinds['SECRET']?.proof(insecure).scheme).toBe('hmac-sha256');
});

it('takes the id from either member', () => {
  expect(read(`{"orderId":"a1","eventType":"OrderSigned"}`).payload).toEqual({ taskId: 'a1', orderId: 'a1' });
  expect(read(`{"taskId":"a1","eventType":"OrderSigned"}`).payload).toEqual({ taskId: 'a1' });
  expect(read(`{"taskId":null,"orderId":"a1","eventType":"OrderSigned"}`).payload).toEqual({
    taskId: 'a1',
    orderId: 'a1',
  });
});

it('keeps members it does not know', () =>
  expect(read(`{"taskId":"a1","eventType":"OrderSigned","by":"x"}`).payload).toEqual({
    taskId: 'a1',
    by: 'x',
  }));

it.each(['OrderArchived', 'ordersigned', 'constructor', '__proto__', '../x'])(
  'returns the unknown event type %s as it came',
  (type) => expect(read(JSON.stringify({ taskId: 'a1', eventType: type })).type).toBe(type),
);

it.each([
  ['two different ids', '{"taskId":"a1","orderId":"a2","eventType":"OrderSigned"}', 'payload_invalid'],
  ['no event type', '{"taskId":"a1"}', 'payload_invalid'],
  ['an empty event type', '{"taskId":"a1","eventType":""}', 'payload_invalid'],
  ['an event type that is a list', '{"taskId":"a1","eventType":["OrderSigned"]}', 'payload_invalid'],
  ['a NUL in the event type', '{"taskId":"a1","eventType":"Order\\u0000"}', 'payload_invalid'],
  ['a list', '[]', 'json_invalid'],
  ['a text', '"OrderSigned"', 'json_invalid'],
  ['null', 'null', 'json_invalid'],
  ['nothing', '', 'json_invalid'],
  ['half an object', '{"taskId":"a1"', 'json_invalid'],
])('makes %s a dead letter', (_what, content, reason) =>
  expect(() => read(content)).toThrow(expect.objectContaining({ name: 'DeadLetter', reason })),
);

it.each(['.', '..', 'a/b', 'a%2fb', 'a b', '', 'x'.repeat(129), 'a\n', 5, null, ['a1']])(
  'does not let the id %j into an address',
  (taskId) => {
    const { payload } = read(JSON.stringify({ taskId, eventType: 'OrderSigned' }));
    expect(events.OrderSigned.schema.safeParse(payload).success).toBe(false);
  },
);

it('keeps the events of one task apart from those of another', () =>
  expect(events.OrderSigned.subject?.({ taskId: 'a1' })).toBe('task:a1'));

it('judges as the sender does', () => {
  expect(judge(200)).toMatchObject({ ok: true });
  expect(judge(204)).toMatchObject({ ok: true, says: expect.stringContaining('200 was expected') });
  expect(judge(307)).toMatchObject({ ok: false });
  expect(judge(401)).toMatchObject({ ok: false });
  expect(judge(200, 30_001)).toMatchObject({ ok: false });
});

it('counts its own replies as success', () => {
  const { accepted } = phenixid.reply;
  expect(phenixid.reply.harmless('OrderSigned', settingsWith())).toEqual(accepted);
  expect(judge(accepted.status).ok).toBe(true);
});

it('reads any bytes, or makes them a dead letter', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record(
        { taskId: fc.anything(), orderId: fc.anything(), eventType: fc.anything() },
        { requiredKeys: [] },
      )
      .map((value) => Buffer.from(jsonOrEmpty(value))),
  );
  fc.assert(
    fc.property(bytes, (content) => {
      try {
        return typeof read(content).type === 'string';
      } catch (error) {
        return error instanceof DeadLetter;
      }
    }),
  );
});

/** `fc.anything` makes BigInts and cycles too, which JSON has not. */
function jsonOrEmpty(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '';
  }
}
