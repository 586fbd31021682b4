import { messageOf } from '../kit/errors.ts';
import type { Inbox, NewEntry } from '../kit/inbox/inbox.ts';
import type { Log } from '../kit/log.ts';
import type { Records } from './records/records.ts';

export interface ReconciliationOptions {
  readonly records: Records;
  readonly inbox: Inbox;
  readonly everyMs: number;
  readonly log: Log;
}

/** What Signing Workflow tells is told once: whatever was missed is found by asking after every task that has not ended. */
export interface Reconciliation {
  stop(): void;
}

/** Resolves when the first round is in the inbox. The worker does the rest, as with any event. */
export async function startReconciliation(options: ReconciliationOptions): Promise<Reconciliation> {
  const round = () =>
    reconcile(options).catch((error: unknown) => {
      options.log.error({ outcome: 'trouble', why: `Tasks were not asked after: ${messageOf(error)}` });
    });
  await round();
  const timer = setInterval(() => void round(), options.everyMs).unref();
  return {
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** The API lists no tasks: one of which no event ever arrived stays unknown. */
async function reconcile({ records, inbox }: ReconciliationOptions): Promise<void> {
  const open = records.list('task').filter(({ value }) => !ENDED.includes(String(value['state'])));
  await Promise.all(open.map(({ id, value }) => askAfter(inbox, id, installationIn(value))));
}

const ENDED = ['ACCEPTED', 'REJECTED', 'CANCELED', 'EXPIRED', 'GONE'];

function installationIn({ installation }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof installation === 'string' ? installation : undefined;
}

/** One entry for each task, over and over: what waits or runs will fetch the task anyway, what is over is replayed. */
async function askAfter(inbox: Inbox, taskId: string, installation: string | undefined): Promise<void> {
  const { entry, duplicate } = await inbox.store(question(taskId, installation));
  if (duplicate && (entry.status === 'done' || entry.status === 'dead')) await inbox.replay(entry.seq);
}

/** An entry of our own making, listed as what it is. Its content is the event that says no more than: look again. */
function question(taskId: string, installation: string | undefined): NewEntry {
  return {
    source: 'phenixid',
    endpoint: '/phenixid',
    installation,
    type: 'reconciliation',
    eventId: undefined,
    key: `reconciliation:${taskId}`,
    subject: `phenixid task:${taskId}`,
    secret: 0,
    receivedAt: Date.now(),
    content: Buffer.from(JSON.stringify({ eventType: 'OrderDescriptionUpdated', taskId })),
  };
}
