__imports__
import {
  __used__
  defineSource,
  hmacHeader,
  readJson,
  setting,
  signHmacHeader,
  type Destination,
  type Envelope,
  type HmacSpelling,
  type OutgoingEvent,
  type OutgoingRequest,
  type ReceivedReply,
  type ReplyContent,
  type SettingDefinitions,
  type SwitchDefinitions,
  type SwitchValues,
  type Verdict,
} from '../../../kit/index.ts';
import { events } from './events.ts';

// Stamped. Check every line against the sender's documentation, and put the link beside each number you take from it.

const SIGNATURE_HEADER = 'X-Signature';
const SPELLING: HmacSpelling = { scheme: 'hmac-sha256', encoding: 'hex', letterCase: 'lower', prefix: '' };
__constants__

const settings = {
  DEADLINE_MS: {
    schema: setting.integer({ min: 50, max: 60_000 }),
    default: '5000',
    summary: 'How long a handler may take while somebody waits for its answer.',
  },
  MAX_BODY_BYTES: {
    schema: setting.integer({ min: 1024, max: 16_777_216 }),
    default: '1048576',
    summary: 'Largest body.',
  },
} as const satisfies SettingDefinitions;

const switches = {
  contentType: { values: ['application/json', 'none'], summary: 'Content-Type of the request.' },
  timeoutMs: { text: '10000', summary: 'The sender waits this long for a reply.' },
} as const satisfies SwitchDefinitions;

type Choices = SwitchValues<typeof switches>;

/** What __Title__ sends, in both directions. */
export const __constant__ = defineSource({
  name: '__name__',
  title: '__Title__',
  docs: new URL('https://docs.__name__.example/webhooks'),
  endpointPer: 'source',
  settings,
  switches,
  events,
  methods: () => ['POST'],
  limits: ({ DEADLINE_MS, MAX_BODY_BYTES }) => ({
    maxBodyBytes: MAX_BODY_BYTES,
    deadlineMs: DEADLINE_MS,
    onFailure: 'harmless',
  }),
  proof: {
    kinds: {
      SECRET: {
        summary: 'The secret agreed with the sender.',
        keyEncodings: () => ['utf8'],
        proof: () => hmacHeader({ header: SIGNATURE_HEADER.toLowerCase(), scheme: SPELLING.scheme }),
      },
    },
    sign: async (content, to, choices) => request(content, to, choices, signature(content, to)),
    forgeries: ['missing-proof'],
    async forge(forgery, content, to, choices) {
      if (forgery !== 'missing-proof') throw new Error(`__name__ has no forgery "${forgery}".`);
      return request(content, to, choices, undefined);
    },
  },
  envelope: { __named__read, write },
  reply: {
    accepted: { status: 200, type: 'json', body: '{}' },
    answer: (answer) => ({ status: 200, type: 'json', body: JSON.stringify(answer) }),
    harmless: (): ReplyContent => ({ status: 200, type: 'json', body: '{}' }),
    judge,
  },
});

__envelope__

function signature(content: Buffer, to: Destination): string {
  return signHmacHeader(content, Buffer.from(to.credential.text), SPELLING);
}

function request(
  content: Buffer,
  to: Destination,
  { contentType }: Choices,
  proof: string | undefined,
): OutgoingRequest {
  return {
    method: 'POST',
    target: to.path,
    headers: {
      ...(contentType === 'none' ? {} : { 'Content-Type': contentType }),
      ...(proof === undefined ? {} : { [SIGNATURE_HEADER]: proof }),
      __written__
    },
    body: content,
  };
}

function judge({ status, ms }: ReceivedReply, _type: string, { timeoutMs }: Choices): Verdict {
  if (ms > Number(timeoutMs)) return { ok: false, says: `no reply within ${timeoutMs} ms` };
  if (status >= 200 && status < 300) return { ok: true, says: 'delivered' };
  return { ok: false, says: `status ${status}, 200 was expected` };
}
