import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { createOutgoing, type Outgoing, type OutgoingOptions } from '../../../src/kit/outgoing/client.ts';
import { errorOf, outcomeOf, startOtherSide, type OtherSide } from './other-side.ts';
import { listening } from '../../support/fixtures.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function otherSide(answer: RequestListener): Promise<OtherSide> {
  const side = await startOtherSide(answer);
  stops.push(side.stop);
  return side;
}

function outgoingTo(side: { readonly origin: string }, options: Partial<OutgoingOptions> = {}): Outgoing {
  const outgoing = createOutgoing({ hosts: [side.origin], ...options });
  stops.unshift(() => outgoing.close());
  return outgoing;
}

function get(side: { readonly origin: string }, path = '/') {
  return { method: 'GET', url: new URL(path, side.origin) };
}

it('sends method, path, query, headers and body as told, and hands back status, headers and body', async () => {
  const side = await otherSide((request, response) => {
    void bodyOf(request).then((body) => {
      const { authorization, 'accept-encoding': encoding } = request.headers;
      response.writeHead(201, { 'X-Note': 'stored' }).end(`${authorization ?? ''} ${encoding ?? ''} ${body}`);
    });
  });
  const reply = await outgoingTo(side).request({
    method: 'PUT',
    url: new URL('/documents/1?name=%C3%B6', side.origin),
    headers: { Authorization: 'Bearer t', 'Accept-Encoding': 'gzip' },
    body: Buffer.from([0xc3, 0xb6]),
  });
  expect(side.requests).toEqual(['PUT /documents/1?name=%C3%B6']);
  expect(reply.status).toBe(201);
  expect(reply.headers['x-note']).toBe('stored');
  expect(reply.body.toString()).toBe('Bearer t identity ö');
});

it.each([200, 204, 304, 400, 401, 404, 409, 429, 500, 503])('resolves with status %d', async (status) => {
  const side = await otherSide((_, response) => response.writeHead(status).end());
  expect(await outcomeOf(outgoingTo(side).request(get(side)))).toBe(status);
});

it('resolves a HEAD whose length is more than it would read', async () => {
  const side = await otherSide((_, response) => response.setHeader('Content-Length', 1e10).end());
  expect(await outcomeOf(outgoingTo(side).request({ ...get(side), method: 'HEAD' }))).toBe(200);
});

it('keeps connections for calls that follow each other', async () => {
  const side = await otherSide((_, response) => response.end('ok'));
  const outgoing = outgoingTo(side);
  for (let call = 0; call < 10; call++) await outgoing.request(get(side));
  // undici may open a second one while the first is still at the end of its reply.
  expect(side.connections()).toBeLessThanOrEqual(2);
});

it('J2: follows redirects within the origin, up to three', async () => {
  const side = await otherSide(({ url = '' }, response) => {
    const hop = Number(url.slice(1));
    if (hop < 5) return response.writeHead(302, { Location: `/${hop + 1}` }).end('moved');
    return response.end('arrived');
  });
  const outgoing = outgoingTo(side);
  expect((await outgoing.request(get(side, '/2'))).body.toString()).toBe('arrived');
  expect(await outcomeOf(outgoing.request(get(side, '/1')))).toBe('refused redirect_refused');
  expect(side.requests).toHaveLength(4 + 4);
});

it('J2: leaves a chain of thirty redirects after the third', async () => {
  const side = await otherSide(({ url = '' }, response) =>
    response.writeHead(302, { Location: `/${Number(url.slice(1)) + 1}` }).end(),
  );
  expect(await outcomeOf(outgoingTo(side).request(get(side, '/0')))).toBe('refused redirect_refused');
  expect(side.requests).toHaveLength(4);
});

it.each([301, 302, 303, 307, 308])(
  'J5: after a %d to another origin sends it nothing, credentials least of all',
  async (status) => {
    const other = await otherSide((_, response) => response.end('stolen'));
    const side = await otherSide((_, response) =>
      response.writeHead(status, { Location: `${other.origin}/?stolen` }).end(),
    );
    // Both are listed: the redirect itself is what is refused.
    const outgoing = outgoingTo(side, { hosts: [side.origin, other.origin] });
    const headers = { Authorization: 'Bearer hush' };
    const error = await errorOf(outgoing.request({ ...get(side, '/from?token=hush'), headers }));
    expect(error.code).toBe('redirect_refused');
    expect(error.message).not.toMatch(/hush|stolen/);
    expect(error.message).toContain('Set the address of this API, …_API_URL, to where it is.');
    expect(other.connections()).toBe(0);
  },
);

