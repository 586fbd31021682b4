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

/** The request with `<proof>` in the place of what only its sender can write; found in the same way. */
export async function withoutProof(
  source: Source,
  { content, to, switches }: Prepared,
  request: OutgoingRequest,
  random: Random,
): Promise<OutgoingRequest> {
  const { kind, text } = to.credential;
  const credential = { kind, text: randomText(Math.max(text.length, 1), random) };
  const other = await source.proof.sign(content, { ...to, credential }, switches);
  const [path = '', query = ''] = request.target.split('?');
  const masked = withoutFields(query, fieldsThatDiffer(query, queryOf(other)));
  const headers = Object.entries(request.headers).map(([name, value]) => [
    name,
    value === other.headers[name] ? value : '<proof>',
  ]);
  return {
    ...request,
    target: masked === '' ? path : `${path}?${masked}`,
    headers: Object.fromEntries(headers) as OutgoingRequest['headers'],
    body: bodyWithoutProof(request, other),
  };
}

function bodyWithoutProof(request: OutgoingRequest, other: OutgoingRequest): Buffer {
  if (request.body.equals(other.body)) return request.body;
  if (!isForm(request)) return Buffer.from('<proof>');
  const fields = fieldsThatDiffer(request.body.toString(), other.body.toString());
  return Buffer.from(withoutFields(request.body.toString(), fields));
}

/** Of a query or a form. */
function withoutFields(text: string, names: readonly string[]): string {
  const pairs = text.split('&').map((pair) => {
    const [name = ''] = pair.split('=');
    return names.includes(decodeURIComponent(name)) ? `${name}=<proof>` : pair;
  });
  return pairs.join('&');
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
