import { z } from 'zod';
import { event, type NotifyEvent } from '../../source.ts';

/** Goes into the path of an API address, so it can be no path of its own: no slash, no percent, not `.` or `..`. */
const taskId = z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/);

/** All that any of these events says: which task. Its outcome is asked of the Automation API. */
const notification = z.looseObject({
  taskId,
  /** The same value under its old name, as long as the sender still writes it. Deprecated by the sender. */
  orderId: taskId.optional(),
});

function taskEvent(summary: string): NotifyEvent<typeof notification> {
  return event({
    mode: 'notify',
    summary,
    schema: notification,
    example: {
      taskId: '07c6ad8c-d1ba-4e73-9bbf-c70a085a449c',
      orderId: '07c6ad8c-d1ba-4e73-9bbf-c70a085a449c',
    },
    subject: (payload) => `task:${payload.taskId}`,
  });
}

/** The event subscriptions of Signing Workflow 3.0.0, in the manual's order and spelling (`Canceled` has one l): PX-3. */
export const events = {
  OrderCreated: taskEvent('A task exists.'),
  OrderDocumentUpdated: taskEvent(
    'The task has a new document: copies and hashes taken before are out of date.',
  ),
  OrderAccepted: taskEvent('All signers have signed: the signed files can be fetched.'),
  OrderSigned: taskEvent(
    'One signature was added; the task may still wait for others. Repeats with each signer.',
  ),
  OrderRejected: taskEvent('A signer declined.'),
  OrderCanceled: taskEvent('The owner withdrew the task.'),
  OrderExpired: taskEvent('The due date passed before all had signed; a later due date may reopen the task.'),
  OrderDueDateUpdated: taskEvent('The due date changed.'),
  OrderSignersUpdated: taskEvent('The list of signers changed.'),
  OrderDescriptionUpdated: taskEvent('The description changed.'),
};
