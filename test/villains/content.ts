import { createHash } from 'node:crypto';
import type { Delivery, Event, Members, Reply } from './parts.ts';
import { membersIn } from './parts.ts';
import { json } from './http.ts';

/** Once the proof holds nothing is refused: what cannot be read waits for a human. */
export function read(content: Buffer, { route }: Delivery): Event {
  const unread = {
    source: route.source,
    type: route.type ?? '?',
    ref: '',
    key: `${route.path} ${createHash('sha256').update(content).digest('hex')}`,
    subject: undefined,
    revision: undefined,
  };
  try {
    return eventIn(membersIn(new TextDecoder('utf-8', { fatal: true }).decode(content)), unread, route.path);
  } catch {
    return { ...unread, misfit: 'unreadable' };
  }
}

type Unread = Omit<Event, 'misfit'>;

function eventIn(members: Members, unread: Unread, path: string): Event {
  switch (unread.source) {
    case 'hotdocs':
      return hotdocsEvent(members, unread, path);
    case 'phenixid':
      return phenixidEvent(members, unread);
    case 'risr':
      return risrEvent(members, unread, path);
  }
}

function hotdocsEvent(members: Members, unread: Unread, path: string): Event {
  const id = textOf(members['eventId']);
  const named = textOf(members['eventType']);
  // The documentation has both names.
  const spelled = named === 'LoadInterviewEvent' ? 'InterviewLoadEvent' : named;
  const type = spelled === '' ? unread.type : spelled;
  const key = id === '' ? unread.key : `${path} ${id}`;
  const ref = id === '' ? textOf(members['workItemId']) : id;
  // A click on an action link is no event that comes twice, and has no id.
  const once = type === 'ActionLink' ? undefined : key;
  return { ...unread, type, ref, key: once, misfit: type === unread.type ? undefined : 'unknown event' };
}

/** Of the states of a task only the last one counts: what is accepted, rejected or cancelled stays so. */
const phenixidTypes: Readonly<Record<string, number | undefined>> = {
  OrderCreated: 0,
  OrderDocumentUpdated: 0,
  OrderSigned: 0,
  OrderExpired: 0,
  OrderDueDateUpdated: 0,
  OrderSignersUpdated: 0,
  OrderDescriptionUpdated: 0,
  OrderAccepted: 1,
  OrderRejected: 1,
  OrderCanceled: 1,
};

/** Has no id: two notifications of the same bytes are two. */
function phenixidEvent({ eventType, taskId, orderId }: Members, unread: Unread): Event {
  const type = textOf(eventType);
  const ref = textOf(taskId ?? orderId);
  const known = Object.hasOwn(phenixidTypes, type) && /^[\w.-]{1,128}$/.test(ref);
  const same = taskId === undefined || orderId === undefined || taskId === orderId;
  return {
    ...unread,
    type,
    ref,
    key: undefined,
    subject: ref,
    revision: known ? phenixidTypes[type] : undefined,
    misfit: known && same ? undefined : 'unknown event',
  };
}

function risrEvent({ webhook_request_id, id, rev, user }: Members, unread: Unread, path: string): Event {
  const request = textOf(webhook_request_id);
  const count = /^(\d{1,15})-/.exec(textOf(rev))?.[1];
  const document = textOf(id);
  const fits = unread.type.startsWith('user_') ? user !== undefined : count !== undefined && document !== '';
  return {
    ...unread,
    ref: request,
    key: `${path} ${request === '' ? `${document} ${textOf(rev)}` : request}`,
    subject: document === '' ? undefined : `${unread.type} ${document}`,
    revision: count === undefined ? undefined : Number(count),
    misfit: fits ? undefined : 'no such document',
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const KEEP_OUT = { 'Cache-Control': 'no-store' };

/** Interviews wait for answers, action links for a page; the others want to hear that all is well. */
export function answer(_event: Event, { route }: Delivery): Reply {
  if (route.source !== 'hotdocs') return json(200, '{"ok":true}');
  if (route.type === 'ActionLink') {
    const body = '<!doctype html><title>Done</title><p>You can close this window.</p>';
    return { status: 200, headers: { 'Content-Type': 'text/html; charset=utf-8', ...KEEP_OUT }, body };
  }
  const waits = route.type === 'InterviewLoadEvent' || route.type === 'CustomInterviewEvent';
  return waits ? json(200, '{}', KEEP_OUT) : { status: 200, headers: {}, body: '' };
}
