import { spawn, spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { createEndpoint } from '../../../src/lab/conformance/endpoints.ts';
import type { CaseEnded } from '../../../src/lab/conformance/result.ts';
import type { EndpointUnderTest } from '../../../src/lab/conformance/rule.ts';
import { rules } from '../../../src/lab/conformance/rules/index.ts';
import { withOutcome } from '../../../src/lab/conformance/reports/report.ts';
import type { RunOptions } from '../../../src/lab/conformance/run.ts';
import { endpointsOf } from '../../../src/kit/endpoint/definition.ts';
import { sources } from '../../../src/kit/sources/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { makeCertificates, requireOpenssl } from '../../support/certificates.ts';
import { later, newFolder } from '../../support/fixtures.ts';
import type { Credentials } from '../../villains/parts.ts';
import { firstOf, verifiedWith } from '../../villains/reading.ts';
import { resendLine, signaturesAround } from '../../../src/lab/conformance/resend.ts';
import { broken } from '../../villains/villain.ts';
import { startServer } from './servers.ts';
import { run, startTarget } from './target.ts';

const missing = ['sh', 'curl', 'nc'].filter((program) => spawnSync(program, ['--help']).error !== undefined);
if (missing.length > 0) {
  process.stderr.write(
    `NOT TESTED: the command lines of failures; ${missing.join(', ')} not installed here.\n`,
  );
}
const itWithPrograms = missing.length === 0 ? it : it.skip;

const credentials: Credentials = new Map(
  sources
    .flatMap((source) => endpointsOf(source))
    .map(({ path }, at) => [path, { kind: 'SECRET', text: `a-secret-for-tests-${String(at).repeat(12)}` }]),
);

/** Believes what is signed with `secret`, what is spelled otherwise, and any signature that begins as it should. */
const start = broken({
  decodePart: (part) => Buffer.from(part, 'base64url'),
  verifyToken: (token, delivery) =>
    firstOf(
      () => verifiedWith(delivery.route.credential.text, token, delivery),
      () => verifiedWith('secret', token, delivery),
      () => Buffer.from(token.split('.')[1] ?? '', 'base64url'),
    ),
  verifySignature: ({ body }) => body,
});

/** Rules whose attacks are of many shapes. */
const MANY = [
  'A1-*',
  'A2*',
  'A3-*',
  'A4-*',
  'A7-*',
  'A9-*',
  'A10-*',
  'A14-*',
  'B*',
  'E4-*',
  'F1-*',
  'G7-p*',
  'H1-*',
];

/** At one endpoint of each of them. */
const tried = ['hotdocs/InterviewLoadEvent', 'phenixid', 'risr/profile_updated'];

async function tryBroken(options: Partial<RunOptions>): Promise<readonly CaseEnded[]> {
  const receiver = await start(credentials);
  later(() => receiver.stop());
  const endpoints = sources
    .flatMap((source) => endpointsOf(source).map((definition) => ({ ...definition, source })))
    .map(({ source, path, type = 'OrderSigned' }): EndpointUnderTest => {
      const credential = credentials.get(path) ?? { kind: 'SECRET', text: '' };
      return createEndpoint({ source, type, url: new URL(path, receiver.url), credential });
    })
    .filter(({ name }) => tried.includes(name));
  const [endpoint] = endpoints;
  if (endpoint === undefined) throw new Error('There is no endpoint.');
  const { cases } = await run({ endpoint }, { endpoints, rules, seed: 1, ...options });
  return cases;
}

itWithPrograms(
  'shows a command line that sends the attack again, and gets what the report says',
  async () => {
    const cases = await tryBroken({ only: MANY });
    const whole = ofEachKind(cases);
    const failures = whole.filter(({ outcome }) => outcome === 'failed');
    expect(failures.length).toBeGreaterThanOrEqual(20);
    expect(new Set(whole.map(clientOf))).toEqual(new Set(['curl', 'printf into nc']));
    expect(await statusesNow(whole)).toEqual(statusesThen(whole));
    const partly = cases.flatMap(({ reproduce: [line = ''] }) => (line.includes('--keep') ? [line] : []));
    expect(partly.filter((line) => line.includes('<proof>'))).not.toEqual([]);
    expect(partly.filter((line) => !/<proof>|<secret>|request\.(?:body|http)/.test(line))).toEqual([]);
  },
  300_000,
);

itWithPrograms('sends a body of any bytes as it was', async () => {
  const target = await startTarget();
  later(() => target.stop());
  const { url } = target.endpoint;
  const body = Buffer.from([...Array(256).keys(), ...Buffer.from("%s \\\\ ' ## $(id) `id`")]);
  const request = { method: 'POST', target: url.pathname, headers: [], body };
  const observation = {
    status: 0,
    headers: [],
    body,
    whole: true,
    rest: body,
    ms: 0,
    closed: true,
    trouble: '',
  };
  const sent = { role: 'attack', bytes: body, request, observation, failedProof: true, allows: [] };
  const line = resendLine(sent, { url, mask: (text) => text, kept: undefined });
  expect(line).toMatch(/^printf .* \| curl /);
  expect(await statusOf(line)).toBe(401);
  expect(target.requests.map((incoming) => incoming.body)).toEqual([body.toString('latin1')]);
});

itWithPrograms(
  'leaves what holds, or nearly does, in the files that are kept',
  async () => {
    const cases = await tryBroken({ only: ['A5-*', 'A6-*', 'B2-*', 'B9-*'], keep: newFolder() });
    const some = ofEachKind(cases.filter(({ outcome }) => outcome === 'failed'));
    const lines = some.map(({ reproduce: [line] }) => line);
    expect(lines.filter((line) => line?.includes(' -H @'))).not.toEqual([]);
    expect(lines.filter((line) => line?.startsWith('nc '))).not.toEqual([]);
    expect(lines.filter((line) => line?.includes('<proof>'))).toEqual([]);
    expect(await statusesNow(some)).toEqual(statusesThen(some));
  },
  300_000,
);

const itWithOpenssl = missing.length === 0 && requireOpenssl('command lines for TLS') ? it : it.skip;
itWithOpenssl(
  'shows command lines for TLS, below a path and with a query',
  async () => {
    const certificates = await makeCertificates();
    later(() => certificates.remove());
    const { authority, client, server: own } = certificates;
    const server = await startServer(200, '', { ...own, ca: authority.cert });
    later(() => server.stop());
    const endpoint = createEndpoint({
      source: phenixid,
      type: 'OrderSigned',
      url: new URL('/below/this/phenixid', server.url),
      credential: { kind: 'SECRET', text: 'a-secret-for-tests-0123456789' },
      switches: { key: 'north' },
    });
    const tls = {
      ca: authority.cert,
      cert: client.cert,
      key: client.key,
      files: { ca: authority.certFile, cert: client.certFile, key: client.keyFile },
    };
    const { cases } = await run({ endpoint }, { rules, only: ['B1-*', 'G6-*'], tls });
    const some = ofEachKind(cases);
    expect(new Set(some.map(clientOf))).toEqual(new Set(['curl', 'printf into openssl']));
    const before = server.targets.length;
    expect(await statusesNow(some)).toEqual(statusesThen(some));
    const resent = server.targets.slice(before).filter((target) => target.startsWith('/below/this/phenixid'));
    expect(resent.length).toBeGreaterThan(0);
    expect(resent.every((target) => target.endsWith('?key=north'))).toBe(true);
  },
  300_000,
);

/** Of the whole ones: a failure of each rule for each program that sends it, and something that did not fail for each program. */
function ofEachKind(cases: readonly CaseEnded[]): CaseEnded[] {
  const whole = cases.filter(({ reproduce }) => reproduce.length > 1 && !reproduce[0]?.includes('--keep'));
  const kinds = Map.groupBy(whole, (one) =>
    one.outcome === 'failed' ? `${one.rule.id} ${one.endpoint} ${clientOf(one)}` : clientOf(one),
  );
  const chosen = [...kinds.values()].flatMap(([first]) => first ?? []);
  // Enough to know, and not all processes at once.
  return [...withOutcome(chosen, 'failed').slice(0, 24), ...withOutcome(chosen, 'passed')];
}

/** `printf into nc` */
function clientOf({ reproduce: [line = ''] }: CaseEnded): string {
  const [, program = ''] = /^(?:printf '[^']*' \| )?(\w+)/.exec(line) ?? [];
  return line.startsWith('printf ') ? `printf into ${program}` : program;
}

function statusesThen(cases: readonly CaseEnded[]): [id: string, status: number | undefined][] {
  return cases.map(({ id, exchanges }) => [
    id,
    exchanges.findLast(({ role }) => !role.startsWith('positive'))?.status,
  ]);
}

async function statusesNow(cases: readonly CaseEnded[]): Promise<[id: string, status: number][]> {
  return Promise.all(
    cases.map(async ({ id, reproduce: [line = ''] }): Promise<[string, number]> => [
      id,
      await statusOf(line),
    ]),
  );
}

async function statusOf(line: string): Promise<number> {
  const child = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'ignore'] });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const heads =
    Buffer.concat(chunks)
      .toString('latin1')
      .match(/^HTTP\/1\.[01] \d{3}/gm) ?? [];
  return Number(heads.findLast((head) => !head.endsWith(' 100'))?.slice(-3) ?? 0);
}

it('looks through a large body once, not from each of its letters', () => {
  const bytes = Buffer.from(`{"filler":"${'y'.repeat(1_000_000)}"}`);
  const observation = { status: 200, headers: [], body: Buffer.alloc(0), rest: Buffer.alloc(0), whole: true };
  const exchange = {
    role: 'attack',
    bytes,
    request: undefined,
    observation: { ...observation, ms: 1, closed: false, trouble: undefined },
    failedProof: true,
    allows: [],
  };
  // It took minutes.
  expect(signaturesAround(exchange, [exchange], ['a secret of the receiver'])).toHaveLength(3);
});
