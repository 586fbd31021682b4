import { notWritten, type HandlersOf, type phenixid } from '../../kit/index.ts';
import type { Tools } from '../tools.ts';

/** What is done with each event of Signing Workflow. `npm run new -- handler phenixid <Event>` begins one. */
export function phenixidHandlers(_tools: Tools): HandlersOf<typeof phenixid.events> {
  return {
    OrderCreated: notWritten,
    OrderDocumentUpdated: notWritten,
    OrderSigned: notWritten,
    OrderAccepted: notWritten,
    OrderRejected: notWritten,
    OrderCanceled: notWritten,
    OrderExpired: notWritten,
    OrderDueDateUpdated: notWritten,
    OrderSignersUpdated: notWritten,
    OrderDescriptionUpdated: notWritten,
  };
}
