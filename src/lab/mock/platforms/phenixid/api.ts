import { MIME_TYPES } from '../documents.ts';
import type { Archive, StoredFile } from './archive.ts';
import { orderChangesIn, orderIn, readForm, uploadsIn, type Upload } from './form.ts';
import type { Process } from './process.ts';
import type { PhenixidChoices } from './switches.ts';
import { taskChanges, taskFields, type Task } from './tasks.ts';
import {
  ApiRefusal,
  readJsonBody,
  replyBytes,
  replyJson,
  replyText,
  type PlatformReply,
  type PlatformRequest,
} from '../platform.ts';
import { route, type Route } from '../routes.ts';

interface ApiParts {
  readonly archive: Archive;
  readonly process: Process;
  readonly own: () => PhenixidChoices;
}

/** The Automation API: v2 at `/api/v2`, v1 at `/api/document_signing` and, as behind a proxy, at `/`. */
export function apiRoutes(parts: ApiParts): Route[] {
  return [
    ...taskRoutes(parts),
    ...orderRoutes('api/document_signing/orders', parts),
    ...orderRoutes('orders', parts),
  ];
}

function taskRoutes({ archive, process }: ApiParts): Route[] {
  return [
    route('POST', 'api/v2/tasks', (_, request) =>
      replyJson(200, shownTask(process.create(readJsonBody(request, taskFields)).task)),
    ),
    route('GET', 'api/v2/tasks/:task', ({ task }) => replyJson(200, shownTask(archive.shown(task)))),
    route('PUT', 'api/v2/tasks/:task', ({ task }, request) =>
      replyJson(200, shownTask(process.update(task, readJsonBody(request, taskChanges)).task)),
    ),
    route('DELETE', 'api/v2/tasks/:task', ({ task }) => remove(archive, task)),
    route('POST', 'api/v2/files', async (_, request) => {
      const { fileName, body } = await uploadIn(request);
      const { id } = archive.addFile(fileName, body);
      return replyJson(200, { id, fileName, valid: true });
    }),
    route('GET', 'api/v2/tasks/:task/files', ({ task }) => replyJson(200, archive.shown(task).files)),
    route('GET', 'api/v2/tasks/:task/files/:file', ({ task, file }) =>
      replyPdf(archive.fileOf(archive.shown(task), file)),
    ),
    route('GET', 'api/v2/files/:file', ({ file }) => replyPdf(archive.shownFile(file))),
  ];
}

/** The body is not documented: a form with a file in it, or the bytes themselves. */
async function uploadIn(request: PlatformRequest): Promise<Upload> {
  const isForm = /^multipart\//i.test(request.headers['content-type'] ?? '');
  if (!isForm) return { fileName: 'document.pdf', body: request.body };
  const [upload] = await uploadsIn(await readForm(request));
  if (upload === undefined) throw new ApiRefusal(400, 'No file in the form.');
  return upload;
}

function orderRoutes(base: 'api/document_signing/orders' | 'orders', parts: ApiParts): Route[] {
  const { archive, process, own } = parts;
  const stored = (uploads: readonly Upload[]) =>
    uploads.map(({ fileName, body }) => archive.addFile(fileName, body).id);
  return [
    route('POST', base, async (_, request) => {
      const form = await readForm(request);
      const files = stored(await uploadsIn(form));
      return replyText(200, process.create(orderIn(form, files)).task.id);
    }),
    route('GET', `${base}/:order`, ({ order }) => replyJson(200, shownOrder(archive.shown(order)))),
    route('PUT', `${base}/:order`, async ({ order }, request) => {
      archive.find(order);
      const form = await readForm(request);
      const files = stored(await uploadsIn(form));
      return replyJson(200, shownOrder(process.update(order, orderChangesIn(form, files)).task));
    }),
    route('DELETE', `${base}/:order`, ({ order }) => remove(archive, order)),
    route('GET', `${base}/:order/status`, ({ order }) => replyStatus(archive.shown(order), own())),
    route('GET', `${base}/:order/document`, ({ order }) => {
      const task = archive.shown(order);
      if (task.state !== 'ACCEPTED') throw new ApiRefusal(400, `The order is ${task.state}, not ACCEPTED.`);
      return replyPdf(archive.fileOf(task, task.files[0] ?? ''));
    }),
  ];
}

function remove(archive: Archive, id: string): PlatformReply {
  archive.remove(id);
  return replyText(200, 'deleted');
}

function replyPdf({ body }: StoredFile): PlatformReply {
  return replyBytes(200, body, { 'Content-Type': MIME_TYPES.pdf });
}

function replyStatus({ state }: Task, { orderStatus }: PhenixidChoices): PlatformReply {
  switch (orderStatus) {
    case 'word':
      return replyText(200, state);
    case 'json-string':
      return replyJson(200, state);
    case 'object':
      return replyJson(200, { status: state });
  }
}

export function shownTask({ id, title, description, state, ...rest }: Task): object {
  const { dueDate, solicitor, signers, files, tags } = rest;
  return { id, title, description, state, dueDate, solicitor, signers, files, tags };
}

function shownOrder({ id: orderId, title, description, state: status, ...rest }: Task): object {
  const { dueDate, solicitor, signers, tags } = rest;
  return { orderId, title, description, status, dueDate, solicitor, signers, tags };
}
