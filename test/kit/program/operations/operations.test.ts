import { once } from 'node:events';
import { get, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { expect, it } from '@jest/globals';
import { risr } from '../../../../src/kit/sources/risr/index.ts';
import { newReceiver } from '../../../support/new-receiver.ts';
import { startReceiver, type TestReceiver, type TestReceiverOptions } from '../../../support/receiver.ts';
import { exchange } from '../../../support/raw.ts';

interface Asked {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

async function start(options: TestReceiverOptions = {}): Promise<TestReceiver> {
  return (await newReceiver({ ...options, env: { ADMIN_PORT: '0', ...options.env } })).receiver;
}

/** Asks the operations port as a probe does. */
async function ask({ app }: TestReceiver, path: string, method = 'GET'): Promise<Asked> {
  const asking = request(`${app.adminUrl ?? ''}${path}`, { method, agent: false }).end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const { statusCode: status, headers } = response;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status, headers, body: JSON.parse(text) };
}

it('lives, and is ready, and lets nobody keep the answer', async () => {
  const running = await start();
  expect(await ask(running, '/live')).toMatchObject({ status: 200, body: { live: true } });
  const { status, body, headers } = await ask(running, '/ready');
  expect([status, body]).toEqual([200, { ready: true }]);
  expect(headers['cache-control']).toBe('no-store');
});

it.each(['/', '/live//', '/Live', '//live', '/risr/profile_updated'])('has nothing at %s', async (path) => {
  expect(await ask(await start({ env: { CONSOLE: 'off' } }), path)).toMatchObject({ status: 404 });
});

it.each(['POST', 'PUT', 'DELETE'])('is asked with GET, HEAD or OPTIONS and not with %s', async (method) => {
  const { status, headers } = await ask(await start(), '/ready', method);
  expect([status, headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
});

it.each([
  ['HTTP/1.0 without Host, as HAProxy asks', 'GET /ready HTTP/1.0\r\n\r\n'],
  ['HTTP/1.1 without Host', 'GET /ready HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['HEAD', 'HEAD /ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'],
  ["a container's name", 'GET /ready HTTP/1.1\r\nHost: receiver:3001\r\nConnection: close\r\n\r\n'],
  ['OPTIONS', 'OPTIONS /ready HTTP/1.0\r\n\r\n'],
  ['a slash at the end', 'GET /ready/ HTTP/1.0\r\n\r\n'],
  ['the whole address', 'GET http://receiver:3001/ready HTTP/1.0\r\nHost: receiver:3001\r\n\r\n'],
  ['a query', 'GET /ready?verbose HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'],
])('answers any probe: %s', async (_name, bytes) => {
  const { app } = await start();
  const reply = await exchange(app.adminUrl ?? '', bytes);
  expect([reply.status, reply.closed]).toEqual([200, true]);
});

it('shows nothing of it at the port that deliveries come to', async () => {
  const { url } = await start();
  for (const path of ['/live', '/ready']) expect((await fetch(url + path)).status).toBe(404);
});

it('opens no such port where it is told so', async () =>
  expect((await start({ env: { ADMIN_PORT: 'off' } })).app.adminUrl).toBeUndefined());

it('names the port that is taken, and leaves no inbox open behind it', async () => {
  const { app } = await start();
  const port = new URL(app.adminUrl ?? '').port;
  await expect(startReceiver({ env: { ADMIN_PORT: port } })).rejects.toThrow(
    `port ${port} on 127.0.0.1 is taken; set ADMIN_PORT to another one.`,
  );
});

it('is not ready while it is full, and is again when there is room', async () => {
  const blocked = Promise.withResolvers<undefined>();
  const running = await start({
    env: { INBOX_MAX_WAITING: '1', HANDLER_CONCURRENCY: '1' },
    handlers: { risr: { profile_updated: () => blocked.promise } },
  });
  const { sender } = running;
  // One runs, one waits.
  for (const id of ['p1', 'p2']) {
    const payload = { id, rev: '1-a' };
    expect((await sender.fire(risr, 'profile_updated', { payload })).status).toBe(200);
    while ((await running.app.inbox.stats()).running === 0) await new Promise(setImmediate);
  }
  expect(await ask(running, '/ready')).toMatchObject({
    status: 503,
    body: { ready: false, because: ['inbox_full'] },
  });
  expect(await ask(running, '/live')).toMatchObject({ status: 200 });
  blocked.resolve(undefined);
  await running.app.idle();
  expect(await ask(running, '/ready')).toMatchObject({ status: 200 });
});

it('is not ready while it shuts down, and can be asked until the end', async () => {
  const blocked = Promise.withResolvers<object>();
  const begun = Promise.withResolvers<undefined>();
  const handler = () => {
    begun.resolve(undefined);
    return blocked.promise;
  };
  const running = await start({ handlers: { risr: { profile_updated: handler } } });
  const { sender } = running;
  await sender.fire(risr, 'profile_updated');
  await begun.promise;
  const stopped = running.app.stop();
  expect(await ask(running, '/ready')).toMatchObject({
    status: 503,
    body: { ready: false, because: ['draining'] },
  });
  expect(await ask(running, '/live')).toMatchObject({ status: 200 });
  blocked.resolve({});
  await stopped;
  const [error] = (await once(get(`${running.app.adminUrl ?? ''}/live`), 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
});
