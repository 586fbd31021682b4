import { STATUS_CODES } from 'node:http';
import { rejections } from '../../src/kit/errors.ts';
import type { Entry } from '../../src/kit/inbox/inbox.ts';
import { createLedger } from '../../src/lab/conformance/ledger.ts';
import type { Case } from '../../src/lab/conformance/plan.ts';
import type { Finding } from '../../src/lab/conformance/rule.ts';
import { createStage, type Backstage, type Control, type Stage } from '../../src/lab/conformance/stage.ts';
import { exchange, type Observation, type WireRequest } from '../../src/lab/conformance/wire.ts';
import type { LogLine, TestReceiver } from '../support/receiver.ts';
import { expectedOf, type Expected } from './outcomes.ts';
import { fragmentsOf, stored } from './support.ts';

/** One request of a case, and what it did inside the receiver. */
interface Seen {
  readonly role: string;
  readonly request: WireRequest | Buffer;
  readonly observation: Observation;
  /** What the receiver wrote into its log meanwhile. */
  readonly lines: readonly LogLine[];
  /** How many entries more the inbox holds. */
  readonly stored: number;
  /** The entry, when it was handled. */
  readonly entry: Entry | undefined;
  /** What the trial had proven, byte for byte, if it chose the content itself. */
  readonly content: Buffer | undefined;
}

/** The inside of a receiver, seen while cases are tried on it. */
export interface Inside {
  /** What was not as it should be, a line each. */
  findingsOf(one: Case): Promise<string[]>;
}

/** With another seed the same cases are about other events. */
export function lookInside(receiver: TestReceiver, seed = 1): Inside {
  const backstage: Backstage = {
    seed,
    ledger: createLedger(new Map()),
    patienceMs: 5_000,
    controls: new Map<string, Control>(),
    carry: (bytes, { url, deadlineMs }, method, { manner, timeoutMs = deadlineMs }) =>
      exchange(bytes, { url, timeoutMs, manner, method }),
  };
  const refusals = new Set<string>();
  return {
    async findingsOf(one) {
      const all: Seen[] = [];
      const stage = createStage(one.endpoint, { caseId: one.id, grade: 'correct' }, backstage, []);
      const finding = await one.trial.run(watched(stage, receiver, all));
      const expected = expectedOf(one);
      return [
        ...outsideOf(finding),
        ...all.flatMap((each) => judge(each, expected, refusals)),
        ...all.flatMap((each) => indiscreet(each, receiver)),
        ...positives(all),
      ].map((says) => `${one.id}: ${says}`);
    },
  };
}

/** The stage as it was, with a look at log and inbox before and after each request. */
function watched(stage: Stage, receiver: TestReceiver, seen: Seen[]): Stage {
  let content: Buffer | undefined;
  return {
    ...stage,
    async proven(text, changes) {
      content = Buffer.from(text);
      return stage.proven(text, changes);
    },
    async send(request, role, options) {
      const logged = receiver.log.length;
      const before = await stored(receiver);
      const observation = await stage.send(request, role, options);
      const lines = receiver.log.slice(logged);
      const more = (await stored(receiver)) - before;
      const entry = isControl(role) || more === 0 ? undefined : await newestEntry(receiver);
      seen.push({ role, request, observation, lines, stored: more, entry, content });
      return observation;
    },
  };
}

async function newestEntry({ app }: TestReceiver): Promise<Entry | undefined> {
  await app.idle();
  const [entry] = await app.inbox.list({ limit: 1 });
  return entry;
}

function isControl(role: string): boolean {
  return role.startsWith('positive');
}

function outsideOf({ outcome, observed }: Finding): string[] {
  return outcome === 'passed' ? [] : [`from outside it ${outcome}: ${observed}`];
}

function judge(seen: Seen, expected: Expected, refusals: Set<string>): string[] {
  if (isControl(seen.role)) return [];
  const came = outcomeOf(seen);
  const wanted = expected.outcomes.join(' or ');
  if (!expected.outcomes.some((outcome) => outcome === came)) return [`${came} instead of ${wanted}`];
  return isCode(came) ? misrefused(seen, came, refusals) : miskept(seen, came);
}

