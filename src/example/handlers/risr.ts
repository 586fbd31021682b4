import type { Records, Value } from '../records/records.ts';
import { unchanged, type HandlersOf, type Occurrence, type risr, type Said } from '../../kit/index.ts';
import { fillProfile } from './risr/fill-profile.ts';
import type { Tools } from '../tools.ts';

type Events = HandlersOf<typeof risr.events>;
type Login = Occurrence<string, Parameters<Events['user_logged_in']>[0]['payload']>;
type Edited = Parameters<Events['profile_updated']>[0];
type Document = { readonly id: string; readonly rev: string } & Value;

/** A user waits while the first two run: what is not done in time is done by the worker, after he was let through. */
export function risrHandlers(tools: Tools): Events {
  const { records } = tools;
  return {
    user_registered: (event) => welcome(tools, event),
    user_logged_in: (event) => welcome(tools, event),
    profile_updated: (event) => follow(tools, event),
    booking_updated: ({ payload }) => said(keep(records, 'booking', payload)),
    booking_state_changed: ({ payload }) => {
      const { id, rev, transition, actions, state } = payload;
      // A booking has many of them, and a later save of it tells none.
      records.put('transition', `${id} ${rev}`, { booking: id, ...transition, state: state.name, actions });
      return said(keep(records, 'booking', payload), `${transition?.name ?? 'transition'} to ${state.name}`);
    },
  };
}

/** Ties the user to the person we know by the e-mail of the single sign-on. A local login may bring none. */
async function welcome({ records, apis }: Tools, { payload, signal }: Login): Promise<string> {
  const { user, sso } = payload;
  const email = sso['mail']?.[0]?.toLowerCase();
  const person = email === undefined ? undefined : records.find('person', email);
  if (email === undefined || person === undefined) return 'nobody we know';
  const filled = apis.risr ? await fillProfile(apis.risr, user, { person, sso }, signal) : undefined;
  tie(records, email, { risrUser: user, ...filled?.own });
  return `known person, tied to the user${filled === undefined ? '' : `, ${filled.note}`}`;
}

/** Whoever edits a profile may take out what we know better. What we write ourselves comes back as an event, too. */
async function follow({ records, apis }: Tools, { payload, signal }: Edited): Promise<Said> {
  const kept = keep(records, 'profile', payload);
  const email = payload.email?.toLowerCase() ?? '';
  const person = records.find('person', email);
  const user = person?.['risrUser'];
  if (apis.risr === undefined || person === undefined || typeof user !== 'string') return said(kept);
  if (person['writtenRev'] === payload.rev) return said(kept, 'written by us');
  const filled = await fillProfile(apis.risr, user, { person, sso: { mail: [email] } }, signal);
  tie(records, email, { risrUser: user, ...filled.own });
  return said(kept, filled.note);
}

/** What else was learnt of the person meanwhile stays. */
function tie(records: Records, email: string, learnt: Value): void {
  records.put('person', email, { ...records.find('person', email), ...learnt });
}

/** The number before the dash grows with each save: a lower one is an older event that came late. */
function keep(records: Records, kind: 'profile' | 'booking', document: Document): Kept {
  const revision = Number.parseInt(document.rev, 10);
  const isNews = records.putIfNewer(kind, document.id, revision, document);
  const note = isNews
    ? `${kind} at revision ${revision}`
    : `${kind} is newer than revision ${revision} already`;
  return { isNews, note };
}

interface Kept {
  readonly isNews: boolean;
  readonly note: string;
}

function said({ isNews, note }: Kept, ...further: readonly string[]): Said {
  const words = [note, ...further].join(', ');
  return isNews ? words : unchanged(words);
}
