import { pick, UsageError } from '../../src/lab/usage.ts';
import { wholeNumber } from '../../src/lab/command.ts';

/** An option that is about one source or one endpoint, which it names first. */
export interface About {
  readonly about: string;
}

/** `risr/user_registered=http://host/other/path`. @throws UsageError */
export function addressIn(text: string, names: readonly string[]): [name: string, url: URL] {
  const [name, address] = split('--endpoint', text, '=', 'risr/user_registered=http://host/path');
  return [known('endpoint', name, names), addressOf('--endpoint', address)];
}

/** `phenixid:encoding=base64`. @throws UsageError */
export function choiceIn(
  option: string,
  text: string,
  names: readonly string[],
): About & { readonly name: string; readonly choice: string } {
  const form = 'phenixid:encoding=base64';
  const [about, assignment] = split(option, text, ':', form);
  const [name, choice] = split(option, assignment, '=', form);
  return { about: known('source or endpoint', about, names), name, choice };
}

/** `phenixid:16384`. @throws UsageError */
export function limitIn(text: string, names: readonly string[]): About & { readonly bytes: number } {
  const [about, bytes] = split('--max-body', text, ':', 'phenixid:16384');
  return {
    about: known('source or endpoint', about, names),
    bytes: wholeNumber('--max-body', bytes, { min: 256, max: 1_000_000_000 }),
  };
}

/** @throws UsageError */
export function addressOf(option: string, text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hash !== '') {
    throw new UsageError(`${option}: expected an address as http://127.0.0.1:3000`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(`${option}: no sender logs in by the address; leave user and password out.`);
  }
  return url;
}

function split(option: string, text: string, mark: string, form: string): [before: string, after: string] {
  const at = text.indexOf(mark);
  if (at < 1) throw new UsageError(`${option}: expected something like ${form} and got ${text}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

function known(what: string, name: string, names: readonly string[]): string {
  return pick(
    what,
    name,
    names.map((each) => [each, each]),
  );
}
