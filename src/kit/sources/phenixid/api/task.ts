import { z } from 'zod';
import type { OutgoingReply } from '../../../outgoing/client.ts';
import { idsOf, idText, memberIn, readReply, readWord, textOf } from '../../../outgoing/read-reply.ts';

/** A task, or order, as the API tells it. */
export interface Task {
  readonly id: string;
  /** In capitals, without what differs between releases: `ACCEPTED`, `CANCELED`, `PENDING`. */
  readonly state: string;
  /** As far as the task itself lists its files; `fileIds()` of the API asks for them. */
  readonly fileIds: readonly string[];
  /** All that was answered. */
  readonly raw: unknown;
}

const ENDED = ['ACCEPTED', 'REJECTED', 'CANCELED', 'EXPIRED'];

/** Whether nothing more is to come. Only an expired task may be reopened, by another due date. */
export function hasEnded({ state }: Pick<Task, 'state'>): boolean {
  return ENDED.includes(state);
}

// No release has its members documented: these are the plausible names (PX-24).
const ID_MEMBERS = ['id', 'taskId', 'orderId'];
const STATE_MEMBERS = ['state', 'status', 'orderState', 'orderStatus', 'taskState'];
const FILE_LISTS = ['files', 'fileIds', 'documents'];

/** A v2 task. @throws Error if it has no state, or is another one than was asked for */
export function readTask(reply: OutgoingReply, asked: string): Task {
  const raw = readReply('The task', z.looseObject({}), reply);
  const ids = idsOf(raw, ID_MEMBERS);
  if (ids.length > 0 && !ids.some((id) => id.toLowerCase() === asked.toLowerCase()))
    throw new Error('The API answered another task than it was asked for.');
  const list = FILE_LISTS.map((name) => raw[name]).find((value) => Array.isArray(value));
  return { id: asked, state: stateOf(memberIn(raw, STATE_MEMBERS)), fileIds: idsIn(list ?? []), raw };
}

/** A v1 status, written as a bare word, a JSON string or an object; an order has one document. */
export function readOrder(reply: OutgoingReply, id: string): Task {
  const word = readWord(reply, STATE_MEMBERS);
  return { id, state: stateOf(word), fileIds: [ORDER_DOCUMENT], raw: textOf(reply) };
}

/** What the one document of a v1 order is called here. */
export const ORDER_DOCUMENT = 'document';

/** The ids of a task's files, as texts or as objects with an id. */
export function readFileIds(reply: OutgoingReply): string[] {
  const list = readReply('The list of files', fileList, reply);
  const ids = Array.isArray(list) ? list : (list.files ?? list.fileIds);
  if (ids === undefined) throw new Error('The API answered something else than a list of files.');
  return idsIn(ids);
}

const fileList = z.union([
  z.array(z.unknown()),
  z.looseObject({ files: z.array(z.unknown()).optional(), fileIds: z.array(z.unknown()).optional() }),
]);

function idsIn(list: readonly unknown[]): string[] {
  return list.map((file) => {
    const id = idText.safeParse(file).data ?? idsOf(file, ['id', 'fileId'])[0];
    if (id === undefined) throw new Error('The API listed a file without an id.');
    return id;
  });
}

function stateOf(word: string | undefined): string {
  if (word === undefined) throw new Error('The API answered a task without a state.');
  const state = word
    .trim()
    .toUpperCase()
    .replace(/^ORDER/, '')
    .replaceAll('_', '');
  return state === 'CANCELLED' ? 'CANCELED' : state;
}
