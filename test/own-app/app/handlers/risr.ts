import type { HandlersOf, risr } from '../../../../src/kit/index.ts';
import type { Crm } from '../crm.ts';

export function risrHandlers(crm: Crm): HandlersOf<typeof risr.events> {
  return {
    user_registered: ({ payload }) => crm.file(`new user ${payload.user}`),
    user_logged_in: ({ payload }) => crm.file(`user ${payload.user}`),
    profile_updated: ({ payload }) => crm.file(`profile ${payload.id}`),
    booking_updated: ({ payload }) => crm.file(`booking ${payload.id}`),
    booking_state_changed: ({ payload }) => crm.file(`booking ${payload.id} is ${payload.state.name}`),
  };
}
