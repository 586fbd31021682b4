import { z } from 'zod';
import { ApiRefusal } from '../platform.ts';
import type { Document } from './documents.ts';

const named = z.looseObject({ id: z.string().min(1), name: z.string().min(1) });
const metadata = z.array(z.object({ key: z.string(), value: z.string() }));
const fields = z.array(
  z.looseObject({ key: z.string(), label: z.string(), text_value: z.string(), str_value: z.string() }),
);

const SPRING_SITTING = {
  id: 'e83a91c5-16f7-4d20-9b4e-c7a5d2f8016b',
  name: 'Spring sitting',
  breadcrumbs: [{ id: '0d4f2b61-7c8e-4b95-a1d3-59e8f60c7b12', name: 'Practical exam' }],
  venue: { id: '71c5e0ad-3b28-49f6-8d0e-a4f92b6c1357', name: 'North hall' },
  bookingType: { id: '94b7d3f2-60ae-4c18-b5d9-2e8f1a0c7643', name: 'Exam' },
  metadata: [],
  bookingItem: { id: '0d4f2b61-7c8e-4b95-a1d3-59e8f60c7b12', name: 'Practical exam' },
};

const NOT_CONFIRMED = [
  { key: 'booking_confirmed', value: 'No' },
  { key: 'seat_confirmed', value: 'No' },
];

/** What a user books; what is left out is an example. */
export const newBooking = z.strictObject({
  id: z.string().min(1).optional(),
  user: z.string().min(1),
  bookingOption: named.extend({ bookingItem: named }).default(SPRING_SITTING),
  fields: fields.default([]),
  /** Those that only `allfields` shows. */
  hiddenFields: fields.default([]),
  metadata: metadata.default(NOT_CONFIRMED),
  balance: z.looseObject({}).default({ amount: '0.00', currency: 'GBP' }),
});

export type NewBooking = z.output<typeof newBooking>;

export const bookingChanges = z
  .strictObject({
    bookingOption: newBooking.shape.bookingOption.unwrap(),
    fields,
    hiddenFields: fields,
    metadata,
    balance: newBooking.shape.balance.unwrap(),
  })
  .partial();

export const workflow = z.strictObject({
  /** The first is where a booking begins. */
  states: z.array(named).min(1),
  transitions: z.array(
    z.strictObject({
      id: z.string().min(1),
      name: z.string().min(1),
      /** Ids of states; the same twice where only actions are run. */
      from: z.string(),
      to: z.string(),
      actions: z.array(z.string()).default([]),
      /** What the actions write into the metadata. */
      sets: z.record(z.string(), z.string()).default({}),
    }),
  ),
});

export type Workflow = z.output<typeof workflow>;

const [SUBMITTED, CONFIRMED, WITHDRAWN] = ['ws-p4d8r1t6cz', 'ws-t7w2b5n9fy', 'ws-m3k8x2v7hd'] as const;

export const usualWorkflow: z.input<typeof workflow> = {
  states: [
    { id: SUBMITTED, name: 'SUBMITTED' },
    { id: CONFIRMED, name: 'CONFIRMED' },
    { id: WITHDRAWN, name: 'WITHDRAWN' },
  ],
  transitions: [
    {
      id: 'wt-h3v6c8s1dq',
      name: 'Confirm',
      from: SUBMITTED,
      to: CONFIRMED,
      actions: ['confirm_booking'],
      sets: { booking_confirmed: 'Yes' },
    },
    {
      id: 'wt-z5j2n7b4gk',
      name: 'Retract',
      from: CONFIRMED,
      to: SUBMITTED,
      actions: ['retract_booking_confirmation'],
      sets: { booking_confirmed: 'No' },
    },
    { id: 'wt-r8f1y6t3wp', name: 'Remind', from: SUBMITTED, to: SUBMITTED, actions: ['send_reminder'] },
    { id: 'wt-c9d4q2s7lm', name: 'Withdraw', from: SUBMITTED, to: WITHDRAWN },
  ],
};

export interface Booking extends Omit<NewBooking, 'id'> {
  readonly organisation: string;
  readonly type: 'booking';
  readonly bookingItemId: string;
  readonly bookingOptionId: string;
  readonly createdDate: string;
  readonly modifiedDate: string;
  readonly state: z.output<typeof named>;
}

export type BookingChanges = z.output<typeof bookingChanges>;

/** As it is first saved. */
export function bookingFrom(
  input: NewBooking,
  { states }: Workflow,
  { organisation, now }: { readonly organisation: string; readonly now: Date },
): Booking {
  const [state] = states;
  if (state === undefined) throw new Error('A workflow has a state to begin with.');
  const today = dateOf(now);
  return saved({ ...input, organisation, type: 'booking', state, createdDate: today }, now);
}

/** What a save keeps in step. */
export function saved(
  booking: Omit<Booking, 'bookingItemId' | 'bookingOptionId' | 'modifiedDate'>,
  now: Date,
): Booking {
  const { bookingOption } = booking;
  return {
    ...booking,
    bookingItemId: bookingOption.bookingItem.id,
    bookingOptionId: bookingOption.id,
    modifiedDate: dateOf(now),
  };
}

function dateOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** What went through the workflow: the booking then, and what the hook says besides. */
export interface Transitioned {
  readonly booking: Booking;
  readonly transition: object;
  readonly actions: readonly object[];
}

/** By the transition's name or id. @throws ApiRefusal 404, 409 if the booking is in another state */
export function transitioned(
  booking: Booking,
  { states, transitions }: Workflow,
  wanted: string,
  by: { readonly executedBy: string; readonly now: Date },
): Transitioned {
  const found = transitions.find(({ id, name }) => id === wanted || name === wanted);
  const to = states.find(({ id }) => id === found?.to);
  if (found === undefined || to === undefined) throw new ApiRefusal(404, 'There is no such transition.');
  const { id, name, actions, sets } = found;
  const from = booking.state;
  if (from.id !== found.from) throw new ApiRefusal(409, `There is no ${name} from ${from.name}.`);
  const values = new Map([
    ...booking.metadata.map(({ key, value }) => [key, value] as const),
    ...Object.entries(sets),
  ]);
  const metadata = [...values].map(([key, value]) => ({ key, value }));
  return {
    booking: saved({ ...booking, state: to, metadata }, by.now),
    transition: { id, name, from, to, executedBy: by.executedBy },
    actions: actions.map((type) => ({ type, result: 'ok' })),
  };
}

const parts = ['bookingOption', 'fields', 'allfields', 'balance', 'all'] as const;
export type Part = (typeof parts)[number];

/** The values of `includeParts`. @throws ApiRefusal 400 */
export function partsIn(values: readonly string[]): Part[] {
  return values.map((value) => {
    const part = parts.find((known) => known === value);
    if (part === undefined) throw new ApiRefusal(400, `includeParts can be ${parts.join(', ')}.`);
    return part;
  });
}

/** `allowed`: also what a permission is needed for. */
export function shownBooking(booking: Document<Booking>, asked: readonly Part[], allowed: boolean): object {
  const { fields: visible, hiddenFields, balance, bookingOption, ...rest } = booking;
  const wants = (part: Part) => asked.includes(part) || asked.includes('all');
  const everyField = asked.includes('allfields') || (asked.includes('all') && allowed);
  return {
    ...rest,
    ...((wants('fields') || everyField) && { fields: everyField ? [...visible, ...hiddenFields] : visible }),
    ...(wants('bookingOption') && { bookingOption }),
    ...(wants('balance') && { balance }),
  };
}
