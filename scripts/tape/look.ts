import type { Kept, Lost, Tape } from '../../src/kit/tape/tape.ts';
import { printable } from '../../src/lab/printable.ts';
import { pairsOf } from '../../src/kit/tape/raw.ts';
import { maskedPath, maskedRequest } from '../../src/kit/tape/masked.ts';
import { failed, moment, printJson, table } from '../inbox/print.ts';
import { isLost, keptUnder, type Chosen } from './command.ts';

export async function list(tape: Tape, _numbers: readonly number[], { json }: Chosen): Promise<number> {
  const all = await tape.list();
  if (json) return printJson(all.map((one) => (isLost(one) ? one : listed(one))));
  if (all.length === 0) console.log('Nothing is on the tape.');
  else
    console.log(
      table([['number', 'time', 'path', 'outcome', 'method', 'bytes', 'entry'], ...all.map(toRow)]),
    );
  return 0;
}

export async function show(tape: Tape, numbers: readonly number[], chosen: Chosen): Promise<number> {
  const { kept, problems } = await keptUnder(tape, numbers);
  const [one] = kept;
  if (one === undefined) return failed(problems.join('\n'));
  if (chosen.raw) return printRaw(one);
  const { target, headers, body, claims } = maskedRequest(one, chosen);
  const { from, httpVersion, endpoint, why } = one;
  if (chosen.json) {
    const content = body === undefined ? {} : { content: body, claims };
    return printJson({ ...listed(one), from, target, httpVersion, endpoint, why, headers, ...content });
  }
  const head = headers.map(([name, value]) => `${name}: ${value}`);
  const lines = [`${one.method} ${target} HTTP/${httpVersion}`, ...head];
  const rows = Object.entries({ ...listed(one), from, why }).map(([name, value]) => [
    name,
    String(value ?? '–'),
  ]);
  console.log(table(rows));
  console.log(`\n${printable(lines.join('\n'))}\n`);
  if (body === undefined) console.log('Its content is not shown, it may be personal data: add --content.');
  else console.log(printable([body, ...claims.map((json) => `\nIn the token:\n${json}`)].join('\n')));
  return 0;
}

/** What is said of a delivery wherever many are: no credentials. */
function listed({ number, at, target, outcome, method, body, whole, seq }: Kept) {
  return {
    number,
    time: moment(at),
    path: maskedPath(target),
    outcome,
    method,
    bytes: body.length,
    whole,
    entry: seq,
  };
}

function toRow(one: Kept | Lost): string[] {
  if (isLost(one)) return [String(one.number), '–', one.unreadable, '–', '–', '–', ''];
  const { number, time = '', path, outcome, method, bytes, whole, entry = '' } = listed(one);
  return [number, time, path, outcome, method, whole ? bytes : `${bytes} of more`, entry].map(String);
}

/** To a file or a program byte for byte; a terminal is not to be steered by it. */
function printRaw({ method, target, httpVersion, headers, body }: Kept): number {
  console.error('Credentials and personal data: this is the request as it came.');
  const lines = pairsOf({ headers }).map(([name, value]) => `${name}: ${value}`);
  const head = Buffer.from(
    `${method} ${target} HTTP/${httpVersion}\r\n${lines.join('\r\n')}\r\n\r\n`,
    'latin1',
  );
  const bytes = Buffer.concat([head, body]);
  if (process.stdout.isTTY) console.log(printable(bytes.toString()));
  else process.stdout.write(bytes);
  return 0;
}
