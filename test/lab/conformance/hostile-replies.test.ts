import { createServer } from 'node:net';
import { expect, it } from '@jest/globals';
import { createEndpoint } from '../../../src/lab/conformance/endpoints.ts';
import { parseReply } from '../../../src/lab/conformance/reply.ts';
import { rules } from '../../../src/lab/conformance/rules/index.ts';
import type { CaseEnded, RunEnded } from '../../../src/lab/conformance/result.ts';
import { runConformance } from '../../../src/lab/conformance/run.ts';
import { terminalReport } from '../../../src/lab/conformance/reports/terminal.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { listening } from '../../support/fixtures.ts';

// A receiver under test may answer anything. None of it may keep the suite from coming to its end.

const MANY = 2_000_000;
const refusal = (body: string) =>
  `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const alike = (text: string) => refusal(text.repeat(Math.ceil(MANY / text.length)));
const withHead = (head: string, body = '') => `HTTP/1.1 401 Unauthorized\r\n${head}\r\n\r\n${body}`;

interface Told {
  readonly ended: RunEnded;
  readonly cases: readonly CaseEnded[];
  readonly shown: string;
}

/** Tries a receiver that takes what has a signature, or the first delivery only, and answers everything else so. */
async function tryReceiver(
  answer: string,
  only: readonly string[],
  { timeoutMs = 5_000, once = false }: { readonly timeoutMs?: number; readonly once?: boolean } = {},
): Promise<Told> {
  let taken = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const isTaken = chunk.includes('X-Signature') && (!once || taken === 0);
      taken += isTaken ? 1 : 0;
      socket.write(isTaken ? 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' : answer, 'latin1');
    });
  });
  const port = await listening(server);
  const endpoint = createEndpoint({
    source: phenixid,
    type: 'OrderSigned',
    url: new URL(`http://127.0.0.1:${port}/phenixid`),
    credential: { kind: 'SECRET', text: 'a-secret-that-is-only-for-tests-0123456789' },
  });
  const cases: CaseEnded[] = [];
  const report = terminalReport({ colour: false, columns: 0 });
  let shown = '';
  const ended = await runConformance({
    endpoints: [endpoint],
    rules,
    level: 1,
    seed: 1,
    only,
    timeoutMs,
    onEvent(event) {
      shown += report(event);
      if (event.event === 'case') cases.push(event);
    },
  });
  return { ended, cases, shown };
}

it.each([
  ['letters that hexadecimal digits could be', alike('a')],
  ['digits', alike('1')],
  ['line ends', alike('\n')],
  ['blanks', alike(' ')],
  ['paths without end', alike('/usr')],
  ['drives without end', alike('A:\\')],
  ['stack traces without end', alike('at ')],
  ['capital letters', alike('AError')],
  ['numbers behind colons', alike('at x:1')],
  ['quotes', alike('File "')],
  ['brackets', alike('[{<')],
  ['bytes that are no text', alike('\x00\xff\x80\x1b')],
  ['headers that repeat', withHead('X: y\r\n'.repeat(20_000) + 'Content-Length: 0')],
  ['a header of a quarter of a megabyte', withHead(`X: ${'a'.repeat(200_000)}\r\nContent-Length: 0`)],
  ['20,000 interim replies', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20_000) + refusal('')],
  ['chunks of negative size', withHead('Transfer-Encoding: chunked', '-2\r\nab\r\n'.repeat(9))],
  ['fifty thousand chunks', withHead('Transfer-Encoding: chunked', '1\r\na\r\n'.repeat(50_000))],
])('comes to its end, whatever a receiver answers: %s', async (_what, answer) => {
  const { ended, cases } = await tryReceiver(answer, ['B1-missing', 'U*'], { timeoutMs: 500 });
  expect(['conformant', 'not conformant', 'inconclusive']).toContain(ended.verdict);
  expect(cases.filter(({ observed }) => observed.includes('the suite itself'))).toEqual([]);
});

it.each([
  [
    'a body that never ends',
    'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: x\r\nContent-Length: 99\r\n\r\nx',
  ],
  ['headers that never end', 'HTTP/1.1 401 Unauthorized\r\nX: y\r\n'],
])('waits for %s once, and not for hours', async (_what, answer) => {
  const { ended, cases } = await tryReceiver(answer, ['B*'], { timeoutMs: 20, once: true });
  const untried = cases.filter(({ exchanges, outcome }) => exchanges.length === 0 && outcome !== 'skipped');
  expect(untried.length).toBeGreaterThan(20);
  expect(untried[0]?.observed).toContain('a genuine request has no whole reply in time since B1-missing');
  expect(ended.verdict).not.toBe('conformant');
});

it('shows nothing of a reply that could steer the terminal', async () => {
  const { shown, cases } = await tryReceiver(refusal('\x1b]8;;http://x\x07\x9b1m\r\b\u202e'), [
    'B1-missing',
    'U*',
  ]);
  expect(cases.length).toBeGreaterThan(5);
  expect(shown).not.toMatch(/(?!\n)\p{C}/u);
  expect(JSON.stringify(cases)).not.toMatch(/[\x7f-\x9f\u202e]/);
});

it('takes a reply after too many interim ones, or in chunks of no size, for none', () => {
  const interim = Buffer.from('HTTP/1.1 103 x\r\n\r\n'.repeat(200) + 'HTTP/1.1 200 OK\r\n\r\n');
  expect(parseReply(interim, true)).toMatchObject({ status: 0, whole: false });
  const chunks = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nab\r\n0\r\n\r\n');
  expect(parseReply(chunks, true)).toMatchObject({ status: 200, whole: false });
});
