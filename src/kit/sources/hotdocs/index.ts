import { DeadLetter } from '../../errors.ts';
import { accessToken } from '../../proofs/access-token.ts';
import { ageLimit } from '../../proofs/compact.ts';
import { jwt } from '../../proofs/jwt.ts';
import { defineApi, defineSource, type ReplyContent } from '../../source.ts';
import type { Answers } from './answers/answers.ts';
import { apiSettings, needed } from './api/api-settings.ts';
import { writeAnswers } from './answers/dialects.ts';
import { readEnvelope, writeEnvelope } from './content/envelope.ts';
import { ACTION_LINK, events, type Page } from './events.ts';
import { facts } from './facts.ts';
import { judge } from './judge.ts';
import { methods } from './wire/methods.ts';
import { plainContent } from './wire/plain-content.ts';
import { settings, type Values } from './settings.ts';
import { forged, sign } from './wire/sign.ts';
import { switches } from './switches.ts';
import { findToken } from './wire/token-place.ts';

/** HotDocs Advance: webhooks, and the calls of its action links. */
export const hotdocs = defineSource({
  name: 'hotdocs',
  title: 'HotDocs Advance',
  docs: new URL('https://help.hotdocs.com/advance/cloud/current/admin/Create_a_Webhook.htm'),
  endpointPer: 'event',
  settings,
  api: defineApi({
    settings: apiSettings,
    needed,
    open: async (settings, tools) => (await import('./api/api.ts')).createHotdocsApi(settings, tools),
  }),
  switches,
  events,
  facts,
  story: [
    'InterviewLoadEvent',
    'CustomInterviewEvent',
    'PostProcessingEvent',
    'NewWorkItemVersionComplete',
    'ActionLink',
  ],
  methods: (type, values) =>
    methods(type).filter(
      (method) => values === undefined || values.METHODS.some((taken) => taken === method),
    ),
  limits: ({ MAX_BODY_BYTES, DEADLINE_MS, ON_FAILURE }) => ({
    maxBodyBytes: MAX_BODY_BYTES,
    deadlineMs: DEADLINE_MS,
    onFailure: ON_FAILURE,
  }),
  proof: {
    kinds: {
      SECRET: {
        summary: 'HMAC authentication: the secret that Advance displays when the webhook is created.',
        place:
          'the page of the webhook or action link in Advance, Authentication Method HMAC: shown when it is created; made ' +
          'anew when it is edited, and from then on Advance signs with that',
        madeThere: true,
        keyEncodings: ({ KEY_ENCODING }) => (KEY_ENCODING === 'either' ? ['utf8', 'base64'] : [KEY_ENCODING]),
        proof: (values) =>
          jwt({
            find: findToken,
            types: ['JWT'],
            claims: 'strict',
            clockToleranceS: values.CLOCK_TOLERANCE_S,
            ...ageLimit(values.MAX_AGE_S),
            issuer: values.ISSUER === '' ? undefined : values.ISSUER,
            audience: values.AUDIENCE === '' ? undefined : values.AUDIENCE,
          }),
      },
      TOKEN: {
        summary:
          'Token authentication (legacy): the access token typed into the webhook. The event is unsigned.',
        place: 'the page of the webhook in Advance, Authentication Method Access token',
        keyEncodings: () => ['utf8'],
        proof: () => accessToken({ content: plainContent }),
      },
    },
    sign,
    ...forged,
  },
  envelope: {
    read: (content, endpoint, _settings, _headers, value) => readEnvelope(content, endpoint, value),
    write: writeEnvelope,
  },
  reply: {
    accepted: { status: 200, type: 'none', body: '' },
    answer,
    harmless: (type, { ANSWER_DIALECT }) =>
      type === ACTION_LINK ? SORRY : reply(writeAnswers({}, ANSWER_DIALECT)),
    judge,
  },
});

function answer(value: unknown, type: string, settings: Values): ReplyContent {
  // The receiver has parsed the answer with the event's schema: that of an action link is a page, the others' are answers.
  if (type === ACTION_LINK) return page(value as Page);
  const body = writeAnswers(value as Answers, settings.ANSWER_DIALECT);
  const bytes = Buffer.byteLength(body);
  if (bytes <= settings.EXTERNAL_ANSWERS_MAX_BYTES) return reply(body);
  throw new DeadLetter(
    'answer_too_large',
    `The answers have ${bytes} bytes, EXTERNAL_ANSWERS_MAX_BYTES is ${settings.EXTERNAL_ANSWERS_MAX_BYTES}.`,
  );
}

function page({ html, scripts }: Page): ReplyContent {
  return { status: 200, type: 'html', body: html, scripts };
}

function reply(body: string): ReplyContent {
  return { status: 200, type: 'json', body };
}

const SORRY: ReplyContent = {
  status: 200,
  type: 'html',
  body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Not available</title>
<p>This did not work. Nothing in your work item was changed. Please close this window and try again later.</p>
</html>
`,
};
