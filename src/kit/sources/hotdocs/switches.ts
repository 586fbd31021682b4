import { CUSTOM_INTERVIEW, INTERVIEW_LOAD, POST_PROCESSING } from './events.ts';
import type { SwitchDefinitions, SwitchValues } from '../../source.ts';

// Each stands for a gap of the documentation, one plausible choice after the other; README.md names the fact.

export const switches = {
  verb: {
    values: ['usual', 'POST', 'GET', 'PUT'],
    summary: 'Method. Usual is POST, for InterviewLoadEvent GET; an action link is always a POST.',
    // HD-4: it was a GET up to v1.30, and newer revisions let one choose.
    expected: (type) => (type === CUSTOM_INTERVIEW ? ['GET'] : []),
  },
  carrier: {
    values: ['usual', 'form', 'query', 'multipart', 'header', 'json', 'body'],
    summary: 'Where the JWT travels. Usual is the form field `token`, on a GET the query.',
  },
  tokenBody: {
    values: ['usual', 'json', 'form', 'multipart', 'query'],
    summary:
      'Where the event travels when an access token proves it. Usual is a JSON body, on a GET the query.',
  },
  keyMode: {
    values: ['utf8', 'base64'],
    summary: 'How the HMAC secret becomes key bytes.',
    agreed: true,
  },
  claims: {
    values: ['flat', 'data-object', 'data-string', 'payload-string'],
    summary: 'The event is the claims themselves, or one claim: an object, or JSON text.',
  },
  times: {
    values: ['none', 'iat', 'iat+exp'],
    summary: 'Whether the token says when it was issued, and that it expires five minutes later.',
    // Not documented, and of any JWT: https://www.rfc-editor.org/rfc/rfc7519#section-4.1
    expected: () => ['iat', 'iat+exp'],
  },
  authForm: {
    values: ['bare', 'bearer', 'token'],
    summary: 'The scheme word in front of what the Authorization header carries.',
  },
  payloadFormat: {
    values: ['standard', 'legacy'],
    summary: 'Legacy is taken to be the published v1.23 shape: documents have id, name and url only.',
    expected: (type) => (type === POST_PROCESSING ? ['legacy'] : []),
  },
  fieldStyle: {
    values: ['camel', 'pascal', 'flat'],
    summary: 'Spelling of the members; flat has no `data` and no objects but documents.',
  },
  loadName: {
    values: ['InterviewLoadEvent', 'LoadInterviewEvent'],
    summary: 'Both spellings are in the documentation.',
    expected: (type) => (type === INTERVIEW_LOAD ? ['LoadInterviewEvent'] : []),
  },
  omitEventId: { values: ['false', 'true'], summary: 'Leaves out `eventId`.' },
  includeAnswers: {
    values: ['false', 'true'],
    summary: 'Sends the answers so far with CustomInterviewEvent, in dialect A.',
  },
  dateStyle: {
    values: ['7 digits', '3 digits', 'none', 'offset'],
    summary: 'Fraction of the second in `createdDate`, or an offset instead of Z.',
  },
  docUrl: {
    values: ['given', 'v1.1', 'v2.0-versioned'],
    summary: 'Path of the download addresses: as in the payload, or one of the two published.',
  },
  padToken: { text: '0', summary: 'Makes the content longer by this many characters: long query strings.' },
  answerDialect: {
    values: ['any', 'A', 'B', 'C'],
    summary: 'Accepts answers in this dialect only.',
    agreed: true,
  },
  externalAnswersMaxBytes: { text: '204800', summary: 'Largest answer it reads.' },
  timeoutMs: { text: '10000', summary: 'How long it waits for a reply.' },
} as const satisfies SwitchDefinitions;

export type Choices = SwitchValues<typeof switches>;
