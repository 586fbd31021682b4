import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createFire } from '../../src/lab/mock/platforms/firing.ts';
import {
  createHotdocsPlatform,
  type HotdocsOptions,
  type HotdocsPlatform,
} from '../../src/lab/mock/platforms/hotdocs/platform.ts';
import {
  createPhenixidPlatform,
  type PhenixidPlatform,
} from '../../src/lab/mock/platforms/phenixid/platform.ts';
import type { PlatformRequest } from '../../src/lab/mock/platforms/platform.ts';
import { createRisrPlatform, type RisrPlatform } from '../../src/lab/mock/platforms/risr/platform.ts';
import type { Disturb } from '../../src/lab/mock/platforms/serve.ts';
import { createRandom } from '../../src/lab/mock/random.ts';
import { createMockApp } from '../../src/lab/mock/server.ts';
import type { Archived } from '../../src/example/records/archive.ts';
import { readAnswers, writeAnswers } from '../../src/kit/sources/hotdocs/answers/dialects.ts';
import { hotdocs } from '../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../src/kit/sources/risr/index.ts';
import { later, listening, newFolder } from './fixtures.ts';
import { secretsFor, startReceiver, type TestReceiver } from './receiver.ts';

/** The receiver and the three products, over real HTTP, each side configured to call the other, until this test is over. */
export interface Products {
  readonly receiver: () => TestReceiver;
  readonly hotdocs: HotdocsPlatform;
  readonly phenixid: PhenixidPlatform;
  readonly risr: RisrPlatform;
  /** Calls of the APIs so far: `PUT hotdocs/HdaApi/…`. */
  readonly calls: readonly string[];
  /** Variables with which a program finds the APIs and is let in. */
  readonly env: Readonly<Record<string, string>>;
  /** Chosen for each call of an API; nothing lets it through. */
  disturb: Disturb;
  /** Everything that was told and everything that follows from it is done. */
  readonly settled: () => Promise<void>;
  /** Takes the receiver away, and lets it come back to the same inbox, records and archive. */
  readonly stopReceiver: () => Promise<void>;
  readonly startReceiver: () => Promise<void>;
  /** What was archived under a kind of key, with the bytes of the file. */
  readonly archived: () => readonly (Archived & { readonly key: string; readonly body: Buffer })[];
}

export interface ProductsOptions {
  /** Whether the receiver is registered at risr/advance from the start. */
  readonly registered?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly users?: readonly { readonly id: string; readonly [member: string]: unknown }[];
  /** Event types of HotDocs that a webhook exists for. */
  readonly webhooks?: readonly ('PostProcessingEvent' | 'NewWorkItemVersionComplete')[];
}

const WORK_GROUP = '44b0d1f2-8c3e-4a5b-9d6f-70e1f2a3b4c5';
const TEMPLATE = '0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b';

