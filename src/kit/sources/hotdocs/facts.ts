import {
  behind,
  contentType,
  formOfId,
  headersThere,
  known,
  lapse,
  membersThere,
  ONCE,
  sending,
  size,
  UUID,
  type Fact,
  type Seen,
  type ShownFact,
} from '../../facts/fact.ts';
import { headerValues } from '../../delivery.ts';
import { isObject, tryJson, type JsonObject } from '../../reading/json.ts';
import { containerIn, eventIn, layoutOf } from './content/members.ts';
import { ACTION_LINK, CUSTOM_INTERVIEW, INTERVIEW_LOAD, POST_PROCESSING } from './events.ts';
import { multipartOf, urlencodedFields } from './wire/form.ts';

const COMPLETE = 'NewWorkItemVersionComplete';

type Observe = ShownFact['observe'];

function of(types: readonly string[], observe: Observe): Observe {
  return (seen) => (types.includes(seen.type) ? observe(seen) : undefined);
}

/** Proven by a JWT, or by an access token. */
function signed(observe: Observe): Observe {
  return (seen) => (seen.scheme.startsWith('jwt') ? observe(seen) : undefined);
}

function withToken(observe: Observe): Observe {
  return (seen) => (seen.scheme.startsWith('access-token') ? observe(seen) : undefined);
}

/** The members as they came, around the data and in it. */
function cameIn(seen: Seen): { readonly around: JsonObject; readonly data: JsonObject | undefined } {
  const event = eventIn(seen.value ?? {});
  const container = containerIn(event);
  return container === undefined
    ? { around: event, data: undefined }
    : { around: container.others, data: container.inside };
}

function payloadOf({ envelope }: Seen): JsonObject {
  return isObject(envelope?.payload) ? envelope.payload : {};
}

