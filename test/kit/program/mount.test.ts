import { hash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import express from 'express';
import fastify from 'fastify';
import { createLog } from '../../../src/kit/log.ts';
import { mount, type Mounted } from '../../../src/kit/program/mount.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { appOf } from '../../../src/lab/rig/app.ts';
import { secretsFor } from '../../../src/lab/rig/secrets.ts';
import { everyEndpoint, named, tryRules } from '../../lab/conformance/trying-rules.ts';
import { later, listening } from '../../support/fixtures.ts';
import { createTestSender, type TestSender } from '../../support/test-sender.ts';

const secretOf = (path: string) => hash('sha256', `mounted ${path}`);
const secrets = secretsFor({ sources }, secretOf);

interface Host {
  /** What it was mounted with, and reads again when it is told to. */
  readonly env: Record<string, string>;
  readonly url: string;
  readonly mounted: Mounted;
  readonly lines: readonly string[];
  readonly sender: TestSender;
}

/** A server of the test's own, with a receiver mounted in it as `put` does. */
async function host(put: (mounted: Mounted) => RequestListener | Promise<RequestListener>): Promise<Host> {
  const lines: string[] = [];
  const log = createLog('info', { write: (line: string) => void lines.push(line) });
  const app = appOf({
    handlers: {
      hotdocs: {
        InterviewLoadEvent: () => ({}),
        CustomInterviewEvent: () => ({}),
        ActionLink: () => '<p>page</p>',
      },
      risr: { user_logged_in: () => undefined, user_registered: () => undefined },
    },
  });
  const env: Record<string, string> = {
    ...secrets,
    INBOX_URL: 'memory:',
    FAILED_PROOF_LIMIT: '1000000',
    SHUTDOWN_MS: '2000',
    ADMIN_PORT: 'off',
  };
  const mounted = await mount(app, { env, log });
  const server = createServer({ maxHeaderSize: 32_768 }, await put(mounted));
  const url = `http://127.0.0.1:${await listening(server)}`;
  const sender = createTestSender({ url, secretOf });
  later(async () => {
    sender.close();
    await mounted.stop();
    server.close();
    server.closeAllConnections();
  });
  return { env, url, mounted, lines, sender };
}

const BARE = 'a bare node:http server';
const hosts: readonly (readonly [string, Parameters<typeof host>[0]])[] = [
  [BARE, ({ listener }) => listener],
  [
    'an Express app, in front of its body parser',
    ({ listener }) => {
      const app = express();
      app.use(listener);
      app.use(express.json());
      // Express's typings want its own messages; it makes them of Node's.
      return app;
    },
  ],
  [
    'Fastify, its parsers taken off',
    async ({ listener }) => {
      const app = fastify();
      app.removeAllContentTypeParsers();
      app.addContentTypeParser('*', (_request, _payload, done) => done(null));
      app.all('/*', (request, reply) => {
        reply.hijack();
        listener(request.raw, reply.raw);
      });
      await app.ready();
      return (request, response) => app.routing(request, response);
    },
  ],
];

describe.each(hosts)('mounted in %s', (name, put) =>
  it('takes every event, and withstands what attackers do with tokens, signatures and keys', async () => {
    const { url, sender, lines } = await host(put);
    for (const source of sources)
      for (const type of Object.keys(source.events))
        expect((await sender.fire(source, type)).status).toBe(200);
    expect(lines.filter((line) => line.includes('"outcome":"rejected"'))).toEqual([]);

    const everywhere = everyEndpoint(url, secretOf);
    const endpoints = named(everywhere, 'hotdocs/CustomInterviewEvent', 'phenixid', 'risr/profile_updated');
    // What a host may do to requests shows in a sample of them.
    const quick = name !== BARE;
    const { cases, findings } = await tryRules(endpoints, ['A*', 'B*', 'C*'], { quick });
    expect(findings).toEqual([]);
    expect(cases.length).toBeGreaterThan(quick ? 150 : 400);
  }),
);

it('takes deliveries below a path that Express strips', async () => {
  const { url, sender } = await host(({ listener }) => {
    const app = express();
    app.use('/hooks', listener);
    app.get('/other', (_request, response) => void response.send('the host itself'));
    return app; // as above
  });
  const request = await sender.request(risr, 'profile_updated');
  const below = { ...request, target: `/hooks${request.target}` };
  expect((await sender.send(below)).status).toBe(200);
  expect((await sender.fire(risr, 'profile_updated')).status).toBe(404);
  expect(await (await fetch(`${url}/other`)).text()).toBe('the host itself');
});

it('refuses the first delivery behind a body parser, with a sentence that names the fix', async () => {
  const { sender, lines, mounted } = await host(({ listener }) => {
    const app = express();
    app.use(express.json());
    app.use(listener);
    return app; // as above
  });
  const reply = await sender.fire(hotdocs, 'NewWorkItemVersionComplete', { switches: { carrier: 'json' } });
  expect([reply.status, reply.body.toString()]).toEqual([500, '{"error":"Internal Server Error"}']);
  expect(lines.join('')).toMatch(
    /"code":"body_taken".*app\.use\('\/hooks', receiver\.listener\) above app\.use\(express\.json\(\)\)/,
  );
  // What the parser leaves alone arrives whole.
  expect(
    (await sender.fire(hotdocs, 'NewWorkItemVersionComplete', { switches: { carrier: 'form' } })).status,
  ).toBe(200);
  expect(await mounted.reasons()).toEqual([]);
});

it('says once that its host reads too little of a long address', async () => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line: string) => void lines.push(line) });
  const mounted = await mount(appOf({ handlers: {} }), {
    env: { ...secrets, INBOX_URL: 'memory:', ADMIN_PORT: 'off' },
    log,
  });
  const server = createServer(mounted.listener);
  const url = `http://127.0.0.1:${await listening(server)}`;
  const sender = createTestSender({ url, secretOf });
  await sender.fire(risr, 'profile_updated');
  await sender.fire(risr, 'profile_updated');
  sender.close();
  await mounted.stop();
  server.close();
  server.closeAllConnections();
  expect(lines.filter((line) => line.includes('maxHeaderSize: 32768'))).toHaveLength(1);
});

