import { STATUS_CODES } from 'node:http';
import { expect } from '@jest/globals';
import { rejections, type RejectionCode } from '../../src/kit/errors.ts';
import type { Entry } from '../../src/kit/inbox/inbox.ts';
import { createRandom } from '../../src/lab/mock/random.ts';
import { buildRequest, switchesOf, type Order } from '../../src/lab/mock/request.ts';
import type { OutgoingRequest, Source, Switches } from '../../src/kit/source.ts';
import { bytesOf as bytesOnWire, type WireRequest } from '../../src/lab/conformance/wire.ts';
import { exchange, type RawReply } from '../support/raw.ts';
import {
  startReceiver,
  type LogLine,
  type TestReceiver,
  type TestReceiverOptions,
} from '../support/receiver.ts';

/** Genuine deliveries of one kind: what an attack starts from. */
export interface Sender {
  readonly source: Source;
  readonly type: string;
  readonly path: string;
  readonly switches?: Switches;
}

/** A receiver under attack. */
export interface Target {
  readonly receiver: TestReceiver;
  /** The whole answer to a delivery without any proof: what every other failed proof must get, byte for byte. */
  readonly unauthorized: string;
}

/** Stands in every payload and may stand in no log line. */
const CONFIDENTIAL = 'nobody-may-read-this-in-a-log';

/** A whole receiver that never answers 429, so that thousands of failed proofs can be told apart. */
export async function startTarget(options: TestReceiverOptions = {}): Promise<Target> {
  const env = { FAILED_PROOF_LIMIT: '1000000', ...options.env };
  const receiver = await startReceiver({ ...options, env });
  const [endpoint] = receiver.config.endpoints.filter(({ credentials }) => credentials.size > 0);
  const path = endpoint?.definition.path ?? '';
  const reply = await exchange(
    receiver.url,
    bytesOf({ method: 'POST', target: path, headers: [], body: Buffer.from('{}') }),
  );
  expect([reply.status, reply.body]).toEqual([401, '{"error":"Unauthorized"}']);
  expect(reply.headers['www-authenticate']).toBe('Signature');
  return { receiver, unauthorized: undated(reply.text) };
}

const random = createRandom(1);

/** A request of this kind about an event of its own, made and proven by the mock. */
export async function genuine(
  { receiver }: Target,
  { source, type, path, switches = {} }: Sender,
  changes: Partial<Order> = {},
): Promise<WireRequest> {
  const set = [{ path: 'confidential', value: CONFIDENTIAL }];
  const credential = credentialAt(receiver, path, switches['key'] ?? '');
  return wire(await buildRequest(source, { type, path, credential, switches, set, ...changes }, random));
}

/** What proves deliveries to a path; `installation` as `?key=` names it. */
export function credentialAt(
  { config }: TestReceiver,
  path: string,
  installation = '',
): { readonly kind: string; readonly text: string } {
  const endpoint = config.endpoints.find(({ definition }) => definition.path === path);
  const credential = endpoint?.credentials.get(installation);
  const [text] = credential?.texts ?? [];
  if (credential === undefined || text === undefined) throw new Error(`${path} is closed.`);
  return { kind: credential.kind, text };
}

function wire({ headers, ...request }: OutgoingRequest): WireRequest {
  return { ...request, headers: Object.entries(headers) };
}

/** Text of the request, each byte as the character of its number. */
export function bytesOf(request: WireRequest): Buffer {
  return bytesOnWire(request, LOCAL);
}

const LOCAL = new URL('http://localhost');

/** The outcome of one request: the reply, and what was written into the log meanwhile. */
export interface Sent {
  readonly reply: RawReply;
  readonly lines: readonly LogLine[];
}

/** Sends a request, and checks what holds for every reply and every log line. */
export async function send({ receiver, unauthorized }: Target, request: WireRequest): Promise<Sent> {
  const logged = receiver.log.length;
  const reply = await exchange(receiver.url, bytesOf(request));
  const lines = receiver.log.slice(logged);
  expect(reply.status).toBeGreaterThanOrEqual(200);
  expect(reply.status).toBeLessThan(500);
  expect(reply.headers).not.toHaveProperty('x-powered-by');
  expect(reply.headers).not.toHaveProperty('set-cookie');
  if (reply.status >= 400) checkRefusal(reply, request, unauthorized);
  checkLines(lines, request);
  return { reply, lines };
}

function checkRefusal(reply: RawReply, request: WireRequest, unauthorized: string): void {
  const body = JSON.stringify({ error: STATUS_CODES[reply.status] });
  expect(reply.body).toBe(request.method === 'HEAD' ? '' : body);
  if (reply.status === 401) expect(undated(reply.text)).toBe(unauthorized);
  if (reply.status === 405) expect(reply.headers).toHaveProperty('allow');
  for (const fragment of fragmentsOf(request)) expect(reply.text).not.toContain(fragment);
}

/** A line may name an endpoint's path, and an event's type, id and subject; nothing else that was sent. */
function checkLines(lines: readonly LogLine[], request: WireRequest): void {
  const text = lines
    .map((line) => JSON.stringify({ ...line, type: '', id: '', subject: '', path: '' }))
    .join('\n');
  for (const fragment of fragmentsOf(request)) expect(text).not.toContain(fragment);
}

