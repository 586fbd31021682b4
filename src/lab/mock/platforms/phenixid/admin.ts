import { z } from 'zod';
import { shownTask } from './api.ts';
import { newTask } from './seed.ts';
import type { Happened, PhenixidPlatform } from './platform.ts';
import {
  readJsonBody,
  replyEmpty,
  replyJson,
  type PlatformReply,
  type PlatformRequest,
  type Platform,
} from '../platform.ts';
import { route, type Route } from '../routes.ts';

/** What owners and signers do in the product's own pages, below `/admin`: the real product has no such API. */
export function adminRoutes(platform: Omit<PhenixidPlatform, keyof Platform>): Route[] {
  return [
    route('GET', 'admin/tasks', () => replyJson(200, platform.tasks().map(shownTask))),
    route('POST', 'admin/tasks', (_, request) => reply(platform.createTask(readOrNone(newTask, request)))),
    route('POST', 'admin/tasks/:task/sign', ({ task }, request) =>
      reply(platform.sign(task, signerIn(request))),
    ),
    route('POST', 'admin/tasks/:task/reject', ({ task }, request) =>
      reply(platform.reject(task, signerIn(request))),
    ),
    route('POST', 'admin/tasks/:task/cancel', ({ task }) => reply(platform.cancel(task))),
    route('POST', 'admin/tasks/:task/expire', ({ task }) => reply(platform.expire(task))),
    route('GET', 'admin/deliveries', () => {
      const shown = platform.delivered.map(({ type, id, verdict, ms }) => ({ type, id, verdict, ms }));
      return replyJson(200, shown);
    }),
    route('PUT', 'admin/switches', (_, request) => {
      platform.choose(readJsonBody(request, z.record(z.string(), z.string())));
      return replyEmpty(204);
    }),
  ];
}

async function reply(happened: Promise<Happened>): Promise<PlatformReply> {
  return replyJson(200, shownTask((await happened).task));
}

const chosenSigner = z.strictObject({ signer: z.string().optional() });

function signerIn(request: PlatformRequest): string | undefined {
  return readOrNone(chosenSigner, request).signer;
}

function readOrNone<Schema extends z.ZodType>(schema: Schema, request: PlatformRequest): z.output<Schema> {
  return request.body.length === 0 ? schema.parse({}) : readJsonBody(request, schema);
}
