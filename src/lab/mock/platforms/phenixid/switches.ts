import type { SwitchDefinitions, SwitchValues } from '../../../../kit/source.ts';

/** What the platform itself can vary; all other switches are its sender's. Each names a gap of the documentation. */
export const phenixidSwitches = {
  deliveries: { values: ['once', 'twice'], summary: 'How often each event is sent.' },
  lastSignature: {
    values: ['signed-first', 'accepted-first'],
    summary: 'Order of OrderSigned and OrderAccepted after the last signature.',
  },
  apiLagMs: { text: '0', summary: 'The API shows a change this long after its event was sent.' },
  apiDelayMs: { text: '0', summary: 'The API takes this long for each reply.' },
  unknownId: { values: ['400', '404'], summary: 'Answer to an id that is not, or no longer, there.' },
  orderStatus: {
    values: ['word', 'json-string', 'object'],
    summary: 'How v1 writes the status: ACCEPTED, "ACCEPTED" or {"status":"ACCEPTED"}.',
  },
} as const satisfies SwitchDefinitions;

export type PhenixidChoices = SwitchValues<typeof phenixidSwitches>;
