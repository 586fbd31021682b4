import { z } from 'zod';
import {
  readJsonBody,
  replyEmpty,
  replyJson,
  ApiRefusal,
  type PlatformReply,
  type PlatformRequest,
} from '../platform.ts';
import { demandPermission, type Access, type ApiUser } from './access.ts';
import { partsIn, shownBooking, type Booking } from './bookings.ts';
import type { Documents } from './documents.ts';
import { registrationFields, type Hooks, type Registration } from './hooks.ts';
import type { Process } from './process.ts';
import type { RisrChoices } from './switches.ts';
import { readUser, type Definition, type User } from './users.ts';
import { dispatch, route, type Route } from '../routes.ts';

interface ApiParts {
  readonly baseUrl: string;
  readonly organisation: string;
  readonly access: Access;
  readonly users: Documents<User>;
  readonly bookings: Documents<Booking>;
  readonly roles: readonly Definition[];
  readonly userFields: readonly Definition[];
  readonly hooks: Hooks;
  readonly process: Process;
  readonly own: () => RisrChoices;
}

/** Discovery and tokens, which the product has at another host. */
export function authRoutes({ baseUrl, access }: ApiParts): Route[] {
  const issuer = baseUrl.replace(/\/$/, '');
  return [
    route('GET', '.well-known/openid-configuration', () =>
      replyJson(200, { issuer, token_endpoint: `${issuer}/oauth2/token` }),
    ),
    route('POST', 'oauth2/token', (_, request) => access.grant(request)),
  ];
}

/** Answers one call of API v2, for anybody who may make it. @throws ApiRefusal */
export async function answerCall(parts: ApiParts, request: PlatformRequest): Promise<PlatformReply> {
  const caller = parts.access.demand(request);
  const routes = [
    ...userRoutes(parts, caller),
    ...bookingRoutes(parts, caller),
    ...hookRoutes(parts, caller),
  ];
  return dispatch(routes, request);
}

function userRoutes(parts: ApiParts, caller: ApiUser): Route[] {
  const { organisation, users, roles, userFields, process } = parts;
  const fieldsIn = (body: object) => readUser(body, [...roles, ...userFields]);
  return [
    route('GET', 'v1/account/profile', () => {
      const { id, firstName, lastName, email } = caller;
      return replyJson(200, { id, firstName, lastName, email, organisation });
    }),
    route('GET', 'v2/user-fields', () => replyJson(200, userFields)),
    route('GET', 'v2/roles', () => replyJson(200, roles)),
    route('POST', 'v2/users', (_, request) => {
      demandPermission(caller, 'manageUsers');
      const { id, rev } = process.addUser(undefined, fieldsIn(readJsonBody(request, object)), caller.id);
      return replyMade(parts, { id, rev });
    }),
    route('GET', 'v2/users/:id', ({ id }) => replyJson(200, users.find(id))),
    route('PUT', 'v2/users/:id', ({ id }, request) => {
      demandPermission(caller, 'manageUsers');
      const body = readJsonBody(request, object);
      if ((body['id'] ?? id) !== id) throw new ApiRefusal(400, 'The body has the id of another user.');
      const fields = fieldsIn(body);
      users.demandCurrent(id, body['rev']);
      const { document } = process.saveUser(id, fields, caller.id);
      return replyJson(200, { id, rev: document.rev });
    }),
  ];
}

const object = z.looseObject({});

function bookingRoutes({ bookings }: ApiParts, caller: ApiUser): Route[] {
  return [
    route('GET', 'v2/bookings/:id', ({ id }, { query }) => {
      const asked = partsIn(query.getAll('includeParts'));
      if (asked.includes('allfields')) demandPermission(caller, 'manageBookings');
      return replyJson(200, shownBooking(bookings.find(id), asked, caller.manageBookings));
    }),
  ];
}

function hookRoutes(parts: ApiParts, caller: ApiUser): Route[] {
  const { hooks, own } = parts;
  const forManagers = (answer: () => PlatformReply | Promise<PlatformReply>) => {
    demandPermission(caller, 'manageWebHooks');
    return answer();
  };
  return [
    route('GET', 'v2/webhooks/registrations', () =>
      forManagers(() => replyJson(200, hooks.registrations.all().map(shownRegistration))),
    ),
    route('POST', 'v2/webhooks/registrations', (_, request) =>
      forManagers(() => {
        const { id, rev } = hooks.register(readJsonBody(request, registrationFields));
        return replyMade(parts, { id, rev });
      }),
    ),
    route('DELETE', 'v2/webhooks/registrations/:id', ({ id }, { query }) =>
      forManagers(() => {
        hooks.registrations.demandCurrent(id, query.get('rev'));
        hooks.registrations.remove(id);
        return own().success === 'usual' ? replyEmpty(204) : replyJson(200, { ok: true });
      }),
    ),
    route('POST', 'v2/webhooks/test', (_, request) =>
      forManagers(async () => {
        await hooks.test(readJsonBody(request, z.looseObject({ topic: z.string() })).topic);
        return replyJson(200, { ok: true });
      }),
    ),
  ];
}

function replyMade({ own }: ApiParts, identity: object): PlatformReply {
  return replyJson(own().success === 'usual' ? 201 : 200, identity);
}

/** A secret is never told again. */
export function shownRegistration({ id, rev, topic, url }: Registration): object {
  return { id, rev, topic, url };
}
