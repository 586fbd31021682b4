import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { DeadLetter } from '../../errors.ts';
import { jsonObject, parseContent, tryJson, type JsonObject } from '../../reading/json.ts';
import { ageLimit, hs512Compact, signCompact, unsignedCompact } from '../../proofs/compact.ts';
import { jwsBody } from '../../proofs/jws-body.ts';
import { importSecret } from '../../proofs/secrets.ts';
import { integer, integerOr, list, oneOf } from '../../reading/settings.ts';
import {
  defineApi,
  defineSource,
  type EndpointDefinition,
  type Envelope,
  type OutgoingEvent,
  type OutgoingRequest,
  type ReceivedReply,
  type SettingDefinitions,
  type SettingValues,
  type SwitchDefinitions,
  type SwitchValues,
  type Verdict,
} from '../../source.ts';
import { forging } from '../forging.ts';
import { okReplies, post } from '../plain-post.ts';
import { apiSettings, needed } from './api/api-settings.ts';
import { readBooking, readDocument, writeBooking } from './content/document.ts';
import { events, identity, testPayload } from './events.ts';
import { facts } from './facts.ts';
import { jsonText } from './content/json-text.ts';
import { readLogin, writeLogin } from './content/login.ts';

const settings = {
  USER_ID_MEMBERS: {
    schema: list(),
    default: 'user,user_id,userId,kaizen_user_id,id,_id',
    summary:
      'Where the login hooks name the user: the first of these members that is there. `user.id` looks inside.',
  },
  SSO_MEMBERS: {
    schema: list(),
    default: 'headers,sso_headers,sso,attributes',
    summary:
      'Where the login hooks keep the single sign-on data; in none of these: the remaining texts are it.',
  },
  DEADLINE_MS: {
    schema: integer({ min: 50, max: 10_000 }),
    default: '2000',
    summary: 'A login hook is answered within this time; the user waits for all hooks together.',
  },
  ON_FAILURE: {
    schema: oneOf('harmless', 'error'),
    default: 'harmless',
    summary: 'When a login handler fails: let the user in and try again later, or answer 503.',
  },
  MAX_BODY_BYTES: {
    schema: integer({ min: 1024, max: 16_777_216 }),
    default: '1048576',
    summary: 'Largest token.',
  },
  CLOCK_TOLERANCE_S: {
    schema: integer({ min: 0, max: 3600 }),
    default: '300',
    summary: 'Should a payload ever have `exp` or `nbf`: by how much the clocks may differ.',
  },
  MAX_AGE_S: {
    schema: integerOr('usual', { min: 0, max: 31_536_000 }),
    default: 'usual',
    summary:
      'Should a payload ever have `iat`: refuses those issued longer ago than this, in seconds; `usual` is 300. With a ' +
      'number of your own, payloads without it are refused, and none that is documented has it. 0 is off.',
  },
} as const satisfies SettingDefinitions;

const switches = {
  headerOrder: {
    values: ['alg-first', 'typ-first'],
    summary: 'Order in the token header: python-jose sorts it since 3.1.0.',
    expected: () => ['typ-first'],
  },
  escapes: {
    values: ['ascii', 'utf8'],
    summary: '`\\u00c5` or `Å` in the payload.',
    expected: () => ['utf8'],
  },
  spacing: {
    values: ['compact', 'spaced'],
    summary: 'Blanks between the members.',
    expected: () => ['spaced'],
  },
  contentType: {
    values: ['application/jose', 'text/plain', 'application/json', 'none'],
    summary: 'Content-Type of the request; which one is not documented.',
    expected: () => ['text/plain', 'application/json', 'none'],
  },
  sso: { values: ['nested', 'flat'], summary: 'Single sign-on data under `headers`, or beside the user id.' },
  userMember: {
    values: ['user', 'user_id', 'userId', 'kaizen_user_id', 'id', '_id'],
    summary: 'Member that holds the user id.',
  },
  booking: { values: ['flat', 'nested'], summary: 'The booking as the payload itself, or under `booking`.' },
  requestId: { values: ['yes', 'no'], summary: 'Whether `webhook_request_id` is there.' },
  newline: { values: ['no', 'yes'], summary: 'A line end behind the token.' },
  testPayload: {
    values: ['no', 'yes'],
    summary: 'The example that `POST /v2/webhooks/test` sends.',
    expected: () => ['yes'],
  },
  timeoutMs: { text: '10000', summary: 'The sender waits this long; not documented.' },
} as const satisfies SwitchDefinitions;

type Values = SettingValues<typeof settings>;
type Choices = SwitchValues<typeof switches>;

