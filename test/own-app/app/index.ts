import { defineApp, risr, setting } from '../../../src/kit/index.ts';
import { openCrm } from './crm.ts';
import { acmeHandlers } from './handlers/acme.ts';
import { risrHandlers } from './handlers/risr.ts';
import { acme } from './sources/acme/index.ts';

/** An integrator's app: one of the three products, a source and a setting of his own. */
export const app = defineApp({
  folder: 'src/app',
  sources: [risr, acme],
  settings: {
    CRM_REGION: {
      schema: setting.oneOf('north', 'south'),
      default: 'north',
      summary: 'The region of the CRM that everything is filed under.',
    },
  },
  open: ({ settings }) => openCrm(settings.CRM_REGION),
  handlers: (crm) => ({ risr: risrHandlers(crm), acme: acmeHandlers(crm) }),
});
