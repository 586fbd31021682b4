import { createServer } from 'node:http';
import type { Source } from '../../../src/kit/source.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import type { Kept } from '../../../src/kit/tape/tape.ts';
import { bytesOf, exchange, type WireRequest } from '../../../src/lab/conformance/wire.ts';
import { createRandom } from '../../../src/lab/mock/random.ts';
import { buildRequest, type Order } from '../../../src/lab/mock/request.ts';
import { listenOn } from '../../../src/lab/rig/ports.ts';

/** What only the sender knows: no receiver of these tests has it. */
const SENDERS = 'what-the-sender-knows-and-nobody-else';

/** Sends a request over a socket and writes down what arrives, as the tape of a receiver does. */
export async function taped(request: WireRequest, kept: Partial<Kept> = {}): Promise<Kept> {
  const arrived = Promise.withResolvers<Kept>();
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '', httpVersion, rawHeaders } = incoming;
      response.end();
      arrived.resolve({
        ...{ number: 1, at: Date.now(), from: '203.0.113.7', method, target: url, httpVersion },
        ...{ headers: rawHeaders, body: Buffer.concat(chunks), whole: true, endpoint: url.split('?')[0] },
        ...{ outcome: 'proof_mismatch', seq: undefined, why: 'another secret', ...kept },
      });
    });
  });
  const url = new URL(`http://127.0.0.1:${await listenOn(server)}`);
  await exchange(bytesOf(request, url), { url, timeoutMs: 10_000 });
  server.close();
  return arrived.promise;
}

export interface Sending extends Partial<Omit<Order, 'type' | 'credential'>> {
  readonly kind?: string;
  readonly secret?: string;
}

/** What the mock of a source sends, taped. */
export async function tapedEvent(
  source: Source,
  type: string,
  { kind = 'SECRET', secret = SENDERS, ...order }: Sending = {},
  kept: Partial<Kept> = {},
): Promise<Kept> {
  const path = source.endpointPer === 'source' ? `/${source.name}` : `/${source.name}/${type}`;
  const wanted = { type, path, credential: { kind, text: secret }, ...order };
  const { headers, ...request } = await buildRequest(source, wanted, createRandom(1));
  const at = order.at?.getTime() ?? Date.now();
  return taped({ ...request, headers: Object.entries(headers) }, { endpoint: wanted.path, at, ...kept });
}

type Variant = readonly [Source, string, Sending?];

const old = { at: new Date(Date.now() - 3_600_000) };

/** Each at another endpoint, by another way of writing and sending. */
export const signed: readonly Variant[] = [
  [hotdocs, 'NewWorkItemVersionComplete', { ...old, switches: { times: 'iat+exp' } }],
  [hotdocs, 'PostProcessingEvent', { ...old, switches: { claims: 'data-string', times: 'iat' } }],
  [hotdocs, 'InterviewLoadEvent', { ...old, switches: { loadName: 'LoadInterviewEvent', times: 'iat+exp' } }],
  [hotdocs, 'ActionLink', { ...old, switches: { fieldStyle: 'pascal', times: 'iat+exp' } }],
  [phenixid, 'OrderAccepted', { switches: { encoding: 'base64', prefix: 'sha256=', order: 'task-first' } }],
  [risr, 'user_registered', { switches: { sso: 'flat', escapes: 'ascii', headerOrder: 'typ-first' } }],
  [risr, 'profile_updated', { switches: { escapes: 'utf8', spacing: 'spaced', newline: 'yes' } }],
  [risr, 'booking_state_changed', { switches: { booking: 'nested', contentType: 'none' } }],
];

/** The same with the token where only this kit looks for it: the documentation does not name these places. */
export const elsewhere: readonly Variant[] = [
  [
    hotdocs,
    'PostProcessingEvent',
    { ...old, switches: { carrier: 'json', claims: 'data-string', times: 'iat' } },
  ],
  [hotdocs, 'InterviewLoadEvent', { ...old, switches: { carrier: 'body', verb: 'PUT', times: 'iat+exp' } }],
  [
    hotdocs,
    'CustomInterviewEvent',
    { switches: { carrier: 'multipart', fieldStyle: 'flat', includeAnswers: 'true' } },
  ],
  [hotdocs, 'ActionLink', { ...old, switches: { carrier: 'header', authForm: 'bearer', times: 'iat+exp' } }],
];

/** Proven by an access token. */
export const withToken: readonly Variant[] = [
  [
    hotdocs,
    'NewWorkItemVersionComplete',
    { kind: 'TOKEN', switches: { tokenBody: 'multipart', authForm: 'token' } },
  ],
  [hotdocs, 'PostProcessingEvent', { kind: 'TOKEN', switches: { tokenBody: 'form', authForm: 'bearer' } }],
  [hotdocs, 'InterviewLoadEvent', { kind: 'TOKEN' }],
  [hotdocs, 'CustomInterviewEvent', { kind: 'TOKEN', switches: { tokenBody: 'json', fieldStyle: 'pascal' } }],
];

export function tapedAll(variants: readonly Variant[]): Promise<Kept[]> {
  return Promise.all(
    variants.map(([source, type, sending], index) =>
      tapedEvent(source, type, sending, { number: index + 1 }),
    ),
  );
}
