import type { z } from 'zod';
import type { Switches } from '../../../../kit/source.ts';
import type { TlsOptions } from '../../send.ts';
import { createChoices, type PlatformOptions } from '../choices.ts';
import type { Platform } from '../platform.ts';
import { createAccess } from './access.ts';
import { adminRoutes } from './admin.ts';
import { answerCall, authRoutes } from './api.ts';
import { newBooking, type Booking, type BookingChanges } from './bookings.ts';
import { createDocuments, type Document } from './documents.ts';
import { createHooks, type Call, type Registration } from './hooks.ts';
import { createProcess, type LoginReport, type Saved } from './process.ts';
import { risrSeed } from './seed.ts';
import { risrSwitches } from './switches.ts';
import { readUser, type Sso, type User } from './users.ts';
import { addressesOf, dispatch } from '../routes.ts';

/** risr/advance in memory. What a scenario's people do are its methods; they resolve when the hooks have replied. */
export interface RisrPlatform extends Platform {
  /** A person who comes for the first time gets an account: with this id, or one of the platform's own. */
  login(as: { readonly sso: Sso; readonly user?: string }): Promise<LoginReport>;
  /** The members that are named get other values. @throws ApiRefusal 400, 404, as the rest of these */
  saveProfile(userId: string, changes: object): Promise<Happened<User>>;
  makeBooking(input: z.input<typeof newBooking>): Promise<Happened<Booking>>;
  /** A save without a change is a save, too. */
  changeBooking(id: string, changes?: BookingChanges): Promise<Happened<Booking>>;
  /** By name or id. */
  transition(id: string, transition: string): Promise<Happened<Booking>>;
  user(id: string): Document<User>;
  users(): readonly Document<User>[];
  booking(id: string): Document<Booking>;
  bookings(): readonly Document<Booking>[];
  registrations(): readonly Registration[];
  readonly called: readonly Call[];
  /** Changes switches while it runs; the others stay as they are. */
  choose(switches: Switches): void;
  expireTokens(): void;
  /** Resolves when every hook on its way has been replied to. */
  settled(): Promise<void>;
}

export interface Happened<Content extends object> {
  readonly document: Document<Content>;
  /** The hooks that told it. */
  readonly calls: readonly Call[];
}

export interface RisrOptions extends PlatformOptions {
  /** Where it is served, with its name: `http://127.0.0.1:4000/risr`. */
  readonly baseUrl: string;
  readonly seed?: z.input<typeof risrSeed>;
  /** Trust for receivers over HTTPS. */
  readonly tls?: TlsOptions;
}

export function createRisrPlatform(options: RisrOptions): RisrPlatform {
  const { fire, random, now, baseUrl, tls } = options;
  const { organisation, apiUsers, roles, userFields, workflow, ...seed } = risrSeed.parse(options.seed ?? {});
  const choices = createChoices(risrSwitches, options);
  const { own, choose } = choices;
  const conflictStatus = () => Number(own().conflict);
  const users = createDocuments<User>({ what: 'user', random, conflictStatus });
  const bookings = createDocuments<Booking>({ what: 'booking', random, conflictStatus });
  const hooks = createHooks({ fire, random, choices, tls });
  const access = createAccess(apiUsers, organisation, now);
  const process = createProcess({ random, now, organisation, users, bookings, workflow, hooks, choices });
  const fieldsOf = (user: object) => readUser(user, [...roles, ...userFields]);

  for (const user of seed.users) process.addUser(user.id, fieldsOf(user), 'import');
  for (const booking of seed.bookings) process.placeBooking(booking);
  for (const registration of seed.registrations) hooks.register(registration);

  const people: Omit<RisrPlatform, keyof Platform> = {
    login: ({ sso, user }) => process.logIn(sso, user),
    saveProfile: async (id, changes) =>
      happened(process.saveUser(id, fieldsOf({ ...users.find(id), ...changes }), id)),
    makeBooking: async (input) => happened(process.makeBooking(newBooking.parse(input))),
    changeBooking: async (id, changes = {}) => happened(process.changeBooking(id, changes)),
    transition: async (id, transition) => happened(process.transition(id, transition, 'usr-0009')),
    user: (id) => users.find(id),
    users: () => users.all(),
    booking: (id) => bookings.find(id),
    bookings: () => bookings.all(),
    registrations: () => hooks.registrations.all(),
    called: hooks.called,
    choose,
    expireTokens: () => access.expireTokens(),
    settled: () => process.settled(),
  };

  const api = { baseUrl, organisation, access, users, bookings, roles, userFields, hooks, process, own };
  const auth = authRoutes(api);
  const admin = adminRoutes(people);
  return {
    name: 'risr',
    admin: addressesOf('/risr', admin),
    async handle(request) {
      const first = request.path[0]?.toLowerCase();
      if (first === 'admin') return dispatch(admin, request);
      if (first === '.well-known' || first === 'oauth2') return dispatch(auth, request);
      return answerCall(api, request);
    },
    ...people,
  };
}

async function happened<Content extends object>({
  document,
  calls,
}: Saved<Content>): Promise<Happened<Content>> {
  return { document, calls: await calls };
}
