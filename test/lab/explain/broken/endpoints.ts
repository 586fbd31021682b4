import type { Lane, Mistake, Plan, Wire } from './plan.ts';

type More = Partial<Omit<Mistake, 'id' | 'way' | 'on'>>;

/** It came to another path. */
function path(
  id: string,
  way: string,
  on: string,
  change: (target: string) => string,
  more: More = {},
): Mistake {
  return { id, way, on, wire: (wire) => void (wire.target = wire.target.replace(/^[^?]+/, change)), ...more };
}

const paths: readonly Mistake[] = [
  path('path-prefix', '/hooks', 'HJWT', (target) => `/hooks${target}`),
  path('path-prefix', 'two levels', 'HJWT', (target) => `/api/v1${target}`),
  path('path-stripped', 'its first part', 'JWT', (target) => target.replace(/^\/\w+/, '')),
  path('path-slash', 'one', 'JWT', (target) => `${target}/`),
  path('path-case', 'all small', 'HJWT', (target) =>
    target === '/phenixid' ? '/PhenixID' : target.toUpperCase(),
  ),
  path('path-doubled-slash', 'before', 'HJWT', (target) => `/${target}`),
  path('path-doubled-slash', 'within', 'JWT', (target) => target.replace(/(\w)\//, '$1//')),
  path('path-encoded', 'its slash', 'JWT', (target) => target.replace(/(\w)\//, '$1%2F')),
  path('path-encoded', 'a letter', 'HJWT', (target) => target.replace('i', '%69').replace('o', '%6f')),
  path('path-typo', 'a letter more', 'HJWT', (target) => `${target}d`),
  path('path-typo', 'two exchanged', 'HJWT', (target) => target.replace(/(.)(.)$/, '$2$1')),
];

/** The event that another endpoint of the source serves, signed with that one's secret. */
const OTHER: Readonly<Partial<Record<Lane, { path: string; variable: string }>>> = {
  J: { path: '/hotdocs/InterviewLoadEvent', variable: 'HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET' },
  W: { path: '/risr/booking_updated', variable: 'RISR_BOOKING_UPDATED_SECRET' },
  T: { path: '/hotdocs/CustomInterviewEvent', variable: 'HOTDOCS_CUSTOM_INTERVIEW_EVENT_TOKEN' },
};

const wrongEndpoint: Mistake = {
  id: 'endpoint-other',
  way: 'the path of another',
  on: 'JWT',
  also: ['secret-of-endpoint'],
  set(plan) {
    const other = OTHER[plan.lane];
    if (other === undefined) return;
    plan.path = other.path;
    plan.environment[other.variable] = 'n4h8s2d6f9g3k7m5q1w4e8r2t6y9u3i7p5a1';
  },
};

const closed: Mistake = {
  id: 'endpoint-closed-secret-missing',
  way: 'its variable',
  on: 'HJWT',
  set(plan) {
    plan.ours = '';
    if (plan.lane === 'H') delete plan.environment['PHENIXID_SECRET'];
  },
};

function method(
  id: string,
  way: string,
  name: string,
  on: string,
  more: (wire: Wire) => void = () => undefined,
): Mistake {
  return {
    id,
    way,
    on,
    wire: (wire) => {
      wire.method = name;
      more(wire);
    },
  };
}

const NORTH = 'PHENIXID_NORTH_SECRET';

/** The secret is that of the installation north. */
function installation(id: string, way: string, query: string, also: readonly string[] = []): Mistake {
  return {
    id: `installation-${id}`,
    way,
    on: 'H',
    also: ['secret-of-installation', ...also],
    set(plan) {
      plan.environment[NORTH] = plan.agreed;
      plan.ours = 'n4h8s2d6f9g3k7m5q1w4e8r2t6y9u3i7p5a1';
    },
    wire: (wire) => void (wire.target = `${wire.target}/${query}`),
  };
}

export const endpointMistakes: readonly Mistake[] = [
  ...paths,
  wrongEndpoint,
  closed,
  method('method-changed-body-gone', 'a GET', 'GET', 'HJW', (wire) => {
    wire.body = Buffer.alloc(0);
    wire.headers = wire.headers.filter(([name]) => name !== 'Content-Type');
  }),
  method('method-changed', 'a PUT', 'PUT', 'HW'),
  method('method-changed', 'a PATCH', 'PATCH', 'HJWT'),
  installation('missing', 'the query', ''),
  installation('unknown', 'misspelt', '?key=nroth'),
  installation('case', 'in capitals', '?key=NORTH', ['installation-unknown']),
  installation('doubled', 'the same', '?key=north&key=north'),
  installation('encoded', 'twice', '?key=n%256Frth'),
  ...(['certificate_missing', 'certificate_refused'] as const).map((outcome): Mistake => ({
    id: outcome.replace('_', '-'),
    way: 'of the connection',
    on: 'H',
    set(plan: Plan) {
      plan.outcome = outcome;
      Object.assign(plan.environment, {
        PHENIXID_CLIENT_CERTIFICATE: 'required',
        PHENIXID_CLIENT_CERTIFICATE_SUBJECT: 'phenixid',
      });
    },
  })),
];
