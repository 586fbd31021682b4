import { createHeap, type Heap } from './heap.ts';
import type { Entry } from './inbox.ts';

/** Who is first of each subject: one entry leads its line and may run, the others follow in the order of acceptance. */
export interface SubjectLines {
  /** Puts a waiting entry into the line of its subject. Then elect. */
  join(entry: Entry): void;
  /** Takes the leading entry out. Then elect. */
  leave(entry: Entry): void;
  /** Lets the first of a line lead, unless one is running. Returns the newly elected one, if any. */
  elect(entry: Entry, isRunning: (seq: number) => boolean): number | undefined;
  /** Which entry leads the line of this one; its own if it has no subject. */
  headOf(entry: Entry): number | undefined;
}

interface Line {
  head: number | undefined;
  readonly followers: Heap<number>;
}

export function createSubjectLines(): SubjectLines {
  const lines = new Map<string, Line>();

  function lineOf(entry: Entry): Line | undefined {
    return lines.get(nameOf(entry));
  }

  function join(entry: Entry): void {
    if (entry.subject === undefined) return;
    const line = lineOf(entry) ?? open(nameOf(entry));
    line.followers.push(entry.seq);
  }

  function open(name: string): Line {
    const line: Line = { head: undefined, followers: createHeap((a, b) => a < b) };
    lines.set(name, line);
    return line;
  }

  function leave(entry: Entry): void {
    const line = lineOf(entry);
    if (line?.head === entry.seq) line.head = undefined;
  }

  function elect(entry: Entry, isRunning: (seq: number) => boolean): number | undefined {
    if (entry.subject === undefined) return entry.seq;
    const line = lineOf(entry);
    if (!line || stays(line, isRunning)) return undefined;
    if (line.head !== undefined) line.followers.push(line.head);
    line.head = line.followers.pop();
    if (line.head === undefined) lines.delete(nameOf(entry));
    return line.head;
  }

  function stays({ head, followers }: Line, isRunning: (seq: number) => boolean): boolean {
    return head !== undefined && (isRunning(head) || head < (followers.peek() ?? Infinity));
  }

  return {
    join,
    leave,
    elect,
    headOf: (entry) => (entry.subject === undefined ? entry.seq : lineOf(entry)?.head),
  };
}

function nameOf({ source, subject }: Entry): string {
  return `${source}\n${subject ?? ''}`;
}
