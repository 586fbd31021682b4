import { z } from 'zod';
import type { Records } from '../records/records.ts';
import type { HandlersOf, Occurrence } from '../source.ts';
import { choices, date, number, repeat, text, trueFalse, type Answers } from '../sources/hotdocs/answers.ts';
import type { hotdocs } from '../sources/hotdocs/index.ts';
import { html } from './html.ts';

/** What the example templates ask for, as `records` keeps it of a person. */
const lease = z.object({
  tenant: z.string(),
  monthlyRent: z.number(),
  leaseStart: z.string(),
  petsAllowed: z.boolean(),
  utilities: z.array(z.string()),
  occupants: z.array(z.object({ name: z.string(), birthdate: z.string() })),
});

type Completed = Occurrence<
  string,
  {
    readonly workItemId: string;
    readonly workItemVersionId: string;
    readonly workItemName?: string | undefined;
    readonly documents: readonly { readonly id: string; readonly name: string }[];
  }
>;

export function hotdocsHandlers(records: Records): HandlersOf<typeof hotdocs.events> {
  return {
    NewWorkItemVersionComplete: (event) => keepDocuments(records, event, 'complete'),
    PostProcessingEvent: (event) => keepDocuments(records, event, 'being processed'),
    InterviewLoadEvent: ({ payload }) => leaseAnswers(records, payload.user?.email),
    CustomInterviewEvent: ({ payload }) => {
      // The Event Name of the element in the template says which lookup is meant.
      if (payload.eventName !== 'LookupTenant') return {};
      return leaseAnswers(records, payload.createdBy?.loginName);
    },
    ActionLink: ({ payload }) => workItemPage(records, payload.workItemId),
  };
}

/** Keeps the list of a version's documents. Documents keep their ids from version to version, so versions are told apart. */
function keepDocuments(records: Records, { payload }: Completed, state: string): string {
  const { workItemId, workItemVersionId, workItemName, documents } = payload;
  const versions = versionsOf(records, workItemId);
  const known = versions.find(({ id }) => id === workItemVersionId);
  // Processing comes before completion, whatever the order in which the two arrive.
  if (known?.state === 'complete' && state !== 'complete') return 'version is complete already';
  const version = {
    id: workItemVersionId,
    state,
    documents: documents.map(({ id, name }) => ({ id, name })),
  };
  records.put('work item', workItemId, {
    name: workItemName ?? workItemId,
    versions: [...versions.filter((other) => other !== known), version],
  });
  return `${documents.length} document${documents.length === 1 ? '' : 's'} listed, version ${state}`;
}

const workItem = z.object({
  name: z.string(),
  versions: z.array(
    z.object({
      id: z.string(),
      state: z.string(),
      documents: z.array(z.object({ id: z.string(), name: z.string() })),
    }),
  ),
});

function versionsOf(records: Records, id: string): z.output<typeof workItem>['versions'] {
  const known = records.find('work item', id);
  return known === undefined ? [] : workItem.parse(known).versions;
}

/** Variable names and structure are those of the template in HotDocs Author. Nobody known: the interview opens empty. */
function leaseAnswers(records: Records, email: string | undefined): Answers {
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

function workItemPage(records: Records, id: string): string {
  const known = workItem.safeParse(records.find('work item', id));
  if (!known.success) return page('Nothing is kept of this work item yet', '');
  const documents = known.data.versions.flatMap((version) => version.documents);
  return page(
    known.data.name,
    html`<ul>
      ${documents.map(({ name }) => html`<li>${name}</li>`)}
    </ul>`,
  );
}

function page(title: string, content: string | ReturnType<typeof html>): string {
  return String(html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<body style="font-family: sans-serif">
<h1>${title}</h1>
${content}
</html>
`);
}
