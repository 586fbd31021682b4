import { demanded, echoIn, internalsIn, refusalOf, textOf } from './checks.ts';
import type { Check } from './ledger.ts';
import { valuesOf } from './reply.ts';
import type { Grade, Rule, Severity, Trial } from './rule.ts';
import type { Stage } from './stage.ts';
import { failed, passed } from './trials.ts';

/** A rule for every reply of a run, whatever it was the reply to. */
interface UniversalRule {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly grade: Grade;
  readonly why: string;
  readonly fix: string;
  readonly source?: string;
  readonly check: Check;
}

const REFUSAL_BYTES = 1024;

const universal: readonly UniversalRule[] = [
  {
    id: 'U1-no-server-error',
    title: 'answers nothing with an unexpected server error',
    severity: 'high',
    grade: 'correct',
    why: 'A 5xx says that an input reached code that was not written for it. Senders take it for an outage and send again or give up.',
    fix: 'Find the exception behind it. Check lengths and types before use, and answer what cannot be verified with 401. Only an inbox that cannot store answers 503.',
    check: ({ observation: { status }, allows }) =>
      status < 500 || status === 503 || allows.includes(status) ? undefined : `status ${status}`,
  },
  {
    id: 'U2-in-time',
    title: 'answers within the time that the sender waits',
    severity: 'high',
    grade: 'correct',
    why: 'A sender that has stopped waiting counts the delivery as failed, and some have a person waiting in front of a screen.',
    fix: 'Store the event, answer, and do the work afterwards. Put a time limit on everything that a reply waits for.',
    check: ({ observation: { ms, trouble, status } }, { endpoint: { deadlineMs } }) => {
      if (status === 0 && trouble === 'TIMEOUT') return 'no reply in time';
      // With 408 it was the request that came late.
      return status > 0 && status !== 408 && ms > deadlineMs
        ? `a reply after ${Math.round(ms)} ms`
        : undefined;
    },
  },
  {
    id: 'U3-no-echo',
    title: 'repeats nothing of a refused request',
    severity: 'medium',
    grade: 'hardened',
    why: 'What is repeated in a reply can carry script into a browser or a log viewer, and tells an attacker what was understood.',
    fix: 'Answer refusals with constant text. Take values of the request out of error pages and problem details.',
    check: echoIn,
  },
  {
    id: 'U4-no-internals',
    title: 'shows no stack trace and no text of a library',
    severity: 'medium',
    grade: 'hardened',
    why: 'Stack traces and library messages name files, versions and the very step that failed: a map for the next attack.',
    fix: 'Switch the development error page off, and add one error handler that answers with constant text and logs the rest.',
    check: internalsIn,
  },
  {
    id: 'U5-no-secret',
    title: 'never puts the secret into a reply',
    severity: 'critical',
    grade: 'authentic',
    why: 'Anybody who reads the secret can sign every event.',
    fix: 'Never build a reply, an error or a header from configuration.',
    check: ({ observation }, { endpoint: { credential } }) =>
      credential.text.length >= 6 && textOf(observation).includes(credential.text)
        ? 'the secret stands in the reply'
        : undefined,
  },
  {
    id: 'U6-no-fingerprint',
    title: 'names neither its framework nor its version in a header',
    severity: 'low',
    grade: 'hardened',
    why: 'Product and version point an attacker to known faults.',
    fix: 'Switch off X-Powered-By and the version in Server, in the framework and in the proxy before it.',
    check: ({ observation }) => {
      const named = observation.headers.find(
        ([name, value]) =>
          /^x-(?:powered-by|aspnet-version|aspnetmvc-version)$/.test(name) ||
          (name === 'server' && /\d+\.\d+/.test(value)),
      );
      return named && `a header ${named[0]}`;
    },
  },
  {
    id: 'U7-no-cookie',
    title: 'sets no cookie',
    severity: 'low',
    grade: 'hardened',
    why: 'A sender keeps no session. A cookie shows that deliveries pass through code meant for people, such as a session or a login.',
    fix: 'Take session, login and anti-forgery middleware off the receiving paths.',
    check: ({ observation }) =>
      valuesOf(observation, 'set-cookie').length > 0 ? 'a Set-Cookie header' : undefined,
  },
  {
    id: 'U8-no-redirect',
    title: 'redirects nothing',
    severity: 'medium',
    grade: 'correct',
    why: 'Senders do not follow redirects, or follow them as a GET without body: the event is lost while the reply looks harmless.',
    fix: 'Answer on the very address. Take login redirects and slash or https redirects off the receiving paths.',
    // Servers lead from //path to /path by themselves, and no sender writes it so.
    check: ({ observation: { status }, request, bytes }, { endpoint: { url } }) =>
      status >= 300 && status < 400 && pathOf(request?.target ?? targetIn(bytes)) === url.pathname
        ? `status ${status}`
        : undefined,
  },
  {
    id: 'U9-short-refusal',
    title: 'refuses in at most 1 KiB',
    severity: 'low',
    grade: 'hardened',
    why: 'Long refusals are error pages for people. They cost bandwidth in a flood and tend to tell too much.',
    fix: 'Answer refusals with a short constant text.',
    check: ({ observation: { status, body } }) =>
      status >= 400 && body.length > REFUSAL_BYTES ? `a refusal of ${body.length} bytes` : undefined,
  },
  {
    id: 'U10-one-refusal',
    title: 'answers every failed proof with the same words',
    severity: 'medium',
    grade: 'hardened',
    why: 'Answers that differ by cause tell an attacker how far a forgery got: format right, secret wrong.',
    fix: 'Answer 401 with one constant body for missing, malformed, wrong and expired proofs. Write the cause into your log.',
    check: (exchange, { firstRefusal }) => {
      if (!exchange.failedProof || exchange.observation.status !== 401 || firstRefusal === undefined)
        return undefined;
      return refusalOf(exchange) === refusalOf(firstRefusal)
        ? undefined
        : 'a 401 that differs from the first one';
    },
  },
  {
    id: 'U11-www-authenticate',
    title: 'says WWW-Authenticate with every 401',
    severity: 'low',
    grade: 'hardened',
    why: 'HTTP demands it, and some client libraries and proxies treat a 401 without it as a broken reply.',
    fix: 'Add the header with the name of a scheme, for example WWW-Authenticate: Signature.',
    source: 'https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2',
    check: demanded(401, 'www-authenticate'),
  },
  {
    id: 'U12-allow',
    title: 'says Allow with every 405',
    severity: 'low',
    grade: 'hardened',
    why: 'HTTP demands it: the person who configures the sender sees at once which method is right.',
    fix: 'Add the header Allow with the methods of the path, for example Allow: POST.',
    source: 'https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6',
    check: demanded(405, 'allow'),
  },
  {
    id: 'U13-retry-after',
    title: 'says Retry-After with every 429 and 503',
    severity: 'low',
    grade: 'hardened',
    why: 'Without it senders come back at once and keep an overloaded receiver down.',
    fix: 'Add the header Retry-After with a number of seconds.',
    source: 'https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3',
    check: (exchange, context) =>
      demanded(429, 'retry-after')(exchange, context) ?? demanded(503, 'retry-after')(exchange, context),
  },
];

