import type { OwnRecords, Value } from '../records/records.ts';
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
    booking_updated: ({ payload, installation }) => said(keep(records.of(installation), 'booking', payload)),
    booking_state_changed: ({ payload, installation }) => {
      const { id, rev, transition, actions, state } = payload;
      // A booking has many of them, and a later save of it tells none.
      const own = records.of(installation);
      own.put('transition', `${id} ${rev}`, { booking: id, ...transition, state: state.name, actions });
      return said(keep(own, 'booking', payload), `${transition?.name ?? 'transition'} to ${state.name}`);
    },
  };
}

/** Ties the user to the person we know by the e-mail of the single sign-on. A local login may bring none. */
async function welcome({ records, apisOf }: Tools, event: Login): Promise<string> {
  const { payload, installation, signal } = event;
  const { risr: api } = apisOf(event);
  const { user, sso } = payload;
  const email = sso['mail']?.[0]?.toLowerCase();
  const person = email === undefined ? undefined : records.find('person', email);
  if (email === undefined || person === undefined) return 'nobody we know';
  const filled = api ? await fillProfile(api, user, { person, sso }, signal) : undefined;
  tie(records.of(installation), email, { risrUser: user, ...filled?.own });
  return `known person, tied to the user${filled === undefined ? '' : `, ${filled.note}`}`;
}

/** Whoever edits a profile may take out what we know better. What we write ourselves comes back as an event, too. */
async function follow({ records, apisOf }: Tools, event: Edited): Promise<Said> {
  const { payload, installation, signal } = event;
  const { risr: api } = apisOf(event);
  const own = records.of(installation);
  const kept = keep(own, 'profile', payload);
  const email = payload.email?.toLowerCase() ?? '';
  const person = records.find('person', email);
  const tied = own.find('person', email);
  const user = tied?.['risrUser'];
  if (api === undefined || person === undefined || typeof user !== 'string') return said(kept);
  if (tied?.['writtenRev'] === payload.rev) return said(kept, 'written by us');
  const filled = await fillProfile(api, user, { person, sso: { mail: [email] } }, signal);
  tie(own, email, { risrUser: user, ...filled.own });
  return said(kept, filled.note);
}

/** Which user he is differs from installation to installation. What else was learnt of the person meanwhile stays. */
function tie(records: OwnRecords, email: string, learnt: Value): void {
  records.put('person', email, { ...records.find('person', email), ...learnt });
}

/** The number before the dash grows with each save: a lower one is an older event that came late. */
function keep(records: OwnRecords, kind: 'profile' | 'booking', document: Document): Kept {
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
