import {
  definitionOf,
  type Destination,
  type EventDefinition,
  type OutgoingEvent,
  type OutgoingRequest,
  type Source,
  type SwitchDefinition,
  type Switches,
} from '../../kit/source.ts';
import { misfits } from '../../kit/reading/json.ts';
import { assign, type Assignment } from './assign.ts';
import { randomUuid, type Random } from './random.ts';
import { wholeNumber } from '../command.ts';
import { pick, pickOne } from '../usage.ts';

export type Credential = Destination['credential'];

/** An event that the mock is asked to send. Whatever is left out comes from the source: example, usual switches. */
export interface Order {
  readonly type: string;
  readonly path: string;
  readonly credential: Credential;
  readonly payload?: unknown;
  readonly set?: readonly Assignment[];
  readonly switches?: Switches;
  readonly id?: string;
  readonly at?: Date;
}

/** An event ready to be proven: by its source's own proof, or by a forgery. */
export interface Prepared {
  readonly event: OutgoingEvent;
  readonly content: Buffer;
  readonly to: Destination;
  readonly switches: Switches;
  /** Which members do not fit the event's schema; the receiver will keep such a delivery as a dead letter. */
  readonly misfit: string | undefined;
}

/**
 * The exact request that this source would make for an event.
 * @throws UsageError if the source has no such event, switch or choice
 */
export async function buildRequest(source: Source, order: Order, random: Random): Promise<OutgoingRequest> {
  const { content, to, switches } = prepare(source, order, random);
  return source.proof.sign(content, to, switches);
}

/**
 * Writes an event as its source would, up to but not including the proof.
 * @throws UsageError if the source has no such event, switch or choice
 */
export function prepare(source: Source, order: Order, random: Random): Prepared {
  const { type, path, credential, payload: given } = order;
  const definition = eventOf(source, type);
  const switches = switchesOf(source, order.switches ?? {});
  const payload = assign(given === undefined ? definition.example : given, order.set ?? []);
  const event = { type, id: order.id ?? randomUuid(random), at: order.at ?? new Date(), payload };
  return {
    event,
    content: source.envelope.write(event, switches),
    to: { path, type, id: event.id, credential },
    switches,
    misfit: misfitOf(definition, payload),
  };
}

/** @throws UsageError that lists the source's events */
export function eventOf(source: Source, type: string): EventDefinition {
  const definition = definitionOf(source, type);
  return definition ?? pick<EventDefinition>(`event of ${source.name}`, type, Object.entries(source.events));
}

/**
 * Every switch of a source with the choice made for it, or its default.
 * @throws UsageError that lists the valid switches or choices
 */
export function switchesOf(source: Source, chosen: Switches): Switches {
  const defaults = Object.entries(source.switches).map(([name, definition]): [string, string] => [
    name,
    definition.values?.[0] ?? definition.text ?? '',
  ]);
  for (const [name, choice] of Object.entries(chosen)) {
    checkChoice(name, pick(`switch of ${source.name}`, name, Object.entries(source.switches)), choice);
  }
  return { ...Object.fromEntries(defaults), ...chosen };
}

/** @throws UsageError that lists the valid choices */
export function checkChoice(name: string, definition: SwitchDefinition, choice: string): void {
  if (definition.values !== undefined) pickOne(`choice for switch ${name}`, choice, definition.values);
  else if (takesNumbers(definition)) wholeNumber(`The switch ${name}`, choice, { min: 0, max: MOST });
}

const MOST = 2 ** 31 - 1;

/** Whether a switch without choices takes whole numbers only. */
export function takesNumbers({ text = '' }: SwitchDefinition): boolean {
  return /^\d+$/.test(text);
}

function misfitOf(definition: EventDefinition, payload: unknown): string | undefined {
  const result = definition.schema.safeParse(payload);
  return result.success ? undefined : misfits(result.error);
}
