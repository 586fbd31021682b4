import { extname } from 'node:path';
import { z } from 'zod';
import { MIME_TYPES } from '../documents.ts';
import { demandProcessing, type Outcome, type Process } from './process.ts';
import type { HotdocsChoices } from './switches.ts';
import {
  documentOf,
  guid,
  latestCompleted,
  newWorkItem,
  place,
  versionOf,
  type AssembledDocument,
  type Version,
  type VersionDraft,
  type WorkItem,
  type WorkItemDraft,
  type WorkItems,
} from './work-items.ts';
import {
  ApiRefusal,
  readJsonBody,
  replyBytes,
  replyEmpty,
  replyJson,
  type PlatformReply,
  type PlatformRequest,
} from '../platform.ts';
import { route, type Route } from '../routes.ts';

/** In which of the plausible forms a status was set: the real one is not published (HD-42). */
export interface StatusCall {
  readonly method: string;
  /** Behind the version's own address. */
  readonly path: string;
  readonly carrier: 'path' | 'query' | 'json' | 'text';
}

interface ApiParts {
  readonly workItems: WorkItems;
  readonly process: Process;
  readonly statusCalls: StatusCall[];
  readonly warnings: string[];
  readonly own: () => HotdocsChoices;
}

/** The REST API below `…/rest/v1.1/` and `…/rest/v2.0/`. */
export function apiRoutes(parts: ApiParts): Route[] {
  return [...workItemRoutes(parts), ...documentRoutes(parts), ...statusRoutes(parts)];
}

function workItemRoutes({ workItems, process }: ApiParts): Route[] {
  return [
    route('GET', 'WorkItems', () => replyJson(200, workItems.all().map(shownItem))),
    route('GET', 'WorkGroups/:group/WorkItems', ({ group }) => {
      const inGroup = workItems.all().filter(({ workGroupId }) => workGroupId === group.toLowerCase());
      return replyJson(200, inGroup.map(shownItem));
    }),
    route('GET', 'WorkItems/:item', ({ item }) => replyJson(200, shownItem(workItems.find(item)))),
    route('PUT', 'WorkItems/:item', ({ item }, request) => {
      const fields = { ...readJsonBody(request, creation), id: idFrom(item) };
      return replyJson(201, shownItem(workItems.create(newWorkItem.parse(fields))));
    }),
    route('GET', 'WorkItems/:item/Versions', ({ item }, { query }) => {
      const wanted = query.get('filter')?.toLowerCase();
      const versions = workItems.find(item).versions.filter(({ status }) => isIn(wanted, status));
      return replyJson(200, versions.map(shownVersion));
    }),
    route('GET', 'WorkItems/:item/Versions/:version/Status', ({ item, version }) =>
      replyJson(200, { status: versionOf(workItems.find(item), version).status }),
    ),
    route('PUT', 'WorkItems/:item/Versions/:version/CompleteSession', async ({ item, version }) => {
      const found = workItems.find(item);
      const { status } = versionOf(found, version);
      if (status !== 'InProgress') throw new ApiRefusal(409, `This version is ${status}.`);
      await process.finishAssembly(found);
      return replyEmpty(200);
    }),
  ];
}

/** Of the documented fields those that the mock can honour. */
const creation = newWorkItem.pick({ name: true, workGroupId: true, templatePackageId: true }).strip();

function idFrom(text: string): string {
  const result = guid.safeParse(text);
  if (result.success) return result.data;
  throw new ApiRefusal(400, 'An id is a GUID.');
}

function isIn(wanted: string | undefined, status: string): boolean {
  return wanted === undefined || wanted.split(',').includes(status.toLowerCase());
}

function shownItem({ id, name, workGroupId, templatePackageId, versions }: WorkItem): object {
  return { id, name, workGroupId, templatePackageId, status: versions.at(-1)?.status };
}

function shownVersion({ id, status, templatePackageId }: Version): object {
  return { id, status, templatePackageId };
}

function documentRoutes({ workItems, warnings, own }: ApiParts): Route[] {
  const released = (item: string) => unversioned(workItems.find(item), own());
  const ofVersion = (item: string, version: string) => versionOf(workItems.find(item), version);
  const list = (version: Version | undefined) =>
    replyJson(200, (version?.documents ?? []).map(shownDocument));
  const content = async (version: VersionDraft | undefined, id: string) => {
    const document = documentOf(version, id);
    if (version?.status === 'PostProcessing') await demandProcessing(version);
    return replyBytes(200, document.body, {
      'Content-Type': document.contentType,
      'Content-Disposition': dispositionOf(document.fileName),
    });
  };
  return [
    route('GET', 'WorkItems/:item/Documents', ({ item }) => list(released(item))),
    route('GET', 'WorkItems/:item/Documents/:document', ({ item, document }) =>
      replyJson(200, shownDocument(documentOf(released(item), document))),
    ),
    route('GET', 'WorkItems/:item/Documents/:document/Content', ({ item, document }) =>
      content(released(item), document),
    ),
    route('GET', 'WorkItems/:item/Versions/:version/Documents', ({ item, version }) =>
      list(ofVersion(item, version)),
    ),
    route('GET', 'WorkItems/:item/Versions/:version/Documents/:document/Content', (named) =>
      content(ofVersion(named.item, named.version), named.document),
    ),
    route('PUT', 'WorkItems/:item/Versions/:version/Documents/:document/Content', async (named, request) => {
      const version = ofVersion(named.item, named.version);
      const id = idFrom(named.document);
      const known = version.documents.find((document) => document.id === id);
      const { document, order } = uploadIn(request, id, known, warnings);
      await demandProcessing(version);
      place(version, document, order);
      return replyEmpty(Number(own().putStatus));
    }),
  ];
}