/** risr/advance, formerly Kaizen: signed profiles and bookings, and two hooks inside the login. */
export const risr = defineSource({
  name: 'risr',
  title: 'risr/advance',
  docs: new URL('https://api.kaizenep.com/v2/docs/'),
  // RI-20: the token does not say its topic, so each topic has a URL and a secret of its own.
  endpointPer: 'event',
  settings,
  api: defineApi({
    settings: apiSettings,
    needed,
    open: async (settings, tools) => (await import('./api/api.ts')).createRisrApi(settings, tools),
  }),
  switches,
  events,
  facts,
  story: ['user_registered', 'user_logged_in', 'profile_updated', 'booking_updated', 'booking_state_changed'],
  methods: () => ['POST'],
  limits: ({ MAX_BODY_BYTES, DEADLINE_MS, ON_FAILURE }) => ({
    maxBodyBytes: MAX_BODY_BYTES,
    deadlineMs: DEADLINE_MS,
    onFailure: ON_FAILURE,
  }),
  proof: {
    kinds: {
      SECRET: {
        summary:
          '`secret` of the registration, one for each topic. 32 or more random characters that are not JSON, ' +
          'not PEM, and do not contain `keys`: the sender’s library mistakes those for something else.',
        place:
          '`secret` of the registration of its topic, which cannot be changed: npm run register -- remove, then create, with ' +
          'the topic behind it',
        keyEncodings: () => ['utf8'],
        doubt: doubtOf,
        proof: ({ CLOCK_TOLERANCE_S, MAX_AGE_S }) =>
          jwsBody({ claims: 'lenient', clockToleranceS: CLOCK_TOLERANCE_S, ...ageLimit(MAX_AGE_S) }),
      },
    },
    async sign(content, to, choices) {
      const secret = await importSecret(to.credential.text);
      const token = await signCompact(content, secret, headerJson('HS256', choices));
      return request(to.path, token, choices);
    },
    ...forging<Choices>('risr', {
      'missing-proof': (content, to, choices) => request(to.path, content.toString(), choices),
      'alg-none': (content, to, choices) => request(to.path, unsignedCompact(content), choices),
      async hs512(content, to, choices) {
        const secret = await importSecret(to.credential.text);
        return request(to.path, hs512Compact(content, secret, headerJson('HS512', choices)), choices);
      },
    }),
  },
  envelope: { read, write },
  reply: {
    // RI-4: two hooks "return a value"; the vendor's example server returns this one.
    ...okReplies,
    judge,
  },
});

/** RI-18: what the sender's library takes for something else than the bytes of a key. */
function doubtOf(text: string): string | undefined {
  const what = text.includes('keys')
    ? 'contains the word keys'
    : text.includes('-----BEGIN')
      ? 'looks like PEM'
      : isJson(text) && 'is JSON, or a number';
  if (what === false) return undefined;
  return `${what}: risr/advance may take it for something else than a secret, and then no signature matches (RI-18). Choose 32 random characters.`;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** One kind of payload, in both directions. */
interface Shape {
  read(document: JsonObject, values: Values): JsonObject;
  write(payload: JsonObject, choices: Choices): JsonObject;
  /** Tells two events apart that have no `webhook_request_id`; without it they are never duplicates. */
  key?(payload: JsonObject): string | undefined;
}

const login: Shape = {
  read: (document, values) =>
    readLogin(document, { userId: values.USER_ID_MEMBERS, sso: values.SSO_MEMBERS }),
  write: writeLogin,
};
const profile: Shape = { read: readDocument, write: (payload) => payload, key: revisionOf };
const booking: Shape = { read: readBooking, write: writeBooking, key: revisionOf };
/** A topic whose payload needs no reading of its own. */
const plain: Shape = { read: (document) => document, write: (payload) => payload };

const shapes = new Map<string, Shape>(
  Object.entries({
    user_logged_in: login,
    user_registered: login,
    profile_updated: profile,
    booking_updated: booking,
    booking_state_changed: booking,
  } satisfies Partial<Record<keyof typeof events, Shape>>),
);

const delivered = z.looseObject({
  webhook_request_id: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/)
    .nullish(),
});

function read(
  content: Buffer,
  { type }: EndpointDefinition,
  values: Values,
  _headers: unknown,
  value?: JsonObject,
): Envelope {
  if (type === undefined) {
    throw new DeadLetter(
      'event_mismatch',
      'The token does not say its topic, and neither does its endpoint.',
    );
  }
  const shape = shapes.get(type) ?? plain;
  const { webhook_request_id, ...document } = parseContent(delivered, content, value);
  const id = webhook_request_id ?? undefined;
  // The whole of it: an event that merely has its id is somebody's profile.
  if (isDeepStrictEqual(document, testPayload)) return { type, id, key: id, payload: document, test: true };
  const payload = shape.read(document, values);
  return { type, id, key: id ?? shape.key?.(payload), payload };
}

function write({ type, id, payload }: OutgoingEvent, choices: Choices): Buffer {
  const shape = shapes.get(type) ?? plain;
  const document =
    choices.testPayload === 'yes' ? testPayload : shape.write(jsonObject.parse(payload), choices);
  const delivery = choices.requestId === 'yes' ? { webhook_request_id: id, ...document } : document;
  return Buffer.from(jsonText(delivery, choices));
}

function revisionOf(payload: JsonObject): string | undefined {
  const document = identity.safeParse(payload);
  return document.success ? `${document.data.id}@${document.data.rev}` : undefined;
}

function headerJson(alg: string, choices: Choices): string {
  return choices.headerOrder === 'alg-first'
    ? `{"alg":"${alg}","typ":"JWT"}`
    : `{"typ":"JWT","alg":"${alg}"}`;
}

function request(path: string, token: string, { contentType, newline }: Choices): OutgoingRequest {
  return post(path, Buffer.from(newline === 'yes' ? `${token}\n` : token), contentType);
}

function judge({ status, body, ms }: ReceivedReply, type: string, { timeoutMs }: Choices): Verdict {
  if (ms > Number(timeoutMs))
    return { ok: false, says: `no reply within ${timeoutMs} ms${lastingFor(type)}` };
  if (status !== 200) return { ok: false, says: `status ${status}, 200 was expected${lastingFor(type)}` };
  if (!okReply.safeParse(tryJson(body.toString())).success)
    return { ok: false, says: 'status 200, but the body is not {"ok":true}' };
  return { ok: true, says: 'delivered' };
}

function lastingFor(type: string): string {
  return shapes.get(type) === login ? '; the user is still waiting at the login' : '';
}

const okReply = z.looseObject({ ok: z.literal(true) });
