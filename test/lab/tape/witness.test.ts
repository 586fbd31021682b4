import { describe, expect, it } from '@jest/globals';
import { example } from '../../../src/example/index.ts';
import { hotdocs } from '../../../src/kit/sources/hotdocs/index.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import type { Kept } from '../../../src/kit/tape/tape.ts';
import type { Header } from '../../../src/lab/conformance/wire.ts';
import { makeWitness, tryWitness, witnessSchema, type Made } from '../../../src/lab/tape/witness.ts';
import { elsewhere, signed, taped, tapedAll, tapedEvent, withToken } from './taped.ts';

type Env = Readonly<Record<string, string>>;

async function madeOf(kept: Kept, env: Env = {}, rename: readonly string[] = []): Promise<Made> {
  const made = await makeWitness(kept, example, env, new Set(rename));
  if (typeof made === 'string') throw new Error(made);
  return { ...made, witness: witnessSchema.parse(JSON.parse(JSON.stringify(made.witness))) };
}

interface Request {
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

function cameAs({ target, headers, body }: Kept): Request {
  const pairs = headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? ''] as const] : []));
  return { target, headers: pairs, body: body.toString() };
}

/** What a request says, read by nothing of what is tested: of tokens, else of JSON, else of fields. */
async function saidBy({ target, headers, body }: Request): Promise<unknown> {
  const whole = [target, ...headers.map(([, value]) => value), body].join('\n');
  const tokens = whole.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? [];
  if (tokens.length > 0) return tokens.map((token) => JSON.parse(partOf(token)) as unknown);
  if (body.startsWith('{')) return JSON.parse(body);
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  const query = new URLSearchParams(target.split('?')[1] ?? '');
  if (body === '') return Object.fromEntries(query);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- what it reads is ours
  return Object.fromEntries(await new Response(body, { headers: { 'content-type': type } }).formData());
}

function partOf(token: string): string {
  return Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
}

