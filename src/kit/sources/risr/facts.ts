import {
  contentType,
  formOfId,
  headersThere,
  jsonLayout,
  ONCE,
  sending,
  size,
  type Fact,
  type Seen,
  type ShownFact,
} from '../../facts/fact.ts';
import { isObject, objectIn, type JsonObject } from '../../reading/json.ts';

const LOGINS = ['user_logged_in', 'user_registered'];
const STATE_CHANGED = 'booking_state_changed';
const BOOKINGS = ['booking_updated', STATE_CHANGED];

/** Of events of these topics; the example that is sent on request is none of them, whatever its topic. */
function of(topics: readonly string[], observe: ShownFact['observe']): ShownFact['observe'] {
  return (seen) => (topics.includes(seen.type) && seen.envelope?.test !== true ? observe(seen) : undefined);
}

function headerMembers({ delivery }: Seen): string | undefined {
  const [first = ''] = delivery.body.toString('latin1', 0, 1_024).trim().split('.', 1);
  const header = objectIn(Buffer.from(first, 'base64url'));
  if (header === undefined) return undefined;
  const names = Object.keys(header).map((name) => (['alg', 'typ', 'kid'].includes(name) ? name : 'another'));
  return names.slice(0, 4).join(', ');
}

function escapes({ proven }: Seen): string | undefined {
  const text = proven.content.toString('latin1');
  // eslint-disable-next-line no-control-regex -- what is not ASCII is looked for
  if (/[^\x00-\x7f]/.test(text)) return 'UTF-8';
  return /\\u[0-9a-f]{4}/i.test(text) ? 'escapes' : undefined; // of plain ASCII nobody can tell
}

function around({ delivery: { body } }: Seen): string {
  const text = body.toString('latin1');
  if (text === text.trim()) return 'nothing';
  return /[\r\n]/.test(text) ? 'a line end' : 'blanks';
}

function times({ value = {} }: Seen): string {
  const there = ['iat', 'nbf', 'exp'].filter((name) => typeof value[name] === 'number');
  return there.join('+') || 'none';
}

const USER_MEMBERS = ['user', 'user_id', 'userId', 'kaizen_user_id', 'id', '_id'];
const SSO_MEMBERS = ['headers', 'sso_headers', 'sso', 'attributes'];

function userMember({ value = {} }: Seen): string {
  return USER_MEMBERS.find((name) => typeof value[name] === 'string') ?? 'another';
}

function ssoIn(value: JsonObject): { readonly place: string; readonly data: JsonObject } {
  const place = SSO_MEMBERS.find((name) => isObject(value[name]));
  const nested = place === undefined ? undefined : value[place];
  if (place !== undefined && isObject(nested)) return { place, data: nested };
  const beside = Object.entries(value).filter(
    ([name, text]) => typeof text === 'string' && ![...USER_MEMBERS, 'webhook_request_id'].includes(name),
  );
  return { place: beside.length > 0 ? 'beside the user' : 'none', data: Object.fromEntries(beside) };
}

function ssoValues({ value = {} }: Seen): string | undefined {
  const values = Object.values(ssoIn(value).data);
  if (values.length === 0) return undefined;
  if (values.some(Array.isArray)) return 'lists';
  return values.some((text) => typeof text === 'string' && /(?<!\\);/.test(text)) ? 'joined by ;' : 'single';
}

/** Which of several names a member has. */
function nameOf(names: readonly string[]): ShownFact['observe'] {
  return ({ value = {} }) => names.find((name) => Object.hasOwn(value, name)) ?? 'none';
}

function documentIds({ value = {} }: Seen): string {
  const nested = value['booking'];
  const document = isObject(nested) ? nested : value;
  return Object.hasOwn(document, '_id') || Object.hasOwn(document, '_rev') ? '_id, _rev' : 'id, rev';
}

