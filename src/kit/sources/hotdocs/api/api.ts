import { createCaller, realTools, type ApiTools } from '../../../outgoing/caller.ts';
import type { Downloaded } from '../../../outgoing/client.ts';
import type { Announced } from '../../../outgoing/content.ts';
import { readWord } from '../../../outgoing/read-reply.ts';
import { wayTo } from '../../../outgoing/settings.ts';
import { jsonWith, urlBelow, withQuery } from '../../../outgoing/template.ts';
import { createTokens } from '../../../outgoing/tokens.ts';
import { needed, type ApiSettings } from './api-settings.ts';
import { logIn } from './log-in.ts';

/** The REST API of HotDocs Advance. Calls reject with CallRefused, CallFailed or the reason of their signal. */
export interface HotdocsApi {
  /** Makes sure that there is a token; to try the connection. Every other call does this by itself. */
  login(): Promise<void>;
  /**
   * A document by the URL that came with an event, into a file in this directory. Fails unless it comes whole, and is what
   * the event says it is: give what it says of the file's name and type.
   */
  documentContent(
    url: URL,
    directory: string,
    signal?: AbortSignal,
    announced?: Announced,
  ): Promise<Downloaded>;
  /** Replaces a document during post-processing, or adds one if the id is new. */
  uploadDocument(upload: Upload, signal?: AbortSignal): Promise<void>;
  /** `Complete` lets the user have the documents. */
  setPostProcessingStatus(status: Version & { readonly status: string }, signal?: AbortSignal): Promise<void>;
  /** As it is spelled there: `Completing`, `Completed`, `PostProcessingFailed`. */
  versionStatus(version: Version, signal?: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

export interface Version {
  readonly workItemId: string;
  readonly versionId: string;
}

export interface Upload extends Version {
  readonly documentId: string;
  /** With the extension that belongs to the content type. */
  readonly fileName: string;
  readonly name?: string | undefined;
  /** 0 is the first place; what stands there moves up. */
  readonly assembledOrder?: number | undefined;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Nothing where the API is not configured. @throws if a host or certificate in the settings cannot be read */
export function createHotdocsApi(
  settings: ApiSettings,
  given: Partial<ApiTools> = {},
): HotdocsApi | undefined {
  const { API_URL: url, API_AUTH_URL: authUrl, API_ALIASES, DOCUMENT_HOSTS } = settings;
  if (url === undefined || authUrl === undefined || needed.some((name) => settings[name] === '')) {
    return undefined;
  }
  const tools = { ...realTools, ...given };
  const own = tools.createOutgoing(wayTo(settings, url, authUrl));
  // Addresses in events may lead to these, and not to where one logs in.
  const documents = tools.createOutgoing({
    ...wayTo(settings, url, ...API_ALIASES, ...DOCUMENT_HOSTS),
    furtherHosts: 'HOTDOCS_DOCUMENT_HOSTS',
  });
  const withToken = createTokens(() => logIn(own, authUrl, settings), tools.now);
  const authorised = <Result>(call: (headers: { Authorization: string }) => Promise<Result>) =>
    withToken((token) => call({ Authorization: `Bearer ${token}` }));

  const api = createCaller({ outgoing: own, tools, withHeaders: authorised });
  const ownDocuments = createCaller({ outgoing: documents, tools, withHeaders: authorised });
  const foreignDocuments = createCaller({ outgoing: documents, tools, withHeaders: (call) => call({}) });
  const ownOrigins = [url.origin, ...API_ALIASES.map(originOf)];

  return {
    login: () => withToken(() => Promise.resolve()),
    documentContent(document, directory, signal, announced = {}) {
      const caller = ownOrigins.includes(document.origin) ? ownDocuments : foreignDocuments;
      const call = { method: 'GET', url: document, signal, trusted: ownOrigins };
      return caller.download(call, directory, announced);
    },
    async uploadDocument(upload, signal) {
      const headers = { 'Content-Type': upload.contentType };
      const { body } = upload;
      await api.request({ method: 'PUT', url: uploadUrl(url, settings, upload), headers, body, signal });
    },
    async setPostProcessingStatus({ workItemId, versionId, status }, signal) {
      const { API_FINISH_METHOD: method, API_FINISH_PATH, API_FINISH_BODY } = settings;
      const values = { workItemId, versionId, status };
      const target = urlBelow(url, API_FINISH_PATH, values);
      await api.request({ method, url: target, ...finishBody(API_FINISH_BODY, values), signal });
    },
    async versionStatus({ workItemId, versionId }, signal) {
      const target = urlBelow(url, settings.API_VERSION_STATUS_PATH, { workItemId, versionId });
      const reply = await api.request({ method: 'GET', url: target, signal });
      const status = readWord(reply, ['status', 'Status']);
      if (status === undefined) throw new Error('HotDocs Advance answered no status of a version.');
      return status;
    },
    async close() {
      await Promise.all([own.close(), documents.close()]);
    },
  };
}

function uploadUrl(base: URL, { API_UPLOAD_PATH }: ApiSettings, upload: Upload): URL {
  const { workItemId, versionId, documentId, fileName, name, assembledOrder } = upload;
  return withQuery(urlBelow(base, API_UPLOAD_PATH, { workItemId, versionId, documentId }), [
    ['filename', fileName],
    ['name', name],
    ['assembledorder', assembledOrder?.toString()],
  ]);
}

function finishBody(template: string, values: Readonly<Record<string, string>>) {
  if (template === 'none') return {};
  return { headers: { 'Content-Type': 'application/json' }, body: jsonWith(template, values) };
}

/** Of a host as `OutgoingOptions` lists it; `createOutgoing` has refused what is none. */
function originOf(host: string): string {
  return URL.parse(host.includes('://') ? host : `https://${host}`)?.origin ?? '';
}
