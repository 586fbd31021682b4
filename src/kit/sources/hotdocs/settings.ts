import { integer, integerOr, oneOf, someOf, text } from '../../reading/settings.ts';
import type { SettingDefinitions, SettingValues } from '../../source.ts';

export const settings = {
  KEY_ENCODING: {
    schema: oneOf('utf8', 'base64', 'either'),
    default: 'utf8',
    summary:
      'How the HMAC secret becomes key bytes: its text as displayed, or what it stands for in base64. Not documented.',
  },
  CLOCK_TOLERANCE_S: {
    schema: integer({ min: 0, max: 3600 }),
    default: '90',
    summary: 'How far the two clocks may differ where a token says when it is valid, in seconds.',
  },
  MAX_AGE_S: {
    schema: integerOr('usual', { min: 0, max: 31_536_000 }),
    default: 'usual',
    summary:
      'Refuses tokens that say they were issued longer ago than this, in seconds; `usual` is 300. With a number of your own, ' +
      'tokens that do not say are refused, too. 0 is off.',
  },
  METHODS: {
    schema: someOf('GET', 'POST', 'PUT'),
    default: 'GET,POST,PUT',
    summary:
      'The methods that are taken, of those that Advance may use for the event; others are answered 405. With `POST`, no ' +
      'token can stand in a query, and so in nobody’s access log.',
  },
  ISSUER: {
    schema: text(),
    default: '',
    summary: 'Refuses tokens with another `iss`. Empty is off; whether tokens have one is not documented.',
  },
  AUDIENCE: {
    schema: text(),
    default: '',
    summary: 'Refuses tokens with another `aud`. Empty is off; whether tokens have one is not documented.',
  },
  ANSWER_DIALECT: {
    schema: oneOf('A', 'B', 'C'),
    default: 'A',
    summary: 'How answers are spelled: A as in the template, B a typed list, C a typed map. Not documented.',
  },
  EXTERNAL_ANSWERS_MAX_BYTES: {
    schema: integer({ min: 2, max: 104_857_600 }),
    default: '200000',
    summary: 'Largest answer. Raise it together with ExternalAnswersMaxBytes of the Advance installation.',
  },
  DEADLINE_MS: {
    schema: integer({ min: 100, max: 60_000 }),
    default: '5000',
    summary: 'How long a handler may take while a user waits. How long Advance waits is not documented.',
  },
  ON_FAILURE: {
    schema: oneOf('harmless', 'error'),
    default: 'harmless',
    summary:
      'When such a handler fails: `harmless` opens the interview without answers, `error` replies 503.',
  },
  MAX_BODY_BYTES: {
    schema: integer({ min: 1024, max: 104_857_600 }),
    default: '1048576',
    summary: 'Largest body. Answers of a long interview may be in it.',
  },
} as const satisfies SettingDefinitions;

export type Values = SettingValues<typeof settings>;
