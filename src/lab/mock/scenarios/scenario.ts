import type { HotdocsPlatform } from '../platforms/hotdocs/platform.ts';
import type { PhenixidPlatform } from '../platforms/phenixid/platform.ts';
import type { RisrPlatform } from '../platforms/risr/platform.ts';
import type { Random } from '../random.ts';

/** A story of one product: what people do there, and what it must lead to on both sides. */
export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /** Name of the platform where it happens. */
  readonly platform: string;
  /** Makes what the story is about; nothing has been sent then. */
  begin(world: World): readonly Step[];
}

/** The products, and the receiver as far as one can look into it. */
export interface World {
  readonly hotdocs: HotdocsPlatform;
  readonly phenixid: PhenixidPlatform;
  readonly risr: RisrPlatform;
  /** Missing where the receiver is another process: its own effects are not looked at then. */
  readonly receiver: ReceiverView | undefined;
  readonly random: Random;
}

export interface ReceiverView {
  /** Every file that it keeps for good. */
  archived(): readonly ArchivedFile[];
  /** What it holds to be the state of a task. */
  taskState(id: string): string | undefined;
  booking(id: string): { readonly rev: string; readonly state: string } | undefined;
}

export interface ArchivedFile {
  /** The work item version, or the task, that it belongs to. */
  readonly owner: string;
  readonly document: string;
  /** Of the bytes that are there, in hexadecimal. */
  readonly sha256: string;
}

export interface Step {
  /** What somebody does. */
  readonly does: string;
  /** The person waits for the reply, so nothing else happens before. */
  readonly waits?: true;
  act(): Promise<unknown>;
  /** What it leads to, for good: it may take a moment, and it still holds when the story is over. */
  readonly effects: readonly Effect[];
}

export interface Effect {
  readonly where: 'platform' | 'receiver';
  /** What there must be. */
  readonly what: string;
  readonly look: () => Finding;
}

/** Words on what there is, or on what there is instead. */
export type Finding = { readonly found: string } | { readonly missing: string };

/** An effect on the platform's side. */
export function atPlatform(what: string, look: () => Finding): Effect {
  return { where: 'platform', what, look };
}

/** An effect on the receiver's side; none where one cannot look into it. */
export function atReceiver(
  { receiver }: World,
  what: string,
  look: (receiver: ReceiverView) => Finding,
): Effect[] {
  return receiver === undefined ? [] : [{ where: 'receiver', what, look: () => look(receiver) }];
}

export function foundIf(holds: boolean, found: string, missing: string): Finding {
  return holds ? { found } : { missing };
}
