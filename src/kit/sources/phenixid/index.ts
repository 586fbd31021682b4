import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DeadLetter } from '../../errors.ts';
import { jsonObject, parseContent } from '../../reading/json.ts';
import { certificateDemand, clientCertificateSettings } from '../../proofs/client-certificate.ts';
import { hmacHeader, signHmacHeader } from '../../proofs/hmac-header.ts';
import { unsigned } from '../../proofs/unsigned.ts';
import { integer, oneOf } from '../../reading/settings.ts';
import {
  defineApi,
  defineSource,
  type Destination,
  type Envelope,
  type OutgoingEvent,
  type OutgoingRequest,
  type ReceivedReply,
  type SettingDefinitions,
  type SwitchDefinitions,
  type SwitchValues,
  type Verdict,
} from '../../source.ts';
import { forging } from '../forging.ts';
import { okReplies, post } from '../plain-post.ts';
import { apiSettings, needed } from './api/api-settings.ts';
import { events } from './events.ts';
import { facts } from './facts.ts';

const SIGNATURE_HEADER = 'X-Signature';

const settings = {
  SIGNATURE_SCHEME: {
    schema: oneOf('hmac-sha256', 'sha256-body-secret', 'sha256-secret-body', 'unsigned'),
    default: 'hmac-sha256',
    summary:
      'What the installation puts into X-Signature. The manual says only "SHA256 signature"; never switched by itself. ' +
      '`unsigned` is insecure: it accepts anybody where neither a secret is set nor a client certificate required, and ' +
      'is ignored where a secret is.',
  },
  ...clientCertificateSettings,
  MAX_BODY_BYTES: {
    schema: integer({ min: 1024, max: 1_048_576 }),
    default: '16384',
    summary: 'Largest body. A notification has about 130 bytes.',
  },
} as const satisfies SettingDefinitions;

const switches = {
  scheme: {
    values: ['hmac-sha256', 'sha256-body-secret', 'sha256-secret-body', 'unsigned'],
    summary: 'How X-Signature is computed; `unsigned` as with no `secret` in the webHook section.',
    agreed: true,
  },
  encoding: { values: ['hex', 'base64', 'base64url'], summary: 'How its 32 bytes are written.' },
  letterCase: { values: ['lower', 'upper'], summary: 'Case of hexadecimal digits.' },
  prefix: {
    values: ['none', 'sha256=', 'sha-256=', 'hmac-sha256=', 'sha256:'],
    summary: 'What stands before the signature.',
  },
  key: { text: '', summary: '`key` of the webHook section: names the installation as `?key=`.' },
  slash: {
    values: ['one', 'none', 'two'],
    summary: 'Slashes before `?key=`: one is documented, two if `endpoint` is configured with a final slash.',
  },
  body: {
    values: ['both', 'old', 'future'],
    summary: 'Ids in the body: 3.0.0 has both, older releases `orderId` alone, later ones `taskId` alone.',
    // PX-1, PX-2: one of the two names is deprecated and will go, so that there was a time, or will be, with one alone.
    expected: () => ['old', 'future'],
  },
  order: {
    values: ['vendor', 'task-first'],
    summary: 'Order of the members.',
    expected: () => ['task-first'],
  },
  pretty: {
    values: ['no', 'yes'],
    summary: 'JSON with line ends and blanks.',
    expected: () => ['yes'],
  },
  contentType: {
    values: ['application/json', 'application/json; charset=utf-8', 'text/plain', 'none'],
    summary: 'Content-Type of the request.',
    // PX-13: which one it is, is not documented.
    expected: () => ['application/json; charset=utf-8', 'text/plain', 'none'],
  },
  connectionTimeoutMs: { text: '30000', summary: '`connectionTimeout`, PT30S unless configured.' },
} as const satisfies SwitchDefinitions;

type Choices = SwitchValues<typeof switches>;

