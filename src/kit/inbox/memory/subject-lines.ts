import { createHeap, type Heap } from './heap.ts';
import type { Entry } from '../inbox.ts';

/** Who is first of each subject: one entry leads its line and may run, the others follow in the order of acceptance. */
export interface SubjectLines {
  /** Puts a waiting entry into the line of its subject. Then elect. */
  join(entry: Entry): void;
  /** Takes an entry out, wherever in its line. Then elect. */
  leave(entry: Entry): void;
  /** Lets the first of a line lead, unless one is running. Returns the newly elected one, if any. */
  elect(entry: Entry, isRunning: (seq: number) => boolean): number | undefined;
  /** Which entry leads the line of this one; its own if it has no subject. */
  headOf(entry: Entry): number | undefined;
}

interface Line {
  head: number | undefined;
  readonly followers: Heap<number>;
  /** Followers that have left: a heap gives up only its first. */
  readonly left: Set<number>;
}

export function createSubjectLines(): SubjectLines {
  const lines = new Map<string, Line>();

  function lineOf(entry: Entry): Line | undefined {
    return lines.get(nameOf(entry));
  }

  function join(entry: Entry): void {
    if (entry.subject === undefined) return;
    const line = lineOf(entry) ?? open(nameOf(entry));
    if (!line.left.delete(entry.seq)) line.followers.push(entry.seq);
  }

  function open(name: string): Line {
    const line: Line = { head: undefined, followers: createHeap((a, b) => a < b), left: new Set() };
    lines.set(name, line);
    return line;
  }

  function leave(entry: Entry): void {
    const line = entry.subject === undefined ? undefined : lineOf(entry);
    if (line?.head === entry.seq) line.head = undefined;
    else line?.left.add(entry.seq);
  }

  function elect(entry: Entry, isRunning: (seq: number) => boolean): number | undefined {
    if (entry.subject === undefined) return entry.seq;
    const line = lineOf(entry);
    if (!line || stays(line, isRunning)) return undefined;
    if (line.head !== undefined) line.followers.push(line.head);
    line.head = firstFollower(line);
    line.followers.pop();
    if (line.head === undefined) lines.delete(nameOf(entry));
    return line.head;
  }

  function stays(line: Line, isRunning: (seq: number) => boolean): boolean {
    const { head } = line;
    return head !== undefined && (isRunning(head) || head < (firstFollower(line) ?? Infinity));
  }

  return {
    join,
    leave,
    elect,
    headOf: (entry) => (entry.subject === undefined ? entry.seq : lineOf(entry)?.head),
  };
}

function firstFollower({ followers, left }: Line): number | undefined {
  for (;;) {
    const first = followers.peek();
    if (first === undefined || !left.delete(first)) return first;
    followers.pop();
  }
}

function nameOf({ source, subject }: Entry): string {
  return `${source}\n${subject ?? ''}`;
}
