import type { Value } from '../records/records.ts';
import {
  orGiveUp,
  unchanged,
  type HandlersOf,
  type Occurrence,
  type PhenixidApi,
  type phenixid,
  type Said,
} from '../../kit/index.ts';
import type { Tools } from '../tools.ts';

type Notification = Occurrence<string, { readonly taskId: string }>;
type State = 'PENDING' | 'ACCEPTED' | 'REJECTED' | 'CANCELED' | 'EXPIRED';

/**
 * A notification says which task, not what became of it, and events come out of order: the task is fetched, and what the
 * API says of it counts. Without the API the state kept here is what the events let us assume.
 */
export function phenixidHandlers(tools: Tools): HandlersOf<typeof phenixid.events> {
  const follow = (state: State) => (event: Notification) => {
    const { phenixid: api } = tools.apisOf(event);
    return api === undefined ? assumeState(tools, event, state) : orGiveUp(fetchState(tools, api, event));
  };
  return {
    OrderCreated: follow('PENDING'),
    OrderDocumentUpdated: follow('PENDING'),
    OrderSigned: follow('PENDING'),
    OrderAccepted: follow('ACCEPTED'),
    OrderRejected: follow('REJECTED'),
    OrderCanceled: follow('CANCELED'),
    OrderExpired: follow('EXPIRED'),
    OrderDueDateUpdated: (event) => {
      const isAssumed = tools.apisOf(event).phenixid === undefined;
      if (isAssumed && knownState(tools, event) === 'EXPIRED')
        return keepState(tools, event, 'PENDING', { lastEvent: event.type });
      return follow('PENDING')(event);
    },
    OrderSignersUpdated: follow('PENDING'),
    OrderDescriptionUpdated: follow('PENDING'),
  };
}

/** Whatever the event is called. The state is kept last: a task that is kept as accepted has its files in the archive. */
async function fetchState(tools: Tools, api: PhenixidApi, event: Notification): Promise<Said> {
  const { payload, signal } = event;
  const known = knownState(tools, event);
  // From now on reconciliation asks after it, whatever becomes of this attempt.
  if (known === undefined) keepState(tools, event, 'PENDING');
  const task = await api.fetchTask(payload.taskId, signal);
  const state = task === 'gone' ? 'GONE' : task.state;
  if (hasEnded(known) && !hasEnded(state))
    return unchanged(`task is ${String(known)}, and ${state} is no news`);
  if (state === 'ACCEPTED') await archiveFiles(tools, api, event);
  return keepState(tools, event, state);
}

/** Of the installation's own task: another one may have a task of the same id. */
function knownState({ records }: Tools, { payload, installation }: Notification): unknown {
  return records.of(installation).find('task', payload.taskId)?.['state'];
}

/** An expired task has not ended for ever: a later due date reopens it. */
function hasEnded(state: unknown): boolean {
  return state === 'ACCEPTED' || state === 'REJECTED' || state === 'CANCELED';
}

async function archiveFiles(
  { archive }: Tools,
  api: PhenixidApi,
  { payload: { taskId }, installation, signal }: Notification,
): Promise<void> {
  const fileIds = await api.fileIds(taskId, signal);
  if (fileIds.length === 0) throw new Error('The task is accepted, and the API lists no file of it yet.');
  for (const fileId of fileIds) {
    const download = (directory: string) => api.downloadFile(taskId, fileId, directory, signal);
    await archive.of(installation).keep(['phenixid', taskId, fileId], `${fileId}.pdf`, download);
  }
}

/**
 * A state that ends a task is not left again, however late an earlier event arrives. Only an expired task may have been
 * reopened before it came to another end.
 */
function assumeState(tools: Tools, event: Notification, state: State): Said {
  const known = knownState(tools, event);
  const ended = known === 'EXPIRED' ? state === 'PENDING' : known !== undefined && known !== 'PENDING';
  return ended
    ? unchanged('task has ended already')
    : keepState(tools, event, state, { lastEvent: event.type });
}

function keepState(
  { records }: Tools,
  { payload, installation }: Notification,
  state: string,
  further: Value = {},
): string {
  records.of(installation).put('task', payload.taskId, { state, ...further, installation });
  return `task is ${state}`;
}

const ENDED = ['ACCEPTED', 'REJECTED', 'CANCELED', 'EXPIRED', 'GONE'];

/** The tasks that reconciliation asks after, where there is somebody to ask. */
export function openTasks({ records, apisOf }: Pick<Tools, 'records' | 'apisOf'>) {
  const open = records.list('task').filter(({ value }) => !ENDED.includes(String(value['state'])));
  return open
    .map(({ id, value: { installation } }) => ({
      taskId: id,
      installation: typeof installation === 'string' ? installation : undefined,
    }))
    .filter((task) => apisOf(task).phenixid !== undefined);
}
