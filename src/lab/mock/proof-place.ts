import type { OutgoingRequest, Settings, Source } from '../../kit/source.ts';
import { randomText, type Random } from './random.ts';
import type { Prepared } from './request.ts';

/**
 * How a request proves itself, in words: `jwt-hs256, token in form`. Found by comparing it with the same request made with
 * another secret, so that it is true of every source and every switch.
 */
export async function describeProof(
  source: Source,
  { content, to, switches }: Prepared,
  request: OutgoingRequest,
  random: Random,
): Promise<string> {
  const { kind, text } = to.credential;
  const credential = { kind, text: randomText(Math.max(text.length, 1), random) };
  const other = await source.proof.sign(content, { ...to, credential }, switches);
  const places = placesThatDiffer(request, other);
  if (places.length === 0) return 'nothing';
  const scheme = source.proof.kinds[kind]?.proof(defaultsOf(source)).scheme ?? kind;
  return `${scheme}, ${places.join(' and ')}`;
}

function placesThatDiffer(one: OutgoingRequest, other: OutgoingRequest): string[] {
  const headers = Object.keys(one.headers).filter((name) => one.headers[name] !== other.headers[name]);
  const query = fieldsThatDiffer(queryOf(one), queryOf(other)).map((name) => `${name} in query`);
  return [...headers, ...query, ...bodyPlaces(one, other)];
}

function bodyPlaces(one: OutgoingRequest, other: OutgoingRequest): string[] {
  if (one.body.equals(other.body)) return [];
  if (!isForm(one)) return ['body'];
  const fields = fieldsThatDiffer(one.body.toString(), other.body.toString());
  return fields.map((name) => `${name} in form`);
}

function isForm({ headers }: OutgoingRequest): boolean {
  return Object.values(headers).some((value) => value.startsWith('application/x-www-form-urlencoded'));
}

function queryOf({ target }: OutgoingRequest): string {
  return target.slice(target.indexOf('?') + 1 || target.length);
}

function fieldsThatDiffer(one: string, other: string): string[] {
  const fields = new URLSearchParams(one);
  const others = new URLSearchParams(other);
  return [...new Set(fields.keys())].filter((name) => fields.get(name) !== others.get(name));
}

/** The settings of a receiver on which nothing is set. */
function defaultsOf(source: Source): Settings {
  const values = Object.entries(source.settings).map(([name, definition]): [string, unknown] => [
    name,
    definition.schema.parse(definition.default),
  ]);
  return Object.fromEntries(values);
}
