import { hash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createOutgoing, type Outgoing, type OutgoingOptions } from '../../../src/kit/outgoing/client.ts';
import { errorOf, outcomeOf, startOtherSide, type OtherSide } from './other-side.ts';
import { newFolder } from '../../support/fixtures.ts';
import { until } from '../../support/until.ts';

let directory: string;
let side: OtherSide;
let outgoing: Outgoing;

beforeEach(async () => {
  directory = newFolder();
});

afterEach(async () => {
  await outgoing.close();
  await side.stop();
});

async function start(answer: RequestListener, options: Partial<OutgoingOptions> = {}): Promise<void> {
  side = await startOtherSide(answer);
  outgoing = createOutgoing({ hosts: [side.origin], ...options });
}

function download(path = '/', signal?: AbortSignal) {
  return outgoing.download({ method: 'GET', url: new URL(path, side.origin), signal }, directory);
}

const document = Buffer.from('%PDF-1.7 a document\n%%EOF\n');
const sha256 = hash('sha256', document);

it('stores a reply under its SHA-256, readable by its owner alone', async () => {
  await start((_, response) => response.setHeader('Content-Type', 'application/pdf').end(document));
  const downloaded = await download();
  expect(downloaded).toMatchObject({
    status: 200,
    headers: { 'content-type': 'application/pdf' },
    file: join(directory, sha256),
    bytes: document.length,
    sha256,
  });
  expect(await readFile(downloaded.file)).toEqual(document);
  if (process.platform !== 'win32') expect((await stat(downloaded.file)).mode & 0o777).toBe(0o600);
});

it('stores a large reply as it comes', async () => {
  const part = Buffer.alloc(100_000, 1);
  await start((_, response) => {
    for (let count = 0; count < 100; count++) response.write(part);
    response.end();
  });
  const { bytes, file, sha256: name } = await download();
  expect(bytes).toBe(10_000_000);
  expect(hash('sha256', await readFile(file))).toBe(name);
});

it.each([
  '../../x',
  '/etc/passwd',
  'C:\\x',
  'a\\..\\..\\x',
  'x%00.pdf',
  'CON',
  'x'.repeat(5000),
  '-rf',
  "..%2f..%2fx; filename*=UTF-8''..%2f..%2fx",
])('J4: a name the message suggests is no name of a file: %s', async (name) => {
  await start((_, response) =>
    response.setHeader('Content-Disposition', `attachment; filename="${name}"`).end(document),
  );
  const { headers } = await download(`/${encodeURIComponent(name.slice(0, 100))}`);
  expect(await readdir(directory)).toEqual([sha256]);
  expect(headers['content-disposition']).toContain(name);
});

it('J4: stores the same content twice as one file, and two contents of one name as two', async () => {
  await start(({ url }, response) => response.end(url === '/other?name=same' ? Buffer.of(1) : document));
  await download('/one?name=same');
  await download('/two?name=same');
  expect(await readdir(directory)).toHaveLength(1);
  await download('/other?name=same');
  expect(await readdir(directory)).toHaveLength(2);
});

it('stores twenty downloads of the same content at once', async () => {
  await start((_, response) => response.end(document));
  await Promise.all(Array.from({ length: 20 }, () => download()));
  expect(await readdir(directory)).toEqual([sha256]);
});

it.each([301, 400, 401, 404, 429, 500, 503])('fails on status %d and leaves nothing', async (status) => {
  await start((_, response) => response.writeHead(status, { 'Retry-After': '7' }).end('<html>no</html>'));
  const error = await errorOf(download('/documents/1?token=hush'));
  expect(error).toMatchObject({ code: 'status', status, retryAfterMs: 7000 });
  expect(error.message).toBe(`GET ${side.origin}/documents/1 was answered ${status}.`);
  expect(await readdir(directory)).toEqual([]);
});

it('J5: follows no redirect to another origin, and leaves nothing', async () => {
  const other = await startOtherSide((_, response) => response.end('stolen'));
  try {
    await start((_, response) => response.writeHead(302, { Location: other.origin }).end());
    expect(await outcomeOf(download())).toBe('refused redirect_refused');
    expect(other.connections()).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  } finally {
    await other.stop();
  }
});

it.each<[string, string, RequestListener]>([
  ['announces too much', 'too_large', (_, response) => response.setHeader('Content-Length', 1e10).write('x')],
  ['is too large without announcing it', 'too_large', (_, response) => response.end(Buffer.alloc(200_000))],
  [
    'never ends',
    'too_large',
    (_, response) => {
      const more = setInterval(() => response.write(Buffer.alloc(50_000)), 1);
      response.once('close', () => clearInterval(more));
    },
  ],
  ['is packed', 'encoded', (_, response) => response.setHeader('Content-Encoding', 'gzip').end('bomb')],
  [
    'is shorter than announced',
    'truncated',
    ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx'),
  ],
  [
    'breaks off',
    'truncated',
    (_, response) => response.write('x', () => setTimeout(() => response.destroy(), 20)),
  ],
  ['stops coming', 'late', (_, response) => response.write('x')],
])('J3: leaves nothing of a reply that %s', async (_, code, answer) => {
  await start(answer, { maxDownloadBytes: 100_000, totalTimeoutMs: code === 'late' ? 150 : 5000 });
  expect(await outcomeOf(download())).toBe(`failed ${code}`);
  expect(await readdir(directory)).toEqual([]);
});

it('leaves nothing when it is interrupted, and what came so far is never under its final name', async () => {
  await start((_, response) => response.write(document));
  const shutdown = new AbortController();
  const reason = new Error('shutting down');
  const interrupted = expect(download('/', shutdown.signal)).rejects.toBe(reason);
  await until('the file is begun', async () => (await readdir(directory)).length > 0);
  expect(await readdir(directory)).toEqual([expect.stringMatching(/^\.[-0-9a-f]{36}\.part$/)]);
  shutdown.abort(reason);
  await interrupted;
  expect(await readdir(directory)).toEqual([]);
});

it('fails with the error of the file system, and hangs up, where it cannot write', async () => {
  await start((_, response) => response.write(document));
  const file = join(directory, 'a file');
  await writeFile(file, '');
  const call = { method: 'GET', url: new URL(side.origin) };
  await expect(outgoing.download(call, file)).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(outgoing.download(call, join(directory, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
});

it('leaves other files of the directory alone', async () => {
  await start((_, response) => response.writeHead(500).end());
  await writeFile(join(directory, 'mine'), '');
  await outcomeOf(download());
  expect(await readdir(directory)).toEqual(['mine']);
});
