import { createHash, createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { hotdocs, phenixid, risr } from '../../../src/kit/index.ts';
import type { Environment } from '../../../src/kit/program/reader.ts';
import { endpointsIn } from '../../../src/lab/explain/context.ts';
import { explain, type Explained, type Report } from '../../../src/lab/explain/explain.ts';
import { hypotheses, hypothesesFor } from '../../../src/lab/explain/hypotheses/index.ts';
import { tell } from '../../../src/lab/explain/tell.ts';
import { cases } from './broken/index.ts';

const sources = [hotdocs, phenixid, risr];
const SECRET = 'Zq83hfPQ0ahslfbvnmqp2819ZZalfhQm';
const OTHER = 'pW71mmKeo2lr9dVyT4b6SsUcQx0aJh35';
const AT = Date.UTC(2031, 1, 3, 9, 30);
const JSON_BODY = '{"orderId":"a1","eventType":"OrderSigned","taskId":"a1"}';
const EVENT = {
  eventType: 'InterviewLoadEvent',
  createdDate: '2031-02-03T09:30:00Z',
  data: { workItemId: 'w1' },
};

const hmac = (key: string, text: string, hash = 'sha256') => createHmac(hash, key).update(text);

function signed(
  key: string,
  { body = JSON_BODY, signature = hmac(key, body).digest('hex'), target = '/phenixid' } = {},
): Explained {
  return {
    method: 'POST',
    target,
    httpVersion: '1.1',
    headers: ['Host', 'r.example', 'X-Signature', signature],
    body: Buffer.from(body),
  };
}

function tokenOf(
  key: string,
  claims: object,
  header: object = { alg: 'HS256', typ: 'JWT' },
  hash = 'sha256',
): string {
  const input = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${input}.${hmac(key, input, hash).digest('base64url')}`;
}

function posted(target: string, body: string, headers: readonly string[] = []): Explained {
  return {
    method: 'POST',
    target,
    httpVersion: '1.1',
    headers: ['Host', 'r.example', ...headers],
    body: Buffer.from(body),
  };
}

const interview = (body: string) => posted('/hotdocs/InterviewLoadEvent', body);
const HOTDOCS = { HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET: SECRET };

function explained(
  came: Explained,
  env: Environment,
  { ms = 10_000, further = [] as string[] } = {},
): Promise<Report> {
  const { endpoints } = endpointsIn(env, { sources });
  const named = further.map((text, index) => ({ name: `line ${index + 1}`, text }));
  return explain({ at: AT, ...came }, { endpoints, further: named, now: AT }, { ms });
}

const idsOf = ({ fits }: Report) => fits.map(({ ids }) => ids);

it('says of what verifies that it does', async () => {
  const report = await explained(signed(SECRET), { PHENIXID_SECRET: SECRET });
  expect(report).toMatchObject({ verdict: 'verifies', fits: [], judged: { accepted: true } });
  expect(tell(report, 'npm run explain -- 7 --accept')).toContain('npm run explain -- 7 --accept');
});

it.each<[string, Explained, Environment]>([
  ['secret-blank-behind', signed(SECRET), { PHENIXID_SECRET: `${SECRET} ` }],
  ['secret-of-source', signed(OTHER), { PHENIXID_SECRET: SECRET, ...{ RISR_PROFILE_UPDATED_SECRET: OTHER } }],
  [
    'body-base64',
    { ...signed(SECRET), body: Buffer.from(Buffer.from(JSON_BODY).toString('base64')) },
    { PHENIXID_SECRET: SECRET },
  ],
  [
    'setting:SIGNATURE_SCHEME=sha256-body-secret',
    signed(SECRET, {
      signature: createHash('sha256')
        .update(JSON_BODY + SECRET)
        .digest('hex'),
    }),
    { PHENIXID_SECRET: SECRET },
  ],
  [
    'setting:ISSUER=as in the token',
    interview(`token=${tokenOf(SECRET, { ...EVENT, iss: 'advance' })}`),
    { ...HOTDOCS, HOTDOCS_ISSUER: 'Advance' },
  ],
  [
    'endpoint-other',
    interview(`token=${tokenOf(OTHER, { ...EVENT, eventType: 'PostProcessingEvent' })}`),
    { ...HOTDOCS, HOTDOCS_POST_PROCESSING_EVENT_SECRET: OTHER },
  ],
])('finds the one change: %s', async (id, came, env) => {
  const report = await explained(came, env);
  expect([report.verdict, idsOf(report)]).toEqual(['one', [[id]]]);
});

// A receiver does not start with such a secret, so that only the sender can do something about it.
it.each<[id: string, theirs: (secret: string) => string]>([
  ['blank-behind', (secret) => `${secret} `],
  ['blank-before', (secret) => ` ${secret}`],
  ['line-end-behind', (secret) => `${secret}\n`],
  ['line-end-behind', (secret) => `${secret}\r\n`],
  ['tab-behind', (secret) => `${secret}\t`],
  ['double-quoted', (secret) => `"${secret}"`],
  ['single-quoted', (secret) => `'${secret}'`],
  ['null-behind', (secret) => `${secret}\0`],
])('has the secret set again where it is not as agreed, at the sender or here: %s', async (id, theirs) => {
  const agreed = SECRET + OTHER;
  const [there, here] = [
    await explained(signed(theirs(agreed)), { PHENIXID_SECRET: agreed }),
    await explained(signed(agreed), { PHENIXID_SECRET: theirs(agreed) }),
  ];
  expect([idsOf(there), idsOf(here)]).toEqual([[[`secret-${id}`]], [[`secret-${id}`]]]);
  const remedies = [there, here].map(({ fits }) => fits.flatMap((fit) => fit.remedies).join());
  expect(remedies).toEqual([
    expect.stringContaining('again at the sender, without'),
    expect.not.stringContaining('again at the sender'),
  ]);
});

it('tries every choice of a setting that bears on a proof, of any source, and no other setting', () => {
  const ids = hypothesesFor(sources)
    .map(({ id }) => id)
    .filter((id) => id.startsWith('setting:'));
  expect(ids).toEqual(
    expect.arrayContaining([
      'setting:KEY_ENCODING=either',
      'setting:METHODS=GET,POST,PUT',
      'setting:CLOCK_TOLERANCE_S=3600',
      'setting:MAX_AGE_S=0',
    ]),
  );
  expect(ids.filter((id) => /DEADLINE|DIALECT|MAX_BODY|CERTIFICATE|MEMBERS/.test(id))).toEqual([]);
});

it('explains two mistakes at once', async () => {
  const indented = JSON.stringify(JSON.parse(JSON_BODY), null, 2);
  const came = { ...signed(SECRET), body: Buffer.from(indented) };
  const report = await explained(came, { PHENIXID_SECRET: `"${SECRET}` });
  expect(idsOf(report)).toEqual([['body-indented', 'secret-double-quoted']]);
  expect(tell(report, undefined)).toMatch(/^It would verify if .+, and if PHENIXID_SECRET had .+\.$/m);
});

