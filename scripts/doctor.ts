import { messageOf } from '../src/kit/errors.ts';
import { readOptions, receiverUrl, runCommand } from '../src/lab/command.ts';
import { exitCodes } from '../src/lab/conformance/result.ts';
import { examine } from '../src/lab/doctor/examine.ts';
import { proxies } from '../src/lab/doctor/findings.ts';
import { askedLine, examinationJson, examinationText } from '../src/lab/doctor/tell.ts';
import { printable } from '../src/lab/printable.ts';
import { pickSome, UsageError } from '../src/lab/usage.ts';
import { addressOf } from './conform/assignments.ts';
import { refuseSecrets } from './conform/options.ts';
import { chosenFrom, tlsFor } from './conform/prepare.ts';
import { secretsIn } from './conform/secrets.ts';
import { targetsOf, type LeftOut } from './conform/targets.ts';
import { app, environment } from './the-app.ts';

const USAGE = `Sends canaries to a receiver of this kit, through whatever stands before it, and says what that makes of deliveries.

  npm run doctor -- --url https://hooks.example.org

A canary is a request with a mark that only a holder of the endpoint's secret can make. The receiver stores nothing of it,
calls no handler, and tells what arrived. It never has the secret itself with it.

  --url address            what the addresses of all endpoints begin with (default http://127.0.0.1:3000)
  --source name            hotdocs, phenixid, risr or all (default); several times
  --endpoint name=address  one endpoint elsewhere: phenixid=https://hooks.example.org/in?key=north; several times
  --switch of=choice       how the sender is set: phenixid:encoding=base64; several times
  --max-body of:bytes      the largest body that the receiver is set to take: risr:2097152; several times
  --secrets file           lines as in .env, and then those of .env do not count
  --ca, --cert, --key      PEM files for TLS: an authority to trust; a client certificate and its key
  --proxy name             lines for this one only: ${proxies.join(', ')}; with commas between several
  --patient                also waits as long as the receiver keeps connections (75 s), to see whether the proxy does so longer
  --json                   the result for a program

Secrets come from the variables that the receiver reads, in .env or the environment; of several the newest.
Exit code: 0 nothing is wrong on the way, 1 something is, 2 the command is not right, 3 nothing answers there, 4 no canary was
recognised, 5 the examination broke off, 130 interrupted.
`;

const REPLY_MS = 20_000;

await runCommand(async (args) => {
  refuseSecrets(args);
  const values = read(args);
  const url =
    values.url === undefined ? receiverUrl(undefined, environment['PORT']) : addressOf('--url', values.url);
  if (url.search !== '') throw new UsageError('--url: expected no query; ?key= goes into --endpoint.');
  const only = values.proxy === undefined ? proxies : pickSome('--proxy', values.proxy, proxies);
  const { endpoints, leftOut } = targetsOf({
    sources: chosenFrom(app.sources, values.source),
    further: app.endpoints ?? [],
    url,
    endpoint: values.endpoint,
    switch: values.switch,
    accepts: [],
    maxBody: values['max-body'],
    env: secretsIn(values.secrets, environment),
  });
  if (endpoints.length === 0) throw noSecret(leftOut);
  const tls = tlsFor(values);
  const say = values.json ? () => undefined : (line: string) => console.log(line);
  if (leftOut.length > 0) say(`–   no secret, so no canaries: ${leftOut.map(({ name }) => name).join(', ')}`);
  try {
    const examination = await examine({
      endpoints,
      tls,
      patient: values.patient,
      timeoutMs: REPLY_MS,
      signal: onInterrupt(),
      onAsked: (asked) => say(askedLine(asked)),
    });
    console.log(values.json ? examinationJson(examination) : `\n${examinationText(examination, only)}`);
    return exitCodes[examination.verdict];
  } catch (error) {
    console.error(`The examination broke off: ${printable(messageOf(error))}`);
    return exitCodes.broken;
  }
}, USAGE);

function noSecret(leftOut: readonly LeftOut[]): UsageError {
  const names = leftOut.map(({ variables }) => `  ${variables.join(' or ')}`);
  return new UsageError(
    `No endpoint has a secret. Set one of these to what the receiver has, in .env or in a file for --secrets:\n${names.join('\n')}`,
  );
}

function read(args: readonly string[]) {
  return readOptions({
    args: [...args],
    options: {
      url: { type: 'string' },
      source: { type: 'string', multiple: true, default: [] },
      endpoint: { type: 'string', multiple: true, default: [] },
      switch: { type: 'string', multiple: true, default: [] },
      'max-body': { type: 'string', multiple: true, default: [] },
      secrets: { type: 'string' },
      ca: { type: 'string' },
      cert: { type: 'string' },
      key: { type: 'string' },
      proxy: { type: 'string' },
      patient: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  }).values;
}

/** Aborts when Ctrl-C is pressed; the second time it ends at once. */
function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return controller.signal;
}
