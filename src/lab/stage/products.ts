import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Configurable } from '../../kit/program/config.ts';
import type { Environment } from '../../kit/program/reader.ts';
import { endpointsOf } from '../../kit/endpoint/definition.ts';
import { messageOf } from '../../kit/errors.ts';
import { createFire, type Fire } from '../mock/platforms/firing.ts';
import { newWorkItem } from '../mock/platforms/hotdocs/work-items.ts';
import {
  createHotdocsPlatform,
  hotdocsSeed,
  type HotdocsPlatform,
} from '../mock/platforms/hotdocs/platform.ts';
import { phenixidSeed } from '../mock/platforms/phenixid/seed.ts';
import { createPhenixidPlatform, type PhenixidPlatform } from '../mock/platforms/phenixid/platform.ts';
import { risrSeed } from '../mock/platforms/risr/seed.ts';
import { createRisrPlatform, type RisrPlatform } from '../mock/platforms/risr/platform.ts';
import { registrationFields } from '../mock/platforms/risr/hooks.ts';
import { createRandom } from '../mock/random.ts';
import type { Credential } from '../mock/request.ts';
import { LINK, LOOKUP } from '../mock/scenarios/interview.ts';
import type { CredentialFor, Fired } from '../mock/sender.ts';
import { pickOne, UsageError } from '../usage.ts';
import type { Source } from '../../kit/source.ts';
import { readAnswers, writeAnswers } from '../../kit/sources/hotdocs/answers/dialects.ts';
import { hotdocs } from '../../kit/sources/hotdocs/index.ts';
import { phenixid } from '../../kit/sources/phenixid/index.ts';
import { risr } from '../../kit/sources/risr/index.ts';
import { credentialsFrom } from './credentials.ts';

/** The three products, each with its webhooks set up for one receiver. */
export interface Products {
  readonly hotdocs: HotdocsPlatform;
  readonly phenixid: PhenixidPlatform;
  readonly risr: RisrPlatform;
}

export interface ProductsOptions {
  /** Which endpoints the receiver has. */
  readonly app: Configurable;
  /** The receiver's: its secrets, and what it logs in to the APIs with. */
  readonly env: Environment;
  readonly receiver: URL;
  /** Where the mock is served. */
  readonly origin: string;
  readonly seed: number;
  /** What the products begin with, in place of what is made for the receiver; by product and member. */
  readonly state?: ProductsState | undefined;
  /** Path of a `config.json` of Signing Workflow, whose section `webHook` then says where its events go. */
  readonly phenixidConfig?: string | undefined;
  /** What comes between a product and the network. */
  readonly fireBy?: ((source: Source, fire: Fire) => Fire) | undefined;
}

const productsState = z
  .strictObject({ hotdocs: hotdocsSeed, phenixid: phenixidSeed, risr: risrSeed })
  .partial();
type ProductsState = z.input<typeof productsState>;

/** Reads what the products begin with. @throws UsageError that names what does not fit */
export function readState(file: string): ProductsState {
  const json = jsonIn(file);
  for (const name of Object.keys(json ?? {})) pickOne('product', name, Object.keys(productsState.shape));
  const checked = productsState.safeParse(json);
  // Not `checked.data`: filled up with defaults, it would take the place of what is made for the receiver.
  if (checked.success) return json as ProductsState;
  const issues = checked.error.issues.map(
    ({ path, message }) => `  ${path.join('.') || '(all of it)'}: ${message}`,
  );
  throw new UsageError(`--state: ${file} does not fit.\n${issues.join('\n')}`);
}

