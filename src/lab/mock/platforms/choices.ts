import type { SwitchDefinitions, Switches, SwitchValues } from '../../../kit/source.ts';
import type { Random } from '../random.ts';
import { takeSwitches, type Fire } from './firing.ts';

/** What every platform is made with. */
export interface PlatformOptions {
  readonly fire: Fire;
  readonly random: Random;
  readonly now: () => Date;
  /** Its own and its sender's. */
  readonly switches?: Switches;
}

/** The switches of a platform while it runs. */
export interface Choices<Definitions extends SwitchDefinitions> {
  /** Changes some of them; the others stay as they are. @throws UsageError, and then nothing has changed */
  readonly choose: (switches: Switches) => void;
  readonly own: () => SwitchValues<Definitions>;
  /** Those of its sender. */
  readonly sending: () => Switches;
}

export function createChoices<const Definitions extends SwitchDefinitions>(
  definitions: Definitions,
  initial: Switches = {},
): Choices<Definitions> {
  let chosen = initial;
  let taken = takeSwitches(definitions, chosen);
  return {
    choose: (switches) => {
      const next = { ...chosen, ...switches };
      taken = takeSwitches(definitions, next);
      chosen = next;
    },
    own: () => taken.own,
    sending: () => taken.sending,
  };
}