function method({ delivery }: Seen): string {
  return delivery.method;
}

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Where the token stands; several places have the same one. */
function carrier({ delivery }: Seen): string {
  const text = delivery.body.toString('latin1');
  const isThere: readonly (readonly [string, boolean])[] = [
    ['multipart', multipartOf(delivery) !== undefined],
    ['JSON', /^\s*\{/.test(text) && /"token"\s*:/i.test(text)],
    ['body', COMPACT.test(text)],
    ['form', /^(?:[^{&][^&]*&)*token=/i.test(text)],
    ['query', /(?:^|&)token=/i.test(delivery.query)],
    ['header', COMPACT.test(bare(authorization(delivery)))],
  ];
  return isThere.flatMap(([place, there]) => (there ? [place] : [])).join(' and ') || 'elsewhere';
}

function authorization(delivery: Seen['delivery']): string {
  return headerValues(delivery, 'authorization').join();
}

function bare(header: string): string {
  return header.replace(/^[\w-]+[ \t]+/, '');
}

/** Whether anything stands, unsigned, beside the token. */
function beside({ delivery }: Seen): string | undefined {
  if (multipartOf(delivery) !== undefined) return undefined;
  const text = delivery.body.toString('utf8');
  const json = tryJson(text);
  const names = [
    ...(urlencodedFields(delivery.query) ?? []).map(([name]) => name),
    ...(isObject(json) ? Object.keys(json) : []),
    ...(/^[\w.%-]+=/.test(text) ? (urlencodedFields(text) ?? []).map(([name]) => name) : []),
  ];
  return names.some((name) => name.toLowerCase() !== 'token') ? 'other fields' : 'nothing';
}

function contentPlace({ delivery }: Seen): string {
  const start = delivery.body.toString('latin1', 0, 1_024);
  if (start === '') return 'query';
  if (multipartOf(delivery) !== undefined) return 'multipart';
  if (/^\s*\{/.test(start)) return 'JSON';
  return /^[\w.*+%[\]~&-]+=/.test(start) ? 'form' : 'another';
}

function claimsThere(names: readonly string[]): Observe {
  return signed(({ value = {} }) => membersThere(value, names));
}

function age({ value, delivery }: Seen): string | undefined {
  const iat = value?.['iat'];
  return typeof iat === 'number' ? behind(delivery.receivedAt - iat * 1_000) : undefined;
}

function life({ value }: Seen): string | undefined {
  const { iat, exp } = value ?? {};
  return typeof iat === 'number' && typeof exp === 'number' ? lapse((exp - iat) * 1_000) : undefined;
}

/** In whichever spelling. */
function inEvent({ value = {} }: Seen, member: string): unknown {
  return Object.entries(eventIn(value)).find(([name]) => name.toLowerCase() === member)?.[1];
}

function spelling(seen: Seen): string {
  const { around, data } = cameIn(seen);
  const names = [...Object.keys(around), ...Object.keys(data ?? {})].filter((name) => /^[a-z]/i.test(name));
  const capitals = names.filter((name) => /^[A-Z]/.test(name)).length;
  const letters = capitals === 0 ? 'camelCase' : capitals === names.length ? 'PascalCase' : 'mixed case';
  return data === undefined ? `${letters}, flat` : letters;
}

function userMembers(seen: Seen): string {
  const { user } = payloadOf(seen);
  return membersThere(isObject(user) ? user : {}, ['id', 'name', 'email']);
}

function eventName(seen: Seen): string | undefined {
  const named = inEvent(seen, 'eventtype');
  return typeof named === 'string' ? known(named, [INTERVIEW_LOAD, 'LoadInterviewEvent']) : undefined;
}

function createdDate(seen: Seen): unknown {
  return payloadOf(seen)['createdDate'];
}

function dateStyle(seen: Seen): string | undefined {
  const date = createdDate(seen);
  if (typeof date !== 'string') return undefined;
  const parts = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/.exec(date);
  if (parts === null) return 'another form';
  const [, fraction = '', zone = 'no zone'] = parts;
  return `${fraction.length} digits, ${/\d/.test(zone) ? 'offset' : zone}`;
}

function dateGap(seen: Seen): string | undefined {
  const date = createdDate(seen);
  return typeof date === 'string' ? behind(seen.delivery.receivedAt - Date.parse(date)) : undefined;
}

function documentsOf(seen: Seen): readonly JsonObject[] {
  const { documents } = payloadOf(seen);
  return Array.isArray(documents) ? documents.filter(isObject) : [];
}

function documentMembers(seen: Seen): string | undefined {
  const [document] = documentsOf(seen);
  if (document === undefined) return undefined;
  const more = Object.keys(document).some((name) => !['id', 'name', 'url'].includes(name));
  return more ? 'id, name, url and more' : 'id, name, url';
}

function documentIds(seen: Seen): readonly string[] {
  const ids = documentsOf(seen).flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
  return [
    ...new Set(ids.map((id) => (UUID.test(id) ? `GUID of version ${UUID.exec(id)?.[1] ?? ''}` : 'no GUID'))),
  ];
}

const OLD_PATH = 'v1.1, of the work item';
const NEW_PATH = 'v2.0, of the version';

function documentPath(seen: Seen): string | undefined {
  const url = documentsOf(seen)[0]?.['url'];
  if (typeof url !== 'string') return undefined;
  if (/\/v1\.1\/workitems\/[^/]+\/documents\/[^/]+\/content$/i.test(url)) return OLD_PATH;
  return /\/v2\.0\/workitems\/[^/]+\/versions\/[^/]+\/documents\/[^/]+\/content$/i.test(url)
    ? NEW_PATH
    : 'another path';
}

const LINK_MEMBERS = [
  ...['workItemId', 'workItemVersionId', 'userId'],
  ...['loginName', 'tenancyMoniker', 'actionLinkName'],
];

/** README.md, "The facts": what is assumed there, and what a delivery shows of it. */
export const facts: readonly Fact[] = [
  {
    id: 'HD-3',
    what: 'name of InterviewLoadEvent',
    assumed: [INTERVIEW_LOAD],
    observe: of([INTERVIEW_LOAD], eventName),
  },
  {
    id: 'HD-4a',
    what: 'method of InterviewLoadEvent',
    assumed: ['GET'],
    observe: of([INTERVIEW_LOAD], method),
    advice: (variant) => `HOTDOCS_INTERVIEW_LOAD_EVENT_METHODS=${variant} would take no other`,
  },
  {
    id: 'HD-4b',
    what: 'method of the other webhooks',
    assumed: ['POST'],
    observe: of([COMPLETE, POST_PROCESSING, CUSTOM_INTERVIEW], method),
    advice: (variant) => `HOTDOCS_METHODS with ${variant} alone would take no other`,
  },
  {
    id: 'HD-8',
    what: 'length of the target of a GET',
    assumed: [],
    observe: ({ delivery, target }) => (delivery.method === 'GET' ? size(target.length) : undefined),
  },
  { id: 'HD-9', what: 'further headers', assumed: [], observe: headersThere },
  {
    id: 'HD-10a',
    what: 'how often an event is sent',
    assumed: [ONCE],
    observe: sending,
    advice: () =>
      'it redelivers: HOTDOCS_MAX_AGE_S must be longer than it tries, where its tokens say when they were made',
  },
  {
    id: 'HD-10b',
    what: 'order of events',
    hidden: 'it takes several events of one work item, and the order in which they happened',
  },
  {
    id: 'HD-11',
    what: 'how long it waits for a reply',
    hidden: 'it hangs up, and that is no delivery: answer slowly once',
  },
  { id: 'HD-12', what: 'what an error reply does', hidden: 'it shows in the interview: answer 500 once' },
  {
    id: 'HD-14a',
    what: 'where the token of a POST or PUT stands',
    assumed: ['form'],
    observe: signed((seen) => (seen.delivery.method === 'GET' ? undefined : carrier(seen))),
  },
  {
    id: 'HD-14b',
    what: 'where the token of a GET stands',
    assumed: ['query'],
    observe: signed((seen) => (seen.delivery.method === 'GET' ? carrier(seen) : undefined)),
  },
  { id: 'HD-14c', what: 'Content-Type', assumed: [], observe: contentType },
  {
    id: 'HD-14d',
    what: 'size of the body',
    assumed: [],
    observe: ({ delivery }) => size(delivery.body.length),
  },
  {
    id: 'HD-15',
    what: 'algorithm of the token',
    hidden: 'others than HS256 are refused: the log says which came',
  },
  {
    id: 'HD-16',
    what: 'key of the token',
    assumed: ['utf8'],
    observe: signed(({ proven }) => proven.encoding),
    advice: (variant) => `HOTDOCS_KEY_ENCODING=${variant} tries no other`,
  },
  {
    id: 'HD-17a',
    what: 'times in the token',
    assumed: ['none'],
    observe: claimsThere(['iat', 'nbf', 'exp']),
    advice: (variant) =>
      /iat|nbf/.test(variant)
        ? 'HOTDOCS_MAX_AGE_S=300 also refuses tokens that do not say when they were made'
        : 'it counts, as it is',
  },
  {
    id: 'HD-17b',
    what: 'parties and id in the token',
    assumed: ['none'],
    observe: claimsThere(['iss', 'aud', 'sub', 'jti']),
    advice: (variant) =>
      /iss|aud/.test(variant)
        ? 'HOTDOCS_ISSUER and HOTDOCS_AUDIENCE refuse those of others'
        : 'nothing to set: it is left out of the event',
  },
  { id: 'HD-17c', what: 'age of the token at arrival', assumed: [], observe: signed(age) },
  { id: 'HD-17d', what: 'life of the token', assumed: [], observe: signed(life) },
  {
    id: 'HD-19',
    what: 'form of the access token',
    assumed: ['bare'],
    observe: withToken(({ delivery }) => {
      const word = /^(bearer|token)[ \t]/i.exec(authorization(delivery))?.[1];
      return word === undefined ? 'bare' : `behind ${word.toLowerCase()}`;
    }),
  },
  {
    id: 'HD-20a',
    what: 'where the event of a POST or PUT with an access token stands',
    assumed: ['JSON'],
    observe: withToken((seen) => (seen.delivery.method === 'GET' ? undefined : contentPlace(seen))),
  },
  {
    id: 'HD-20b',
    what: 'where the event of a GET with an access token stands',
    assumed: ['query'],
    observe: withToken((seen) => (seen.delivery.method === 'GET' ? contentPlace(seen) : undefined)),
  },
  {
    id: 'HD-21',
    what: 'where in the claims the event is',
    assumed: ['flat'],
    observe: signed(({ value }) => value && layoutOf(value)),
  },
  {
    id: 'HD-22',
    what: 'what stands unsigned beside the token',
    assumed: ['nothing'],
    observe: signed(beside),
    advice: () => 'it decides nothing',
  },
  {
    id: 'HD-25',
    what: 'spelling of the members',
    assumed: ['camelCase'],
    observe: of([COMPLETE, POST_PROCESSING, CUSTOM_INTERVIEW, INTERVIEW_LOAD], spelling),
  },
  {
    id: 'HD-26',
    what: 'what InterviewLoadEvent says of the user',
    assumed: ['id+name+email'],
    observe: of([INTERVIEW_LOAD], userMembers),
    advice: () => 'look under drift for members of other names: your handler finds no more than these',
  },
  {
    id: 'HD-27a',
    what: 'CustomInterviewEvent names its event',
    assumed: ['yes'],
    observe: of([CUSTOM_INTERVIEW], (seen) =>
      typeof payloadOf(seen)['eventName'] === 'string' ? 'yes' : 'no',
    ),
    advice: () => 'one endpoint for each Event Name tells them apart',
  },
  {
    id: 'HD-27b',
    what: 'answers in CustomInterviewEvent',
    assumed: ['none'],
    observe: of([CUSTOM_INTERVIEW], (seen) => {
      const { answers } = payloadOf(seen);
      return answers === undefined ? 'none' : isObject(answers) ? 'an object' : 'another form';
    }),
    advice: () => 'readAnswers reads them',
  },
  {
    id: 'HD-28',
    what: 'documents in PostProcessingEvent',
    assumed: ['id, name, url and more'],
    observe: of([POST_PROCESSING], documentMembers),
    advice: () => 'set the Payload Format to standard where media types are needed',
  },
  {
    id: 'HD-29a',
    what: 'form of createdDate',
    assumed: ['7 digits, Z'],
    observe: dateStyle,
    advice: () => 'nothing to set: it is kept as it came',
  },
  { id: 'HD-29b', what: 'createdDate by our clock at arrival', assumed: [], observe: dateGap },
  {
    id: 'HD-30',
    what: 'eventId',
    assumed: ['GUID'],
    observe: of([COMPLETE, POST_PROCESSING, CUSTOM_INTERVIEW, INTERVIEW_LOAD], (seen) =>
      formOfId(inEvent(seen, 'eventid'), 'GUID'),
    ),
    advice: (variant) =>
      variant === 'absent'
        ? 'duplicates are told by a hash of the content'
        : 'nothing to set: any plain text is an id',
  },
  { id: 'HD-31', what: 'ids of documents', assumed: [], observe: documentIds },
  {
    id: 'HD-32a',
    what: 'address of a document in NewWorkItemVersionComplete',
    assumed: [OLD_PATH],
    observe: of([COMPLETE], documentPath),
  },
  {
    id: 'HD-32b',
    what: 'address of a document in PostProcessingEvent',
    assumed: [NEW_PATH],
    observe: of([POST_PROCESSING], documentPath),
  },
  {
    id: 'HD-32c',
    what: 'whether documents need the token of the API',
    hidden: 'it shows when one is fetched',
  },
  {
    id: 'HD-34',
    what: 'grammar of answers',
    hidden: 'it shows in the interview: answer once in each dialect',
  },
  { id: 'HD-36', what: 'dates and choices in answers', hidden: 'it shows in the interview, as HD-34' },
  { id: 'HD-38', what: 'reply with nothing to fill in', hidden: 'it shows in the interview, as HD-34' },
  { id: 'HD-41', what: 'ids of replaced and added documents', hidden: 'it shows when one is uploaded' },
  { id: 'HD-42', what: 'how post-processing is ended', hidden: 'it shows in the reply of the API' },
  { id: 'HD-43', what: 'whether a failure can be reported', hidden: 'it shows in the reply of the API' },
  {
    id: 'HD-45',
    what: 'order of the two events at completion',
    hidden: 'it takes both of one version: npm run inbox -- list',
  },
  {
    id: 'HD-48a',
    what: 'spelling of the members of an action link',
    assumed: ['camelCase, flat'],
    observe: of([ACTION_LINK], spelling),
  },
  {
    id: 'HD-48b',
    what: 'members of an action link',
    assumed: LINK_MEMBERS,
    observe: of([ACTION_LINK], (seen) => {
      const there = payloadOf(seen);
      return LINK_MEMBERS.map((name) => (Object.hasOwn(there, name) ? name : `no ${name}`));
    }),
    advice: () => 'look under drift for members of other names',
  },
  {
    id: 'HD-48c',
    what: 'who carries an action link',
    assumed: [],
    observe: of([ACTION_LINK], ({ delivery }) =>
      ['origin', 'sec-fetch-site', 'referer'].some((name) => headerValues(delivery, name).length > 0)
        ? 'a browser'
        : 'a server',
    ),
  },
  {
    id: 'HD-50',
    what: 'two clicks are two events',
    hidden: 'nothing in two that look alike says whether both were clicks',
  },
  { id: 'HD-54', what: 'scope needed to change documents', hidden: 'it shows in the reply of the API' },
];
