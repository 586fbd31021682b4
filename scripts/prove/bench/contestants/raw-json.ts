import { createHmac, timingSafeEqual } from 'node:crypto';
import { secretIn } from './listen.ts';
import { serveRaw } from './raw.ts';

const secret = secretIn('PHENIXID_SECRET');

serveRaw((body, { headers }) => {
  const expected = Buffer.from(createHmac('sha256', secret).update(body).digest('hex'));
  const given = Buffer.from(String(headers['x-signature']));
  return given.length === expected.length && timingSafeEqual(given, expected);
});
