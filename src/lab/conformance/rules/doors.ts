import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Header, WireRequest } from '../wire.ts';
import { withHeaders, withQuery } from '../making/edit.ts';
import { forgeriesOf } from '../making/forgery.ts';
import { ownContent, withMembers } from '../making/own-content.ts';
import { encode } from '../making/token.ts';
import { shut, waysThrough, type Door, type Way } from '../making/ways.ts';

/** Group L, first part: what stands beside a forged delivery and lets it in where somebody believes it. */
export const doorRules: readonly Rule[] = [
  {
    id: 'L1-believed-headers',
    group: 'L',
    title: 'verifies a delivery whatever its other headers say',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'Everybody can write any header. A branch for requests from this machine, from a gateway that has checked already, from a test or from the sender by its name lets in whoever knows the word.',
    fix: 'Find the branch that the header named above opens, and take it out: the signature or token decides, and nothing beside it. What a gateway tells is worth something only where the gateway removes it from what comes in.',
    source: 'https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/',
    trials: () => [
      ...Object.entries(claims).map(([name, sets]) => headersOpen(name, () => sets)),
      headersOpen('a name of its sender', namesOf),
      headersOpen('an Authorization header of nobody', authorizationsOf),
    ],
  },
  {
    id: 'L2-switches',
    group: 'L',
    title: 'verifies a delivery whatever its query and its content ask for',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    why: 'A switch that helped during development, such as ?debug=1 or "test": true, switches the check off for whoever writes it.',
    fix: 'Take the switch out. What a request says of itself counts only after its proof; what a developer needs belongs into the settings of a development machine.',
    trials: (at) => [
      ...Object.entries(asked).map(([name, parameters]) => queryOpens(name, parameters)),
      membersOpen(),
      ...(at.source.switches['testPayload'] === undefined ? [] : [testOpens()]),
    ],
  },
];

type HeaderSet = readonly Header[];

function all(value: string, ...names: readonly string[]): HeaderSet {
  return names.map((name) => [name, value]);
}

const CHECKED = ['X-Verified', 'X-Signature-Valid', 'X-Signature-Verified', 'X-Webhook-Verified'];
const LET_IN = ['X-Authenticated', 'X-Auth-Verified', 'X-Jwt-Verified', 'X-Trusted'];
const LESS = ['X-Debug', 'X-Test', 'X-Test-Mode', 'X-Webhook-Test', 'X-Dry-Run', 'X-Health-Check'];
const WITHIN = ['X-Internal', 'X-Internal-Request', 'X-Skip-Verification', 'X-Skip-Auth', 'X-Bypass-Auth'];