/** What was sent, in pieces that cannot stand in a log or a reply by chance: tokens, signatures, keys, payload. */
export function fragmentsOf(request: WireRequest | Buffer): string[] {
  const found = textOf(request)
    .matchAll(/[\w+/-]{16,}/g)
    .take(64);
  return found.map(([fragment]) => fragment).toArray();
}

function textOf(request: WireRequest | Buffer): string {
  if (Buffer.isBuffer(request)) {
    const fields = request.toString('latin1', request.indexOf('\n') + 1, 1_000_000);
    return fields.replace(/^content-type:.*$/gim, '').replace(/^[\w-]+ *:/gm, '');
  }
  const { target, headers, body } = request;
  const query = target.split('?').slice(1).join('?');
  const values = headers.filter(([name]) => name.toLowerCase() !== 'content-type').map(([, value]) => value);
  return [query, ...values, body.toString('latin1', 0, 1_000_000)].join(' ');
}

/** Every line of the log, checked for secrets and for payload: to be called when all attacks are over. */
export function expectDiscreetLog({ receiver }: Target): void {
  const text = receiver.log.map((line) => JSON.stringify(line)).join('\n');
  const secrets = receiver.config.endpoints.flatMap(({ credentials }) =>
    [...credentials.values()].flatMap(({ texts }) => texts),
  );
  expect(receiver.log.length).toBeGreaterThan(0);
  for (const told of [...secrets, CONFIDENTIAL]) expect(text).not.toContain(told);
}

/** A delivery must be answered 200 and stored. */
export async function expectAccepted(target: Target, request: WireRequest): Promise<Sent> {
  const before = await stored(target.receiver);
  const sent = await send(target, request);
  expect(sent.lines.filter(({ outcome }) => outcome === 'rejected')).toEqual([]);
  expect(sent.reply.status).toBe(200);
  expect(await stored(target.receiver)).toBe(before + 1);
  return sent;
}

/**
 * A delivery must be refused for the named cause and leave nothing behind. It is one that would be accepted but for the
 * mutation: one of its kind is accepted before, and it is itself accepted afterwards, unmutated.
 */
export async function expectRefused(
  target: Target,
  make: () => Promise<WireRequest>,
  mutate: (request: WireRequest) => WireRequest | Promise<WireRequest>,
  ...codes: readonly RejectionCode[]
): Promise<Sent> {
  await expectAccepted(target, await make());
  const request = await make();
  const mutated = await mutate(request);
  expect(bytesOf(mutated).equals(bytesOf(request))).toBe(false);
  const sent = await expectRefusedAlone(target, mutated, ...codes);
  await expectAccepted(target, request);
  return sent;
}

/** The negative half of `expectRefused`, for several in a row. */
export async function expectRefusedAlone(
  target: Target,
  request: WireRequest,
  ...codes: readonly RejectionCode[]
): Promise<Sent> {
  const before = await stored(target.receiver);
  const sent = await send(target, request);
  const [line, ...others] = sent.lines.filter(({ outcome }) => outcome === 'rejected');
  const code = codes.find((candidate) => candidate === line?.['code']);
  expect([line?.['code'], others]).toEqual([code ?? codes.join(' or '), []]);
  expect(sent.reply.status).toBe(code && rejections[code][0]);
  expect(await stored(target.receiver)).toBe(before);
  return sent;
}

/** How many deliveries the inbox has taken in. */
export async function stored({ app }: TestReceiver): Promise<number> {
  const { waiting, running, done, dead } = await app.inbox.stats();
  return waiting + running + done + dead;
}

/** A reply without the one header that changes by itself. */
function undated(text: string): string {
  return text.replaceAll(/^(?:Date|X-Request-Id): .*\r\n/gm, '');
}

/** Content of our own choosing with a good proof: what only a genuine sender can send. */
export async function proven(
  { receiver }: Target,
  { source, type, path, switches = {} }: Sender,
  content: string | Buffer,
): Promise<WireRequest> {
  const credential = credentialAt(receiver, path, switches['key'] ?? '');
  const all = switchesOf(source, switches);
  return wire(await source.proof.sign(Buffer.from(content), { path, type, credential }, all));
}

/** A delivery must be stored. Resolves when it was handled, with the reply and with what became of the entry. */
export async function deliver(
  target: Target,
  request: WireRequest,
): Promise<{ reply: RawReply; entry: Entry }> {
  const { app, url } = target.receiver;
  const before = await stored(target.receiver);
  const reply = await exchange(url, bytesOf(request));
  expectDiscreet(reply);
  expect([reply.status, await stored(target.receiver)]).toEqual([200, before + 1]);
  await app.idle();
  const [entry] = await app.inbox.list({ limit: 1 });
  if (entry === undefined) throw new Error('The inbox has forgotten what it has just stored.');
  return { reply, entry };
}

/** What holds for a reply to anything at all, were it no request. */
export function expectDiscreet({ status, headers, body }: RawReply): void {
  expect(status < 500 || status === 503).toBe(true);
  for (const name of ['x-powered-by', 'set-cookie', 'location']) expect(headers).not.toHaveProperty(name);
  if (status < 300) return;
  expect(body).toBe(JSON.stringify({ error: STATUS_CODES[status] }));
  if (status === 401) expect(headers).toHaveProperty('www-authenticate');
  if (status === 405) expect(headers).toHaveProperty('allow');
  if (status === 429 || status === 503) expect(headers).toHaveProperty('retry-after');
}
