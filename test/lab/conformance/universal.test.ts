import { afterEach, expect, it } from '@jest/globals';
import { universalChecks, universalRules } from '../../../src/lab/conformance/universal.ts';
import {
  idsOf,
  rightly,
  run,
  SECRET,
  startTarget,
  type Answer,
  type Incoming,
  type Target,
} from './target.ts';
import { everyEndpoint } from './trying-rules.ts';

let target: Target | undefined;
afterEach(async () => {
  await target?.stop();
  target = undefined;
});

/** The right answer with something added to it. */
function also(change: (incoming: Incoming, right: Answer) => Partial<Answer>) {
  return (incoming: Incoming): Answer => {
    const right = rightly(incoming);
    const changed = change(incoming, right);
    return { ...right, ...changed, headers: { ...right.headers, ...changed.headers } };
  };
}

/** Only refusals of a proof are changed. */
function refusing(change: (incoming: Incoming) => Partial<Answer>) {
  return also((incoming, { status }) => (status === 401 ? change(incoming) : {}));
}

const TRACE = 'TypeError: no\n    at verify (/srv/receiver/verify.js:12:7)';
const DOTNET_TRACE = 'System.Exception: no\n   at Receiver.Verify(Byte[] body) in C:\\src\\Verify.cs:line 12';
const JAVA_TRACE = 'java.lang.IllegalStateException: no\n\tat example.Receiver.verify(Receiver.java:12)';
const PYTHON_TRACE = 'Traceback (most recent call last):\n  File "/srv/receiver.py", line 12, in verify';

const faults: readonly [rule: string, what: string, answer: (incoming: Incoming) => Answer | undefined][] = [
  ['U1-no-server-error', 'a 500', refusing(() => ({ status: 500 }))],
  ['U2-in-time', 'no reply', (incoming) => (incoming.genuine ? rightly(incoming) : undefined)],
  ['U3-no-echo', 'the body of the request', refusing(({ body }) => ({ body }))],
  ['U4-no-internals', 'a stack of JavaScript', refusing(() => ({ body: TRACE }))],
  ['U4-no-internals', 'a stack of .NET', refusing(() => ({ body: DOTNET_TRACE }))],
  ['U4-no-internals', 'a stack of Java', refusing(() => ({ body: JAVA_TRACE }))],
  ['U4-no-internals', 'a stack of Python', refusing(() => ({ body: PYTHON_TRACE }))],
  ['U4-no-internals', 'the text of a library', refusing(() => ({ body: '{"error":"jwt malformed"}' }))],
  ['U5-no-secret', 'the secret in a header', refusing(() => ({ headers: { 'X-Debug': SECRET } }))],
  ['U6-no-fingerprint', 'X-Powered-By', also(() => ({ headers: { 'X-Powered-By': 'Express' } }))],
  ['U6-no-fingerprint', 'Server with a version', also(() => ({ headers: { Server: 'nginx/1.25.3' } }))],
  ['U7-no-cookie', 'a cookie', also(() => ({ headers: { 'Set-Cookie': 'session=1' } }))],
  ['U8-no-redirect', 'a redirect', refusing(() => ({ status: 302, headers: { Location: '/login' } }))],
  ['U9-short-refusal', 'a long page', refusing(() => ({ body: 'no '.repeat(400) }))],
  ['U10-one-refusal', 'the cause', refusing(({ body }) => ({ body: body === '' ? 'missing' : 'wrong' }))],
  ['U11-www-authenticate', 'a bare 401', (incoming) => ({ ...rightly(incoming), headers: {} })],
  ['U12-allow', 'a bare 405', (incoming) => ({ ...rightly(incoming), headers: { 'WWW-Authenticate': 'x' } })],
  ['U13-retry-after', 'a bare 429', refusing(() => ({ status: 429 }))],
];

it.each(faults)('%s finds %s', async (rule, _what, answer) => {
  target = await startTarget(answer);
  const { cases } = await run(target, { rules: universalRules, timeoutMs: 300 });
  expect(idsOf(cases, 'failed')).toContain(`${rule}/risr/profile_updated/every-reply`);
});

it('has a fault to find for each of the rules', () =>
  expect(new Set(faults.map(([rule]) => rule))).toEqual(new Set(universalRules.map(({ id }) => id))));

it('finds nothing in right replies, of whatever framework', async () => {
  let count = 0;
  target = await startTarget(
    refusing(() => {
      count += 1;
      const traceId = `00-${String(count).padStart(32, 'a')}-1f-00`;
      return {
        headers: { Server: 'Kestrel' },
        body: `{"status":401,"title":"Unauthorized","traceId":"${traceId}"}`,
      };
    }),
  );
  const { cases } = await run(target);
  expect(idsOf(cases, 'failed')).toEqual([]);
});

it('names the case in which a fault was first seen, and how to see it again', async () => {
  target = await startTarget(refusing(({ body }) => (body.split('.').length === 2 ? { body } : {})));
  const { cases } = await run(target, { only: ['A1-*', 'U3-*'] });
  const fault = cases.find(({ rule }) => rule.id === 'U3-no-echo');
  const seenIn = 'A1-none/risr/profile_updated/alg-none-no-third-part';
  expect(fault).toMatchObject({ outcome: 'failed', observed: expect.stringContaining(`first in ${seenIn}`) });
  expect(fault?.reproduce.at(-1)).toContain(`--only '${seenIn}' --only 'U3-no-echo/`);
});

it('sees nothing wrong where it could see nothing, and says that it could not', async () => {
  target = await startTarget(() => ({ status: 200, body: '{"ok":true}' }));
  const { cases } = await run(target, { rules: universalRules });
  expect(idsOf(cases, 'inconclusive')).toHaveLength(universalRules.length);
});

it('U2-in-time finds a late reply, but none to a request that was late itself', () => {
  const [endpoint] = everyEndpoint('http://127.0.0.1:1', () => SECRET);
  if (endpoint === undefined) throw new Error('There is no endpoint.');
  const nothing = Buffer.alloc(0);
  const says = (status: number) => {
    const reply = { status, headers: [], body: nothing, whole: true, rest: nothing };
    const observation = { ...reply, ms: endpoint.deadlineMs + 1, closed: true, trouble: undefined };
    const exchange = { role: 'attack', bytes: nothing, request: undefined, failedProof: false, allows: [] };
    const context = { endpoint, firstRefusal: undefined };
    return universalChecks.get('U2-in-time')?.({ ...exchange, observation }, context);
  };
  expect([says(200), says(401), says(408)]).toEqual([
    expect.stringMatching(/^a reply after \d+ ms$/),
    expect.stringMatching(/^a reply after \d+ ms$/),
    undefined,
  ]);
});
