import type { EndpointConfig } from '../src/kit/endpoint/definition.ts';
import { openTape } from '../src/kit/tape/open.ts';
import type { Kept } from '../src/kit/tape/tape.ts';
import { ConfigInvalid, readConfig, type Config } from '../src/kit/program/config.ts';
import { startupProblems } from '../src/kit/program/startup.ts';
import { textIn } from '../src/kit/reading/text.ts';
import { readOptions, runCommand, warn, wholeNumber } from '../src/lab/command.ts';
import { endpointsIn, furtherSecrets } from '../src/lab/explain/context.ts';
import { explain, type Report } from '../src/lab/explain/explain.ts';
import { outline, tell } from '../src/lab/explain/tell.ts';
import { onOneLine } from '../src/lab/printable.ts';
import { acceptTaped } from '../src/kit/tape/accept.ts';
import { UsageError } from '../src/lab/usage.ts';
import { bytesOf, listed, refusedIn, refusedOn, type Refused } from './explain/refused.ts';
import { momentIn } from './inbox/choose.ts';
import { failed, moment, printJson } from './inbox/print.ts';
import { openedOrWhy, withInbox, withOpened } from './inbox/with-inbox.ts';
import { app, environment } from './the-app.ts';

const USAGE = `Says why a delivery was refused: finds the one change, or the two, with which the receiver's whole check accepts it.

  npm run explain                                what was refused and is on the tape
  npm run explain -- <n>                         why, and what to do about it; the X-Request-Id of the reply will do
  npm run explain -- <n> --accept                puts it into the inbox, now that it verifies
  npm run explain -- --file request.http         the same of a request in a file: as curl --trace, mitmproxy or Wireshark write it
  npm run explain -- --har file [<n>]            of a HAR file, of several requests in it the one of that number

  --secrets file      other secrets to try: older, newer, another installation's. One each line, by itself or behind NAME=
  --seconds n         how long to look for two changes at once (default 10)
  --at moment         when a request in a file came, where that does not say it: 90min, 2h, 2031-02-03T14:00:00Z (default now)
  --although-stale    for --accept: also when its token has expired since; at the time it came it must have been right
  --json              for programs
  --help              this

Secrets and settings are those of the receiver, from .env or the environment, and so is the tape: that of INBOX_URL, with
INBOX_KEYS if it is encrypted. No secret, token or payload is printed. Nothing is offered that would weaken a check.
Exit code: 0 one change fits, or it verifies; 1 none fits, or it is not accepted; 2 the command is not right; 3 several fit.
`;

