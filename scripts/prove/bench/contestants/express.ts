import { createHmac, timingSafeEqual } from 'node:crypto';
import express, { type NextFunction, type Request, type Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import { jwtVerify } from 'jose';
import { pino } from 'pino';
import { createKeep } from './keep.ts';
import { listen, secretIn } from './listen.ts';

// The three webhooks as tutorials have them. pino-http and jsonwebtoken are the usual choices; to spare the kit two
// dependencies, the line that pino-http writes is written by hand here, and jose is given the secret as text each time.
// What is received is kept as KEEP says, by default nowhere, which makes it the faster for it.

const log = pino();
const phenixidSecret = secretIn('PHENIXID_SECRET');
const hotdocsSecret = secretIn('HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET');
const risrSecret = secretIn('RISR_PROFILE_UPDATED_SECRET');

const keep = await createKeep(process.env['KEEP'], process.env['KEEP_AT'] ?? '');

const app = express();
app.use(helmet());
// A limit must stand above the load, or it would be all that is measured.
app.use(
  rateLimit({ windowMs: 60_000, limit: 100_000_000, standardHeaders: 'draft-8', legacyHeaders: false }),
);
app.use(logRequest);

app.post('/phenixid', express.raw({ type: 'application/json' }), async (request, response) => {
  // express.raw has just made it a Buffer.
  const body = request.body as Buffer;
  const expected = Buffer.from(createHmac('sha256', phenixidSecret).update(body).digest('hex'));
  const given = Buffer.from(request.get('X-Signature') ?? '');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    response.status(401).json({ ok: false });
    return;
  }
  const text = body.toString();
  const event: unknown = JSON.parse(text);
  await keep(text);
  response.json({ ok: event !== null });
});

app.post(
  '/hotdocs/NewWorkItemVersionComplete',
  express.urlencoded({ extended: true }),
  async (request, response) => {
    // express.urlencoded has just made it an object.
    const { token } = request.body as { token: string };
    await acceptToken(token, hotdocsSecret, response);
  },
);

app.post('/risr/profile_updated', express.text({ type: '*/*' }), async (request, response) => {
  // express.text has just made it a string.
  await acceptToken(request.body as string, risrSecret, response);
});

async function acceptToken(token: string, secret: string, response: Response): Promise<void> {
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret));
    await keep(JSON.stringify(payload));
    response.json({ ok: Object.keys(payload).length > 0 });
  } catch {
    response.status(401).json({ ok: false });
  }
}

let lastId = 0;

/** What pino-http logs of a request unless told otherwise. */
function logRequest(request: Request, response: Response, next: NextFunction): void {
  const started = performance.now();
  lastId += 1;
  const id = lastId;
  response.on('finish', () => {
    const { method, originalUrl: url, query, params, headers, socket } = request;
    const { remoteAddress, remotePort } = socket;
    log.info(
      {
        req: { id, method, url, query, params, headers, remoteAddress, remotePort },
        res: { statusCode: response.statusCode, headers: response.getHeaders() },
        responseTime: Math.round(performance.now() - started),
      },
      'request completed',
    );
  });
  next();
}

listen(app);
