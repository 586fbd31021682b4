import type { HandlersOf } from '../../../../src/kit/index.ts';
import type { Crm } from '../crm.ts';
import type { acme } from '../sources/acme/index.ts';

export function acmeHandlers(crm: Crm): HandlersOf<typeof acme.events> {
  return { 'order.created': ({ payload }) => crm.file(`order ${payload.orderId}`) };
}
