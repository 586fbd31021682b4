import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { messageOf } from '../../../../kit/errors.ts';
import type { TlsOptions } from '../../send.ts';
import { UsageError } from '../../../usage.ts';
import type { Target } from '../firing.ts';

/** The configuration of Signing Workflow as far as it concerns webhooks: the manual's keys and defaults. */
const configuration = z.looseObject({
  webHook: z
    .strictObject({
      enabled: z.boolean().default(false),
      endpoint: z
        .url({ protocol: /^https?$/ })
        .refine((url) => !/[?#]/.test(url), 'no query: ?key= is put behind the endpoint')
        .optional(),
      key: z.string().min(1).optional(),
      secret: z.string().min(1).optional(),
      connectionTimeout: duration().default(30_000),
      useSslTrustAll: z.boolean().default(true),
      useSslClientCert: z.boolean().default(false),
      sslTrustFile: z.string().min(1).optional(),
      sslKeyFile: z.string().min(1).optional(),
      sslKeyPassword: z.string().optional(),
    })
    .optional(),
});

type WebHook = NonNullable<z.output<typeof configuration>['webHook']>;

/**
 * Where events go according to a `config.json`: its content, or the path of the file. Nothing where they are not enabled.
 * @throws UsageError that names what is wrong
 */
export function webHookTarget(config: unknown): Target | undefined {
  const result = configuration.safeParse(typeof config === 'string' ? readConfig(config) : config);
  if (!result.success) throw new UsageError(z.prettifyError(result.error));
  const { webHook } = result.data;
  if (webHook?.enabled !== true) return undefined;
  if (webHook.endpoint === undefined) throw new UsageError('webHook is enabled and has no endpoint.');
  return {
    url: new URL(webHook.endpoint),
    credential: { kind: 'SECRET', text: webHook.secret ?? '' },
    timeoutMs: webHook.connectionTimeout,
    tls: tlsOf(webHook),
    switches: {
      connectionTimeoutMs: String(webHook.connectionTimeout),
      ...(webHook.key !== undefined && { key: webHook.key }),
      ...(webHook.secret === undefined && { scheme: 'unsigned' }),
    },
  };
}

function readConfig(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read as JSON: ${messageOf(error)}`, { cause: error });
  }
}

// https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/time/Duration.html#parse(java.lang.CharSequence)
const JAVA_DURATION =
  /^P(?:(?<days>\d+)D)?(?:T(?=\d)(?:(?<hours>\d+)H)?(?:(?<minutes>\d+)M)?(?:(?<seconds>\d+(?:[.,]\d{0,9})?)S)?)?$/i;

/** Milliseconds of a text such as `PT30S`, `PT1M` or `PT0.5S`; no months or years, whose length is not fixed. */
function duration(): z.ZodType<number, string> {
  return z
    .string()
    .transform((text) => {
      const { days, hours, minutes, seconds } = JAVA_DURATION.exec(text)?.groups ?? {};
      const wholeMinutes = (Number(days ?? 0) * 24 + Number(hours ?? 0)) * 60 + Number(minutes ?? 0);
      return wholeMinutes * 60_000 + Math.round(Number((seconds ?? '0').replace(',', '.')) * 1000);
    })
    .refine((ms) => ms > 0 && ms < 2 ** 31, 'expected a Java duration such as PT30S, PT1M or PT0.5S');
}

function tlsOf(webHook: WebHook): TlsOptions {
  const { useSslTrustAll, useSslClientCert, sslTrustFile, sslKeyFile, sslKeyPassword } = webHook;
  if (useSslClientCert && sslKeyFile === undefined) {
    throw new UsageError('webHook: useSslClientCert needs sslKeyFile.');
  }
  return {
    rejectUnauthorized: !useSslTrustAll,
    ...(sslTrustFile !== undefined && !useSslTrustAll && { ca: readTrust(sslTrustFile) }),
    // PX-19: the manual shows a key file without the switch, too, and not what that is good for: nothing is presented then.
    ...(sslKeyFile !== undefined && useSslClientCert && readKey(sslKeyFile, sslKeyPassword)),
  };
}

/** The product reads PKCS#12 here as well; Node reads it only where a private key is in it. */
function readTrust(file: string): string {
  const text = readStore('sslTrustFile', file).toString('latin1');
  if (isPem(text)) return text;
  throw new UsageError(
    `webHook: sslTrustFile is not PEM. This makes PEM of PKCS#12: openssl pkcs12 -in ${file} -nokeys -out trust.pem`,
  );
}

function readKey(file: string, passphrase: string | undefined): TlsOptions {
  const store = readStore('sslKeyFile', file);
  const text = store.toString('latin1');
  const secured = passphrase === undefined ? {} : { passphrase };
  const options = isPem(text) ? { cert: text, key: text, ...secured } : { pfx: store, ...secured };
  try {
    createSecureContext(options);
    return options;
  } catch (error) {
    throw new UsageError(
      `webHook: sslKeyFile is neither PKCS#12 nor PEM with certificate and key, or sslKeyPassword is wrong ` +
        `(${messageOf(error)}).`,
      { cause: error },
    );
  }
}

function readStore(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`webHook: ${setting} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function isPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}
