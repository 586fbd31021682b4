import { z } from 'zod';
import { event } from '../../source.ts';
import { answers } from './answers/variables.ts';
import type { Answers } from './answers/answers.ts';

// Only NewWorkItemVersionComplete is published field by field (HD-23, HD-24). What is assumed of the others is optional,
// except what a handler cannot work without, and members that are not listed here are kept.

/** Opened by a person: its usual request is a GET. */
export const INTERVIEW_LOAD = 'InterviewLoadEvent';
export const CUSTOM_INTERVIEW = 'CustomInterviewEvent';
export const POST_PROCESSING = 'PostProcessingEvent';
/** A click, not a webhook: answered with a page, and two clicks are two events. */
export const ACTION_LINK = 'ActionLink';

/** The acting account. */
const createdBy = z.looseObject({
  id: z.string().optional(),
  loginName: z.string().optional(),
  /** `UserAccount` has been seen; others are to be expected. */
  accountType: z.string().optional(),
});

/** The part of the envelope that handlers get to see. */
export const occasion = {
  createdBy: createdBy.optional(),
  /** As it was sent: ISO 8601, usually with seven digits after the second. */
  createdDate: z.string().optional(),
};

const document = z.looseObject({
  /** May stay the same from one version to the next: key what you store by work item, version and document. */
  id: z.string(),
  /** Without extension. */
  name: z.string(),
  /** To be used as it is, with the API's token; its host must be one you know. */
  url: z.string(),
  fileName: z.string().optional(),
  mimeType: z.string().optional(),
});

const user = z.looseObject({
  id: z.string().optional(),
  name: z.string().optional(),
  email: z.string().optional(),
});

const workItemVersion = z.looseObject({
  workItemId: z.string(),
  workItemVersionId: z.string(),
  workItemName: z.string().optional(),
  documents: z.array(document).default([]),
  ...occasion,
});

const interview = z.looseObject({
  user: user.optional(),
  workItemId: z.string().optional(),
  workItemVersionId: z.string().optional(),
  workItemName: z.string().optional(),
  workGroupId: z.string().optional(),
  templatePackageId: z.string().optional(),
  templatePackageVersionId: z.string().optional(),
  ...occasion,
});

const customInterview = z.looseObject({
  ...interview.shape,
  /** Of the Interview Event dialog element that was clicked. */
  eventName: z.string().optional(),
  /** The answers so far, if they are sent: see `readAnswers`. */
  answers: z.unknown().optional(),
});

const actionLink = z.looseObject({
  workItemId: z.string(),
  workItemVersionId: z.string().optional(),
  userId: z.string().optional(),
  loginName: z.string().optional(),
  tenancyMoniker: z.string().optional(),
  actionLinkName: z.string().optional(),
  ...occasion,
});

/** An HTML page, shown in a new window. Every value in it that came with the event must be escaped. */
const page = z.union([
  z.string().transform((html) => ({ html, scripts: [] })),
  /** Scripts run only if their text, as it stands between the tags, is listed: constants, never made of an event. */
  z.object({ html: z.string(), scripts: z.array(z.string()) }),
]);

export type Page = z.output<typeof page>;

const mia = { id: '7e1c9f54-0b7d-4c0f-8f4e-3c2f5a9d6e20', loginName: 'm.keller@acme.example' };
const miasAccount = { ...mia, accountType: 'UserAccount' };
const workItemId = '1c4b7a90-3d52-4c8e-9a55-8f1d2b6e7c33';
const workItemVersionId = '9b8a7c6d-5e4f-4321-8abc-0d1e2f3a4b5c';
const workItemName = 'Lease 2024-118';
const templatePackageId = '0f9e8d7c-6b5a-4938-8271-605f4e3d2c1b';
const documentId = 'e2d3c4b5-a697-5886-9abc-1234567890ab';

export const events = {
  NewWorkItemVersionComplete: event({
    summary: 'A user completed an assembly: a new version of a work item, and its documents.',
    mode: 'notify',
    schema: workItemVersion,
    example: {
      workItemId,
      workItemVersionId,
      workItemName,
      documents: [
        {
          id: documentId,
          name: 'Lease Agreement',
          url: `https://advance.acme.example/HdaApi/rest/v1.1/workitems/${workItemId}/documents/${documentId}/content`,
        },
      ],
      createdBy: miasAccount,
    },
    subject: ({ workItemVersionId: version }) => `version:${version}`,
  }),

  [POST_PROCESSING]: event({
    summary:
      'Documents were assembled and wait to be changed or added to. The user sees none until the status is set to Complete.',
    mode: 'notify',
    schema: workItemVersion,
    example: {
      workItemId,
      workItemVersionId,
      workItemName,
      documents: [
        {
          id: documentId,
          name: 'Lease Agreement',
          url: `https://acme.advance.example/HdaApi/rest/v2.0/WorkItems/${workItemId}/Versions/${workItemVersionId}/Documents/${documentId}/Content`,
          fileName: 'Lease Agreement.docx',
          mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
        },
      ],
      createdBy: miasAccount,
    },
    subject: ({ workItemVersionId: version }) => `version:${version}`,
  }),

  [CUSTOM_INTERVIEW]: event({
    summary: 'A user clicked an Interview Event element and waits for answers to be filled in.',
    mode: 'reply',
    schema: customInterview,
    example: {
      eventName: 'LookupTenant',
      workItemId,
      workItemVersionId,
      workItemName,
      templatePackageId,
      createdBy: miasAccount,
    },
    answer: answers,
    describe: countAnswers,
    afterFailure: 'record',
  }),

  [INTERVIEW_LOAD]: event({
    summary: 'A user opens an interview and waits for it to be filled in.',
    mode: 'reply',
    schema: interview,
    example: {
      user: { id: mia.id, name: 'Mia Keller', email: mia.loginName },
      workItemId,
      workItemName,
      workGroupId: '44b0d1f2-8c3e-4a5b-9d6f-70e1f2a3b4c5',
      templatePackageId,
      createdBy: miasAccount,
    },
    answer: answers,
    describe: countAnswers,
    afterFailure: 'record',
  }),

  [ACTION_LINK]: event({
    summary: 'A user clicked an action link and waits for a page in a new window.',
    mode: 'reply',
    schema: actionLink,
    example: {
      workItemId,
      workItemVersionId,
      userId: mia.id,
      loginName: mia.loginName,
      tenancyMoniker: 'acme',
      actionLinkName: 'Send to signing',
    },
    answer: page,
    describe: ({ html }) => `a page of ${Buffer.byteLength(html)} bytes`,
    afterFailure: 'record',
  }),
};

/** A few words on answers: how many, never which. */
export function countAnswers(value: Answers): string {
  const count = Object.keys(value).length;
  if (count === 0) return 'no answers';
  return count === 1 ? '1 answer' : `${count} answers`;
}