/** README.md, "The facts": what is assumed there, and what a delivery shows of it. */
export const facts: readonly Fact[] = [
  {
    id: 'RI-1',
    what: 'several registrations of one topic',
    hidden: 'it shows when one registers: npm run register',
  },
  {
    id: 'RI-3',
    what: 'bookings are sent in the background',
    hidden: 'the sender waits or not, and that is no delivery',
  },
  {
    id: 'RI-5',
    what: 'what an error reply to a login does',
    hidden: 'it shows at the login: answer 500 once',
  },
  {
    id: 'RI-6a',
    what: 'how often an event is sent',
    assumed: [ONCE],
    observe: sending,
    advice: () => 'nothing to set: repeats are recognised, and answered as the first',
  },
  {
    id: 'RI-6b',
    what: 'how long it waits for a reply',
    hidden: 'it hangs up, and that is no delivery: answer slowly once',
  },
  {
    id: 'RI-8',
    what: 'listing and removing registrations',
    hidden: 'it shows in the replies of the API: npm run register -- list',
  },
  {
    id: 'RI-9',
    what: 'bursts of booking_state_changed',
    hidden: 'counts have no times between them: the log has',
  },
  { id: 'RI-10', what: 'personal data is signed, not encrypted', hidden: 'nothing to find out: serve HTTPS' },
  { id: 'RI-13', what: 'members of the token header', assumed: ['alg, typ'], observe: headerMembers },
  { id: 'RI-14a', what: 'letters that are not ASCII', assumed: ['escapes'], observe: escapes },
  {
    id: 'RI-14b',
    what: 'layout of the JSON',
    assumed: ['compact'],
    observe: ({ proven }) => jsonLayout(proven.content),
  },
  {
    id: 'RI-14c',
    what: 'size of the token',
    assumed: [],
    observe: ({ delivery }) => size(delivery.body.length),
  },
  {
    id: 'RI-15',
    what: 'times in the payload',
    assumed: ['none'],
    observe: times,
    advice: (variant) =>
      /iat|nbf/.test(variant)
        ? 'RISR_MAX_AGE_S=300 refuses what was recorded earlier'
        : 'it counts, as it is',
  },
  { id: 'RI-16a', what: 'Content-Type', assumed: ['application/jose'], observe: contentType },
  { id: 'RI-16b', what: 'further headers', assumed: [], observe: headersThere },
  { id: 'RI-17', what: 'what stands around the token', assumed: ['nothing'], observe: around },
  {
    id: 'RI-21',
    what: 'webhook_request_id',
    assumed: ['UUID'],
    observe: ({ value = {} }) => formOfId(value['webhook_request_id'], 'UUID'),
    advice: (variant) =>
      variant === 'absent'
        ? 'duplicates are told by id and rev, and those of a login not at all'
        : 'nothing to set: any plain text is an id',
  },
  { id: 'RI-24', what: 'a write causes the event again', hidden: 'nothing in the event says what caused it' },
  {
    id: 'RI-25a',
    what: 'member with the user of a login',
    assumed: ['user'],
    observe: of(LOGINS, userMember),
    advice: (variant) =>
      variant === 'another'
        ? 'RISR_USER_ID_MEMBERS must name it: the dead letter says which members came'
        : `RISR_USER_ID_MEMBERS=${variant} reads no other`,
  },
  {
    id: 'RI-25b',
    what: 'where a login has the single sign-on data',
    assumed: ['headers', 'none'],
    observe: of(LOGINS, ({ value = {} }) => ssoIn(value).place),
    advice: (variant) =>
      SSO_MEMBERS.includes(variant)
        ? `RISR_SSO_MEMBERS=${variant} reads no other`
        : 'nothing to set: the texts beside the user are taken for it',
  },
  {
    id: 'RI-26',
    what: 'several values of one attribute',
    assumed: ['joined by ;', 'single'],
    observe: of(LOGINS, ssoValues),
    advice: () => 'nothing to set: lists are read as such',
  },
  {
    id: 'RI-27',
    what: 'order of the two login hooks',
    hidden: 'it takes both of one login: npm run inbox -- list',
  },
  {
    id: 'RI-28a',
    what: 'where the booking is',
    assumed: ['the payload itself'],
    observe: of(BOOKINGS, ({ value = {} }) =>
      isObject(value['booking']) ? 'under booking' : 'the payload itself',
    ),
  },
  {
    id: 'RI-28b',
    what: 'member with the transition',
    assumed: ['transition'],
    observe: of([STATE_CHANGED], nameOf(['transition', 'workflowTransition'])),
    advice: () => 'nothing to set where it is taken; with none, look under drift',
  },
  {
    id: 'RI-28c',
    what: 'member with the actions',
    assumed: ['actions'],
    observe: of([STATE_CHANGED], nameOf(['actions', 'processedActions', 'processed_actions'])),
    advice: () => 'nothing to set where it is taken; with none, look under drift',
  },
  {
    id: 'RI-30',
    what: 'rev grows with each save',
    hidden: 'it takes several saves of one document, in their order',
  },
  {
    id: 'RI-31',
    what: 'names of id and rev',
    assumed: ['id, rev'],
    observe: of(['profile_updated', ...BOOKINGS], documentIds),
  },
  { id: 'RI-32', what: 'life of a token of the API', hidden: 'it shows in the replies of the API' },
  { id: 'RI-34', what: 'path of a user', hidden: 'it shows in the replies of the API' },
  { id: 'RI-35', what: 'writes replace, with rev', hidden: 'it shows in the replies of the API' },
  { id: 'RI-36', what: 'several includeParts', hidden: 'it shows in the replies of the API' },
  { id: 'RI-40', what: 'calls per second', hidden: 'it shows in the replies of the API' },
];
