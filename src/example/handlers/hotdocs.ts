import { z } from 'zod';
import {
  answers,
  DeadLetter,
  orGiveUp,
  postProcess,
  runs,
  unchanged,
  type HandlersOf,
  type hotdocs,
  type RunnableStep,
} from '../../kit/index.ts';
import type { Records } from '../records/records.ts';
import type { Tools } from '../tools.ts';
import { workItemPage } from './hotdocs/action-link.ts';
import { archiveDocument, archiveLater, archiving } from './hotdocs/documents.ts';
import { markDocuments } from './hotdocs/mark-documents.ts';
import { findWorkItem, listDocuments } from './hotdocs/work-items.ts';

const { choices, date, number, repeat, text, trueFalse } = answers;

/** What the example templates ask for, as `records` keeps it of a person. */
const lease = z.object({
  tenant: z.string(),
  monthlyRent: z.number(),
  leaseStart: z.string(),
  petsAllowed: z.boolean(),
  utilities: z.array(z.string()),
  occupants: z.array(z.object({ name: z.string(), birthdate: z.string() })),
});

export function hotdocsHandlers(tools: Tools): HandlersOf<typeof hotdocs.events> {
  const { records, archive, apisOf, settings } = tools;
  return {
    NewWorkItemVersionComplete(event) {
      if (apisOf(event).hotdocs !== undefined) archiveLater(event);
      return listDocuments(records.of(event.installation), event.payload, 'complete');
    },
    async PostProcessingEvent(event) {
      const note = listDocuments(records.of(event.installation), event.payload, 'being processed');
      const api = apisOf(event).hotdocs;
      if (note === undefined) return unchanged('version is complete already');
      if (api === undefined) return note;
      const change = (changing: typeof event) => markDocuments(archive.of(event.installation), api, changing);
      return postProcess(event, { api, change, onFailure: settings.HOTDOCS_POST_PROCESSING_FAILURE });
    },
    InterviewLoadEvent: ({ payload }) => leaseAnswers(records, payload.user?.email),
    CustomInterviewEvent: ({ payload }) => {
      // The Event Name of the element in the template says which lookup is meant.
      if (payload.eventName !== 'LookupTenant') return {};
      return leaseAnswers(records, payload.createdBy?.loginName);
    },
    ActionLink: ({ payload: { workItemId, loginName }, installation }) =>
      workItemPage(
        findWorkItem(records.of(installation), workItemId),
        leaseAnswers(records, loginName),
        settings,
      ),
  };
}

/** What the handlers above ask to be done after them. */
export function hotdocsSteps({ archive, apisOf }: Tools): readonly RunnableStep[] {
  return [
    runs(archiving, async ({ data, installation, signal }) => {
      const api = apisOf({ installation }).hotdocs;
      if (api === undefined)
        throw new DeadLetter('handler_gave_up', 'The API of HotDocs is not set up any more.');
      const { bytes } = await orGiveUp(archiveDocument(archive.of(installation), api, data, signal));
      return `${bytes} bytes archived`;
    }),
  ];
}

/** Variable names and structure are those of the template in HotDocs Author. Nobody known: the interview opens empty. */
function leaseAnswers(records: Records, email: string | undefined): answers.Answers {
  const known = lease.safeParse(
    email === undefined ? undefined : records.find('person', email.toLowerCase()),
  );
  if (!known.success) return {};
  const { tenant, monthlyRent, leaseStart, petsAllowed, utilities, occupants } = known.data;
  return {
    'Tenant Name': text(tenant),
    'Monthly Rent': number(monthlyRent),
    'Lease Start': date(leaseStart),
    'Pets Allowed': trueFalse(petsAllowed),
    'Utilities Included': choices(utilities),
    Occupants: repeat(
      occupants.map(({ name, birthdate }) => ({
        'Occupant Name': text(name),
        'Occupant Birthdate': date(birthdate),
      })),
    ),
  };
}