it.each([
  'https://127.0.0.1:PORT/',
  '//evil.example/',
  'file:///etc/passwd',
  'http://169.254.169.254/',
  'http://user@127.0.0.1:1/',
  'http://[::1',
  'javascript:alert(1)',
])('J2: does not follow a redirect to %s', async (location) => {
  const side = await otherSide((request, response) =>
    response.writeHead(302, { Location: location.replace('PORT', String(request.socket.localPort)) }).end(),
  );
  expect(await outcomeOf(outgoingTo(side).request(get(side)))).toBe('refused redirect_refused');
  expect(side.requests).toHaveLength(1);
});

it('J2: does not follow a redirect that brings a user name along', async () => {
  const side = await otherSide((request, response) =>
    response.writeHead(302, { Location: `http://user@127.0.0.1:${request.socket.localPort ?? 0}/` }).end(),
  );
  expect(await outcomeOf(outgoingTo(side).request(get(side)))).toBe('refused url_invalid');
  expect(side.requests).toHaveLength(1);
});

it('never turns a POST into a GET: a 303 is the reply, a 307 is sent again whole', async () => {
  const side = await otherSide((request, response) => {
    const status = { '/303': 303, '/307': 307 }[request.url ?? ''];
    if (status !== undefined) return response.writeHead(status, { Location: '/there' }).end();
    return void bodyOf(request).then((body) => response.end(body));
  });
  const outgoing = outgoingTo(side);
  const post = (path: string) => outgoing.request({ ...get(side, path), method: 'POST', body: 'once' });
  expect(await outcomeOf(post('/303'))).toBe(303);
  expect((await post('/307')).body.toString()).toBe('once');
  expect(side.requests).toEqual(['POST /303', 'POST /307', 'POST /there']);
});

it('J3: does not read a reply on that announces too much', async () => {
  const side = await otherSide((_, response) => response.setHeader('Content-Length', 1e10).write('x'));
  const error = await errorOf(outgoingTo(side).request(get(side)));
  expect(error).toMatchObject({ code: 'too_large', status: 200 });
});

it('J3: stops an endless reply at the limit', async () => {
  const side = await otherSide((_, response) => {
    const chunk = Buffer.alloc(10_000);
    const more = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
  });
  const outgoing = outgoingTo(side, { maxReplyBytes: 100_000 });
  expect(await outcomeOf(outgoing.request(get(side)))).toBe('failed too_large');
});

it('takes a reply of exactly the limit, and none of one byte more', async () => {
  const side = await otherSide(({ url }, response) =>
    response.end(Buffer.alloc(url === '/more' ? 1001 : 1000)),
  );
  const outgoing = outgoingTo(side, { maxReplyBytes: 1000 });
  expect((await outgoing.request(get(side))).body).toHaveLength(1000);
  expect(await outcomeOf(outgoing.request(get(side, '/more')))).toBe('failed too_large');
});

it.each(['gzip', 'br', 'zstd', 'gzip, gzip'])('J3: undoes no Content-Encoding: %s', async (encoding) => {
  const side = await otherSide((_, response) => response.setHeader('Content-Encoding', encoding).end('bomb'));
  expect(await outcomeOf(outgoingTo(side).request(get(side)))).toBe('failed encoded');
});

it('J3: fails on a reply that is cut short of its length, or in the middle of a chunk', async () => {
  const side = await otherSide(({ url, socket }) => {
    const head =
      url === '/chunked' ? 'Transfer-Encoding: chunked\r\n\r\n5\r\nhel' : 'Content-Length: 100\r\n\r\nhel';
    socket.end(`HTTP/1.1 200 OK\r\n${head}`);
  });
  const outgoing = outgoingTo(side);
  expect(await outcomeOf(outgoing.request(get(side)))).toBe('failed truncated');
  expect(await outcomeOf(outgoing.request(get(side, '/chunked')))).toBe('failed truncated');
});

it('fails on what is not HTTP, and keeps its bytes out of the error', async () => {
  const side = await otherSide(({ socket }) => socket.end('220 hush ESMTP\r\n'));
  const error = await errorOf(outgoingTo(side).request(get(side)));
  expect(error.code).toBe('connection');
  expect(JSON.stringify([error.message, error.cause])).not.toContain('hush');
});

