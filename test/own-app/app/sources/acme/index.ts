import { z } from 'zod';
import {
  defineSource,
  hmacHeader,
  parse,
  readJson,
  signHmacHeader,
  type Destination,
  type HmacSpelling,
  type OutgoingRequest,
} from '../../../../../src/kit/index.ts';
import { events } from './events.ts';

const HEADER = 'X-Acme-Signature';
const SPELLING: HmacSpelling = { scheme: 'hmac-sha256', encoding: 'hex', letterCase: 'lower', prefix: '' };

const wrapped = z.looseObject({ id: z.string(), type: z.string(), data: z.unknown() });

/** A sender that the kit does not know. */
export const acme = defineSource({
  name: 'acme',
  title: 'Acme Orders',
  docs: new URL('https://docs.acme.example/webhooks'),
  endpointPer: 'source',
  settings: {},
  switches: {},
  events,
  methods: () => ['POST'],
  limits: () => ({ maxBodyBytes: 65_536, deadlineMs: 5_000, onFailure: 'harmless' }),
  proof: {
    kinds: {
      SECRET: {
        summary: 'The secret agreed with Acme.',
        keyEncodings: () => ['utf8'],
        proof: () => hmacHeader({ header: HEADER.toLowerCase(), scheme: SPELLING.scheme }),
      },
    },
    sign: async (content, to) =>
      request(content, to, { [HEADER]: signHmacHeader(content, Buffer.from(to.credential.text), SPELLING) }),
    forgeries: ['missing-proof'],
    forge: async (_forgery, content, to) => request(content, to, {}),
  },
  envelope: {
    read(content) {
      const { id, type, data } = parse(wrapped, readJson(content), 'payload_invalid');
      return { type, id, key: id, payload: data };
    },
    write: ({ id, type, payload }) => Buffer.from(JSON.stringify({ id, type, data: payload })),
  },
  reply: {
    accepted: { status: 204, type: 'none', body: '' },
    answer: (answer) => ({ status: 200, type: 'json', body: JSON.stringify(answer) }),
    harmless: () => ({ status: 204, type: 'none', body: '' }),
    judge: ({ status }) =>
      status === 204
        ? { ok: true, says: 'Acme is content.' }
        : { ok: false, says: `Acme expects 204 and got ${status}.` },
  },
});

function request(content: Buffer, to: Destination, proof: Readonly<Record<string, string>>): OutgoingRequest {
  const headers = { 'Content-Type': 'application/json', ...proof };
  return { method: 'POST', target: to.path, headers, body: content };
}
