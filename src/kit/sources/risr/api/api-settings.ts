import { paceSettings, waySettings } from '../../../outgoing/settings.ts';
import { baseUrl, list, matching, password, text } from '../../../reading/settings.ts';
import type { SettingDefinitions, SettingValues } from '../../../source.ts';

export const apiSettings = {
  API_URL: {
    schema: baseUrl(),
    default: 'https://api.kaizenep.com/',
    summary: 'Of the API. Those of the other regions are not documented.',
  },
  API_DISCOVERY_URL: {
    schema: baseUrl(),
    default: 'https://auth.kaizenep.com/.well-known/openid-configuration',
    summary: 'Says where tokens come from.',
  },
  API_TOKEN_HOSTS: {
    schema: list(),
    default: '',
    summary: 'Further hosts that it may name for that. They get the client secret.',
  },
  API_CLIENT_ID: { schema: text(), default: '', summary: 'Public key of the API user.' },
  API_CLIENT_SECRET: { schema: password(), default: '', file: true, summary: 'Its secret key.' },
  API_ORGANISATION: {
    schema: matching(/^[\x21-\x7e]*$/, 'an organisation id such as org_demo'),
    default: '',
    summary: 'Id that the vendor gave the organisation: `org_…`.',
  },
  API_USER_PATH: {
    schema: text(),
    default: 'v2/users/{id}',
    summary: 'Below API_URL, where a user is read and written. Not documented.',
  },
  API_BOOKING_PARTS: {
    schema: list(),
    default: 'all',
    summary: '`includeParts` of a booking, each once; `allfields` needs a permission.',
  },
  ...paceSettings,
  ...waySettings,
} as const satisfies SettingDefinitions;

export type ApiSettings = SettingValues<typeof apiSettings>;

/** Without these there is no API to call. */
export const needed = [
  'API_CLIENT_ID',
  'API_CLIENT_SECRET',
  'API_ORGANISATION',
] as const satisfies readonly (keyof ApiSettings)[];