function outcomeOf({ lines, entry, stored: more, observation: { status } }: Seen): string {
  const [code] = rejectedIn(lines).map((line) => String(line['code']));
  if (code !== undefined) return code;
  if (more === 0) return status === 200 ? 'duplicate' : `status ${status} without a line in the log`;
  if (entry?.status !== 'dead') return entry?.status ?? 'nothing';
  return entry.note?.split(':')[0] ?? '';
}

function rejectedIn(lines: readonly LogLine[]): LogLine[] {
  return lines.filter(({ outcome }) => outcome === 'rejected');
}

function isCode(outcome: string): outcome is keyof typeof rejections {
  return Object.hasOwn(rejections, outcome);
}

function misrefused(
  { lines, stored: more, observation, request }: Seen,
  code: keyof typeof rejections,
  refusals: Set<string>,
): string[] {
  const { status, body } = observation;
  const said = JSON.stringify({ error: STATUS_CODES[status] });
  const isHead = !Buffer.isBuffer(request) && request.method === 'HEAD';
  if (status === 401) refusals.add(undated(observation));
  return [
    ...(rejectedIn(lines).length > 1 ? ['the log has it more than once'] : []),
    ...(more === 0 ? [] : ['it was refused, and stored all the same']),
    ...(status === rejections[code][0] ? [] : [`status ${status} for ${code}`]),
    ...(body.toString() === (isHead ? '' : said) ? [] : [`it was told ${body.toString()}`]),
    ...(refusals.size > 1 ? ['its 401 differs from those before'] : []),
  ];
}

/** The reply without what differs from one to the next, whatever its cause. */
function undated({ headers, body }: Observation): string {
  return JSON.stringify([
    headers.filter(([name]) => name !== 'date' && name !== 'x-request-id'),
    body.toString(),
  ]);
}

function miskept({ stored: more, observation: { status }, entry, content }: Seen, came: string): string[] {
  const changed = content !== undefined && entry !== undefined && !isKept(entry, content);
  return [
    ...(status === 200 ? [] : [`status ${status} for what was ${came}`]),
    ...(more <= 1 ? [] : [`it was stored ${more} times`]),
    ...(changed ? ['its content was not kept byte for byte'] : []),
  ];
}

/** What an access token vouches for is kept as JSON, whatever it came in. */
function isKept(entry: Entry, content: Buffer): boolean {
  return entry.content.equals(content) || entry.endpoint === '/hotdocs/by-token';
}

/** Genuine deliveries before and after are accepted and stored, once. */
function positives(seen: readonly Seen[]): string[] {
  const wasAccepted = seen.some(({ role, stored: more }) => !isControl(role) && more > 0);
  return seen
    .filter(({ role }) => isControl(role))
    .flatMap(({ role, lines, stored: more, observation: { status } }) => {
      const right = status === 200 && rejectedIn(lines).length === 0 && (more === 1 || wasAccepted);
      return right ? [] : [`${role}: status ${status}, stored ${more} times`];
    });
}

/** A line may name an endpoint's path, and an event's type, id and subject; nothing else that was sent, and no secret ever. */
function indiscreet({ lines, request, observation }: Seen, { config }: TestReceiver): string[] {
  const secrets = config.endpoints.flatMap(({ credentials }) =>
    [...credentials.values()].flatMap(({ texts }) => texts),
  );
  const text = lines
    .map((line) => JSON.stringify({ ...line, type: '', id: '', subject: '', path: '' }))
    .join('\n');
  const whole = lines.map((line) => JSON.stringify(line)).join('\n');
  const reply = undated(observation);
  const refusal = observation.status < 400 ? '' : reply;
  const sent = fragmentsOf(request);
  return [
    ...(sent.some((fragment) => text.includes(fragment)) ? ['the log tells what was sent'] : []),
    ...(sent.some((fragment) => refusal.includes(fragment)) ? ['the reply tells what was sent'] : []),
    ...(secrets.some((secret) => whole.includes(secret)) ? ['the log tells a secret'] : []),
    ...(secrets.some((secret) => reply.includes(secret)) ? ['the reply tells a secret'] : []),
  ];
}
