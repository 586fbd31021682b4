const LONGEST_NOTE = 500;

/** What a handler said, cut to a length that an entry and a log line can bear: messages quote whatever they like. */
export function shortNote(note: string): string {
  return note.length <= LONGEST_NOTE ? note : `${note.slice(0, LONGEST_NOTE)}…`;
}