function jsonIn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--state: ${file} cannot be read as JSON: ${messageOf(error)}`);
  }
}

export function createProducts(options: ProductsOptions): Products {
  return {
    hotdocs: createHotdocs(options),
    phenixid: createPhenixid(options),
    risr: createRisr(options),
  };
}

/** Keeps what was sent, and what came of it. */
export function noting(fired: Fired[], fire: Fire): Fire {
  return async (type, payload, to) => {
    const one = await fire(type, payload, to);
    fired.push(one);
    return one;
  };
}

/** What a receiver needs to be set to in order to call the APIs of the mock. */
export function apiEnvironment(origin: string) {
  return {
    HOTDOCS_API_URL: `${origin}/hotdocs/HdaApi/rest/v2.0/`,
    HOTDOCS_API_AUTH_URL: `${origin}/hotdocs/HdaAuth/`,
    HOTDOCS_API_CLIENT_NAME: 'kit',
    HOTDOCS_API_PRINCIPAL_NAME: 'kit-service',
    HOTDOCS_API_PRINCIPAL_PASSWORD: 'for-the-mock-only',
    PHENIXID_API_URL: `${origin}/phenixid/`,
    RISR_API_URL: `${origin}/risr/`,
    RISR_API_DISCOVERY_URL: `${origin}/risr/.well-known/openid-configuration`,
    RISR_API_CLIENT_ID: 'kit',
    RISR_API_CLIENT_SECRET: 'for-the-mock-only',
    RISR_API_ORGANISATION: 'org_demo',
  };
}

function createHotdocs(options: ProductsOptions): HotdocsPlatform {
  const webhooks = webhooksOf(hotdocs, options);
  const isLink = ({ type }: Webhook) => type === 'ActionLink';
  return createHotdocsPlatform({
    ...toolsFor(hotdocs, options),
    baseUrl: `${options.origin}/hotdocs`,
    readAnswers: (json, dialect) =>
      // Written in dialect A, answers are plain JSON by variable name.
      JSON.parse(writeAnswers(readAnswers(json, { dialect }).answers, 'A')) as Record<string, unknown>,
    seed: {
      clients: [
        {
          clientName: setting(options, 'HOTDOCS_API_CLIENT_NAME'),
          principalName: setting(options, 'HOTDOCS_API_PRINCIPAL_NAME'),
          principalPassword: setting(options, 'HOTDOCS_API_PRINCIPAL_PASSWORD'),
        },
      ],
      actionLinks: webhooks.filter(isLink).map(({ url, credential }) => ({
        name: LINK,
        url,
        hmacSecret: credential.text,
      })),
      webhooks: webhooks.filter((webhook) => !isLink(webhook)).map(hotdocsWebhook),
      ...options.state?.hotdocs,
    },
  });
}

/** Of every work item, unless it says otherwise. */
const { workGroupId, templatePackageId } = newWorkItem.parse({});

function hotdocsWebhook({ type, url, credential: { kind, text } }: Webhook) {
  const fields = {
    name: type,
    url,
    eventType: type,
    workGroups: [workGroupId],
    templates: [templatePackageId],
    ...(type === 'CustomInterviewEvent' && { interviewEventName: LOOKUP }),
  };
  return kind === 'TOKEN'
    ? { fields: { ...fields, authenticationMethod: 'AccessToken' as const, accessToken: text } }
    : { fields, hmacSecret: text };
}

function createPhenixid(options: ProductsOptions): PhenixidPlatform {
  const [webhook] = webhooksOf(phenixid, options);
  const webHook = webhook
    ? { enabled: true, endpoint: webhook.url, secret: webhook.credential.text }
    : { enabled: false };
  return createPhenixidPlatform({
    ...toolsFor(phenixid, options),
    config: options.phenixidConfig ?? { webHook },
    ...(options.state?.phenixid && { seed: options.state.phenixid }),
  });
}

function createRisr(options: ProductsOptions): RisrPlatform {
  return createRisrPlatform({
    ...toolsFor(risr, options),
    baseUrl: `${options.origin}/risr`,
    seed: {
      organisation: setting(options, 'RISR_API_ORGANISATION'),
      apiUsers: [
        {
          clientId: setting(options, 'RISR_API_CLIENT_ID'),
          clientSecret: setting(options, 'RISR_API_CLIENT_SECRET'),
        },
      ],
      registrations: webhooksOf(risr, options).map(({ type, url, credential }) =>
        registrationFields.parse({ topic: type, url, secret: credential.text }),
      ),
      ...options.state?.risr,
    },
  });
}

/** Ids come from a chance of their own: how often something is sent must not change them. */
function toolsFor(source: Source, { seed, fireBy = (_, fire) => fire }: ProductsOptions) {
  const now = () => new Date();
  return {
    sender: source,
    random: createRandom(seed),
    now,
    fire: fireBy(source, createFire(source, createRandom(seed + 1), now)),
  };
}

function setting({ env, origin }: ProductsOptions, name: keyof ReturnType<typeof apiEnvironment>): string {
  const set = env[name] ?? '';
  return set === '' ? apiEnvironment(origin)[name] : set;
}

interface Webhook {
  readonly type: string;
  readonly url: string;
  readonly credential: Credential;
}

/** Of the endpoints that have a secret; nothing is sent to the others. */
function webhooksOf(source: Source, { app, env, receiver }: ProductsOptions): Webhook[] {
  if (!app.sources.some(({ name }) => name === source.name)) return [];
  const credentialFor = credentialsFrom(env, app)(source);
  return endpointsOf(source).flatMap(({ type = Object.keys(source.events)[0] ?? '', path }) => {
    const credential = credentialOr(credentialFor, type, path);
    return credential === undefined ? [] : [{ type, url: new URL(path, receiver).href, credential }];
  });
}

function credentialOr(credentialFor: CredentialFor, type: string, path: string): Credential | undefined {
  try {
    return credentialFor({ type, path, switches: {} });
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}
