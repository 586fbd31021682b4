import type { Records } from '../records/records.ts';
import type { HandlersOf, Occurrence } from '../source.ts';
import type { phenixid } from '../sources/phenixid/index.ts';

type Notification = Occurrence<string, { readonly taskId: string }>;
type State = 'PENDING' | 'ACCEPTED' | 'REJECTED' | 'CANCELED' | 'EXPIRED';

/**
 * A notification says which task, not what became of it, and events come out of order. The state kept here is what the
 * events let us assume; where a document depends on it, fetch the task from the Automation API and keep what that says.
 */
export function phenixidHandlers(records: Records): HandlersOf<typeof phenixid.events> {
  const assume = (state: State) => (event: Notification) => assumeState(records, event, state);
  return {
    OrderCreated: assume('PENDING'),
    OrderDocumentUpdated: assume('PENDING'),
    OrderSigned: assume('PENDING'),
    OrderAccepted: assume('ACCEPTED'),
    OrderRejected: assume('REJECTED'),
    OrderCanceled: assume('CANCELED'),
    OrderExpired: assume('EXPIRED'),
    OrderDueDateUpdated: (event) => {
      const reopened = records.find('task', event.payload.taskId)?.['state'] === 'EXPIRED';
      return reopened ? keepState(records, event, 'PENDING') : assumeState(records, event, 'PENDING');
    },
    OrderSignersUpdated: assume('PENDING'),
    OrderDescriptionUpdated: assume('PENDING'),
  };
}

/**
 * A state that ends a task is not left again, however late an earlier event arrives. Only an expired task may have been
 * reopened before it came to another end.
 */
function assumeState(records: Records, event: Notification, state: State): string {
  const known = records.find('task', event.payload.taskId)?.['state'];
  const ended = known === 'EXPIRED' ? state === 'PENDING' : known !== undefined && known !== 'PENDING';
  return ended ? 'task has ended already' : keepState(records, event, state);
}

function keepState(records: Records, { type, payload, installation }: Notification, state: State): string {
  records.put('task', payload.taskId, { state, lastEvent: type, installation });
  return `task is ${state}`;
}