it('hands readiness and shutdown to its host: refuses, finishes what is in flight, and leaves the server running', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<object>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const InterviewLoadEvent = () => {
    begin();
    return gate;
  };
  const app = appOf({ handlers: { hotdocs: { InterviewLoadEvent } } });
  const mounted = await mount(app, {
    env: { ...secrets, INBOX_URL: 'memory:', ADMIN_PORT: 'off' },
    log: createLog('silent'),
  });
  const server = createServer(mounted.listener);
  const url = `http://127.0.0.1:${await listening(server)}`;
  const sender = createTestSender({ url, secretOf });
  later(() => {
    sender.close();
    server.close();
    server.closeAllConnections();
  });
  expect(await mounted.reasons()).toEqual([]);
  const waiting = sender.fire(hotdocs, 'InterviewLoadEvent');
  await begun;
  const stopped = mounted.stop();
  expect(await mounted.reasons()).toEqual(['draining']);
  expect((await sender.fire(risr, 'profile_updated')).status).toBe(503);
  open({});
  expect((await waiting).status).toBe(200);
  await stopped;
  expect(server.listening).toBe(true);
});

it('needs deliveries: in role worker there is nothing to mount', async () => {
  const env = { ...secrets, ROLE: 'worker', INBOX_URL: 'postgres://nobody@127.0.0.1:1/none' };
  await expect(mount(appOf({ handlers: {} }), { env })).rejects.toThrow('ROLE is worker');
});

it('takes another secret when its host says so', async () => {
  const { env, mounted, lines, sender } = await host(({ listener }) => listener);
  env['RISR_PROFILE_UPDATED_SECRET'] = hash('sha256', 'another one');
  const another = { secret: env['RISR_PROFILE_UPDATED_SECRET'] };
  expect((await sender.fire(risr, 'profile_updated', another)).status).toBe(401);
  await mounted.renew();
  expect((await sender.fire(risr, 'profile_updated', another)).status).toBe(200);
  expect(lines.join('')).toContain('RISR_PROFILE_UPDATED_SECRET (1 live)');
});
