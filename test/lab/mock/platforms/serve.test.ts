import { createServer } from 'node:http';
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { readJsonBody, replyJson, type Platform } from '../../../../src/lab/mock/platforms/platform.ts';
import { dispatch, route } from '../../../../src/lab/mock/platforms/routes.ts';
import { listenerOf, type ServeOptions } from '../../../../src/lab/mock/platforms/serve.ts';
import { listening } from '../../../support/fixtures.ts';

/** A platform that counts: what it was asked to add has been added, even if its reply is lost. */
async function serve(
  options: ServeOptions = {},
): Promise<{ readonly url: string; readonly total: () => number }> {
  let total = 0;
  const routes = [
    route('POST', 'Counters/:name', ({ name }, request) => {
      total += readJsonBody(request, z.object({ add: z.number() })).add;
      return replyJson(200, { name, total });
    }),
    route('PUT PATCH', 'counters/:name', () => replyJson(200, {})),
    route('GET', 'broken', () => {
      throw new Error('a defect');
    }),
  ];
  const platform: Platform = { name: 'counting', admin: [], handle: (request) => dispatch(routes, request) };
  const server = createServer(listenerOf(platform, options));
  return { url: `http://127.0.0.1:${await listening(server)}`, total: () => total };
}

const add = (body = '{"add":1}') => ({ method: 'POST', body });

it('routes without regard to letter case and empty segments, and decodes a parameter once', async () => {
  const { url } = await serve();
  const response = await fetch(`${url}//COUNTERS/a%2Fb%2525/?x=1`, add());
  expect([response.status, await response.json()]).toEqual([200, { name: 'a/b%25', total: 1 }]);
});

it.each([
  ['an unknown address', '/other', add(), 404],
  ['another method', '/counters/a', { method: 'DELETE' }, 405],
  ['an address that is not UTF-8', '/counters/%ff', add(), 400],
  ['a body that is not JSON', '/counters/a', add('add'), 400],
  ['a body that does not fit', '/counters/a', add('{"add":"1"}'), 400],
  ['a body larger than allowed', '/counters/a', add(`{"add":1${' '.repeat(100)}}`), 413],
  ['a defect of its own', '/broken', {}, 500],
])('answers %s in words', async (_, path, call, status) => {
  const { url, total } = await serve({ maxBodyBytes: 64 });
  const response = await fetch(url + path, call);
  expect([response.status, await response.json()]).toEqual([status, { message: expect.any(String) }]);
  expect(response.headers.get('allow')).toBe(status === 405 ? 'POST, PUT, PATCH' : null);
  expect(total()).toBe(0);
});

it('can be disturbed: another reply, and nothing has happened', async () => {
  const reply = replyJson(429, {}, { 'Retry-After': '1' });
  const { url, total } = await serve({ disturb: (_, { path }) => (path[1] === 'a' ? { reply } : undefined) });
  const refused = await fetch(`${url}/counters/a`, add());
  expect([refused.status, refused.headers.get('retry-after'), total()]).toEqual([429, '1', 0]);
  expect((await fetch(`${url}/counters/b`, add())).status).toBe(200);
});

it('can be disturbed: the reply breaks off, and what was asked for has happened', async () => {
  const { url, total } = await serve({ disturb: () => ({ cutAfterBytes: 3, delayMs: 1 }) });
  const response = await fetch(`${url}/counters/a`, add());
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
  expect(total()).toBe(1);
});
