import { z } from 'zod';
import type { Switches } from '../../../../kit/source.ts';
import type { TlsOptions } from '../../send.ts';
import type { Fired } from '../../sender.ts';
import { createChoices, type PlatformOptions } from '../choices.ts';
import { adminRoutes } from './admin.ts';
import { apiRoutes, type StatusCall } from './api.ts';
import { apiClient, createLogin } from './login.ts';
import type { Delivered } from './deliveries.ts';
import { actionLink, createProcess, type ReadAnswers } from './process.ts';
import { hotdocsSwitches } from './switches.ts';
import { createWebhooks, webhookFields, type Webhooks } from './webhooks.ts';
import { createWorkItems, newWorkItem, type Version, type WorkItem } from './work-items.ts';
import { ApiRefusal, type Platform, type PlatformReply, type PlatformRequest } from '../platform.ts';
import { addressesOf, dispatch, route, type Route } from '../routes.ts';

/** HotDocs Advance in memory. What a scenario's people do are its methods; what the product does follows from them. */
export interface HotdocsPlatform extends Platform {
  readonly webhooks: Webhooks;
  createWorkItem(input?: z.input<typeof newWorkItem>): WorkItem;
  /** Opens the interview of a work item, overlaid with what the InterviewLoadEvent webhooks answered. */
  openInterview(workItemId: string): Promise<Version>;
  clickInterviewEvent(workItemId: string, eventName: string): Promise<Version>;
  clickActionLink(workItemId: string, name: string): Promise<Fired>;
  /** What an action link's page posted to the interview that opened it. */
  handBack(workItemId: string, answers: unknown): Version;
  /**
   * Assembles the documents. With a webhook for PostProcessingEvent the version then waits for the status call;
   * NewWorkItemVersionComplete is sent after it.
   */
  finishAssembly(workItemId: string): Promise<Version>;
  workItem(id: string): WorkItem;
  workItems(): readonly WorkItem[];
  readonly delivered: readonly Delivered[];
  readonly statusCalls: readonly StatusCall[];
  readonly warnings: readonly string[];
  /** Changes switches while it runs; the others stay as they are. */
  choose(switches: Switches): void;
  expireTokens(): void;
  /** Resolves when every event on its way has been replied to. */
  settled(): Promise<void>;
}

export interface HotdocsOptions extends PlatformOptions {
  /** Where it is served, with its name: `http://127.0.0.1:4000/hotdocs`. */
  readonly baseUrl: string;
  readonly readAnswers: ReadAnswers;
  readonly seed?: z.input<typeof hotdocsSeed>;
  /** Trust for receivers over HTTPS. */
  readonly tls?: TlsOptions;
}

/** What there is at the start. Unlike an administrator's, these webhooks may bring the secret they had. */
export const hotdocsSeed = z.strictObject({
  webhooks: z
    .array(z.strictObject({ fields: webhookFields, hmacSecret: z.string().min(1).optional() }))
    .default([]),
  actionLinks: z.array(actionLink).default([]),
  clients: z.array(apiClient).default([]),
  workItems: z.array(newWorkItem).default([]),
});

export function createHotdocsPlatform(options: HotdocsOptions): HotdocsPlatform {
  const { fire, random, now, baseUrl, readAnswers, tls } = options;
  const seed = hotdocsSeed.parse(options.seed ?? {});
  const choices = createChoices(hotdocsSwitches, options);
  const { choose, own } = choices;

  const webhooks = createWebhooks(random);
  for (const { fields, hmacSecret } of seed.webhooks) webhooks.create(fields, hmacSecret);
  const workItems = createWorkItems(random);
  for (const item of seed.workItems) workItems.create(item);
  const login = createLogin(seed.clients, now);
  const { actionLinks } = seed;
  const parts = { fire, random, now, baseUrl, tls, readAnswers, webhooks, workItems, actionLinks, choices };
  const process = createProcess(parts);
  const statusCalls: StatusCall[] = [];
  const warnings: string[] = [];
  const doors: Doors = {
    api: apiRoutes({ workItems, process, statusCalls, warnings, own }),
    admin: adminRoutes({ webhooks, workItems, process, warnings, choose }),
    auth: [
      route('POST', 'Authorize/ServicePrincipalLogIn', (_, request) =>
        login.logIn(request, own().loginReply),
      ),
    ],
    demandLogin(request) {
      if (own().docAuth === 'none' && isDownload(request)) return;
      login.demand(request, request.method === 'GET' ? 'Query' : 'Command');
    },
  };

  return {
    name: 'hotdocs',
    admin: addressesOf('/hotdocs/admin', doors.admin),
    handle: (request) => handle(doors, request),
    webhooks,
    createWorkItem: (input = {}) => workItems.create(newWorkItem.parse(input)),
    openInterview: async (id) => process.openInterview(workItems.find(id)),
    clickInterviewEvent: async (id, eventName) => process.clickInterviewEvent(workItems.find(id), eventName),
    clickActionLink: async (id, name) => process.clickActionLink(workItems.find(id), name),
    handBack(id, answers) {
      const version = workItems.open(workItems.find(id));
      version.answers = { ...version.answers, ...readAnswers(answers, undefined) };
      return version;
    },
    finishAssembly: async (id) => process.finishAssembly(workItems.find(id)),
    workItem: (id) => workItems.find(id),
    workItems: () => workItems.all(),
    delivered: process.delivered,
    statusCalls,
    warnings,
    choose,
    expireTokens: () => login.expireTokens(),
    settled: () => process.settled(),
  };
}

/** The parts of its address, and who may come in. */
interface Doors {
  readonly api: readonly Route[];
  readonly admin: readonly Route[];
  readonly auth: readonly Route[];
  /** @throws ApiRefusal */
  demandLogin(request: PlatformRequest): void;
}

async function handle(doors: Doors, request: PlatformRequest): Promise<PlatformReply> {
  const [first = '', second = '', third = ''] = request.path.map((segment) => segment.toLowerCase());
  if (first === 'admin') return dispatch(doors.admin, below(request, 1));
  if (first === 'hdaauth' || first === 'auth') return dispatch(doors.auth, below(request, 1));
  const isApi = (first === 'hdaapi' || first === 'api') && second === 'rest' && /^v(1\.1|2\.0)$/.test(third);
  if (!isApi) {
    throw new ApiRefusal(404, 'There is /HdaAuth, /HdaApi/rest/v1.1, /HdaApi/rest/v2.0 and /admin.');
  }
  doors.demandLogin(request);
  return dispatch(doors.api, below(request, 3));
}

function isDownload({ method, path }: PlatformRequest): boolean {
  return method === 'GET' && path.at(-1)?.toLowerCase() === 'content';
}

function below(request: PlatformRequest, segments: number): PlatformRequest {
  return { ...request, path: request.path.slice(segments) };
}