it('says of several that each would do, and which they are', async () => {
  const env = { RISR_PROFILE_UPDATED_SECRET: SECRET, RISR_BOOKING_UPDATED_SECRET: OTHER };
  const report = await explained(posted('/risr/profile_updated', tokenOf(OTHER, { _id: 'p1' })), env, {
    further: [OTHER],
  });
  expect([report.verdict, report.fits.length]).toEqual(['several', 2]);
  expect(tell(report, undefined)).toMatch(/RISR_BOOKING_UPDATED_SECRET[\s\S]+line 1/);
});

it('looks no longer than it is told to', async () => {
  const report = await explained(signed(OTHER), { PHENIXID_SECRET: SECRET }, { ms: 40 });
  expect(report).toMatchObject({ verdict: 'none', complete: false });
  expect(report.elapsedMs).toBeLessThan(2_000);
  expect(tell(report, undefined)).toContain('--seconds');
});

it('says what is certain where nothing fits, and that a forgery looks so', async () => {
  const report = await explained(signed(OTHER), { PHENIXID_SECRET: SECRET });
  expect(report).toMatchObject({ verdict: 'none', complete: true, named: [] });
  expect(tell(report, undefined)).toMatch(/Another one was used[\s\S]+A forgery looks exactly like this/);
});

// Each would be accepted if a check were left out or weakened.
it.each<[what: string, named: string | undefined, came: Explained, env: Environment]>([
  [
    'a token that is not signed',
    'token-alg-none',
    interview(`token=${tokenOf(SECRET, EVENT, { alg: 'none' })}`),
    HOTDOCS,
  ],
  [
    'a token signed otherwise',
    'token-hs512',
    interview(`token=${tokenOf(SECRET, EVENT, { alg: 'HS512' }, 'sha512')}`),
    HOTDOCS,
  ],
  ['an empty key', undefined, signed(''), { PHENIXID_SECRET: '""' }],
  ['a key of a few letters', undefined, signed('abcdefg'), { PHENIXID_SECRET: '"abcdefg"' }],
  [
    'a hash without a key',
    'signed-sha256-alone',
    signed('', { signature: createHash('sha256').update(JSON_BODY).digest('hex') }),
    { PHENIXID_SECRET: SECRET },
  ],
  ['no signature', 'signature-header-dropped', posted('/phenixid', JSON_BODY), { PHENIXID_SECRET: SECRET }],
  ['no secret and no signature', 'endpoint-closed-secret-missing', posted('/phenixid', JSON_BODY), {}],
  [
    'half a signature',
    'signature-cut',
    signed(SECRET, { signature: hmac(SECRET, JSON_BODY).digest('hex').slice(0, 32) }),
    { PHENIXID_SECRET: SECRET },
  ],
  [
    'JSON instead of a token',
    'token-unsecured-json',
    posted('/risr/profile_updated', '{"_id":"p1"}'),
    { RISR_PROFILE_UPDATED_SECRET: SECRET },
  ],
  [
    'a time in milliseconds',
    'time-in-ms',
    interview(`token=${tokenOf(SECRET, { ...EVENT, exp: AT + 300_000 })}`),
    HOTDOCS,
  ],
])('weakens nothing to make it verify: %s', async (_, named, came, env) => {
  const report = await explained(came, env);
  expect(report.fits).toEqual([]);
  const ids = report.named.flatMap(({ ids }) => ids);
  if (named === undefined) expect(ids).toEqual([]);
  else expect(ids).toContain(named);
});

