import type { Source, SwitchDefinitions, Switches, SwitchValues } from '../../../kit/source.ts';
import { pick } from '../../usage.ts';
import type { Random } from '../random.ts';
import { switchesOf } from '../request.ts';
import { takeSwitches, type Fire } from './firing.ts';

/** What every platform is made with. */
export interface PlatformOptions {
  readonly fire: Fire;
  readonly random: Random;
  readonly now: () => Date;
  /** Its own and its sender's. */
  readonly switches?: Switches;
  /** By which the sender's are checked as soon as they are chosen, and not only when something is sent. */
  readonly sender?: Source;
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
  { switches: initial = {}, sender }: Pick<PlatformOptions, 'switches' | 'sender'>,
): Choices<Definitions> {
  const take = (switches: Switches) => {
    const names = Object.entries({ ...sender?.switches, ...definitions });
    if (sender) for (const name of Object.keys(switches)) pick(`switch of ${sender.name}`, name, names);
    const { own, sending } = takeSwitches(definitions, switches);
    if (sender) switchesOf(sender, sending);
    return { own, sending };
  };
  let chosen = initial;
  let taken = take(chosen);
  return {
    choose: (switches) => {
      const next = { ...chosen, ...switches };
      taken = take(next);
      chosen = next;
    },
    own: () => taken.own,
    sending: () => taken.sending,
  };
}
