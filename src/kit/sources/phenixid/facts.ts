import {
  contentType,
  headersThere,
  jsonLayout,
  known,
  membersThere,
  size,
  type Fact,
  type Seen,
} from '../../facts/fact.ts';
import { headerValues } from '../../delivery.ts';

function ids({ value = {} }: Seen): string {
  return membersThere(value, ['orderId', 'taskId']);
}

const MEMBERS = ['orderId', 'eventType', 'taskId'];

function order({ value }: Seen): string | undefined {
  if (value === undefined) return undefined;
  const came = Object.keys(value).filter((name) => MEMBERS.includes(name));
  const documented = MEMBERS.filter((name) => came.includes(name));
  return came.join() === documented.join() ? 'as documented' : 'another';
}

/** What stands between the path of the endpoint and the name of the installation. */
function slashes({ target }: Seen): string {
  const [path = '', query] = target.split('?', 2);
  const count = /\/{0,3}$/.exec(path)?.[0].length ?? 0;
  const before = ['no slash', 'one slash', 'two slashes'][count] ?? 'more slashes';
  return query === undefined ? `no key, ${before}` : before;
}

function signature({ delivery, scheme }: Seen): readonly [prefix: string, text: string] | undefined {
  const [value = ''] = headerValues(delivery, 'x-signature');
  if (scheme.startsWith('unsigned') || value === '') return undefined;
  const [, prefix = '', text = ''] = /^((?:sha256|sha-256|hmac-sha256)[=:])?(.*)$/i.exec(value.trim()) ?? [];
  return [prefix, text];
}

function encoding(seen: Seen): string | undefined {
  const [, text] = signature(seen) ?? [];
  if (text === undefined) return undefined;
  if (text.length === 64) {
    if (!/[a-f]/.test(text)) return 'hex, upper case';
    return /[A-F]/.test(text) ? 'hex, mixed case' : 'hex, lower case';
  }
  if (/[+/=]/.test(text)) return /[_-]/.test(text) ? 'base64url, padded' : 'base64';
  return /[_-]/.test(text) ? 'base64url' : 'base64url or base64, not padded';
}

function prefix(seen: Seen): string | undefined {
  const [text] = signature(seen) ?? [];
  if (text === '') return 'none';
  return text && known(text.toLowerCase(), ['sha256=', 'sha-256=', 'hmac-sha256=', 'sha256:']);
}

/** README.md, "The facts": what is assumed there, and what a delivery shows of it. */
export const facts: readonly Fact[] = [
  {
    id: 'PX-2',
    what: 'ids in the body',
    assumed: ['orderId+taskId'],
    observe: ids,
    advice: () => 'nothing to set: handlers read taskId, which is there in any case',
  },
  {
    id: 'PX-4',
    what: 'a webhook for each entry of the event log',
    hidden: 'what is not sent does not show: npm run inbox -- list --source phenixid shows which have come',
  },
  { id: 'PX-6', what: 'slashes before ?key=', assumed: ['no key, no slash', 'one slash'], observe: slashes },
  {
    id: 'PX-7',
    what: 'connectionTimeout covers the reply',
    hidden: 'it hangs up, and that is no delivery: answer slowly once',
  },
  { id: 'PX-8', what: 'which replies count as success', hidden: 'it shows in the log of the product' },
  {
    id: 'PX-9',
    what: 'each event is sent once',
    hidden: 'a repeated delivery cannot be told from a real one (PX-10)',
  },
  {
    id: 'PX-11',
    what: 'order of events',
    hidden: 'it takes the order in which they happened, which only the product knows',
  },
  { id: 'PX-13a', what: 'Content-Type', assumed: ['application/json'], observe: contentType },
  { id: 'PX-13b', what: 'order of the members', assumed: ['as documented'], observe: order },
  {
    id: 'PX-13c',
    what: 'layout of the JSON',
    assumed: ['compact'],
    observe: ({ proven }) => jsonLayout(proven.content),
  },
  {
    id: 'PX-13d',
    what: 'size of the body',
    assumed: ['up to 1 KB'],
    observe: ({ delivery }) => size(delivery.body.length),
    advice: () => 'PHENIXID_MAX_BODY_BYTES, 16384 unless set, must be more than the largest',
  },
  { id: 'PX-13e', what: 'further headers', assumed: [], observe: headersThere },
  {
    id: 'PX-15',
    what: 'scheme of the signature',
    assumed: ['hmac-sha256'],
    observe: ({ scheme }) => scheme.replace(' and client-certificate', ''),
    advice: (variant) => `PHENIXID_SIGNATURE_SCHEME=${variant} is set already`,
  },
  { id: 'PX-16a', what: 'encoding of the signature', assumed: ['hex, lower case'], observe: encoding },
  { id: 'PX-16b', what: 'prefix of the signature', assumed: ['none'], observe: prefix },
  {
    id: 'PX-17',
    what: 'character set of the secret',
    hidden: 'where the two sides differ, no signature matches',
  },
  { id: 'PX-19', what: 'PKCS#12 is read', hidden: 'it shows when the product starts' },
  { id: 'PX-23', what: '400 and 404 of the API', hidden: 'it shows in the replies of the API' },
  { id: 'PX-24', what: 'members of a task', hidden: 'it shows in the replies of the API' },
  { id: 'PX-25', what: 'where a file is fetched', hidden: 'it shows in the replies of the API' },
  { id: 'PX-27', what: 'words for the status of an order', hidden: 'it shows in the replies of the API' },
  { id: 'PX-30', what: 'calls per second', hidden: 'it shows in the replies of the API' },
];
