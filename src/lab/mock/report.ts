import type { ReceivedReply } from '../../kit/source.ts';
import type { Run } from './run.ts';
import type { Fired } from './sender.ts';

/** One event sent, as lines for people. Contains no secret, no token and no signature. */
export function firedText(fired: Fired, origin: string): string {
  const { request, reply } = fired;
  return block([
    ['sent', `${request.method} ${request.target} to ${origin}, body of ${request.bytes} bytes`],
    ['event', `${fired.source} ${fired.type} ${fired.id}`],
    [fired.fault === undefined ? 'proof' : 'fault', proofText(fired)],
    ...note(fired.misfit),
    ['reply', reply ? `${reply.status} after ${reply.ms} ms` : `none after ${fired.ms} ms`],
    ...(reply && reply.body.length > 0 ? ([['', excerptOf(reply)]] as const) : []),
    ['verdict', `${fired.verdict.ok ? 'right' : 'WRONG'}: ${fired.verdict.says}`],
  ]);
}

/** Many events sent, as lines for people. */
export function runText(run: Run, what: string): string {
  const { p50, p95, p99, max } = run.ms;
  const statuses = Object.entries(run.statuses).map(([status, count]) => `${count} × ${status}`);
  return block([
    ['sent', `${run.count} × ${what} in ${run.seconds.toFixed(2)} s, ${Math.round(run.perSecond)} a second`],
    ['replies', statuses.join(', ')],
    ['ms', `half within ${p50}, 95 % within ${p95}, 99 % within ${p99}, slowest ${max}`],
    ['verdict', `${run.ok === run.count ? 'right' : 'WRONG'}: ${run.ok} of ${run.count} as they should be`],
    ...run.complaints.map((complaint) => ['', complaint] as const),
  ]);
}

const EXCERPT_LENGTH = 400;

/** The beginning of a reply's body on one line, without anything that could steer a terminal. */
export function excerptOf({ body }: ReceivedReply): string {
  const text = body
    .toString('utf8', 0, 4 * EXCERPT_LENGTH)
    .replace(/\s+/g, ' ')
    .replace(/\p{C}/gu, '')
    .trim();
  return text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text;
}

function proofText({ fault, proof }: Fired): string {
  return fault === undefined ? proof : `${fault}: ${proof}`;
}

function note(misfit: string | undefined): (readonly [string, string])[] {
  if (misfit === undefined) return [];
  return [['note', `does not fit the event's schema, so it will be kept as a dead letter: ${misfit}`]];
}

function block(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, words]) => `${name.padEnd(9)}${words}`.trimEnd()).join('\n');
}
