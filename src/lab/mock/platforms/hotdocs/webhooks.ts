import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { randomUuid, type Random } from '../../random.ts';
import type { Credential } from '../../request.ts';
import { guid } from './work-items.ts';
import { ApiRefusal } from '../platform.ts';

const POST_PROCESSING = 'PostProcessingEvent';
const CUSTOM = 'CustomInterviewEvent';
const LOAD = 'InterviewLoadEvent';

/** The fields of the "Creating a Webhook" page. */
export const webhookFields = z
  .strictObject({
    name: z.string().min(1),
    url: z.url({ protocol: /^https?$/ }),
    eventType: z.preprocess(
      // The page itself has both spellings.
      (type) => (type === 'LoadInterviewEvent' ? LOAD : type),
      z.enum(['NewWorkItemVersionComplete', CUSTOM, LOAD, POST_PROCESSING]),
    ),
    interviewEventName: z.string().min(1).optional(),
    authenticationMethod: z.enum(['HMAC', 'AccessToken']).default('HMAC'),
    accessToken: z.string().min(1).optional(),
    payloadFormat: z.enum(['standard', 'legacy']).default('standard'),
    requestVerb: z.enum(['POST', 'GET']).default('POST'),
    active: z.boolean().default(true),
    untrustedCertificates: z.enum(['Block', 'Accept']).default('Block'),
    workGroups: z.array(guid).default([]),
    templates: z.array(guid).default([]),
  })
  .refine(({ eventType, interviewEventName }) => eventType !== CUSTOM || interviewEventName !== undefined, {
    path: ['interviewEventName'],
    error: `${CUSTOM} needs the event name of its element in the template.`,
  })
  .refine(
    ({ authenticationMethod, accessToken }) =>
      authenticationMethod !== 'AccessToken' || accessToken !== undefined,
    { path: ['accessToken'], error: 'This method needs the access token of the receiver.' },
  );

type WebhookFields = z.output<typeof webhookFields>;

/** As an administrator sees it afterwards: a secret is shown once, when it is made. */
export type Webhook = Omit<WebhookFields, 'accessToken'> & { readonly id: string };

export interface NewSecret {
  readonly webhook: Webhook;
  /** Made just now; every other one is void. */
  readonly hmacSecret?: string;
}

/** What an event is about, as far as webhooks choose by it. */
export interface Occasion {
  readonly workGroupId: string;
  readonly templatePackageId: string;
  readonly eventName?: string;
}

export interface Webhooks {
  list(): Webhook[];
  /** @throws ApiRefusal 404 */
  find(id: string): Webhook;
  /** An administrator cannot choose the secret; one that is given restores a configuration. @throws ApiRefusal 409 */
  create(fields: z.input<typeof webhookFields>, hmacSecret?: string): NewSecret;
  /** Replaces all fields; a webhook that was not HMAC before gets a secret. @throws ApiRefusal 404, 409 */
  edit(id: string, fields: z.input<typeof webhookFields>): NewSecret;
  /** @throws ApiRefusal 404, 409 */
  regenerateSecret(id: string): NewSecret;
  remove(id: string): void;
  /** The active ones that want this event. */
  matching(type: string, occasion: Occasion): Webhook[];
  credentialOf(webhook: Webhook): Credential;
}

interface Stored {
  readonly webhook: Webhook;
  readonly credential: Credential;
}

export function createWebhooks(random: Random): Webhooks {
  const stored = new Map<string, Stored>();
  const find = (id: string): Stored => {
    const found = stored.get(id.toLowerCase());
    if (found === undefined) throw new ApiRefusal(404, 'There is no such webhook.');
    return found;
  };
  const save = (id: string, { accessToken = '', ...fields }: WebhookFields, secret: string): Webhook => {
    demandOnlyOne(stored.values(), fields.eventType, id);
    const webhook = { id, ...fields };
    stored.set(id, { webhook, credential: credential(fields.authenticationMethod, accessToken, secret) });
    return webhook;
  };
  return {
    list: () => [...stored.values()].map(({ webhook }) => webhook),
    find: (id) => find(id).webhook,
    create(input, hmacSecret = newSecret()) {
      const fields = webhookFields.parse(input);
      return shown(save(randomUuid(random), fields, hmacSecret), hmacSecret);
    },
    edit(id, input) {
      const fields = webhookFields.parse(input);
      const before = find(id);
      if (before.credential.kind === 'SECRET') {
        return { webhook: save(before.webhook.id, fields, before.credential.text) };
      }
      const hmacSecret = newSecret();
      return shown(save(before.webhook.id, fields, hmacSecret), hmacSecret);
    },
    regenerateSecret(id) {
      const { webhook } = find(id);
      if (webhook.authenticationMethod !== 'HMAC') throw new ApiRefusal(409, 'This webhook has no secret.');
      const hmacSecret = newSecret();
      stored.set(webhook.id, { webhook, credential: credential('HMAC', '', hmacSecret) });
      return { webhook, hmacSecret };
    },
    remove: (id) => void stored.delete(find(id).webhook.id),
    matching: (type, occasion) =>
      [...stored.values()].map(({ webhook }) => webhook).filter((webhook) => wants(webhook, type, occasion)),
    credentialOf: ({ id }) => find(id).credential,
  };
}

/** A secret never comes from a chance that can be repeated. */
function newSecret(): string {
  return randomBytes(32).toString('base64');
}

function shown(webhook: Webhook, hmacSecret: string): NewSecret {
  return webhook.authenticationMethod === 'HMAC' ? { webhook, hmacSecret } : { webhook };
}

function credential(
  method: Webhook['authenticationMethod'],
  accessToken: string,
  secret: string,
): Credential {
  return method === 'HMAC' ? { kind: 'SECRET', text: secret } : { kind: 'TOKEN', text: accessToken };
}

function demandOnlyOne(stored: Iterable<Stored>, type: string, id: string): void {
  if (type !== POST_PROCESSING) return;
  const others = [...stored].filter(({ webhook }) => webhook.eventType === type && webhook.id !== id);
  if (others.length > 0)
    throw new ApiRefusal(409, `A site has one webhook for ${type}, and this one has one.`);
}

function wants(
  webhook: Webhook,
  type: string,
  { workGroupId, templatePackageId, eventName }: Occasion,
): boolean {
  if (!webhook.active || webhook.eventType !== type) return false;
  const template = webhook.templates.includes(templatePackageId);
  switch (webhook.eventType) {
    case CUSTOM:
      return webhook.interviewEventName === eventName;
    case LOAD:
      return template || webhook.workGroups.includes(workGroupId);
    case POST_PROCESSING:
      return template;
    case 'NewWorkItemVersionComplete':
      return true;
  }
}