/** Sets of headers that are sent together. */
const claims: Readonly<Record<string, readonly HeaderSet[]>> = {
  'an address of this machine': ['127.0.0.1', '::1', 'localhost'].map((address) => [
    ...all(address, 'X-Forwarded-For', 'X-Real-IP', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP'),
    ...all(address, 'X-Originating-IP', 'X-Remote-Addr', 'X-Forwarded-Host', 'X-Forwarded-Server'),
    ['Forwarded', `for=${address}`],
  ]),
  'a check that is said to be done': [
    ...['true', '1'].map((yes) => all(yes, ...CHECKED, ...LET_IN)),
    all('SUCCESS', 'X-SSL-Client-Verify', 'X-Client-Verify'),
    all('admin', 'X-Authenticated-User', 'X-Forwarded-User', 'X-Remote-User', 'X-User', 'X-Role'),
  ],
  'a wish to be let off': [
    ...['true', '1'].map((yes) => all(yes, ...LESS, ...WITHIN)),
    ...['development', 'test'].map((name) => all(name, 'X-Environment', 'X-Env', 'X-Mode')),
  ],
  'an address to go on to': ['/', '/health', '/login'].map((path) =>
    all(path, 'X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Uri', 'X-Original-URI', 'X-Forwarded-Prefix'),
  ),
};

/** One at a time: a request has one such header. */
function namesOf({ source: { title, name, docs } }: EndpointUnderTest): readonly HeaderSet[] {
  const agents = [title, name, `${title.replaceAll(' ', '-')}/1.0`, 'kube-probe/1.30', 'GoogleHC/1.0'];
  return [
    ...agents.map((agent) => all(agent, 'User-Agent')),
    all(docs.origin, 'Origin', 'Referer'),
    all('http://localhost', 'Origin', 'Referer'),
  ];
}

function authorizationsOf({ source: { name } }: EndpointUnderTest): readonly HeaderSet[] {
  const claimed = encode(JSON.stringify({ sub: name, iss: name, admin: true }));
  const unsigned = `${encode('{"alg":"none","typ":"JWT"}')}.${claimed}.`;
  const strange = `${encode('{"alg":"HS256","typ":"JWT"}')}.${claimed}.${encode(Buffer.alloc(32, 7))}`;
  const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;
  return [
    `Bearer ${unsigned}`,
    `Bearer ${strange}`,
    'Bearer null',
    'Bearer undefined',
    basic('admin:admin'),
    basic(`${name}:${name}`),
    basic(':'),
  ].map((value) => all(value, 'Authorization'));
}

/** A forged delivery with all headers of a set beside it; where that is let in, with each of them alone. */
function headersOpen(name: string, setsOf: (at: EndpointUnderTest) => readonly HeaderSet[]): Trial {
  return shut(name, async (stage) =>
    waysThrough(
      stage,
      setsOf(stage.endpoint).map((set) => ({
        says: set.map(([header, value]) => `${header}: ${value}`).join(', '),
        change: (request) => withOwnHeaders(request, set),
        parts: set.map((header) => ({
          says: `${header[0]}: ${header[1]}`,
          change: (request) => withOwnHeaders(request, [header]),
        })),
      })),
    ),
  );
}

/** An access token travels where these stand: both are there then. */
function withOwnHeaders(request: WireRequest, headers: HeaderSet): WireRequest {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const others = request.headers.filter(([name]) => !names.has(name.toLowerCase()));
  return withHeaders({ ...request, headers: others }, ...headers);
}

const OFF = ['verify', 'verification', 'validate', 'check', 'checkSignature', 'auth', 'secure', 'signed'];
const ON = [
  ...['debug', 'test', 'testMode', 'test_mode', 'dev', 'dryRun', 'dry_run', 'sandbox', 'preview'],
  ...['skipVerification', 'skip_verification', 'skipAuth', 'skip_auth', 'noauth', 'noverify', 'unsigned'],
  ...['bypass', 'force', 'internal', 'admin', 'trusted', 'verified', 'replay', 'ping', 'health'],
];

const asked: Readonly<Record<string, readonly string[]>> = {
  'a parameter that switches something on': [
    ON.map((name) => `${name}=1`).join('&'),
    ON.map((name) => `${name}=true`).join('&'),
  ],
  'a parameter that switches the check off': [
    OFF.map((name) => `${name}=false`).join('&'),
    OFF.map((name) => `${name}=0`).join('&'),
  ],
  'a parameter that names where it runs': ['mode', 'env', 'environment'].flatMap((name) =>
    ['test', 'development'].map((value) => `${name}=${value}`),
  ),
};

function queryOpens(name: string, queries: readonly string[]): Trial {
  const doorOf = (query: string): Door => ({
    says: `?${query}`,
    change: (request) => withQuery(request, query),
  });
  return shut(name, async (stage) =>
    waysThrough(
      stage,
      queries.map((query) => ({
        ...doorOf(query),
        parts: query.includes('&') ? query.split('&').map(doorOf) : [],
      })),
    ),
  );
}

function membersOpen(): Trial {
  const members = [
    ...ON.map((name) => ({ name, value: true })),
    ...OFF.map((name) => ({ name, value: false })),
  ];
  return shut('members of the content that ask for it', async (stage) => {
    const wayWith = async (chosen: typeof members): Promise<Way[]> => {
      const added = chosen.map(({ name, value }) => `,"${name}":${String(value)}`).join('');
      const forgeries = await forgeriesOf(stage.endpoint, withMembers(ownContent(stage).json, added));
      return forgeries.map(({ lack, request }) => ({
        says: `a delivery ${lack} because its content has ${added.slice(1)}`,
        request,
      }));
    };
    const single = (await Promise.all(members.map(async (member) => wayWith([member])))).flat();
    return (await wayWith(members)).map((way) => ({ ...way, parts: single }));
  });
}

/** Nothing comes of a test, and yet not everybody may send one: a receiver would answer what it has not verified. */
function testOpens(): Trial {
  return shut('what its sender tries a connection with', async (stage) => {
    const switches = { testPayload: 'yes' };
    const endpoint = { ...stage.endpoint, switches: { ...stage.endpoint.switches, ...switches } };
    const forgeries = await forgeriesOf(endpoint, ownContent({ ...stage, endpoint }).json);
    return forgeries.map(({ lack, request }) => ({
      says: `a delivery ${lack} because it looks like a test of its sender`,
      request,
    }));
  });
}