it('never takes a setting for a way out that would accept anybody', async () => {
  const report = await explained(signed(OTHER), {
    PHENIXID_SECRET: SECRET,
    PHENIXID_SIGNATURE_SCHEME: 'sha256-body-secret',
  });
  expect(report.fits).toEqual([]);
});

it('says nothing of a secret, a token or a payload', async () => {
  const some = cases.filter((_, index) => index % 6 === 0);
  expect(some.length).toBeGreaterThan(60);
  for (const broken of some) {
    const { request, environment, at, extraSecrets, outcome } = broken.build();
    const report = await explained({ ...request, at, outcome }, environment, {
      ms: 500,
      further: [...extraSecrets],
    });
    const said = tell(report, undefined) + JSON.stringify(report);
    const secrets = Object.entries(environment).flatMap(([name, text]) =>
      /_(?:SECRET|TOKEN)$/.test(name) ? [text] : [],
    );
    for (const text of [...secrets, ...extraSecrets]) expect(said).not.toContain(text.trim().slice(4, 16));
    for (const piece of request.body.toString('latin1').match(/\b(?=(?:[A-Za-z_-]*\d){3})[\w-]{12,}/g) ?? [])
      expect(said).not.toContain(piece);
  }
});

it('has for each hypothesis an id of its own, words, and twins that there are', () => {
  const all = hypothesesFor(sources);
  const ids = new Set(all.map(({ id }) => id));
  expect(new Set(hypotheses.map(({ id }) => id)).size).toBe(hypotheses.length);
  expect(hypotheses.length).toBeGreaterThan(100);
  for (const { means, remedy, twins = [] } of all) {
    expect([means, remedy].join(' ')).not.toMatch(/\{(?!(?:secret|endpoint|prefix|path|docs|detail)\})/);
    for (const twin of twins)
      expect([...ids].some((id) => id === twin || id.startsWith(`${twin}=`))).toBe(true);
  }
});
