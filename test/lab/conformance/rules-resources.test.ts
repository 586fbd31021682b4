import { createServer as createHttpServer, type ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:net';
import { expect, it } from '@jest/globals';
import { later, listening } from '../../support/fixtures.ts';
import { newReceiver } from '../../support/new-receiver.ts';
import { enough, startProcess } from '../../support/processes.ts';
import { bearing, burdensOf } from '../../villains/correct.ts';
import { everyEndpoint, named, tryRules } from './trying-rules.ts';

// Rules that are about time and many connections, and those that run on demand only.

/** How long its sender waits: much longer than it waits for the rest of a request, also on a slow machine. */
const PATIENCE_MS = 20_000;

it('finds nothing wrong with this kit when it is slow, flooded and busy', async () => {
  const { receiver } = await newReceiver({ env: { REQUEST_TIMEOUT_MS: '3000', FAILED_PROOF_LIMIT: '50' } });
  const endpoints = named(
    everyEndpoint(receiver.url, (path) => receiver.secretOf(path)),
    'risr/profile_updated',
  );
  const patient = endpoints.map((endpoint) => ({
    ...endpoint,
    switches: { timeoutMs: String(PATIENCE_MS) },
    deadlineMs: PATIENCE_MS,
  }));
  const { findings, ended } = await tryRules(patient, ['G4*', 'G9*'], { exhausting: true });
  expect(findings).toEqual([]);
  expect(ended.verdict).toBe('conformant');
});

/** What it costs to be attacked, most of it on demand only. */
const AT = 'hotdocs/NewWorkItemVersionComplete';
const BURDENS = ['G9-forwarded-for', 'G11*', 'G12*', 'G13*', 'G14*', 'G15*'];

it('finds this kit to bear every burden', async () => {
  const secret = enough.HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET;
  const env = { PORT: '0', LOG_LEVEL: 'error', HOTDOCS_NEW_WORK_ITEM_VERSION_COMPLETE_SECRET: secret };
  const endpoints = everyEndpoint(await startProcess(env).url(), () => secret);
  const patient = named(endpoints, AT).map((endpoint) => ({ ...endpoint, deadlineMs: PATIENCE_MS }));
  const { findings, ended } = await tryRules(patient, BURDENS, { exhausting: true });
  expect(findings).toEqual([]);
  expect(ended.verdict).toBe('conformant');
});

// npm run prove -- kill-matrix tries all of them.
it.each(Object.entries(bearing))('finds a correct receiver %s to bear some burdens', async (_, start) => {
  expect(await burdensOf(start, { isWhole: false })).toEqual([]);
});

async function listen(server: Server): Promise<URL> {
  return new URL(`http://127.0.0.1:${await listening(server)}`);
}

/** Says 200 to everything that is whole. */
function yes(options: ServerOptions = {}) {
  return createHttpServer(options, (request, response) => {
    request.resume().once('end', () => {
      response.end();
    });
  });
}

function oneEndpoint(url: URL, deadlineMs = 5_000) {
  const endpoints = named(
    everyEndpoint(url, (path) => `the secret of ${path}`),
    'risr/profile_updated',
  );
  return endpoints.map((endpoint) => ({ ...endpoint, deadlineMs }));
}

it('finds out a receiver that serves one connection after the other', async () => {
  const http = yes();
  later(() => http.closeAllConnections());
  let turn: Promise<unknown> = Promise.resolve();
  const queue = createServer({ pauseOnConnect: true }, (socket) => {
    const closed = new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve));
    turn = turn.then(() => {
      http.emit('connection', socket);
      socket.resume();
      return closed;
    });
  });
  const url = await listen(queue);
  const { findings } = await tryRules(oneEndpoint(url, 10_000), ['G4-many-open']);
  expect(findings).toEqual([expect.stringContaining('failed G4-many-open')]);
});

it('warns of a receiver that never gives up on a sender', async () => {
  const url = await listen(yes({ requestTimeout: 0, headersTimeout: 0 }));
  const { findings } = await tryRules(oneEndpoint(url), ['G4-slow'], { exhausting: true });
  expect(findings).toEqual([expect.stringMatching(/^warned G4-slow.*: still open after \d+ s$/)]);
});

it('finds out a receiver that reads on after too much was announced', async () => {
  const url = await listen(yes());
  const { findings } = await tryRules(oneEndpoint(url), ['G3*']);
  expect(findings).toEqual([expect.stringContaining('failed G3-announced-size')]);
});

it('finds out a receiver that counts genuine deliveries into its limit for floods', async () => {
  let count = 0;
  const server = createHttpServer((request, response) => {
    request.resume().once('end', () => {
      count += 1;
      response.writeHead(count > 100 ? 429 : 200, { 'Retry-After': '60' }).end();
    });
  });
  const { findings } = await tryRules(oneEndpoint(await listen(server)), ['G9*'], { exhausting: true });
  expect(findings.join('\n')).toContain('failed G9-flood');
});