it('J3: fails on endless headers', async () => {
  const side = await otherSide(({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\n${'X-More: and more\r\n'.repeat(2000)}`);
  });
  expect(await outcomeOf(outgoingTo(side).request(get(side)))).toBe('failed too_large');
});

it('survives headers with the names of what every object has', async () => {
  const side = await otherSide(({ socket }) => {
    const names = ['__proto__', 'constructor', 'toString', '__proto__'];
    socket.end(
      `HTTP/1.1 200 OK\r\n${names.map((name) => `${name}: x\r\n`).join('')}Content-Length: 2\r\n\r\nok`,
    );
  });
  expect(await outcomeOf(outgoingTo(side).request(get(side)))).toBe(200);
});

it('fails when nothing listens, and says where it called but not its query', async () => {
  const side = await otherSide(() => undefined);
  await side.stop();
  stops.pop();
  const error = await errorOf(outgoingTo(side).request(get(side, '/tasks/1?token=hush')));
  expect(error.code).toBe('connection');
  expect(error.message).toContain(`GET ${side.origin}/tasks/1: `);
  expect(error.message).toContain('ECONNREFUSED');
  expect(error.message).not.toContain('hush');
});

it.each([
  ['no head', ({ socket }: IncomingMessage) => socket.resume()],
  ['a head in drops', ({ socket }: IncomingMessage) => drip(socket, 'HTTP/1.1 200 OK\r\nX: ')],
  ['no end', ({ socket }: IncomingMessage) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n')],
  [
    'a body in drops',
    ({ socket }: IncomingMessage) => drip(socket, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'),
  ],
  ['redirects in circles', ({ socket }: IncomingMessage) => redirectLate(socket)],
])('J3: waits no longer than the total time for a reply with %s', async (_, answer) => {
  const side = await otherSide((request) => answer(request));
  const started = performance.now();
  const error = await errorOf(outgoingTo(side, { totalTimeoutMs: 150 }).request(get(side)));
  expect(error).toMatchObject({ code: 'late', message: `GET ${side.origin}/ was not done within 150 ms.` });
  expect(performance.now() - started).toBeLessThan(1000);
});

it('waits no longer than the connect time for a TLS handshake', async () => {
  const silent = createServer(() => undefined);
  const origin = `https://127.0.0.1:${await listening(silent)}`;
  const error = await errorOf(outgoingTo({ origin }, { connectTimeoutMs: 100 }).request(get({ origin })));
  expect(error.code).toBe('late');
});

it('does not wait for the resolver longer than for all else', async () => {
  const outgoing = createOutgoing({
    hosts: ['name.example'],
    totalTimeoutMs: 100,
    lookup: () => new Promise(() => undefined),
  });
  expect(await outcomeOf(outgoing.request({ method: 'GET', url: new URL('https://name.example') }))).toBe(
    'failed late',
  );
  await outgoing.close();
});

it("rejects with the reason of the call's own signal, before and during the call", async () => {
  const side = await otherSide((_, response) => response.writeHead(200).write('on its way'));
  const outgoing = outgoingTo(side);
  const reason = new Error('shutting down');
  const before = outgoing.request({ ...get(side), signal: AbortSignal.abort(reason) });
  await expect(before).rejects.toBe(reason);
  expect(side.connections()).toBe(0);
  const shutdown = new AbortController();
  const during = outgoing.request({ ...get(side), signal: shutdown.signal });
  setTimeout(() => shutdown.abort(reason), 50);
  await expect(during).rejects.toBe(reason);
});

it('fails calls under way when it is closed, and later ones', async () => {
  const side = await otherSide((_, response) => response.writeHead(200).write('on its way'));
  const outgoing = outgoingTo(side);
  const during = outcomeOf(outgoing.request(get(side)));
  setTimeout(() => void outgoing.close(), 50);
  expect(await during).toBe('failed truncated');
  expect(await outcomeOf(outgoing.request(get(side)))).toBe('failed connection');
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // without an encoding a request yields buffers
  return Buffer.concat(chunks).toString();
}

function drip(socket: IncomingMessage['socket'], start: string): void {
  socket.write(start);
  const drops = setInterval(() => {
    socket.write('x');
  }, 20);
  socket.on('error', () => undefined).once('close', () => clearInterval(drops));
}

function redirectLate(socket: IncomingMessage['socket']): void {
  setTimeout(() => {
    socket.end('HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n');
  }, 60);
}
