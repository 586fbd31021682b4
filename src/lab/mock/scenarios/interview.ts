import { MIME_TYPES } from '../platforms/documents.ts';
import type { AssembledDocument, Version } from '../platforms/hotdocs/work-items.ts';
import { randomText, randomUuid } from '../random.ts';
import { countInPdf, findArchived } from './files.ts';
import {
  atPlatform,
  atReceiver,
  foundIf,
  type Finding,
  type Scenario,
  type Step,
  type World,
} from './scenario.ts';

/** As the template in HotDocs Author calls them; all five types of answers, and a repeated dialog. */
const VARIABLES = [
  'Tenant Name',
  'Monthly Rent',
  'Lease Start',
  'Pets Allowed',
  'Utilities Included',
  'Occupants',
];

/** Event Name of the element that the user clicks, and name of the action link. */
export const LOOKUP = 'LookupTenant';
export const LINK = 'Send to signing';

export const interview: Scenario = {
  name: 'interview',
  platform: 'hotdocs',
  summary:
    'A user opens an interview that fills itself in, looks a tenant up and finishes; the documents are processed, ' +
    'completed and archived.',
  begin(world) {
    const { hotdocs, random } = world;
    const name = `Lease ${randomText(6, random)}`;
    const { id } = hotdocs.createWorkItem({ id: randomUuid(random), name });
    const story = {
      world,
      id,
      name,
      version: () => hotdocs.workItem(id).versions.at(-1) ?? missingVersion(),
    };
    return [open(story), lookUp(story), finish(story), sendOn(story)];
  },
};

interface Story {
  readonly world: World;
  /** Of the work item. */
  readonly id: string;
  readonly name: string;
  readonly version: () => Version;
}

function open({ world: { hotdocs }, id, version }: Story): Step {
  return {
    does: 'opens the interview',
    waits: true,
    act: () => hotdocs.openInterview(id),
    effects: [atPlatform('the interview is filled in', () => findAnswers(version().answers))],
  };
}

function lookUp({ world: { hotdocs }, id, version }: Story): Step {
  return {
    does: `clicks ${LOOKUP}, having cleared the tenant`,
    waits: true,
    async act() {
      hotdocs.handBack(id, { 'Tenant Name': '' });
      await hotdocs.clickInterviewEvent(id, LOOKUP);
    },
    effects: [
      atPlatform('the tenant is looked up', () => {
        const tenant = version().answers['Tenant Name'];
        return foundIf(typeof tenant === 'string' && tenant !== '', 'Tenant Name', 'Tenant Name is empty');
      }),
    ],
  };
}

function finish({ world, id, name, version }: Story): Step {
  let assembled: readonly AssembledDocument[] = [];
  return {
    does: 'finishes it',
    async act() {
      const finished = world.hotdocs.finishAssembly(id);
      assembled = version().documents;
      await finished;
    },
    effects: [
      atPlatform('post-processing has ended', () => {
        const { status } = version();
        return foundIf(status === 'Completed', 'Completed', `the version is ${status}`);
      }),
      atPlatform('its documents are stamped, once', () => findStamps(version().documents, assembled, name)),
      ...atReceiver(world, 'every document is archived, once', (receiver) =>
        findArchived(receiver.archived(), version().id, version().documents),
      ),
    ],
  };
}

function sendOn({ world: { hotdocs }, id }: Story): Step {
  let page = '';
  return {
    does: `clicks ${LINK}`,
    waits: true,
    async act() {
      const { reply } = await hotdocs.clickActionLink(id, LINK);
      page = reply?.body.toString() ?? '';
    },
    effects: [
      atPlatform('a page opens', () =>
        foundIf(/^<!doctype html>/i.test(page), 'HTML', page === '' ? 'no page' : 'something else opened'),
      ),
    ],
  };
}

function missingVersion(): never {
  throw new Error('A work item has a version from the start.');
}

function findAnswers(answers: Readonly<Record<string, unknown>>): Finding {
  const missing = VARIABLES.filter((name) => answers[name] === undefined);
  return foundIf(missing.length === 0, `${VARIABLES.length} answers`, `no ${missing.join(', ')}`);
}

/** A PDF carries the work item's name once more than it was made with; all that is no PDF has one cover sheet. */
function findStamps(
  documents: readonly AssembledDocument[],
  assembled: readonly AssembledDocument[],
  name: string,
): Finding {
  const pdfs = assembled.filter(({ contentType }) => contentType === MIME_TYPES.pdf);
  const unstamped = pdfs.flatMap((original) => {
    const now = documents.find(({ id }) => id === original.id);
    const stamps = now === undefined ? 0 : countInPdf(now.body, name) - countInPdf(original.body, name);
    return stamps === 1 ? [] : [`${original.fileName} has ${stamps} stamps`];
  });
  const sheets = documents.filter(({ id }) => !assembled.some((original) => original.id === id));
  const due = pdfs.length < assembled.length ? 1 : 0;
  const named = sheets.filter(({ body }) => countInPdf(body, name) > 0).length;
  const wrong = [
    ...unstamped,
    ...(named === due && sheets.length === due ? [] : [`${named} of ${sheets.length} cover sheets`]),
  ];
  return foundIf(
    wrong.length === 0,
    `“${name}” in ${pdfs.length} PDF and ${due} cover sheet`,
    wrong.join('; '),
  );
}
