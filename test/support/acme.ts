import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { headerValues } from '../../src/kit/delivery.ts';
import { DeadLetter, DeliveryRejected } from '../../src/kit/errors.ts';
import { parse } from '../../src/kit/reading/json.ts';
import type { Proof } from '../../src/kit/proofs/proof.ts';
import { defineSource, event, type OutgoingRequest } from '../../src/kit/source.ts';

/** A small sending system that does not exist: what is generic must work with it, too. */
export const acme = defineSource({
  name: 'acme',
  title: 'Acme Orders',
  docs: new URL('https://docs.acme.example/webhooks'),
  endpointPer: 'event',
  settings: {},
  switches: {
    verb: { values: ['POST', 'GET'], summary: 'A GET carries content and signature in its query.' },
    case: { values: ['lower', 'upper'], summary: 'Spelling of the hex digits.' },
    agent: { text: 'acme/1', summary: 'User-Agent.' },
  },
  events: {
    'order.created': event({
      mode: 'notify',
      summary: 'An order was placed.',
      schema: z.looseObject({
        orderId: z.string(),
        lines: z.array(z.object({ sku: z.string(), count: z.int() })),
      }),
      example: { orderId: 'ord_1', lines: [{ sku: 'pencil', count: 2 }] },
      subject: ({ orderId }) => orderId,
    }),
    'price.asked': event({
      mode: 'reply',
      summary: 'Somebody waits for a price.',
      schema: z.object({ sku: z.string() }),
      example: { sku: 'pencil' },
      answer: z.object({ price: z.number() }),
      describe: ({ price }) => `said ${price}`,
      afterFailure: 'record',
    }),
  },
  story: ['price.asked'],
  methods: () => ['POST', 'GET'],
  limits: () => ({ maxBodyBytes: 65_536, deadlineMs: 1_000, onFailure: 'harmless' }),
  proof: {
    kinds: {
      SECRET: {
        summary: 'HMAC-SHA256 over the body',
        keyEncodings: () => ['utf8'],
        proof: () => hmac,
      },
      TOKEN: {
        summary: 'access token in the Authorization header',
        keyEncodings: () => ['utf8'],
        proof: () => hmac,
      },
    },
    async sign(content, to, { verb, case: letters, agent }) {
      const { kind, text } = to.credential;
      const value = kind === 'TOKEN' ? text : signature(content, text, letters);
      return request(content, to.path, value, { verb, agent });
    },
    forgeries: ['missing-proof', 'plain-hash'],
    async forge(forgery, content, to, { verb, agent }) {
      if (forgery === 'missing-proof') return request(content, to.path, undefined, { verb, agent });
      return request(content, to.path, signature(content, '', 'lower'), { verb, agent });
    },
  },
  envelope: {
    read(content) {
      const { id, type, data } = parse(envelope, JSON.parse(content.toString()), 'payload_invalid');
      return { id, type, key: id, payload: data };
    },
    write: ({ id, type, payload }) => Buffer.from(JSON.stringify({ id, type, data: payload })),
  },
  reply: {
    accepted: { status: 204, type: 'none', body: '' },
    answer(answer) {
      const body = JSON.stringify(answer);
      if (body.length > 1_000) throw new DeadLetter('answer_too_large', 'Acme reads 1,000 bytes.');
      return { status: 200, type: 'json', body };
    },
    harmless: () => ({ status: 200, type: 'json', body: '{}' }),
    judge({ status }) {
      if (status === 200 || status === 204) return { ok: true, says: 'Acme is content.' };
      return { ok: false, says: `Acme expects 204 and got ${status}.` };
    },
  },
});

const envelope = z.object({ id: z.string(), type: z.string(), data: z.unknown() });

const hmac: Proof = {
  scheme: 'hmac-header',
  verify(delivery, secrets) {
    const query = new URLSearchParams(delivery.query);
    const content = delivery.method === 'GET' ? Buffer.from(query.get('content') ?? '') : delivery.body;
    const given = headerValues(delivery, 'x-acme-signature')[0] ?? query.get('signature');
    if (given === null) throw new DeliveryRejected('proof_missing', 'No X-Acme-Signature.');
    const matching = secrets.find((secret) => {
      const expected = Buffer.from(signature(content, secret.bytes, 'lower'));
      const candidate = Buffer.from(given.toLowerCase());
      return candidate.length === expected.length && timingSafeEqual(candidate, expected);
    });
    if (matching === undefined)
      throw new DeliveryRejected('proof_mismatch', 'Another secret or other bytes.');
    return { content, secret: matching.position };
  },
};

function signature(content: Buffer, key: string | Buffer, letters: string): string {
  const hex = createHmac('sha256', key).update(content).digest('hex');
  return letters === 'upper' ? hex.toUpperCase() : hex;
}

function request(
  content: Buffer,
  path: string,
  value: string | undefined,
  { verb, agent }: { verb: string; agent: string },
): OutgoingRequest {
  const headers = { 'User-Agent': agent };
  if (verb === 'GET') {
    const query = new URLSearchParams({ content: content.toString(), ...(value && { signature: value }) });
    return { method: 'GET', target: `${path}?${query.toString()}`, headers, body: Buffer.alloc(0) };
  }
  const proof = value === undefined ? {} : { 'X-Acme-Signature': value };
  return {
    method: 'POST',
    target: path,
    headers: { ...headers, ...proof, 'Content-Type': 'application/json' },
    body: content,
  };
}
