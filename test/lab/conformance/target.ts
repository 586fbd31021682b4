import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createEndpoint } from '../../../src/lab/conformance/endpoints.ts';
import type { CaseEnded, RunEnded, RunEvent } from '../../../src/lab/conformance/result.ts';
import type { EndpointUnderTest, Rule } from '../../../src/lab/conformance/rule.ts';
import { runConformance, type RunOptions } from '../../../src/lab/conformance/run.ts';
import { universalRules } from '../../../src/lab/conformance/universal.ts';
import { tokenRules } from '../../../src/lab/conformance/rules/tokens.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';

export const SECRET = 'a secret of the target, of 40 characters';
const PATH = '/risr/profile_updated';

/** A request to the target, and whether its proof holds. */
export interface Incoming {
  readonly method: string;
  readonly body: string;
  readonly genuine: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A receiver of one endpoint of risr, to be judged. */
export interface Target {
  readonly endpoint: EndpointUnderTest;
  readonly requests: readonly Incoming[];
  close(): void;
  /** Listens again on the same port. */
  reopen(): Promise<void>;
  stop(): Promise<void>;
}

/** What a right receiver answers. */
export function rightly({ genuine, method }: Incoming): Answer {
  if (method !== 'POST') return { status: 405, headers: { Allow: 'POST' } };
  if (genuine) return { status: 200, body: '{"ok":true}' };
  return { status: 401, headers: { 'WWW-Authenticate': 'Signature' }, body: 'Unauthorized' };
}

/** Answers as told; `undefined` leaves the request without an answer. */
export async function startTarget(
  answer: (incoming: Incoming, target: Target) => Answer | undefined = rightly,
): Promise<Target> {
  const requests: Incoming[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const incoming = { method: request.method ?? '', body, genuine: isGenuine(body) };
      requests.push(incoming);
      const answered = answer(incoming, target);
      if (answered === undefined) return;
      response.writeHead(answered.status, { ...answered.headers }).end(answered.body ?? '');
    });
  });
  const port = await listen(server, 0);
  const target: Target = {
    endpoint: createEndpoint({
      source: risr,
      type: 'profile_updated',
      url: new URL(`http://127.0.0.1:${port}${PATH}`),
      credential: { kind: 'SECRET', text: SECRET },
    }),
    requests,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
    reopen: async () => {
      await listen(server, port);
    },
    stop: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  return target;
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  // A request yields Buffers as long as no encoding is set on it.
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

/** By no code of ours. */
function isGenuine(body: string): boolean {
  const [header, payload, signature, ...others] = body.split('.');
  if (header === undefined || payload === undefined || others.length > 0) return false;
  if (!Buffer.from(header, 'base64url').toString().includes('"alg":"HS256"')) return false;
  const right = createHmac('sha256', SECRET).update(`${header}.${payload}`).digest('base64url');
  const came = Buffer.from(signature ?? '');
  return came.length === right.length && timingSafeEqual(came, Buffer.from(right));
}

/** A rule of one's own. */
export function ruleOf(id: string, trials: Rule['trials'], level: Rule['level'] = 1): Rule {
  return {
    id,
    group: 'K',
    title: id,
    severity: 'low',
    grade: 'correct',
    level,
    why: 'why',
    fix: 'fix',
    trials,
  };
}

export interface Run {
  readonly ended: RunEnded;
  readonly cases: readonly CaseEnded[];
  readonly events: readonly RunEvent[];
}

/** Some of the rules for tokens and those for every reply, unless told otherwise. */
export async function run(target: Pick<Target, 'endpoint'>, options: Partial<RunOptions> = {}): Promise<Run> {
  const events: RunEvent[] = [];
  const ended = await runConformance({
    endpoints: [target.endpoint],
    rules: [...tokenRules, ...universalRules],
    level: 1,
    grade: 'hardened',
    seed: 7,
    timeoutMs: 5_000,
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { ended, events, cases: events.filter((event) => event.event === 'case') };
}

/** The ids of cases with this outcome. */
export function idsOf(cases: readonly CaseEnded[], outcome: CaseEnded['outcome']): string[] {
  return cases.filter((one) => one.outcome === outcome).map(({ id }) => id);
}
