import { z } from 'zod';
import type { JsonObject } from '../../../reading/json.ts';

const spelledIdentity = z.looseObject({
  id: z.unknown().optional(),
  _id: z.unknown().optional(),
  rev: z.unknown().optional(),
  _rev: z.unknown().optional(),
});

/** A profile or booking. Definitions of the same API are written with `_id`, so that spelling is understood too. */
export function readDocument(document: JsonObject): JsonObject {
  const { id, _id, rev, _rev, ...members } = spelledIdentity.parse(document);
  return { id: id ?? _id, rev: rev ?? _rev, ...members };
}

const bookingCarrier = z.looseObject({
  booking: z.looseObject({}).optional().catch(undefined),
  transition: z.unknown().optional(),
  workflowTransition: z.unknown().optional(),
  actions: z.unknown().optional(),
  processedActions: z.unknown().optional(),
  processed_actions: z.unknown().optional(),
});

/** A booking, alone or beside the transition it went through; the member names there are not documented (RI-28). */
export function readBooking(document: JsonObject): JsonObject {
  const {
    booking,
    transition,
    workflowTransition,
    actions,
    processedActions,
    processed_actions,
    ...members
  } = bookingCarrier.parse(document);
  return {
    ...readDocument(booking ?? members),
    ...present('transition', transition ?? workflowTransition),
    ...present('actions', actions ?? processedActions ?? processed_actions),
  };
}

/** How the mock writes it. */
interface BookingChoices {
  readonly booking: 'flat' | 'nested';
}

export function writeBooking(payload: JsonObject, choices: BookingChoices): JsonObject {
  if (choices.booking === 'flat') return payload;
  const { transition, actions, ...booking } = payload;
  return { booking, ...present('transition', transition), ...present('actions', actions) };
}

function present(name: string, value: unknown): JsonObject {
  return value === undefined || value === null ? {} : { [name]: value };
}
