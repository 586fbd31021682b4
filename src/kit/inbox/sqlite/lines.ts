import type { Entry } from '../inbox.ts';
import type { Statements } from './statements.ts';

/** Entries of one source and subject: one of them leads, the others wait behind it in the order of acceptance. */
type Line = Pick<Entry, 'source' | 'subject'>;

/** Whether an entry leads its line; a dead one, whether it would if it waited. */
export function mayRun(statements: Statements, known: Entry): boolean {
  const head = headOf(statements, known);
  if (known.status === 'waiting') return known.subject === undefined || head?.seq === known.seq;
  return known.status === 'dead' && (!head || (head.status === 'waiting' && head.seq > known.seq));
}

/** An entry that comes back goes before the later ones of its line, unless one of them is running. */
export function rejoin(statements: Statements, line: Line): void {
  const head = headOf(statements, line);
  if (head?.status === 'running') return;
  if (head) statements.demote.run({ seq: head.seq });
  promoteFirst(statements, line);
}

/** Of a line that may have lost its head; one that has it keeps it. */
export function promoteFirst(statements: Statements, { source, subject }: Line): void {
  if (subject !== undefined) statements.promoteFirst.run({ source, subject });
}

function headOf(
  statements: Statements,
  { source, subject }: Line,
): { readonly seq: number; readonly status: unknown } | undefined {
  const head = subject === undefined ? undefined : statements.head.get({ source, subject });
  return head && { seq: Number(head['seq']), status: head['status'] };
}
