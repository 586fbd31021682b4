import { createHmac, timingSafeEqual } from 'node:crypto';
import fastify from 'fastify';
import { jwtVerify } from 'jose';
import { secretIn, serve } from './listen.ts';

// The three webhooks with the framework that people take when speed matters: its own log, keys imported once. Nothing is
// stored.

const phenixidSecret = secretIn('PHENIXID_SECRET');
const hotdocsKey = await keyOf('HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET');
const risrKey = await keyOf('RISR_PROFILE_UPDATED_SECRET');

const app = fastify({ logger: true });
// All as bytes: what is signed is what came.
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

app.post<{ Body: Buffer }>('/phenixid', async ({ body, headers }, reply) => {
  const expected = Buffer.from(createHmac('sha256', phenixidSecret).update(body).digest('hex'));
  const given = Buffer.from(String(headers['x-signature']));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return reply.code(401).send({ ok: false });
  }
  const event: unknown = JSON.parse(body.toString());
  return { ok: event !== null };
});

app.post<{ Body: Buffer }>('/hotdocs/NewWorkItemVersionComplete', async ({ body }) => {
  const token = new URLSearchParams(body.toString()).get('token') ?? '';
  const { payload } = await jwtVerify(token, hotdocsKey);
  return { ok: Object.keys(payload).length > 0 };
});

app.post<{ Body: Buffer }>('/risr/profile_updated', async ({ body }) => {
  const { payload } = await jwtVerify(body.toString(), risrKey);
  return { ok: Object.keys(payload).length > 0 };
});

app.setErrorHandler((_error, _request, reply) => reply.code(401).send({ ok: false }));

await app.ready();
serve(app.server);

function keyOf(variable: string): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', Buffer.from(secretIn(variable)), algorithm, false, ['verify']);
}
