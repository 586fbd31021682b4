import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Switches } from '../../../../kit/source.ts';
import type { Delivered } from './deliveries.ts';
import type { Process } from './process.ts';
import { webhookFields, type Webhooks } from './webhooks.ts';
import {
  documentOf,
  newWorkItem,
  versionOf,
  type AssembledDocument,
  type Version,
  type WorkItem,
  type WorkItems,
} from './work-items.ts';
import { readJsonBody, readOr, replyBytes, replyEmpty, replyJson } from '../platform.ts';
import { route, type Route } from '../routes.ts';

interface AdminParts {
  readonly webhooks: Webhooks;
  readonly workItems: WorkItems;
  readonly process: Process;
  readonly warnings: readonly string[];
  readonly choose: (switches: Switches) => void;
}

/** What administrators and users do in the product's own pages, below `/admin`: the real product has no such API. */
export function adminRoutes(parts: AdminParts): Route[] {
  return [...webhookRoutes(parts), ...workItemRoutes(parts), ...mockRoutes(parts)];
}

function webhookRoutes({ webhooks }: AdminParts): Route[] {
  return [
    route('GET', 'webhooks', () => replyJson(200, webhooks.list())),
    route('POST', 'webhooks', (_, request) =>
      replyJson(201, webhooks.create(readJsonBody(request, webhookFields))),
    ),
    route('GET', 'webhooks/:id', ({ id }) => replyJson(200, webhooks.find(id))),
    route('PUT', 'webhooks/:id', ({ id }, request) =>
      replyJson(200, webhooks.edit(id, readJsonBody(request, webhookFields))),
    ),
    route('POST', 'webhooks/:id/secret', ({ id }) => replyJson(200, webhooks.regenerateSecret(id))),
    route('DELETE', 'webhooks/:id', ({ id }) => {
      webhooks.remove(id);
      return replyEmpty(204);
    }),
  ];
}

function workItemRoutes({ workItems, process }: AdminParts): Route[] {
  return [
    route('GET', 'workitems', () => replyJson(200, workItems.all().map(shownItem))),
    route('POST', 'workitems', (_, request) =>
      replyJson(201, shownItem(workItems.create(readOr(newWorkItem, {}, request)))),
    ),
    route('GET', 'workitems/:item', ({ item }) => replyJson(200, shownItem(workItems.find(item)))),
    route('GET', 'workitems/:item/versions/:version/documents/:document', ({ item, version, document }) => {
      const { body, contentType } = documentOf(seen(versionOf(workItems.find(item), version)), document);
      return replyBytes(200, body, { 'Content-Type': contentType });
    }),
    route('POST', 'workitems/:item/open', async ({ item }) =>
      replyJson(200, shownVersion(await process.openInterview(workItems.find(item)))),
    ),
    route('POST', 'workitems/:item/events/:name', async ({ item, name }) =>
      replyJson(200, shownVersion(await process.clickInterviewEvent(workItems.find(item), name))),
    ),
    route('POST', 'workitems/:item/finish', async ({ item }) =>
      replyJson(200, shownVersion(await process.finishAssembly(workItems.find(item)))),
    ),
    route('POST', 'workitems/:item/links/:name', async ({ item, name }) => {
      const { reply, verdict } = await process.clickActionLink(workItems.find(item), name);
      return replyJson(200, { verdict, page: reply?.body.toString() });
    }),
  ];
}

function mockRoutes({ process, warnings, choose }: AdminParts): Route[] {
  return [
    route('GET', 'deliveries', () => replyJson(200, process.delivered.map(shownDelivery))),
    route('GET', 'warnings', () => replyJson(200, warnings)),
    route('PUT', 'switches', (_, request) => {
      choose(readJsonBody(request, z.record(z.string(), z.string())));
      return replyEmpty(204);
    }),
  ];
}

/** A user sees no document before its processing is over. */
function seen(version: Version): Version | undefined {
  return version.status === 'Completed' ? version : undefined;
}

function shownItem({ id, name, workGroupId, templatePackageId, user, versions }: WorkItem): object {
  return { id, name, workGroupId, templatePackageId, user, versions: versions.map(shownVersion) };
}

function shownVersion(version: Version): object {
  const { id, status, answers, notice } = version;
  return { id, status, answers, notice, documents: (seen(version)?.documents ?? []).map(shownDocument) };
}

function shownDocument({ id, name, fileName, contentType, body }: AssembledDocument): object {
  const sha256 = createHash('sha256').update(body).digest('hex');
  return { id, name, fileName, contentType, bytes: body.length, sha256 };
}

function shownDelivery({ to, workItemId, fired }: Delivered): object {
  const { type, id, verdict, ms } = fired;
  return { to, workItemId, type, id, verdict, ms };
}
