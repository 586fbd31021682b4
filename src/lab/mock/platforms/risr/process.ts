import type { Random } from '../../random.ts';
import { randomUuid } from '../../random.ts';
import { createBackground, type Background } from '../background.ts';
import type { Choices } from '../choices.ts';
import { ApiRefusal } from '../platform.ts';
import {
  bookingFrom,
  saved,
  shownBooking,
  transitioned,
  type Booking,
  type BookingChanges,
  type NewBooking,
  type Workflow,
} from './bookings.ts';
import type { Document, Documents } from './documents.ts';
import type { Call, Hooks } from './hooks.ts';
import type { risrSwitches } from './switches.ts';
import {
  accountFor,
  audited,
  newUserId,
  profileOf,
  userOf,
  type Sso,
  type User,
  type UserFields,
} from './users.ts';

/** What was saved, and the hooks that are called for it; who wants their replies waits for them. */
export interface Saved<Content extends object> {
  readonly document: Document<Content>;
  readonly calls: Promise<readonly Call[]>;
}

export interface LoginReport {
  readonly user: string;
  readonly firstAccess: boolean;
  /** How long the user waited, and for whom. */
  readonly blockedMs: number;
  readonly calls: readonly Call[];
}

/** What happens to users and bookings, and which hooks that calls. */
export interface Process {
  /** Calls none. */
  addUser(id: string | undefined, fields: UserFields, by: string): Document<User>;
  saveUser(id: string, fields: UserFields, by: string): Saved<User>;
  logIn(sso: Sso, user?: string): Promise<LoginReport>;
  /** Calls none, as if it had been there before. */
  placeBooking(input: NewBooking): Document<Booking>;
  makeBooking(input: NewBooking): Saved<Booking>;
  changeBooking(id: string, changes: BookingChanges): Saved<Booking>;
  transition(id: string, transition: string, executedBy: string): Saved<Booking>;
  settled(): Promise<void>;
}

interface ProcessParts {
  readonly random: Random;
  readonly now: () => Date;
  readonly organisation: string;
  readonly users: Documents<User>;
  readonly bookings: Documents<Booking>;
  readonly workflow: Workflow;
  readonly hooks: Hooks;
  readonly choices: Choices<typeof risrSwitches>;
}

export function createProcess(parts: ProcessParts): Process {
  const background = createBackground();
  return {
    ...userProcess(parts, background),
    ...bookingProcess(parts, background),
    settled: () => background.settled(),
  };
}

type UserProcess = Pick<Process, 'addUser' | 'saveUser' | 'logIn'>;

function userProcess(
  { random, now, organisation, users, hooks }: ProcessParts,
  background: Background,
): UserProcess {
  const noted = (fields: UserFields, before: User | undefined, by: string) =>
    audited(fields, before, { date: now().toISOString(), by });
  const addUser = (id: string | undefined, fields: UserFields, by: string) => {
    if (id !== undefined && users.has(id)) throw new ApiRefusal(409, 'There is a user of this id.');
    return users.add(id ?? newUserId(random), noted(fields, undefined, by));
  };
  const known = (sso: Sso, id: string | undefined) => {
    if (id === undefined) return userOf(users, sso);
    return users.has(id) ? users.find(id) : undefined;
  };
  return {
    addUser,
    saveUser(id, fields, by) {
      const document = users.save(id, noted(fields, users.find(id), by));
      const calls = hooks.call('profile_updated', profileOf(document, organisation));
      background.run(calls);
      return { document, calls };
    },
    async logIn(sso, id) {
      const begun = performance.now();
      const before = known(sso, id);
      if (before === undefined && Object.keys(sso).length === 0) {
        throw new ApiRefusal(404, 'An account is made of single sign-on data, and there is none.');
      }
      const { id: user } = before ?? addUser(id, accountFor(sso), 'single sign-on');
      const registered = before ? [] : await hooks.callInLogin('user_registered', { user, sso });
      const loggedIn = await hooks.callInLogin('user_logged_in', { user, sso });
      const blockedMs = Math.round(performance.now() - begun);
      return { user, firstAccess: before === undefined, blockedMs, calls: [...registered, ...loggedIn] };
    },
  };
}

type BookingProcess = Pick<Process, 'placeBooking' | 'makeBooking' | 'changeBooking' | 'transition'>;

function bookingProcess(parts: ProcessParts, background: Background): BookingProcess {
  const { random, now, organisation, users, bookings, workflow, hooks, choices } = parts;
  const updated = (document: Document<Booking>) => hooks.call('booking_updated', inHook(document));
  const after = (document: Document<Booking>, calls: Promise<readonly Call[]>): Saved<Booking> => {
    background.run(calls);
    return { document, calls };
  };
  const placeBooking = (input: NewBooking) => {
    users.find(input.user);
    const { id = randomUuid(random) } = input;
    if (bookings.has(id)) throw new ApiRefusal(409, 'There is a booking of this id.');
    return bookings.add(id, bookingFrom(input, workflow, { organisation, now: now() }));
  };
  return {
    placeBooking,
    makeBooking(input) {
      const document = placeBooking(input);
      return after(document, updated(document));
    },
    changeBooking(id, changes) {
      const document = bookings.save(id, saved({ ...bookings.find(id), ...named(changes) }, now()));
      return after(document, updated(document));
    },
    transition(id, wanted, executedBy) {
      const by = { executedBy, now: now() };
      const { booking, transition, actions } = transitioned(bookings.find(id), workflow, wanted, by);
      const document = bookings.save(id, booking);
      const changed = () => hooks.call('booking_state_changed', { ...inHook(document), transition, actions });
      return after(
        document,
        both(changed, () => updated(document), choices.own().several),
      );
    },
  };
}

/** Which parts a hook has is not documented (RI-29). */
function inHook(document: Document<Booking>): object {
  return shownBooking(document, ['fields', 'bookingOption'], false);
}

async function both(
  first: () => Promise<Call[]>,
  second: () => Promise<Call[]>,
  several: 'one-by-one' | 'parallel',
): Promise<Call[]> {
  if (several === 'parallel') return (await Promise.all([first(), second()])).flat();
  return [...(await first()), ...(await second())];
}

function named<Changes extends object>(
  changes: Changes,
): { [Name in keyof Changes]: Exclude<Changes[Name], undefined> } {
  // What is left has the values it had, and none of them is undefined.
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as never;
}