export async function startProducts(options: ProductsOptions = {}): Promise<Products> {
  const folder = newFolder();
  const mock = createServer();
  const origin = `http://127.0.0.1:${await listening(mock)}`;
  const env: Record<string, string> = {
    INBOX_URL: `sqlite:${join(folder, 'inbox.db')}`,
    RECORDS_FILE: join(folder, 'records.db'),
    ARCHIVE_DIR: join(folder, 'archive'),
    ...apiEnvironment(origin),
    ...options.env,
  };
  let receiver = await startReceiver({ env });
  const port = new URL(receiver.url).port;
  const random = createRandom(1);
  const now = () => new Date();
  const secretOf = (path: string) => receiver.secretOf(path);
  const urlOf = (path: string) => `${receiver.url}${path}`;

  const platforms = {
    hotdocs: createHotdocsPlatform({
      fire: createFire(hotdocs, random),
      random,
      now,
      baseUrl: `${origin}/hotdocs`,
      readAnswers: plainAnswers,
      seed: {
        clients: [{ clientName: 'kit', principalName: 'service', principalPassword: PASSWORD }],
        webhooks: (options.webhooks ?? ['PostProcessingEvent', 'NewWorkItemVersionComplete']).map(
          (eventType) => ({
            fields: {
              name: eventType,
              eventType,
              url: urlOf(`/hotdocs/${eventType}`),
              workGroups: [WORK_GROUP],
              templates: [TEMPLATE],
            },
            hmacSecret: secretOf(`/hotdocs/${eventType}`),
          }),
        ),
        actionLinks: [
          { name: 'Sign', url: urlOf('/hotdocs/ActionLink'), hmacSecret: secretOf('/hotdocs/ActionLink') },
        ],
      },
    }),
    phenixid: createPhenixidPlatform({
      fire: createFire(phenixid, random),
      random,
      now,
      config: { webHook: { enabled: true, endpoint: urlOf('/phenixid'), secret: secretOf('/phenixid') } },
    }),
    risr: createRisrPlatform({
      fire: createFire(risr, random),
      random,
      now,
      baseUrl: `${origin}/risr`,
      seed: {
        apiUsers: [{ clientId: 'kit', clientSecret: PASSWORD }],
        users: [...(options.users ?? [])],
        registrations: (options.registered === false ? [] : RISR_TOPICS).map((topic) => ({
          topic,
          url: urlOf(`/risr/${topic}`),
          secret: secretOf(`/risr/${topic}`),
        })),
      },
    }),
  };
  const calls: string[] = [];
  const products: Products = {
    ...platforms,
    calls,
    env: { ...secretsFor([hotdocs, phenixid, risr]), ...env },
    receiver: () => receiver,
    disturb: () => undefined,
    async settled() {
      for (const platform of Object.values(platforms)) await platform.settled();
      await receiver.app.idle();
      // What the handlers did there may have been told in turn.
      for (const platform of Object.values(platforms)) await platform.settled();
      await receiver.app.idle();
    },
    stopReceiver: () => receiver.stop(),
    async startReceiver() {
      receiver = await startReceiver({ env: { ...env, PORT: port } });
    },
    archived: () =>
      receiver.records.list('document').map(({ id, value }) => {
        const document = value as unknown as Archived; // only the archive writes records of this kind
        return { ...document, key: id, body: readFileSync(join(folder, 'archive', document.sha256)) };
      }),
  };
  const disturb = (platform: string, request: PlatformRequest) => {
    calls.push(`${request.method} ${platform}/${request.path.join('/')}`);
    return products.disturb(platform, request);
  };
  mock.on('request', createMockApp([], Object.values(platforms), { disturb }));
  later(() => receiver.stop());
  return products;
}

const PASSWORD = 'a password of the API user';
const RISR_TOPICS = [
  'user_registered',
  'user_logged_in',
  'profile_updated',
  'booking_updated',
  'booking_state_changed',
] as const;

function apiEnvironment(origin: string): Record<string, string> {
  return {
    HOTDOCS_API_URL: `${origin}/hotdocs/HdaApi/rest/v2.0/`,
    HOTDOCS_API_AUTH_URL: `${origin}/hotdocs/HdaAuth/`,
    HOTDOCS_API_CLIENT_NAME: 'kit',
    HOTDOCS_API_PRINCIPAL_NAME: 'service',
    HOTDOCS_API_PRINCIPAL_PASSWORD: PASSWORD,
    PHENIXID_API_URL: `${origin}/phenixid/`,
    PHENIXID_API_CALLS_PER_SECOND: '10000',
    PHENIXID_API_UNKNOWN_DELAYS_MS: '20,40',
    RISR_API_URL: `${origin}/risr/`,
    RISR_API_DISCOVERY_URL: `${origin}/risr/.well-known/openid-configuration`,
    RISR_API_CLIENT_ID: 'kit',
    RISR_API_CLIENT_SECRET: PASSWORD,
    RISR_API_ORGANISATION: 'org_demo',
    RISR_API_CALLS_PER_SECOND: '10000',
  };
}

const plainAnswers: HotdocsOptions['readAnswers'] = (json, dialect) =>
  JSON.parse(writeAnswers(readAnswers(json, { dialect }).answers, 'A')) as Record<string, unknown>;
