import { fileURLToPath } from 'node:url';
import { failureCode, messageOf } from './errors.ts';
import { shortNote } from './inbox/inbox.ts';

const MOST_CAUSES = 5;
const MOST_FRAMES = 5;
const KIT = new URL('.', import.meta.url);
const PROJECT = new URL('../..', KIT);

/**
 * Why an attempt failed: its code and what was thrown, and in further lines where in the app's code that was. The log and
 * the entry keep it.
 */
export function describeFailure(thrown: unknown): string {
  const code = failureCode(thrown);
  const frames = code === 'handler_failed' ? ownFrames(thrown) : [];
  return [shortNote(`${code}: ${messagesOf(thrown)}`), ...frames].join('\n');
}

/** The two parts of such a text, as a log line has them. */
export function whyAndWhere(note: string | undefined): { readonly why?: string; readonly where?: string } {
  if (note === undefined) return {};
  const end = note.indexOf('\n  at ');
  return end === -1 ? { why: note } : { why: note.slice(0, end), where: note.slice(end + 1) };
}

/** A message with those of its causes: `fetch failed` alone helps nobody. */
function messagesOf(thrown: unknown): string {
  const messages: string[] = [];
  for (const message of withCauses(thrown).map(messageOf)) {
    // Whoever gives a cause often quotes it.
    if (!messages.some((said) => said.includes(message))) messages.push(message);
  }
  return messages.join(', because: ');
}

/** Where in the app's own code it was thrown: the lines of the stack that are neither the kit's nor Node's nor a package's. */
function ownFrames(thrown: unknown): readonly string[] {
  const stacks = withCauses(thrown).map((error) => stackOf(error).filter(isOwn).map(fromProject));
  return (stacks.find((frames) => frames.length > 0) ?? []).slice(0, MOST_FRAMES);
}

/** Causes may go round in a circle. */
function withCauses(thrown: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (
    let at = thrown;
    at !== undefined && chain.length < MOST_CAUSES && !chain.includes(at);
    at = causeOf(at)
  )
    chain.push(at);
  return chain.length === 0 ? [thrown] : chain;
}

/** Anything can be thrown, and an error of another realm is no Error here. */
function causeOf(thrown: unknown): unknown {
  const { cause, errors } = membersOf(thrown);
  return cause ?? (Array.isArray(errors) ? (errors as readonly unknown[])[0] : undefined);
}

function stackOf(thrown: unknown): string[] {
  const { stack } = membersOf(thrown);
  if (typeof stack !== 'string') return [];
  return stack.split('\n').filter((line) => /^ +at .*:\d+:\d+\)?$/.test(line));
}

function membersOf(thrown: unknown): {
  readonly cause?: unknown;
  readonly errors?: unknown;
  readonly stack?: unknown;
} {
  return typeof thrown === 'object' && thrown !== null ? thrown : {};
}

function isOwn(frame: string): boolean {
  return ![KIT.href, fileURLToPath(KIT), 'node_modules', 'node:'].some((foreign) => frame.includes(foreign));
}

function fromProject(frame: string): string {
  return `  ${frame.trim().replace(PROJECT.href, '').replace(fileURLToPath(PROJECT), '')}`;
}
