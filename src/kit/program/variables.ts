import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { readPasses } from '../console/passes.ts';
import { readInboxKeys } from '../inbox/sealed/keys.ts';
import { decimal, integer, list, matching, oneOf, portOrOff, text } from '../reading/settings.ts';
import type { SettingDefinitions, SettingValues } from '../source.ts';

/** The text of the keys; each reader makes them of it. */
function inboxKeys(): z.ZodType<string, string> {
  return z.string().transform((value, context) => {
    if (value.trim() === '') return '';
    try {
      readInboxKeys(value);
      return value;
    } catch (error) {
      context.addIssue(messageOf(error));
      return z.NEVER;
    }
  });
}

/** As an address has them, without scheme and port. */
function hostNames(): z.ZodType<readonly string[], string> {
  const error = 'expected names of hosts, separated by commas, without https:// and without a port';
  return list().refine((names) => names.every((name) => /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(name)), {
    error,
  });
}

/** The text of the tokens; the console makes passes of it. */
function passes(): z.ZodType<string, string> {
  return z.string().transform((value, context) => {
    try {
      readPasses(value, 'look');
      return value;
    } catch (error) {
      context.addIssue(messageOf(error));
      return z.NEVER;
    }
  });
}

/** Everything that is not about one sender's endpoints or API. */
export const variables = {
  ROLE: {
    schema: oneOf('both', 'receiver', 'worker'),
    default: 'both',
    summary:
      'What this process does: `receiver` stores deliveries and answers, `worker` handles what is stored and takes none, ' +
      '`both`. Several processes need a `postgres://` inbox.',
  },
  HOST: { schema: text(), default: '127.0.0.1', summary: 'Address the receiver listens on.' },
  PORT: {
    schema: integer({ min: 0, max: 65_535 }),
    default: '3000',
    summary: 'Its port; 0 takes a free one.',
  },
  TLS_CERT: {
    schema: text(),
    default: '',
    file: true,
    summary:
      'With `TLS_KEY`, the receiver speaks HTTPS (TLS 1.2 and 1.3) itself. PEM; `TLS_CERT_FILE` names its file: the ' +
      "receiver's certificate, then the authorities in between.",
  },
  TLS_KEY: {
    schema: text(),
    default: '',
    file: true,
    summary: 'PEM: the key of `TLS_CERT`, without a passphrase. `TLS_KEY_FILE` names its file.',
  },
  TLS_CLIENT_CA: {
    schema: text(),
    default: '',
    file: true,
    summary:
      'PEM: the authorities whose client certificates count, where an endpoint demands one. `TLS_CLIENT_CA_FILE` names ' +
      'its file.',
  },
  TLS_CLIENT_CRL: {
    schema: text(),
    default: '',
    file: true,
    summary:
      'PEM: the lists of certificates that each of these authorities has revoked. `TLS_CLIENT_CRL_FILE` names its file. ' +
      'Once a list is out of date every client certificate is refused: renew it in time.',
  },
  INBOX_URL: {
    schema: matching(
      // One @ at most, and that before the path: what stands behind another would be taken for the host, and printed.
      /^(memory:|sqlite:(?!\/\/|:memory:).+|postgres(ql)?:\/\/((?:[^\s/?#@%]|%[\da-fA-F]{2})*@)?(?:[^\s#@%]|%[\da-fA-F]{2})+)$/,
      'memory:, sqlite:<file> or postgres://<user>:<password>@<host>/<database>, where in user and password each of ' +
        '/ @ : ? # % must be percent-encoded: @ is %40, / is %2F',
    ),
    default: 'sqlite:data/inbox.db',
    file: true,
    summary:
      'Where accepted deliveries are kept: `sqlite:<file>`, `postgres://…?sslmode=verify-full` (for several processes or machines) or ' +
      '`memory:` (lost on exit; for tests). `INBOX_URL_FILE` names a file that holds it.',
  },
  INBOX_MAX_WAITING: {
    schema: integer({ min: 1, max: 100_000_000 }),
    default: '1000000',
    summary: 'With this many entries waiting, deliveries are answered 503.',
  },
  INBOX_MAX_WAITING_BYTES: {
    schema: integer({ min: 1, max: 1_000_000_000_000 }),
    default: '4294967296',
    summary: 'With so much content waiting, deliveries are answered 503.',
  },
  INBOX_KEYS: {
    schema: inboxKeys(),
    default: '',
    file: true,
    summary:
      'Keys that contents are encrypted with where they are kept: a line each, newest first, 32 random bytes as base64 ' +
      '(`openssl rand -base64 32`). `INBOX_KEYS_FILE` names their file. Empty: nothing is encrypted.',
  },
  RETENTION_DAYS: {
    schema: decimal({ min: 0, max: 36_500 }),
    default: '7',
    summary:
      'So long an entry is kept after it was handled; 0.5 is half a day. 0 keeps all for ever. Dead letters stay.',
  },
  REPLAY_DAYS: {
    schema: decimal({ min: 0, max: 36_500 }),
    default: '365',
    summary:
      'So long after it was handled a redelivery is known for one, whoever sends it: once its entry is forgotten, by the hash ' +
      'of its key, of about 100 bytes. With 0, and never less than, as long as the entry is kept.',
  },
  TAPE: {
    schema: oneOf('refused', 'all', 'off'),
    default: 'refused',
    summary:
      'Which deliveries are kept as they came, beside the inbox, for `npm run explain` and `npm run tape`: those that were ' +
      'refused, `all`, or none. Of each endpoint and outcome the first 10 and the last 40.',
  },
  TAPE_DAYS: {
    schema: decimal({ min: 0.001, max: 36_500 }),
    default: '7',
    summary: 'So long they are kept.',
  },
  ADMIN_HOST: {
    schema: text(),
    default: '127.0.0.1',
    summary: 'Address that health, readiness and metrics are asked at. Whoever reaches it may ask.',
  },
  ADMIN_PORT: {
    schema: portOrOff(),
    default: '3001',
    summary: 'Its port: `/live`, `/ready`, `/metrics` and the console. 0 takes a free one, `off` opens none.',
  },
  CONSOLE: {
    schema: oneOf('on', 'off'),
    default: 'on',
    summary: 'Whether that port has the console, pages for people.',
  },
  CONSOLE_TOKEN: {
    schema: passes(),
    default: '',
    file: true,
    summary:
      'Who may look at the console and act there, each with a token of his own: `ada:…,ben:…`, at least 20 characters each ' +
      '(`openssl rand -base64 24`). `CONSOLE_TOKEN_FILE` names a file that holds it. Without one there is a console in ' +
      'development only.',
  },
  CONSOLE_LOOK_TOKEN: {
    schema: passes(),
    default: '',
    file: true,
    summary: 'The same for those who may only look. `CONSOLE_LOOK_TOKEN_FILE` names a file that holds it.',
  },
  CONSOLE_HOSTS: {
    schema: hostNames(),
    default: '',
    summary:
      'Names that the console is asked for by, besides `localhost` and `ADMIN_HOST`: that of a proxy in front of it, ' +
      '`ops.example.org`. By any other it is refused.',
  },
  LOG_LEVEL: {
    schema: oneOf('debug', 'info', 'warn', 'error', 'silent'),
    default: 'info',
    summary: 'At `info` there is one line per delivery, at `debug` one for each step of its way as well.',
  },
  REQUEST_TIMEOUT_MS: {
    schema: integer({ min: 100, max: 300_000 }),
    default: '10000',
    summary: 'A request must have arrived whole within this time.',
  },
  MAX_CONNECTIONS: {
    schema: integer({ min: 1, max: 1_000_000 }),
    default: '2000',
    summary:
      'Connections open at the same time; fewer, with a warning, where the process may not open so many files and 128 more. ' +
      'For a further one, the network that has most of them loses its oldest, those without a delivery first.',
  },
  BODY_BUDGET_BYTES: {
    schema: integer({ min: 4_194_304, max: 1_000_000_000_000 }),
    default: '134217728',
    summary:
      'Memory for bodies until they are answered, half of it for one network at most; further ones are answered 503. The ' +
      'first 16 KiB of each are not counted.',
  },
  KEEP_ALIVE_MS: {
    schema: integer({ min: 0, max: 3_600_000 }),
    default: '75000',
    summary:
      'A connection without a request is kept this long. It must be longer than the proxy in front keeps it (nginx, AWS and ' +
      'most others: 60 s): otherwise a delivery is now and then written into a connection that is just being closed.',
  },
  TRUST_PROXY_HOPS: {
    schema: integer({ min: 0, max: 16 }),
    default: '0',
    summary:
      'Proxies in front that set X-Forwarded-For or append to it; used only to count by address. What is no address there ' +
      'counts for the address of the connection.',
  },
  FAILED_PROOF_LIMIT: {
    schema: integer({ min: 1, max: 1_000_000 }),
    default: '100',
    summary: 'After this many failed proofs a minute from one address, further ones are answered 429.',
  },
  HANDLER_CONCURRENCY: {
    schema: integer({ min: 1, max: 1000 }),
    default: '8',
    summary: 'Handlers of stored entries that run at the same time.',
  },
  HANDLER_TIMEOUT_MS: {
    schema: integer({ min: 100, max: 86_400_000 }),
    default: '60000',
    summary: 'Time of one attempt of the worker.',
  },
  HANDLER_ATTEMPTS: {
    schema: integer({ min: 1, max: 100 }),
    default: '12',
    summary: 'Attempts before an entry becomes a dead letter.',
  },
  SHUTDOWN_MS: {
    schema: integer({ min: 0, max: 600_000 }),
    default: '10000',
    summary: 'On SIGTERM, what is in flight has this long.',
  },
  SHUTDOWN_DELAY_MS: {
    schema: integer({ min: 0, max: 600_000 }),
    default: '0',
    summary:
      'Before that, `/ready` says no for this long while deliveries are still taken: as long as your load balancer needs to ' +
      'notice, 15000 for example.',
  },
} as const satisfies SettingDefinitions;

export type GeneralSettings = SettingValues<typeof variables>;
