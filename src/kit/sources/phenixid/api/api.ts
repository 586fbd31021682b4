import { createCaller, realTools, type ApiTools, type Caller } from '../../../outgoing/caller.ts';
import type { Downloaded, OutgoingReply } from '../../../outgoing/client.ts';
import { createPace } from '../../../outgoing/pace.ts';
import { withRetries } from '../../../outgoing/retry.ts';
import { wayTo } from '../../../outgoing/settings.ts';
import { urlBelow } from '../../../outgoing/template.ts';
import { hasStatus } from '../../../outgoing/tokens.ts';
import type { ApiSettings } from './api-settings.ts';
import { ORDER_DOCUMENT, readFileIds, readOrder, readTask, type Task } from './task.ts';

/**
 * The Automation API, v2 or v1. It has no authentication of its own: a client certificate, or headers, are what the
 * proxy in front of it wants. Calls reject with CallRefused, CallFailed or the reason of their signal.
 */
export interface PhenixidApi {
  /** `gone`: deleted, or never there; said only after several tries. */
  fetchTask(taskId: string, signal?: AbortSignal): Promise<Task | 'gone'>;
  fileIds(taskId: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** A signed PDF, into a file in this directory. There is none before the task is accepted. */
  downloadFile(taskId: string, fileId: string, directory: string, signal?: AbortSignal): Promise<Downloaded>;
  close(): Promise<void>;
}

/** Nothing where the API is not configured. @throws if a host or certificate in the settings cannot be read */
export function createPhenixidApi(
  settings: ApiSettings,
  given: Partial<ApiTools> = {},
): PhenixidApi | undefined {
  const { API_URL: url, API_HEADERS, API_VERSION, API_CALLS_PER_SECOND: perSecond } = settings;
  if (url === undefined) return undefined;
  const tools = { ...realTools, ...given };
  const outgoing = tools.createOutgoing(wayTo(settings, url));
  const caller = createCaller({
    outgoing,
    tools,
    withHeaders: (call) => call(API_HEADERS),
    pace: createPace({ perSecond, ...tools }),
  });
  const version = API_VERSION === 'v2' ? tasks(url, settings) : orders(url, settings);

  async function fetchTask(taskId: string, signal?: AbortSignal): Promise<Task | 'gone'> {
    const call = { method: 'GET', url: version.taskUrl(taskId), signal };
    try {
      return version.readTask(await untilKnown(() => caller.request(call), signal), taskId);
    } catch (error) {
      if (isUnknown(error)) return 'gone';
      throw error;
    }
  }

  /** PX-11: the event may come before the task can be read. */
  function untilKnown(request: () => Promise<OutgoingReply>, signal?: AbortSignal): Promise<OutgoingReply> {
    const delaysMs = settings.API_UNKNOWN_DELAYS_MS;
    const { sleep } = tools;
    return withRetries(request, {
      attempts: delaysMs.length + 1,
      delaysMs,
      retryOn: isUnknown,
      signal,
      sleep,
    });
  }

  return {
    fetchTask,
    fileIds: (taskId, signal) => version.fileIds(caller, taskId, signal),
    async downloadFile(taskId, fileId, directory, signal) {
      const call = { method: 'GET', url: version.fileUrl(taskId, fileId), signal };
      return caller.download(call, directory, { contentType: 'application/pdf' });
    },
    close: () => outgoing.close(),
  };
}

/** The one failure that v2 documents is 400, for whatever reason (PX-22, PX-23). */
function isUnknown(error: unknown): boolean {
  return hasStatus(error, 400, 404);
}

/** What differs between the versions of the API. */
interface ApiVersion {
  taskUrl(taskId: string): URL;
  readTask(reply: OutgoingReply, taskId: string): Task;
  fileIds(caller: Caller, taskId: string, signal?: AbortSignal): Promise<readonly string[]>;
  fileUrl(taskId: string, fileId: string): URL;
}

function tasks(base: URL, { API_TASK_PATH, API_FILES_PATH, API_FILE_PATH }: ApiSettings): ApiVersion {
  return {
    taskUrl: (taskId) => urlBelow(base, API_TASK_PATH, { taskId }),
    readTask,
    async fileIds(caller, taskId, signal) {
      const url = urlBelow(base, API_FILES_PATH, { taskId });
      return readFileIds(await caller.request({ method: 'GET', url, signal }));
    },
    fileUrl: (taskId, fileId) => urlBelow(base, API_FILE_PATH, { taskId, fileId }),
  };
}

function orders(base: URL, { API_ORDER_STATUS_PATH, API_ORDER_DOCUMENT_PATH }: ApiSettings): ApiVersion {
  return {
    taskUrl: (taskId) => urlBelow(base, API_ORDER_STATUS_PATH, { taskId }),
    readTask: readOrder,
    fileIds: () => Promise.resolve([ORDER_DOCUMENT]),
    fileUrl: (taskId) => urlBelow(base, API_ORDER_DOCUMENT_PATH, { taskId }),
  };
}
