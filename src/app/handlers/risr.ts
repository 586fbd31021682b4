import { notWritten, type HandlersOf, type risr } from '../../kit/index.ts';
import type { Tools } from '../tools.ts';

/** What is done with each event of risr/advance. `npm run new -- handler risr <event>` begins one. */
export function risrHandlers(_tools: Tools): HandlersOf<typeof risr.events> {
  return {
    user_registered: notWritten,
    user_logged_in: notWritten,
    profile_updated: notWritten,
    booking_updated: notWritten,
    booking_state_changed: notWritten,
  };
}
