import { z } from 'zod';
import { paceSettings, waySettings } from '../../../outgoing/settings.ts';
import { tryJson } from '../../../reading/json.ts';
import { baseUrl, integer, list, oneOf, text } from '../../../reading/settings.ts';
import type { SettingDefinitions, SettingValues } from '../../../source.ts';

// The manual names most calls and prints few paths: what it does not print can be set.
export const apiSettings = {
  API_URL: {
    schema: baseUrl(),
    default: '',
    summary:
      'Of the Automation API or the proxy in front of it, for example `https://swf.example.org`; paths are put behind it.',
  },
  API_VERSION: {
    schema: oneOf('v2', 'v1'),
    default: 'v2',
    summary: '`v2`: tasks and files, of Signing Workflow 3. `v1`: orders, of 1.x and 2.x.',
  },
  API_HEADERS: {
    schema: headers(),
    default: '{}',
    file: true,
    summary: 'JSON object of headers that the proxy wants to see: `{"X-Api-Key":"…"}`.',
  },
  API_TASK_PATH: { schema: text(), default: 'api/v2/tasks/{taskId}', summary: 'v2: a task.' },
  API_FILES_PATH: {
    schema: text(),
    default: 'api/v2/tasks/{taskId}/files',
    summary: 'v2: the ids of its files.',
  },
  API_FILE_PATH: {
    schema: text(),
    default: 'api/v2/files/{fileId}',
    summary: 'v2: one of them. Not documented; perhaps `api/v2/tasks/{taskId}/files/{fileId}`.',
  },
  API_ORDER_STATUS_PATH: {
    schema: text(),
    default: 'api/document_signing/orders/{taskId}/status',
    summary: 'v1: the status of an order. Not documented; behind a proxy perhaps `orders/{taskId}/status`.',
  },
  API_ORDER_DOCUMENT_PATH: {
    schema: text(),
    default: 'api/document_signing/orders/{taskId}/document',
    summary: 'v1: its document. Not documented.',
  },
  API_UNKNOWN_DELAYS_MS: {
    schema: delays(),
    default: '1000,5000,30000',
    summary:
      'Waits before an unknown task is asked for again: the event may come before the task is there. After the last ' +
      'one it is gone.',
  },
  ...paceSettings,
  ...waySettings,
} as const satisfies SettingDefinitions;

export type ApiSettings = SettingValues<typeof apiSettings>;

/** Without this there is no API to call. */
export const needed = ['API_URL'] as const satisfies readonly (keyof ApiSettings)[];

/** What frames a request, or is ours to say, is not for a setting. */
const OURS =
  /^(host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|accept-encoding)$/i;

function headers(): z.ZodType<Readonly<Record<string, string>>, string> {
  const error = 'expected a JSON object of header names and texts';
  const name = z
    .string()
    .regex(/^[\w!#$%&'*+.^`|~-]+$/)
    .refine((value) => !OURS.test(value));
  const value = z.string().regex(/^[\x20-\x7e]*$/);
  return z.string().transform((json, context) => {
    const result = z.record(name, value).safeParse(tryJson(json));
    if (result.success) return result.data;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

function delays(): z.ZodType<readonly number[], string> {
  return list().pipe(
    z.array(integer({ min: 0, max: 600_000 }), { error: 'expected milliseconds, separated by commas' }),
  );
}
