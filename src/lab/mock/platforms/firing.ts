import type { Source, SwitchDefinitions, Switches, SwitchValues } from '../../../kit/source.ts';
import type { Random } from '../random.ts';
import { checkChoice, type Credential } from '../request.ts';
import type { TlsOptions } from '../send.ts';
import { createSender, type Fired } from '../sender.ts';

/** Sends one event of a platform's to where the platform is configured to send it. Never throws for a bad reply. */
export type Fire = (type: string, payload: unknown, to: Target) => Promise<Fired>;

/** A webhook as its platform knows it. */
export interface Target {
  /** Its path is the endpoint; with no path it is the source's usual one. */
  readonly url: URL;
  readonly credential: Credential;
  readonly switches?: Switches | undefined;
  /** The event's own; a redelivery repeats both. */
  readonly id?: string | undefined;
  readonly at?: Date | undefined;
  /** How long the platform waits for the reply. */
  readonly timeoutMs?: number | undefined;
  readonly tls?: TlsOptions | undefined;
  /** What goes wrong on the way on purpose. */
  readonly fault?: string | undefined;
}

/** The usual way: over the network, as the source's mock sends. */
export function createFire(source: Source, random: Random, now: () => Date = () => new Date()): Fire {
  return async (type, payload, { url, credential, timeoutMs, tls, ...chosen }) => {
    const credentialFor = () => credential;
    const sender = createSender({
      source,
      url,
      credentialFor,
      random,
      now,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(tls && { tls }),
    });
    try {
      return await sender.fire(type, { payload, ...chosen });
    } finally {
      sender.close();
    }
  };
}

/**
 * A platform's own switches with the choices made for them, and the choices that are left for its sender.
 * @throws UsageError that lists the valid choices
 */
export function takeSwitches<const Definitions extends SwitchDefinitions>(
  definitions: Definitions,
  chosen: Switches,
): { readonly own: SwitchValues<Definitions>; readonly sending: Switches } {
  const own = Object.entries(definitions).map(([name, definition]) => {
    const choice = Object.hasOwn(chosen, name) ? chosen[name] : undefined;
    if (choice !== undefined) checkChoice(name, definition, choice);
    return [name, choice ?? definition.values?.[0] ?? definition.text ?? ''] as const;
  });
  const sending = Object.entries(chosen).filter(([name]) => !Object.hasOwn(definitions, name));
  // Each name of the definitions was given one of its own values just now.
  return {
    own: Object.fromEntries(own) as SwitchValues<Definitions>,
    sending: Object.fromEntries(sending),
  };
}
