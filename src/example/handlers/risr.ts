import type { Records, Value } from '../records/records.ts';
import type { HandlersOf, Occurrence } from '../../kit/source.ts';
import type { risr } from '../../kit/sources/risr/index.ts';
import { fillProfile } from './risr/fill-profile.ts';
import type { HandlerTools } from './tools.ts';

type Events = HandlersOf<typeof risr.events>;
type Login = Occurrence<string, Parameters<Events['user_logged_in']>[0]['payload']>;
type Edited = Parameters<Events['profile_updated']>[0];
type Document = { readonly id: string; readonly rev: string } & Value;

/** A user waits while the first two run: what is not done in time is done by the worker, after he was let through. */
export function risrHandlers(tools: HandlerTools): Events {
  const { records } = tools;
  return {
    user_registered: (event) => welcome(tools, event),
    user_logged_in: (event) => welcome(tools, event),
    profile_updated: (event) => follow(tools, event),
    booking_updated: ({ payload }) => keep(records, 'booking', payload),
    booking_state_changed: ({ payload }) => {
      const { id, rev, transition, actions, state } = payload;
      // A booking has many of them, and a later save of it tells none.
      records.put('transition', `${id} ${rev}`, { booking: id, ...transition, state: state.name, actions });
      return `${keep(records, 'booking', payload)}, ${transition?.name ?? 'transition'} to ${state.name}`;
    },
  };
}

/** Ties the user to the person we know by the e-mail of the single sign-on. A local login may bring none. */
async function welcome({ records, apis }: HandlerTools, { payload, signal }: Login): Promise<string> {
  const { user, sso } = payload;
  const email = sso['mail']?.[0]?.toLowerCase();
  const person = email === undefined ? undefined : records.find('person', email);
  if (email === undefined || person === undefined) return 'nobody we know';
  const filled = apis.risr ? await fillProfile(apis.risr, user, { person, sso }, signal) : undefined;
  tie(records, email, { risrUser: user, ...filled?.own });
  return `known person, tied to the user${filled === undefined ? '' : `, ${filled.note}`}`;
}

/** Whoever edits a profile may take out what we know better. What we write ourselves comes back as an event, too. */
async function follow({ records, apis }: HandlerTools, { payload, signal }: Edited): Promise<string> {
  const note = keep(records, 'profile', payload);
  const email = payload.email?.toLowerCase() ?? '';
  const person = records.find('person', email);
  const user = person?.['risrUser'];
  if (apis.risr === undefined || person === undefined || typeof user !== 'string') return note;
  if (person['writtenRev'] === payload.rev) return `${note}, written by us`;
  const filled = await fillProfile(apis.risr, user, { person, sso: { mail: [email] } }, signal);
  tie(records, email, { risrUser: user, ...filled.own });
  return `${note}, ${filled.note}`;
}

/** What else was learnt of the person meanwhile stays. */
function tie(records: Records, email: string, learnt: Value): void {
  records.put('person', email, { ...records.find('person', email), ...learnt });
}

/** The number before the dash grows with each save: a lower one is an older event that came late. */
function keep(records: Records, kind: 'profile' | 'booking', document: Document): string {
  const revision = Number.parseInt(document.rev, 10);
  const kept = records.putIfNewer(kind, document.id, revision, document);
  return kept ? `${kind} at revision ${revision}` : `${kind} is newer than revision ${revision} already`;
}