/** Without a version only a completed one is meant; an event whose own addresses have none must still work. */
function unversioned({ versions }: WorkItemDraft, { docUrl }: HotdocsChoices): VersionDraft | undefined {
  const latest = versions.at(-1);
  return docUrl === 'v1.1' && latest?.status === 'PostProcessing' ? latest : latestCompleted(versions);
}

function shownDocument({ id, name, fileName, contentType, body }: AssembledDocument): object {
  return { id, name, fileName, mimeType: contentType, size: body.length };
}

function dispositionOf(fileName: string): string {
  const plain = fileName.replace(/[^\x20-\x7e]|["\\]/g, '_');
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

interface Upload {
  readonly document: AssembledDocument;
  readonly order: number | undefined;
}

function uploadIn(
  { query, headers, body }: PlatformRequest,
  id: string,
  known: AssembledDocument | undefined,
  warnings: string[],
): Upload {
  const fileName = fileNameIn(query);
  const order = orderIn(query, warnings);
  const contentType = typeOf(headers['content-type'], fileName, body);
  const name = query.get('name') ?? known?.name ?? fileName.slice(0, -extname(fileName).length || undefined);
  return { document: { id, name, fileName, contentType, body }, order };
}

function fileNameIn(query: URLSearchParams): string {
  const fileName = query.get('filename') ?? '';
  if (fileName === '') throw new ApiRefusal(400, 'filename is required.');
  if (/[/\\\p{Cc}]/u.test(fileName)) throw new ApiRefusal(400, 'filename must be a name without a path.');
  return fileName;
}

function orderIn(query: URLSearchParams, warnings: string[]): number | undefined {
  // HD-40: one sentence of the documentation has this spelling.
  if (query.has('assemblyorder'))
    warnings.push('assemblyorder was ignored: the parameter is assembledorder.');
  const order = query.get('assembledorder');
  if (order === null) return undefined;
  if (/^\d{1,9}$/.test(order)) return Number(order);
  throw new ApiRefusal(400, 'assembledorder must be a whole number from 0.');
}

const BEGINNINGS: Readonly<Record<string, string>> = { [MIME_TYPES.pdf]: '%PDF-', [MIME_TYPES.docx]: 'PK' };

/** @throws ApiRefusal 400, 415: the right type has to be said, above all when the format changes */
function typeOf(header: string | undefined, fileName: string, body: Buffer): string {
  const type = header?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === '' || type === 'application/octet-stream') {
    throw new ApiRefusal(415, 'Content-Type must be the MIME type of the document.');
  }
  const extension = extname(fileName).slice(1).toLowerCase();
  const expected = new Map<string, string>(Object.entries(MIME_TYPES)).get(extension);
  const begins = new Map(Object.entries(BEGINNINGS)).get(type) ?? '';
  if (
    (expected !== undefined && expected !== type) ||
    !body.subarray(0, 8).toString('latin1').startsWith(begins)
  ) {
    throw new ApiRefusal(415, `${type} does not fit the document or its file name.`);
  }
  if (body.length === 0) throw new ApiRefusal(400, 'The document is empty.');
  return type;
}

const STATUS_PATHS = [
  'PostProcessingStatus',
  'PostProcessing',
  'PostProcessing/Complete',
  'PostAssemblyProcessingStatus',
  'Status',
] as const;

function statusRoutes({ workItems, process, statusCalls }: ApiParts): Route[] {
  return STATUS_PATHS.map((path) =>
    route(
      'PUT POST PATCH',
      `WorkItems/:item/Versions/:version/${path}`,
      async (named, request): Promise<PlatformReply> => {
        const item = workItems.find(named.item);
        const { word, carrier } = statusIn(request, path);
        statusCalls.push({ method: request.method, path, carrier });
        await process.endPostProcessing(item, versionOf(item, named.version), statusCalled(word));
        return replyEmpty(200);
      },
    ),
  );
}

const statusBody = z.union([
  z.string(),
  z.looseObject({ status: z.string() }).transform(({ status }) => status),
]);

function statusIn(
  { query, body }: PlatformRequest,
  path: string,
): { readonly word: string; readonly carrier: StatusCall['carrier'] } {
  const inQuery = query.get('status');
  if (inQuery !== null) return { word: inQuery, carrier: 'query' };
  const text = body.toString().trim();
  if (text === '' && path === 'PostProcessing/Complete') return { word: 'Complete', carrier: 'path' };
  if (/^\w+$/.test(text)) return { word: text, carrier: 'text' };
  return { word: readJsonBody({ body }, statusBody), carrier: 'json' };
}

function statusCalled(word: string): Outcome {
  switch (word.toLowerCase()) {
    case 'complete':
    case 'completed':
      return 'Completed';
    case 'failed':
    case 'error':
      return 'PostProcessingFailed';
    default:
      throw new ApiRefusal(400, 'The status is Complete or Failed.');
  }
}
