import type { Records, Value } from '../records/records.ts';
import type { HandlersOf, Occurrence } from '../source.ts';
import type { risr } from '../sources/risr/index.ts';

type Login = Occurrence<string, { readonly user: string; readonly sso: Readonly<Record<string, string[]>> }>;
type Document = { readonly id: string; readonly rev: string } & Value;

/** A user waits while the first two run: look up and note down here, and leave what takes longer to other events. */
export function risrHandlers(records: Records): HandlersOf<typeof risr.events> {
  return {
    user_registered: (event) => welcome(records, event),
    user_logged_in: (event) => welcome(records, event),
    profile_updated: ({ payload }) => keep(records, 'profile', payload),
    booking_updated: ({ payload }) => keep(records, 'booking', payload),
    booking_state_changed: ({ payload }) => {
      const { transition, state } = payload;
      return `${keep(records, 'booking', payload)}, ${transition?.name ?? 'transition'} to ${state.name}`;
    },
  };
}

/** Ties the user to the person we know by the e-mail of the single sign-on. A local login may bring none. */
function welcome(records: Records, { payload: { user, sso } }: Login): string {
  const email = sso['mail']?.[0]?.toLowerCase();
  const person = email === undefined ? undefined : records.find('person', email);
  if (email === undefined || person === undefined) return 'nobody we know';
  records.put('person', email, { ...person, risrUser: user });
  return 'known person, tied to the user';
}

/** The number before the dash grows with each save: a lower one is an older event that came late. */
function keep(records: Records, kind: 'profile' | 'booking', document: Document): string {
  const revision = Number.parseInt(document.rev, 10);
  const kept = records.putIfNewer(kind, document.id, revision, document);
  return kept ? `${kind} at revision ${revision}` : `${kind} is newer than revision ${revision} already`;
}
