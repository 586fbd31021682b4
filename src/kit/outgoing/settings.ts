import { z } from 'zod';
import { integer, list, matching } from '../reading/settings.ts';
import type { SettingDefinitions, SettingValues } from '../source.ts';
import type { OutgoingOptions } from './client.ts';

/** What an operator can set of the way to any API. */
export const waySettings = {
  API_ADDRESSES: {
    schema: list(),
    default: '',
    summary:
      'Private addresses that the names of the API may lead to, with the port unless it is 443: `10.1.2.3:8081`. ' +
      'Others are never connected to.',
  },
  API_PROXY: {
    schema: proxyUrl(),
    default: '',
    file: true,
    summary:
      'A proxy for all calls to the API: `http://proxy.example.org:3128`, with `user:password@` if it asks for one. It looks ' +
      'the names up, so which addresses they lead to is its matter; `HTTPS_PROXY` is not used.',
  },
  API_CA: {
    schema: pem(),
    default: '',
    file: true,
    summary: 'PEM: the authorities that its certificate may come from, in place of the public ones.',
  },
  API_CERT: {
    schema: pem(),
    default: '',
    file: true,
    summary: 'PEM: the client certificate to show, together with `API_KEY`.',
  },
  API_KEY: { schema: pem(), default: '', file: true, summary: 'PEM: the key of the client certificate.' },
  API_CONNECT_TIMEOUT_MS: {
    schema: integer({ min: 100, max: 60_000 }),
    default: '5000',
    summary: 'A connection must be there within this time.',
  },
  API_TIMEOUT_MS: {
    schema: integer({ min: 100, max: 600_000 }),
    default: '30000',
    summary: 'One call must be done within this time, its reply read to the end.',
  },
  API_MAX_FILE_BYTES: {
    schema: integer({ min: 1024, max: 1_073_741_824 }),
    default: '52428800',
    summary: 'Largest document that is downloaded.',
  },
} as const satisfies SettingDefinitions;

/** For an API that counts calls. */
export const paceSettings = {
  API_CALLS_PER_SECOND: {
    schema: integer({ min: 1, max: 10_000 }),
    default: '5',
    summary: 'No more calls than these start within a second.',
  },
} as const satisfies SettingDefinitions;

/** How calls are made to these, and to nothing else: addresses, or hosts as `OutgoingOptions` has them. */
export function wayTo(
  settings: SettingValues<typeof waySettings>,
  ...places: readonly (URL | string)[]
): OutgoingOptions {
  return {
    hosts: [...places.map(hostOf), ...settings.API_ADDRESSES],
    tls: {
      ca: given(settings.API_CA),
      cert: given(settings.API_CERT),
      key: given(settings.API_KEY),
    },
    proxy: settings.API_PROXY,
    connectTimeoutMs: settings.API_CONNECT_TIMEOUT_MS,
    totalTimeoutMs: settings.API_TIMEOUT_MS,
    maxDownloadBytes: settings.API_MAX_FILE_BYTES,
  };
}

function pem() {
  return matching(/^$|-----BEGIN [A-Z0-9 ]+-----/, 'PEM text, or its file in the variable ending in _FILE');
}

function proxyUrl(): z.ZodType<URL | undefined, string> {
  const error = 'expected the address of a proxy, as http://proxy.example.org:3128, without a path';
  return z.string().transform((value, context) => {
    if (value.trim() === '') return undefined;
    const url = URL.parse(value.trim());
    if (
      url !== null &&
      /^https?:$/.test(url.protocol) &&
      url.pathname === '/' &&
      url.search + url.hash === ''
    )
      return url;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

function hostOf(place: URL | string): string {
  if (typeof place === 'string') return place;
  return place.protocol === 'http:' ? place.origin : place.host;
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}