const options = {
  file: { type: 'string' },
  har: { type: 'string' },
  secrets: { type: 'string' },
  seconds: { type: 'string', default: '10' },
  at: { type: 'string' },
  accept: { type: 'boolean', default: false },
  'although-stale': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof readOptions<{ options: typeof options }>>['values'];

/** As `nextRequestId` makes them. */
const REQUEST = /^[0-9a-f]{12}-[0-9a-z]+$/;

const EXIT = { verifies: 0, one: 0, none: 1, several: 3 } as const satisfies Record<
  Report['verdict'],
  number
>;

await runCommand(async (args) => {
  const { values, positionals } = readOptions({ args, allowPositionals: true, options });
  const [written, ...rest] = positionals;
  const number =
    written === undefined || REQUEST.test(written)
      ? undefined
      : wholeNumber('<n>', written, { min: 1, max: 9_999_999_999 });
  checkFit(values, written, rest);
  const { endpoints, problems } = endpointsIn(environment, app);
  warn(problems);
  const from = { values, endpoints };
  if (values.file !== undefined) return explainOne(refusedIn(values.file, 'http'), 1, from);
  if (values.har !== undefined) {
    const all = refusedIn(values.har, 'har');
    return explainOne(all, all.length === 1 ? 1 : number, from);
  }
  return withOpened(await openedOrWhy(environment, openTape), async (tape) => {
    const { refused, lost } = await refusedOn(tape);
    for (const one of lost) console.error(onOneLine(`#${one.number} cannot be read: ${one.unreadable}`));
    const named = number ?? refused.find(({ kept }) => kept?.request === (written ?? ''))?.number;
    if (!values.accept && (written === undefined || named !== undefined))
      return explainOne(refused, named, from);
    const kept = refused.find((one) => one.number === named)?.kept;
    if (kept === undefined) return failed(`No refused delivery on the tape is called ${String(written)}.`);
    return accept(kept, values['although-stale'], (seq) => tape.accepted(kept, seq));
  });
}, USAGE);

/** @throws UsageError for options that do not go together */
function checkFit(values: Values, number: string | undefined, rest: readonly string[]): void {
  const { file, har, at, accept: accepting } = values;
  if (rest.length > 0) throw new UsageError('explain takes one <n>, as it lists them.');
  if (file !== undefined && (har !== undefined || number !== undefined))
    throw new UsageError('--file goes with no <n> and no --har: there is one request in it.');
  if (at !== undefined && file === undefined && har === undefined)
    throw new UsageError('--at goes with --file or --har: a tape knows when a delivery came.');
  if (accepting && (number === undefined || file !== undefined || har !== undefined))
    throw new UsageError('--accept takes <n> of the tape: what is in a file has not come here.');
  if (accepting && (values.json || values.secrets !== undefined))
    throw new UsageError(
      '--accept goes by the secrets of the receiver, and takes no --json and no --secrets.',
    );
  if (values['although-stale'] && !accepting) throw new UsageError('--although-stale goes with --accept.');
}

interface Given {
  readonly values: Values;
  readonly endpoints: readonly EndpointConfig[];
}

/** Explains the one of that number; without a number lists what there is. Resolves with the exit code. */
async function explainOne(
  all: readonly Refused[],
  number: number | undefined,
  { values, endpoints }: Given,
): Promise<number> {
  const { json } = values;
  if (number === undefined) return list(all, { values, endpoints });
  const one = all.find((each) => each.number === number);
  if (one === undefined) return failed(`Nothing that was refused has the number ${number}.`);
  const ms = wholeNumber('--seconds', values.seconds, { min: 1, max: 3_600 }) * 1_000;
  const further = values.secrets === undefined ? [] : furtherSecrets(textIn(bytesOf(values.secrets)));
  const now = values.at === undefined ? Date.now() : momentIn('--at', values.at, Date.now());
  const { outcome, why } = one;
  const report = await explain({ ...one.request, outcome, why }, { endpoints, further, now }, { ms });
  if (json) printJson({ number, ...report });
  else print(one, report, endpoints);
  return EXIT[report.verdict];
}

function print(
  { number, request, kept, whole }: Refused,
  report: Report,
  endpoints: readonly EndpointConfig[],
): void {
  console.log(`#${number}  ${[moment(request.at) ?? [], outline(request, endpoints)].flat().join(', ')}`);
  if (request.at === undefined && isAboutTime(report))
    console.log('It does not say when it came, so it is judged as if that had been now: --at says it.');
  if (!whole)
    console.log(
      'Only the beginning of its body was kept, so nothing that is signed with it can be verified.',
    );
  for (const doubt of request.doubts ?? []) console.log(onOneLine(doubt));
  console.log();
  const isToTake = kept !== undefined && kept.seq === undefined;
  console.log(tell(report, isToTake ? `npm run explain -- ${number} --accept` : undefined));
  if (kept?.seq !== undefined) console.log(`It is in the inbox already, as entry ${kept.seq}.`);
}

function isAboutTime({ judged }: Report): boolean {
  return !judged.accepted && judged.code === 'proof_stale';
}

function list(all: readonly Refused[], { values, endpoints }: Given): number {
  if (values.json) {
    return printJson(
      all.map(({ number, request, outcome, why }) => {
        const [path, method, proof] = outline(request, endpoints);
        const [at, bytes] = [moment(request.at), request.body.length];
        return { number, at, path, code: outcome, method, proof, bytes, why };
      }),
    );
  }
  console.log(all.length === 0 ? 'Nothing that was refused is on the tape.' : listed(all, endpoints));
  return 0;
}

/** Resolves with the exit code. */
async function accept(
  kept: Kept,
  althoughStale: boolean,
  note: (seq: number) => Promise<void>,
): Promise<number> {
  const config = configOrWhy();
  if (typeof config === 'string') return failed(config);
  return withInbox(environment, async (inbox) => {
    const accepted = await acceptTaped(kept, { ...config, inbox, now: Date.now(), althoughStale });
    if (!accepted.accepted) return failed(`Not accepted: ${accepted.why}`);
    await note(accepted.seq);
    const was = accepted.duplicate ? 'is there already' : 'is in the inbox now, and will be handled';
    console.log(`#${kept.number} ${was}, as entry ${accepted.seq}: npm run inbox -- show ${accepted.seq}`);
    return 0;
  });
}

function configOrWhy(): Config | string {
  try {
    return readConfig(environment, app);
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    return startupProblems(error).trimEnd();
  }
}
