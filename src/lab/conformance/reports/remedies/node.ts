import type { Snippets } from './remedy.ts';

/** Where Express and Fastify are alike. */
const node = {
  comparison: `
const right = createHmac('sha256', secret).update(bytes).digest();
const given = Buffer.from(/^[0-9a-f]{64}$/.test(text) ? text : '', 'hex');
const holds = given.length === right.length && timingSafeEqual(given, right);`,
  token: `
const key = new TextEncoder().encode(secretOfThisEndpoint); // compactVerify is jose's
const { payload } = await compactVerify(token, key, { algorithms: ['HS256'] });`,
  place: `
const tokens = new URLSearchParams(bytes.toString()).getAll('token'); // of the body alone
if (tokens.length !== 1) return refuse(response);`,
  duplicates: `
await client.query('BEGIN');
const { rowCount } = await client.query(
  'INSERT INTO seen (endpoint, id) VALUES ($1, $2) ON CONFLICT DO NOTHING', [endpoint, id]);
if (rowCount === 1) await handle(client, event); // a duplicate is answered as the first was
await client.query('COMMIT');`,
  order: `
const revision = Number(rev.split('-')[0]); // '10-x' is newer than '9-x'
await client.query('UPDATE profile SET rev = $2, data = $3 WHERE id = $1 AND rev < $2', [id, revision, data]);`,
  escape: `
const escaped = text.replace(/[&<>"']/g, (mark) => \`&#\${mark.charCodeAt(0)};\`);`,
};

export const express: Snippets = {
  ...node,
  rawBody: `
app.post('/phenixid', express.raw({ type: () => true }), (request, response) => {
  const bytes = request.body; // a Buffer: verify it, then JSON.parse(bytes)
});`,
  storeFirst: `
await pool.query('INSERT INTO inbox (endpoint, body) VALUES ($1, $2)', [endpoint, bytes]);
response.json({ ok: true }); // only now. A worker reads the table, and puts aside what it cannot use`,
  limits: `
app.use(express.raw({ type: () => true, limit: '1mb', inflate: false })); // 413, 415
createServer({ maxHeaderSize: 16_384 }, app).listen(port);`,
  timeouts: `
createServer({ headersTimeout: 10_000, requestTimeout: 15_000, connectionsCheckingInterval: 1_000 }, app);`,
  errors: `
app.disable('x-powered-by');
const refuse = (response) => response.status(401).set('WWW-Authenticate', 'Signature').json({ ok: false });
app.use((error, request, response, next) => { // last of all
  log.error(error);
  response.status(error.status ?? 500).json({ ok: false });
});`,
  methods: `
app.enable('case sensitive routing').enable('strict routing'); // before the first route
app.route('/phenixid').post(receive).all((request, response) => {
  response.status(405).set('Allow', 'POST').end();
});`,
};

export const fastify: Snippets = {
  ...node,
  rawBody: `
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => done(null, body));
// request.body is a Buffer now: verify it, then JSON.parse it`,
  storeFirst: `
await pool.query('INSERT INTO inbox (endpoint, body) VALUES ($1, $2)', [endpoint, bytes]);
return { ok: true }; // only now. A worker reads the table, and puts aside what it cannot use`,
  limits: `
const app = fastify({ bodyLimit: 1_048_576, http: { maxHeaderSize: 16_384 } });`,
  timeouts: `
const app = fastify({ requestTimeout: 15_000, http: { headersTimeout: 10_000, connectionsCheckingInterval: 1_000 } });`,
  errors: `
const refuse = (reply) => reply.code(401).header('WWW-Authenticate', 'Signature').send({ ok: false });
app.setErrorHandler((error, request, reply) => {
  request.log.error(error);
  return reply.code(error.statusCode ?? 500).send({ ok: false });
});
app.setNotFoundHandler((request, reply) => reply.code(404).send({ ok: false }));`,
  methods: `
app.post('/phenixid', receive);
app.route({ url: '/phenixid', method: ['GET', 'PUT', 'DELETE'], handler: (request, reply) =>
  reply.code(405).header('Allow', 'POST').send() });`,
};
