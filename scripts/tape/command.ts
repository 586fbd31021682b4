import type { Kept, Lost, Tape } from '../../src/kit/tape/tape.ts';

/** What the options of the command line say. */
export interface Chosen {
  readonly all: boolean;
  readonly json: boolean;
  readonly content: boolean;
  readonly raw: boolean;
  readonly har: boolean;
  readonly asIs: boolean;
  readonly url: URL | undefined;
  readonly secretFile: string | undefined;
  readonly name: string | undefined;
  readonly rename: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly before: number | undefined;
  /** Where to write to; nothing: to standard output. */
  readonly file: string | undefined;
}

/** One thing to do with a tape. */
export interface Command {
  /** The options it takes besides --help. */
  readonly options: readonly string[];
  /** What to say when the command does not fit. */
  readonly expects: string;
  readonly fits: (numbers: readonly number[], chosen: Chosen) => boolean;
  /** Resolves with the exit code. */
  readonly run: (tape: Tape, numbers: readonly number[], chosen: Chosen) => Promise<number>;
}

export function isLost(one: Kept | Lost): one is Lost {
  return 'unreadable' in one;
}

/** What is kept under these numbers, without any all that is kept; and why some of it is not there. */
export async function keptUnder(
  tape: Tape,
  numbers: readonly number[],
): Promise<{ readonly kept: readonly Kept[]; readonly problems: readonly string[] }> {
  const found =
    numbers.length === 0
      ? await tape.list()
      : await Promise.all(numbers.map(async (number) => (await tape.read(number)) ?? number));
  const kept: Kept[] = [];
  const problems: string[] = [];
  for (const one of found) {
    if (typeof one === 'number') problems.push(`There is no #${one} on the tape.`);
    else if (isLost(one)) problems.push(`#${one.number} cannot be read: ${one.unreadable}`);
    else kept.push(one);
  }
  return { kept, problems };
}