function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? target;
}

function targetIn(bytes: Buffer): string {
  return bytes.toString('latin1', 0, 2_048).split(' ', 2)[1] ?? '';
}

/** What the ledger of a run looks for. */
export const universalChecks: ReadonlyMap<string, Check> = new Map(
  universal.map(({ id, check }) => [id, check]),
);

/** They come last: their trials report what all the others have seen. */
export const universalRules: readonly Rule[] = universal.map(({ check: _, ...rule }) => ({
  ...rule,
  group: 'U',
  level: 1,
  trials: () => [everyReply(rule.id, rule.title)],
}));

function everyReply(rule: string, title: string): Trial {
  return {
    name: 'every reply',
    async run(stage) {
      const { ledger, endpoint } = stage;
      if (ledger.isFirstLook(endpoint)) await askSomething(stage);
      const faults = ledger.faultsOf(rule, endpoint);
      const [first] = faults;
      if (first !== undefined) {
        const times = faults.length === 1 ? 'once' : `${faults.length} times or more`;
        const observed = `${first.says}, ${times}; first in ${first.caseId}`;
        return { ...failed(title, observed), firstSeenIn: first.caseId, grade: first.grade };
      }
      if (ledger.hasAnswered(endpoint)) return passed(title, 'so it was with every reply of this run');
      return { outcome: 'inconclusive', expected: title, observed: 'no refusal to look at' };
    },
  };
}

/** Enough for these rules to see something, whatever else was tried at this endpoint. */
async function askSomething(stage: Stage): Promise<void> {
  const { endpoint } = stage;
  await stage.send(await stage.genuine(), 'positive');
  const stranger = {
    ...endpoint,
    credential: { ...endpoint.credential, text: 'nobody has agreed on this secret' },
  };
  await stage.send(await stage.genuine({ of: stranger }), 'attack', { failedProof: true });
  const bare = { method: 'POST', target: endpoint.url.pathname, headers: [], body: Buffer.alloc(0) };
  await stage.send(bare, 'attack', { failedProof: true });
  await stage.send({ ...bare, body: Buffer.from('{}') }, 'attack', { failedProof: true });
  await stage.send({ ...bare, method: 'DELETE' }, 'other method');
}