function leaves(value: unknown): string[] {
  if (typeof value === 'string' && /^[{[]/.test(value)) return leaves(JSON.parse(value));
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(leaves);
  return [String(value)];
}

/** Letters by their case and kind, digits as one, all else as it is. */
function shapeOf(value: unknown): string {
  const kinds = [/\d/g, /[a-z]/g, /[A-Z]/g, /(?![A-Za-z])\p{L}/gu];
  return kinds.reduce((text, kind, index) => text.replace(kind, '9aAä'.charAt(index)), JSON.stringify(value));
}

const PROTOCOL = [
  ...Object.keys(hotdocs.events),
  ...Object.keys(phenixid.events),
  'LoadInterviewEvent',
  'true',
  'false',
];

/** Event types, and the names of members and fields. */
function withoutProtocol(text: string): string {
  return PROTOCOL.reduce((rest, word) => rest.replaceAll(word, ''), text).replace(/name="\w+"|"\w+":/g, '');
}

describe.each([
  ['signed', [...signed, ...elsewhere]],
  ['proven by an access token', withToken],
])('of deliveries that are %s', (_, variants) => {
  it('is a request that is accepted, is this event with this payload, and is refused when one byte is changed', async () => {
    for (const kept of await tapedAll(variants)) {
      const { witness } = await madeOf(kept);
      const [, type = ''] = variants[kept.number - 1] ?? [];
      expect(witness.expected).toMatchObject({ status: 200, type });
      expect(await tryWitness(witness, example)).toMatchObject({
        expected: witness.expected,
        spoiledStatus: 401,
      });
    }
  });

  it('has no value of the original, and all of its shape', async () => {
    for (const kept of await tapedAll(variants)) {
      const { witness, replaced, namesLeft } = await madeOf(kept);
      const [before, after] = [await saidBy(cameAs(kept)), await saidBy(witness.request)];
      const personal = leaves(before).filter((value) => value.length >= 4 && !PROTOCOL.includes(value));
      expect(personal.length).toBeGreaterThan(0);
      const { payload } = witness.expected;
      const values = [
        ...leaves([after, payload, witness.request.headers]),
        decodeURIComponent(witness.request.body),
      ];
      for (const value of personal)
        expect(values.map(withoutProtocol)).not.toContainEqual(expect.stringContaining(value));
      expect(shapeOf(after)).toBe(shapeOf(before));
      for (const [value, neutral] of replaced) expect(shapeOf(neutral)).toBe(shapeOf(value));
      expect([...namesLeft]).toEqual([]);
    }
  });
});

it('replaces one value always by the same one, wherever it stands', async () => {
  const { witness } = await madeOf(await tapedEvent(hotdocs, 'NewWorkItemVersionComplete'));
  const payload = witness.expected
    .payload as (typeof hotdocs.events)['NewWorkItemVersionComplete']['example'];
  const [document] = payload.documents;
  expect(document?.url).toContain(`/${payload.workItemId}/`);
  expect(document?.url).toContain(`/${document?.id}/`);
});

it.each([
  ['Åsa Öström-Lindqvist', /^\p{Lu}\p{Ll}{2} \p{Lu}\p{Ll}{5}-[A-Z][a-z]{8}$/u],
  ['07c6ad8c-d1ba-4e73-9bbf-c70a085a449c', /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-9[\da-f]{3}-[\da-f]{12}$/],
  ['lea.berg@acme.example', /^[a-z]{3}\.[a-z]{4}@[a-z]{4}\.[a-z]{7}$/],
  ['2031-02-03', /^20\d\d-(0[1-9]|1[0-2])-([01]\d|2[0-8])$/],
  ['2031-02-03T14:05:06.1234567+02:00', /^20\d\d-[01]\d-[0-2]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{7}\+02:00$/],
  ['https://acme.example/a/7?b=c', /^https:\/\/[a-z]{4}\.[a-z]{7}\/[a-z]\/\d\?[a-z]=[a-z]$/],
  ['+46 (0)70-123 45 67', /^\+[1-9]\d \(0\)[1-9]\d-[1-9]\d\d [1-9]\d [1-9]\d$/],
  ['Звонок: 田中さん?', /^\p{Lu}\p{Ll}{5}: \p{Lo}{4}\?$/u],
  [1_234_567_890_123_456, /^1\d{15}$/],
  [-12.5, /^-\d\d\.\d$/],
  [true, /^true$/],
  [null, /^null$/],
  [7, /^7$/],
])('keeps the shape of %j', async (original, shape) => {
  const payload = { id: 'p-1', rev: '1-a', userFields: [original] };
  const { witness } = await madeOf(await tapedEvent(risr, 'profile_updated', { payload }));
  const [neutral] = (witness.expected.payload as { readonly userFields: readonly unknown[] }).userFields;
  expect(String(neutral)).toMatch(shape);
  expect(typeof neutral).toBe(typeof original);
  if (String(original).length >= 4 && typeof original !== 'boolean' && original !== null)
    expect(neutral).not.toEqual(original);
});

it('leaves names that look like names, says which, and replaces those that do not, or that are named', async () => {
  const payload = { id: 'p-1', rev: '1-a', clinic: 'Nord', lea: 1, 'Lea Berg': 2, p19121212: 3 };
  const kept = await tapedEvent(risr, 'profile_updated', { payload });
  const { witness, namesLeft } = await madeOf(kept, {}, ['lea']);
  expect([...namesLeft]).toEqual(['clinic']);
  const names = Object.keys(witness.expected.payload as object);
  expect(names.slice(0, 3)).toEqual(['id', 'rev', 'clinic']);
  expect(names).toHaveLength(6);
  for (const name of ['lea', 'Lea Berg', 'p19121212']) expect(names).not.toContain(name);
});

it('keeps how its sender writes JSON', async () => {
  const written =
    '{ "eventType":"OrderSigned",\n  "taskId" : "\\u00c5sa-1", "note":"a\\/b", "share": 1.50, "big": 1E+20 }';
  const kept = await taped({
    ...{ method: 'POST', target: '/phenixid', body: Buffer.from(written) },
    headers: [['X-Signature', '0'.repeat(64)]],
  });
  const { witness } = await madeOf(kept);
  expect(witness.request.body).toMatch(
    /^\{ "eventType":"OrderSigned",\n {2}"taskId" : "\\u00[cd][\da-f][a-z]{2}-\d", "note":"[a-z]\\\/[a-z]", "share": \d\.\d\d, "big": \dE\+20 \}$/,
  );
});

it('drops what says nothing of the event: addresses, cookies, programs', async () => {
  const { headers, ...event } = await tapedEvent(phenixid, 'OrderSigned');
  const more = [
    'Cookie',
    'session=4471',
    'User-Agent',
    'Acme/7',
    'X-Forwarded-For',
    '198.51.100.7',
    'Via',
    'gate.acme',
  ];
  const { witness } = await madeOf({ ...event, headers: [...headers, ...more] });
  expect(witness.request.headers.map(([name]) => name)).toEqual(['Content-Type', 'X-Signature']);
  expect(JSON.stringify(witness)).not.toMatch(/4471|Acme|198\.51|127\.0\.0|203\.0\.113/);
});

it.each([
  ['another scheme', phenixid, 'OrderSigned', { PHENIXID_SIGNATURE_SCHEME: 'sha256-body-secret' }, {}],
  ['another encoding of the secret', hotdocs, 'PostProcessingEvent', { HOTDOCS_KEY_ENCODING: 'base64' }, {}],
  [
    'an issuer',
    hotdocs,
    'ActionLink',
    { HOTDOCS_ISSUER: 'acme-tenancy' },
    { workItemId: 'w-1', iss: 'acme-tenancy' },
  ],
  ['other members', risr, 'user_logged_in', { RISR_USER_ID_MEMBERS: 'who' }, { who: 'u-1', sso: {} }],
])('holds with %s', async (_, source, type, env, payload) => {
  const given = Object.keys(payload).length > 0 ? { payload: { ...payload, user: 'u-1' } } : {};
  const kept = await tapedEvent(source, type, given);
  const { witness } = await madeOf(kept, env);
  expect(Object.keys(witness.settings)).toHaveLength(1);
  expect(JSON.stringify(witness.settings)).not.toContain('acme-tenancy');
  expect((await tryWitness(witness, example)).expected).toEqual(witness.expected);
});

it('knows its installation by a neutral name', async () => {
  const { witness } = await madeOf(
    await tapedEvent(phenixid, 'OrderSigned', { switches: { key: 'north-hospital' } }),
  );
  expect(witness.installation).toMatch(/^[a-z]{5}-[a-z]{8}$/);
  expect(witness.request.target).toBe(`/phenixid/?key=${witness.installation}`);
});

it.each([
  ['a path that no endpoint has', { endpoint: undefined }, 'came to a path that no endpoint has'],
  ['half a body', { whole: false }, 'was refused before its body was read'],
  ['no signature', { headers: [] }, 'has no proof'],
  ['a method that is never used', { method: 'PUT' }, 'is answered 405'],
])('is none of %s, and says so', async (_, change, why) => {
  const kept = await tapedEvent(phenixid, 'OrderSigned');
  await expect(makeWitness({ ...kept, ...change }, example, {})).resolves.toContain(why);
});
