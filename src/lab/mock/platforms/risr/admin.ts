import { z } from 'zod';
import { readJsonBody, replyEmpty, replyJson, type Platform } from '../platform.ts';
import { shownRegistration } from './api.ts';
import { bookingChanges, newBooking } from './bookings.ts';
import type { RisrPlatform } from './platform.ts';
import { route, type Route } from '../routes.ts';

const loginForm = z.strictObject({
  user: z.string().min(1).optional(),
  sso: z.record(z.string(), z.array(z.string())).default({}),
});

/** What users and administrators do in the product's own pages, below `/admin`: the real product has no such API. */
export function adminRoutes(platform: Omit<RisrPlatform, keyof Platform>): Route[] {
  return [
    route('POST', 'admin/login', async (_, request) => {
      const { user, sso } = readJsonBody(request, loginForm);
      const { calls, ...report } = await platform.login({ sso, ...(user !== undefined && { user }) });
      return replyJson(200, {
        ...report,
        calls: calls.map(({ topic, fired: { ms, verdict } }) => ({ topic, ms, verdict })),
      });
    }),
    route('GET', 'admin/users', () => replyJson(200, platform.users())),
    route('PUT', 'admin/users/:id', async ({ id }, request) =>
      replyJson(200, (await platform.saveProfile(id, readJsonBody(request, z.looseObject({})))).document),
    ),
    route('GET', 'admin/bookings', () => replyJson(200, platform.bookings())),
    route('POST', 'admin/bookings', async (_, request) =>
      replyJson(200, (await platform.makeBooking(readJsonBody(request, newBooking))).document),
    ),
    route('PUT', 'admin/bookings/:id', async ({ id }, request) =>
      replyJson(200, (await platform.changeBooking(id, readJsonBody(request, bookingChanges))).document),
    ),
    route('POST', 'admin/bookings/:id/transitions/:name', async ({ id, name }) =>
      replyJson(200, (await platform.transition(id, name)).document),
    ),
    route('GET', 'admin/registrations', () =>
      replyJson(200, platform.registrations().map(shownRegistration)),
    ),
    route('GET', 'admin/deliveries', () => {
      const shown = platform.called.map(({ topic, fired: { id, verdict, ms } }) => ({
        topic,
        id,
        verdict,
        ms,
      }));
      return replyJson(200, shown);
    }),
    route('PUT', 'admin/switches', (_, request) => {
      platform.choose(readJsonBody(request, z.record(z.string(), z.string())));
      return replyEmpty(204);
    }),
  ];
}
