import type { ReceivedReply } from '../../kit/source.ts';
import { onOneLine, printable } from '../printable.ts';
import type { Run } from './run.ts';
import type { Fired, Preview } from './sender.ts';

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

/** One event as it would be sent, for people. Contains no secret, no token and no signature. */
export function previewText({ event, content, misfit, request, bytes }: Preview): string {
  const rows = block([
    ['event', `${event.type} ${event.id}`],
    ['request', `${request.method} ${request.target}`],
    ...Object.entries(request.headers).map(([name, value]) => ['', `${name}: ${value}`] as const),
    ['body', bytes === 0 ? 'none' : `${bytes} bytes`],
    ...(bytes > 0 && !request.body.equals(content) ? ([['', excerptOf(request)]] as const) : []),
    ...note(misfit),
  ]);
  return `${rows}\n\nWhat is proven, ${content.length} bytes:\n${printable(prettyOf(content))}`;
}

function prettyOf(content: Buffer): string {
  try {
    return JSON.stringify(JSON.parse(content.toString()), undefined, 2);
  } catch {
    return content.toString();
  }
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

/** The beginning of a body on one line, without anything that could steer a terminal. */
export function excerptOf({ body }: Pick<ReceivedReply, 'body'>): string {
  const text = onOneLine(
    body
      .toString('utf8', 0, 4 * EXCERPT_LENGTH)
      .replace(/\s+/g, ' ')
      .trim(),
  );
  return text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text;
}

function proofText({ fault, proof }: Fired): string {
  return fault === undefined ? proof : `${fault}: ${proof}`;
}

function note(misfit: string | undefined): (readonly [string, string])[] {
  if (misfit === undefined) return [];
  return [['note', `does not fit the event's schema, so it will be kept as a dead letter: ${misfit}`]];
}

/** Rows of a name and words, as the reports of a command have them. */
export function block(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, words]) => onOneLine(`${name.padEnd(9)}${words}`.trimEnd())).join('\n');
}
