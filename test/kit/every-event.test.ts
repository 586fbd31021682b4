import { afterAll, beforeAll, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { endpointsOf } from '../../src/kit/endpoint/definition.ts';
import { createRandom } from '../../src/lab/mock/random.ts';
import { buildRequest, switchesOf } from '../../src/lab/mock/request.ts';
import type { OutgoingRequest, ReceivedReply, Source } from '../../src/kit/source.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { startReceiver, type TestReceiver } from '../support/receiver.ts';

// What holds for every event of every source, whatever is in the catalogues: no event is named here.

interface Case {
  readonly source: Source;
  readonly type: string;
  readonly path: string;
}

const cases = sources.flatMap((source: Source) =>
  Object.keys(source.events).map((type): [name: string, Case] => {
    const endpoint = endpointsOf(source).find((candidate) => (candidate.type ?? type) === type);
    return [`${source.name} ${type}`, { source, type, path: endpoint?.path ?? '' }];
  }),
);

let receiver: TestReceiver;
beforeAll(async () => {
  receiver = await startReceiver({ env: { FAILED_PROOF_LIMIT: '1000000' } });
});
afterAll(() => receiver.stop());

it.each(cases)('accepts a genuine %s, and its sender is content with the reply', async (_name, at) => {
  const request = await requestFor(at, receiver.secretOf(at.path));
  const reply = await deliver(request);
  expect(at.source.reply.judge(receivedReply(reply), at.type, switchesOf(at.source, {}))).toMatchObject({
    ok: true,
  });
});

it.each(cases)('refuses a %s signed with another secret, and stores nothing', async (_name, at) => {
  await receiver.app.idle();
  const before = await receiver.app.inbox.stats();
  const reply = await deliver(await requestFor(at, `not ${receiver.secretOf(at.path)}`));
  expect(reply.status).toBe(401);
  expect(reply.headers['www-authenticate']).toBeDefined();
  expect(await receiver.app.inbox.stats()).toEqual(before);
});

it.each(cases)('handles a %s to its end', async (_name, at) => {
  await deliver(await requestFor(at, receiver.secretOf(at.path)));
  await receiver.app.idle();
  const [entry] = await receiver.app.inbox.list({ source: at.source.name, type: at.type, limit: 1 });
  expect(entry).toMatchObject({ status: 'done', secret: 1 });
});

let seed = 0;
function requestFor({ source, type, path }: Case, secret: string): Promise<OutgoingRequest> {
  const kind = Object.keys(source.proof.kinds)[0] ?? '';
  seed += 1;
  return buildRequest(source, { type, path, credential: { kind, text: secret } }, createRandom(seed));
}

async function deliver({ method, target, headers, body }: OutgoingRequest): Promise<supertest.Response> {
  const agent = supertest(receiver.url);
  const delivery = method === 'GET' ? agent.get(target) : agent.post(target).send(body.toString());
  return delivery.set(headers).serialize(String).buffer(true).parse(asBytes);
}

/** Whatever the content type says. */
const asBytes: Parameters<supertest.Test['parse']>[0] = (reply, done) => {
  const chunks: Buffer[] = [];
  reply.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
  reply.on('end', () => done(null, Buffer.concat(chunks)));
};

function receivedReply({ status, headers, body }: supertest.Response): ReceivedReply {
  // `asBytes` has parsed it.
  return { status, headers: headers, body: body as Buffer, ms: 0 };
}
