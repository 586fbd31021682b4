import { waySettings } from '../../../outgoing/settings.ts';
import { baseUrl, list, oneOf, password, text } from '../../../reading/settings.ts';
import type { SettingDefinitions, SettingValues } from '../../../source.ts';

// https://help.hotdocs.com/advance/ has the calls; the paths that can be set are those it does not print.
export const apiSettings = {
  API_URL: {
    schema: baseUrl(),
    default: '',
    summary: 'Of the REST API, for example `https://<moniker>.hotdocsadvance.com/api/rest/v2.0/`.',
  },
  API_AUTH_URL: {
    schema: baseUrl(),
    default: '',
    summary: 'Where one logs in, for example `https://<moniker>.hotdocsadvance.com/auth/`.',
  },
  API_CLIENT_NAME: {
    schema: text(),
    default: '',
    summary: 'An active API client of flow type ResourceOwner, with scope Command to change documents.',
  },
  API_PRINCIPAL_NAME: { schema: text(), default: '', summary: 'An active service principal of that client.' },
  API_PRINCIPAL_PASSWORD: { schema: password(), default: '', file: true, summary: 'Its password.' },
  API_ALIASES: {
    schema: list(),
    default: '',
    summary:
      'Other hosts of the same API: document addresses may name them, and they get its token. Some revisions print ' +
      'addresses without the moniker.',
  },
  DOCUMENT_HOSTS: {
    schema: list(),
    default: '',
    summary:
      'Further hosts that document addresses in events may name, or redirects lead to. They do not get the token.',
  },
  API_UPLOAD_PATH: {
    schema: text(),
    default: 'WorkItems/{workItemId}/Versions/{versionId}/Documents/{documentId}/Content',
    summary: 'Below API_URL, where a document is put.',
  },
  API_VERSION_STATUS_PATH: {
    schema: text(),
    default: 'WorkItems/{workItemId}/Versions/{versionId}/Status',
    summary: 'Below API_URL, where the status of a version is read.',
  },
  API_FINISH_METHOD: {
    schema: oneOf('PUT', 'POST', 'PATCH'),
    default: 'PUT',
    summary: 'How the status of post-processing is set. The manual says only that it must be.',
  },
  API_FINISH_PATH: {
    schema: text(),
    default: 'WorkItems/{workItemId}/Versions/{versionId}/PostProcessingStatus',
    summary: 'Below API_URL, where it is set; `?status={status}` may stand behind it.',
  },
  API_FINISH_BODY: {
    schema: text(),
    default: '{"status":"{status}"}',
    summary: 'JSON to set it with; `none` for no body.',
  },
  ...waySettings,
} as const satisfies SettingDefinitions;

export type ApiSettings = SettingValues<typeof apiSettings>;

/** Without these there is no API to call. */
export const needed = [
  'API_URL',
  'API_AUTH_URL',
  'API_CLIENT_NAME',
  'API_PRINCIPAL_NAME',
  'API_PRINCIPAL_PASSWORD',
] as const satisfies readonly (keyof ApiSettings)[];
