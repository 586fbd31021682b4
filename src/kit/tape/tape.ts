import { rejections, type RejectionCode } from '../errors.ts';

/** A delivery as it came, and its outcome. All of it is personal data, and its headers and query hold credentials. */
export interface Taped {
  /** When it was answered (ms since 1970). */
  readonly at: number;
  /** The address it came from, as the receiver counts it. */
  readonly from: string | undefined;
  readonly method: string;
  /** Path and query as they were written. */
  readonly target: string;
  /** `1.1`, as Node says it. */
  readonly httpVersion: string;
  /** Names and values in turn, in the order and spelling of the wire. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** Whether `body` is all of it; else it was refused before the rest was read. */
  readonly whole: boolean;
  /** Path of the endpoint, open or closed; `undefined`: none has this path. */
  readonly endpoint: string | undefined;
  readonly outcome: TapedOutcome;
  /** Our name for it, see `nextRequestId`. */
  readonly request?: string | undefined;
  /** Of the entry in the inbox, once there is one. */
  readonly seq: number | undefined;
  /** Why it was refused, as the log line says it. */
  readonly why: string | undefined;
}

const genuine = ['accepted', 'duplicate', 'answered', 'failed'] as const;
export type TapedOutcome = RejectionCode | (typeof genuine)[number];

/** Whether it was proven when it came. */
export function isGenuine({ outcome }: Pick<Taped, 'outcome'>): boolean {
  return genuine.some((word) => word === outcome);
}

export function isOutcome(text: unknown): text is TapedOutcome {
  return (
    typeof text === 'string' && (genuine.some((word) => word === text) || Object.hasOwn(rejections, text))
  );
}

/** One that is kept, by the number that people call it by. */
export interface Kept extends Taped {
  readonly number: number;
}

/** A kept one that cannot be read: its key is gone, or its bytes were changed. */
export interface Lost {
  readonly number: number;
  readonly unreadable: string;
}

/** What is kept together and bounded together: one endpoint and outcome. */
export interface Group {
  /** `undefined`: no endpoint has the path. */
  readonly endpoint: string | undefined;
  readonly outcome: TapedOutcome;
}

/** Where taped deliveries are kept: memory, a folder, a table. Bytes in and out are sealed, or not, by others. */
export interface TapeStore {
  /** Keeps one more. Resolves with its number, which grows. */
  write(group: Group, at: number, bytes: Buffer): Promise<number>;
  /** All that is kept, oldest first. */
  list(): Promise<readonly Stored[]>;
  read(number: number): Promise<StoredBytes | undefined>;
  /** Puts other bytes in the place of what is kept under a number. */
  replace(stored: Stored, bytes: Buffer): Promise<void>;
  remove(numbers: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

export interface Stored {
  readonly number: number;
  readonly group: Group;
  readonly at: number;
  /** How many bytes are kept of it. */
  readonly size: number;
}

export interface StoredBytes extends Stored {
  readonly bytes: Buffer;
}

/** The deliveries that are kept, for whoever looks into them. Everything rejects where the store cannot be reached. */
export interface Tape {
  /** Oldest first. */
  list(): Promise<readonly (Kept | Lost)[]>;
  /** The same without what they say: of each its number, and what it is kept with. */
  heads(): Promise<readonly Stored[]>;
  read(number: number): Promise<Kept | Lost | undefined>;
  /** Writes down that a refused one is in the inbox now, as entry `seq`. */
  accepted(kept: Kept, seq: number): Promise<void>;
  forget(numbers: readonly number[]): Promise<void>;
  close(): Promise<void>;
}

export function groupOf({ endpoint, outcome }: Group): Group {
  return { endpoint, outcome };
}

/** One text for a group: endpoints are paths, and have no blanks. */
export function groupName({ endpoint, outcome }: Group): string {
  return `${outcome} ${endpoint ?? ''}`;
}

/** Of each group the first ones are kept, which a flood that came later cannot push out, and the last ones. */
const EARLIEST = 10;
const LATEST = 40;
const GROUP_BYTES = 8 * 1_048_576;
/** Of all groups together: whoever fills many takes room from them, not from the inbox beside them. */
const ALL_BYTES = 256 * 1_048_576;

/** The numbers of what is too old, and of what each group has too many of. `stored` is oldest first. */
export function surplus(stored: readonly Stored[], keptSince: number): number[] {
  const groups = Map.groupBy(stored, ({ group }) => groupName(group));
  const bytes = Math.min(GROUP_BYTES, ALL_BYTES / groups.size);
  return groups
    .values()
    .flatMap((all) => surplusOf(all, keptSince, bytes))
    .toArray();
}

function surplusOf(all: readonly Stored[], keptSince: number, bytes: number): number[] {
  const old = all.filter(({ at }) => at < keptSince);
  const [young, room] = [all.slice(old.length), { count: EARLIEST + LATEST, bytes }];
  // The first ones, then from the last one back: what finds no room is in the middle.
  const wanted = [...young.slice(0, EARLIEST), ...young.slice(EARLIEST).reverse()];
  const tooMuch = wanted.filter(({ size }) => {
    room.count -= 1;
    room.bytes -= size;
    return room.count < 0 || room.bytes < 0;
  });
  return [...old, ...tooMuch].map(({ number }) => number);
}
