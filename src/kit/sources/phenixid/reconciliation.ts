import { messageOf } from '../../errors.ts';
import { subjectOf, type Inbox, type NewEntry } from '../../inbox/inbox.ts';
import type { Log } from '../../log.ts';

/** A task that has not ended, as far as you know. */
export interface OpenTask {
  readonly taskId: string;
  /** The one whose notification named it. */
  readonly installation: string | undefined;
}

export interface ReconciliationOptions {
  readonly inbox: Pick<Inbox, 'store' | 'replay'>;
  readonly everyMs: number;
  readonly log: Log;
  readonly openTasks: () => readonly OpenTask[] | Promise<readonly OpenTask[]>;
}

/**
 * Signing Workflow tells each event once: what was missed is found by asking, over and over, after every task that has not
 * ended. Each is asked after by an entry of its own, which your handler of a notification takes as: look again. The API
 * lists no tasks, so one of which no event ever arrived stays unknown. Resolves when the first round is in the inbox, with
 * what ends it.
 */
export async function startReconciliation(options: ReconciliationOptions): Promise<() => void> {
  const round = () =>
    reconcile(options).catch((error: unknown) => {
      options.log.error({ outcome: 'trouble', why: `Tasks were not asked after: ${messageOf(error)}` });
    });
  await round();
  const timer = setInterval(() => void round(), options.everyMs).unref();
  return () => {
    clearInterval(timer);
  };
}

async function reconcile({ openTasks, inbox }: ReconciliationOptions): Promise<void> {
  await Promise.all((await openTasks()).map((task) => askAfter(inbox, task)));
}

/** One entry for each task, over and over: what waits or runs will fetch the task anyway, what is over is replayed. */
async function askAfter(inbox: ReconciliationOptions['inbox'], task: OpenTask, after = ''): Promise<void> {
  const { entry, duplicate } = await inbox.store(question(task, after));
  if (!duplicate || entry.status === 'waiting' || entry.status === 'running') return;
  // One that is forgotten cannot be replayed, and its key may still be known: the next one is named after it.
  if ((await inbox.replay(entry.seq)) === null) await askAfter(inbox, task, `:${entry.seq}`);
}

/** An entry of our own making, listed as what it is. Its content is the event that says no more than: look again. */
function question({ taskId, installation }: OpenTask, after: string): NewEntry {
  return {
    source: 'phenixid',
    endpoint: '/phenixid',
    installation,
    type: 'reconciliation',
    eventId: undefined,
    key: `reconciliation:${taskId}${after}`,
    subject: subjectOf({ source: 'phenixid', installation }, `task:${taskId}`),
    secret: 0,
    receivedAt: Date.now(),
    content: Buffer.from(JSON.stringify({ eventType: 'OrderDescriptionUpdated', taskId })),
  };
}
