import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Source, Switches } from '../../../src/kit/source.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import type { Kept, Lost, Tape } from '../../../src/kit/tape/tape.ts';
import { bytesOf, exchange, type WireRequest } from '../../../src/lab/conformance/wire.ts';
import { listenOn } from '../../../src/lab/rig/ports.ts';
import { createTestSender, type RequestOptions } from '../../support/test-sender.ts';

/** A secret of the sender's, as none of the tests' receivers has it. */
export const SENDERS = 'what-the-sender-knows-and-nobody-else';

/** Sends a request over a socket and writes down what arrives, as a receiver's tape does. */
export async function taped(
  send: (url: URL) => Promise<unknown>,
  kept: Pick<Kept, 'endpoint'> & Partial<Kept>,
): Promise<Kept> {
  const arrived = Promise.withResolvers<Kept>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', httpVersion, rawHeaders } = request;
      const body = Buffer.concat(chunks);
      response.writeHead(401).end();
      arrived.resolve({
        number: 1,
        at: Date.now(),
        from: '203.0.113.7',
        method,
        target: url,
        httpVersion,
        headers: rawHeaders,
        body,
        whole: true,
        outcome: 'proof_mismatch',
        seq: undefined,
        why: 'another secret',
        ...kept,
      });
    });
  });
  const port = await listenOn(server);
  await send(new URL(`http://127.0.0.1:${port}`));
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  return arrived.promise;
}

/** What the mock of a source sends, taped. */
export async function tapedEvent(
  source: Source,
  type: string,
  options: RequestOptions & Partial<Kept> = {},
): Promise<Kept> {
  const { payload, id, switches, path, secret = SENDERS, kind, ...kept } = options;
  const endpoint = path ?? (source.endpointPer === 'source' ? `/${source.name}` : `/${source.name}/${type}`);
  return taped(
    async (url) => {
      const sender = createTestSender({ url: url.href, secretOf: () => secret });
      const chosen = { payload, id, switches, path, kind };
      const given = Object.entries(chosen).filter(([, value]) => value !== undefined);
      await sender.fire(source, type, { ...Object.fromEntries(given), secret });
      sender.close();
    },
    { endpoint, ...kept },
  );
}

export async function tapedRequest(request: WireRequest, kept: Pick<Kept, 'endpoint'> & Partial<Kept>) {
  return taped((url) => exchange(bytesOf(request, url), { url, timeoutMs: 10_000 }), kept);
}

const variants: readonly (readonly [Source, string, RequestOptions?])[] = [
  [hotdocs, 'NewWorkItemVersionComplete'],
  [
    hotdocs,
    'PostProcessingEvent',
    { switches: { carrier: 'json', claims: 'data-string', times: 'iat+exp' } },
  ],
  [hotdocs, 'InterviewLoadEvent', { switches: { loadName: 'LoadInterviewEvent', times: 'iat' } }],
  [
    hotdocs,
    'CustomInterviewEvent',
    { switches: { carrier: 'multipart', fieldStyle: 'flat', includeAnswers: 'true' } },
  ],
  [
    hotdocs,
    'ActionLink',
    { switches: { carrier: 'header', authForm: 'bearer', fieldStyle: 'pascal', times: 'iat+exp' } },
  ],
  [
    hotdocs,
    'NewWorkItemVersionComplete',
    { kind: 'TOKEN', switches: { tokenBody: 'multipart', authForm: 'token' } },
  ],
  [hotdocs, 'InterviewLoadEvent', { kind: 'TOKEN' }],
  [
    phenixid,
    'OrderSigned',
    { switches: { encoding: 'base64', prefix: 'sha256=', key: 'north-hospital', pretty: 'yes' } },
  ],
  [phenixid, 'OrderAccepted', { switches: { letterCase: 'upper', order: 'task-first', body: 'old' } }],
  [risr, 'user_registered', { switches: { sso: 'flat', escapes: 'ascii', headerOrder: 'typ-first' } }],
  [risr, 'profile_updated', { switches: { escapes: 'utf8', spacing: 'spaced', newline: 'yes' } }],
  [risr, 'booking_state_changed', { switches: { booking: 'nested', contentType: 'none' } }],
];

/** Deliveries of all sources, by many ways of writing and sending them. */
export function tapedVariants(): Promise<Kept[]> {
  return Promise.all(
    variants.map(([source, type, options = {}], index) =>
      tapedEvent(source, type, { ...options, number: index + 1 }),
    ),
  );
}

/** A tape in memory. */
export function tapeOf(all: readonly (Kept | Lost)[]): Tape {
  let kept = [...all];
  return {
    list: async () => kept,
    read: async (number) => kept.find((one) => one.number === number),
    async accepted(accepted, seq) {
      kept = kept.map((one) => (one.number === accepted.number ? { ...accepted, seq } : one));
    },
    async forget(numbers) {
      kept = kept.filter(({ number }) => !numbers.includes(number));
    },
    close: async () => undefined,
  };
}

export type { Switches };