/** PhenixID Signing Workflow: a signed hint that a task changed. The truth is asked of its Automation API. */
export const phenixid = defineSource({
  name: 'phenixid',
  title: 'PhenixID Signing Workflow',
  docs: new URL('https://document.phenixid.net/'),
  endpointPer: 'source',
  installations: true,
  settings,
  api: defineApi({
    settings: apiSettings,
    needed,
    open: async (settings, tools) => (await import('./api/api.ts')).createPhenixidApi(settings, tools),
  }),
  switches,
  events,
  facts,
  story: [
    'OrderCreated',
    'OrderDescriptionUpdated',
    'OrderSignersUpdated',
    'OrderDocumentUpdated',
    'OrderExpired',
    'OrderDueDateUpdated',
    'OrderSigned',
    'OrderAccepted',
    'OrderRejected',
    'OrderCanceled',
  ],
  methods: () => ['POST'],
  // Nobody waits for an answer, so deadline and failure have nothing to decide.
  limits: ({ MAX_BODY_BYTES }) => ({
    maxBodyBytes: MAX_BODY_BYTES,
    deadlineMs: 5_000,
    onFailure: 'harmless',
  }),
  clientCertificate: certificateDemand,
  proof: {
    kinds: {
      SECRET: {
        summary: '`secret` of the webHook section. ASCII only: the sender may not read others as UTF-8.',
        place:
          '`secret` of the section webHook in config.json of Signing Workflow, which reads it when it starts',
        keyEncodings: () => ['utf8'],
        doubt: (text) =>
          /^[\x20-\x7e]*$/.test(text)
            ? undefined
            : 'has characters that are not ASCII: PhenixID may read them in another character set, and then no signature ' +
              'matches (PX-17). Choose an ASCII secret.',
        proof: ({ SIGNATURE_SCHEME: scheme }) =>
          // Where a secret is set it is asked for, whatever else is set.
          hmacHeader({
            header: SIGNATURE_HEADER.toLowerCase(),
            scheme: scheme === 'unsigned' ? 'hmac-sha256' : scheme,
          }),
      },
    },
    without: ({ SIGNATURE_SCHEME }) => (SIGNATURE_SCHEME === 'unsigned' ? unsigned() : undefined),
    sign: async (content, to, choices) => request(content, to, choices, signature(content, to, choices)),
    ...forging<Choices>('phenixid', {
      'missing-proof': (content, to, choices) => request(content, to, choices, undefined),
      'plain-sha256': (content, to, choices) => request(content, to, choices, plainHash(content, choices)),
    }),
  },
  envelope: { read, write },
  reply: {
    ...okReplies,
    judge,
  },
});

const notification = z.looseObject({
  // Unknown types are welcome, unprintable ones are no types.
  eventType: z.string().regex(/^[\x20-\x7e]{1,128}$/),
  taskId: z.unknown().optional(),
  orderId: z.unknown().optional(),
});

function read(content: Buffer): Envelope {
  const { eventType, taskId, orderId, ...others } = parseContent(notification, content);
  const task = taskId ?? orderId;
  const order = orderId ?? undefined;
  if (order !== undefined && order !== task) {
    throw new DeadLetter(
      'payload_invalid',
      'orderId and taskId differ; the sender documents them as identical.',
    );
  }
  const payload = { ...others, taskId: task, ...(order === undefined ? {} : { orderId: order }) };
  // PX-10: no id, no time. The second signature of a task makes the same bytes as the first, and both count.
  return { type: eventType, id: undefined, key: undefined, payload };
}

function write({ type, payload }: OutgoingEvent, choices: Choices): Buffer {
  const { taskId, orderId, ...others } = jsonObject.parse(payload);
  const task = choices.body === 'old' ? {} : { taskId };
  const order = choices.body === 'future' ? {} : { orderId: orderId ?? taskId };
  const eventType = { eventType: type };
  const members =
    choices.order === 'vendor' ? { ...order, ...eventType, ...task } : { ...task, ...eventType, ...order };
  return Buffer.from(JSON.stringify({ ...members, ...others }, null, choices.pretty === 'yes' ? 2 : 0));
}

function request(
  content: Buffer,
  to: Destination,
  choices: Choices,
  signature: string | undefined,
): OutgoingRequest {
  const headers = signature === undefined ? {} : { [SIGNATURE_HEADER]: signature };
  return post(target(to.path, choices), content, choices.contentType, headers);
}

/** `endpoint` as configured; a `key` is put behind it with a slash of its own. */
function target(path: string, { key, slash }: Choices): string {
  const endpoint = slash === 'two' ? `${path}/` : path;
  if (key === '') return endpoint;
  return `${endpoint}${slash === 'none' ? '' : '/'}?key=${encodeURIComponent(key)}`;
}

function signature(content: Buffer, to: Destination, choices: Choices): string | undefined {
  const { scheme, encoding, letterCase } = choices;
  if (scheme === 'unsigned') return undefined;
  const prefix = prefixOf(choices);
  return signHmacHeader(content, Buffer.from(to.credential.text), { scheme, encoding, letterCase, prefix });
}

/** What anybody can compute. */
function plainHash(content: Buffer, choices: Choices): string {
  return prefixOf(choices) + createHash('sha256').update(content).digest(choices.encoding);
}

function prefixOf({ prefix }: Choices): string {
  return prefix === 'none' ? '' : prefix;
}

function judge({ status, ms }: ReceivedReply, _type: string, { connectionTimeoutMs }: Choices): Verdict {
  if (ms > Number(connectionTimeoutMs)) {
    return { ok: false, says: `no reply within connectionTimeout, ${connectionTimeoutMs} ms` };
  }
  if (status === 200) return { ok: true, says: 'delivered' };
  if (status >= 200 && status < 300)
    return { ok: true, says: `delivered, though 200 was expected, not ${status}` };
  if (status >= 300 && status < 400) return { ok: false, says: `${status}: redirects are not followed` };
  return { ok: false, says: `status ${status}; the event is not sent again` };
}
