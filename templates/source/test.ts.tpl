import { __hashing__createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import type { Delivery } from '../../src/kit/delivery.ts';
import { endpointsOf } from '../../src/kit/endpoint/definition.ts';
import { createRandom } from '../../src/lab/mock/random.ts';
import { buildRequest, switchesOf, type Order } from '../../src/lab/mock/request.ts';
import { importSecret } from '../../src/kit/proofs/secrets.ts';
import type { Envelope, EnvelopeHeaders, OutgoingRequest, Settings, Source } from '../../src/kit/source.ts';
import { __constant__ } from '../../src/app/sources/__name__/index.ts';

const source: Source = __constant__;
const [endpoint] = endpointsOf(source);
const secret = '__name__-secret-of-the-tests-0123456789';

// A witness is a request that shares no code with the data sheet. This one was thought up, and only its signature was
// made elsewhere: by node:crypto, below. Put a request in its place that the sender itself has made, with the secret it
// was made with and its signature as text: from its documentation, or recorded in its test system.
const witness = Buffer.from('__witness__');
const witnessHeaders = __witnessheaders__;
const witnessSignature = createHmac('sha256', secret).update(witness).digest('hex');

it.todo('accepts a request that __Title__ itself has made');

it('accepts and reads the witness', async () => {
  const content = await verify(signed(witness, witnessSignature));
  expect(read(content, witnessHeaders)).toEqual({
    type: 'example.created',
    id: '1',
    key: __key__,
    payload: { id: 'example-1' },
  });
});

it('refuses the witness when one byte is another', async () => {
  const changed = Buffer.from(witness.toString().replace('example-1', 'example-2'));
  await expect(verify(signed(changed, witnessSignature))).rejects.toMatchObject({ code: 'proof_mismatch' });
});

it('refuses the witness under another secret', async () => {
  await expect(verify(signed(witness, witnessSignature), `not-${secret}`)).rejects.toMatchObject({
    code: 'proof_mismatch',
  });
});

it.each(Object.entries(source.events))('reads back %s as the mock writes it', async (type, event) => {
  const request = await buildRequest(source, order(type), createRandom(1));
  const envelope = read(await verify(request), inLowerCase(request.headers));
  expect(envelope.type).toBe(type);
  expect(event.schema.parse(envelope.payload)).toEqual(event.schema.parse(event.example));
});

it.each(source.proof.forgeries)('refuses the forgery %s', async (forgery) => {
  const forged = await source.proof.forge(forgery, witness, order('example.created'), switchesOf(source, {}));
  await expect(verify(forged)).rejects.toMatchObject({ name: 'DeliveryRejected' });
});

it('counts its own reply as success', () => {
  const reply = { status: source.reply.accepted.status, headers: {}, body: Buffer.from('{}'), ms: 1 };
  expect(source.reply.judge(reply, 'example.created', switchesOf(source, {}))).toMatchObject({ ok: true });
});

function order(type: string): Order {
  return { type, path: '/__name__', credential: { kind: 'SECRET', text: secret } };
}

function signed(body: Buffer, signature: string): OutgoingRequest {
  return { method: 'POST', target: '/__name__', headers: { 'X-Signature': signature }, body };
}

async function verify({ method, headers, body }: OutgoingRequest, text = secret): Promise<Buffer> {
  const delivery: Delivery = {
    method,
    query: '',
    headers: Object.entries(headers).flat(),
    body,
    receivedAt: 0,
  };
  const proven = await source.proof.kinds['SECRET']?.proof(defaults()).verify(delivery, [
    await importSecret(text),
  ]);
  if (proven === undefined) throw new Error('__name__ has no proof for a SECRET.');
  return proven.content;
}

function read(content: Buffer, headers: EnvelopeHeaders): Envelope {
  if (endpoint === undefined) throw new Error('__name__ has no endpoint.');
  return source.envelope.read(content, endpoint, defaults(), headers);
}

function inLowerCase(headers: EnvelopeHeaders): EnvelopeHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function defaults(): Settings {
  return Object.fromEntries(
    Object.entries(source.settings).map(([name, setting]) => [name, setting.schema.parse(setting.default)]),
  );
}
