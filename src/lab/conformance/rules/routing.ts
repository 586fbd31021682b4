import { randomText } from '../../mock/random.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Statuses } from '../trials.ts';
import { withHeaders, withPath } from '../making/edit.ts';
import { oneOf, type Answers } from '../making/answers.ts';

/** Group H: the way to an endpoint. */
export const routingRules: readonly Rule[] = [
  {
    id: 'H1-method',
    group: 'H',
    title: 'accepts deliveries by the methods of their sender only',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    oncePerSource: true,
    why: 'Filters in front often look at POST only. And where a friendly page answers a wrong method with 200, a sender that was set up wrongly takes every event for delivered.',
    fix: 'Answer 405 with Allow to all other methods.',
    source: 'https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6',
    trials: (at) => [...otherMethods(at), ...unknownMethods],
  },
  {
    id: 'H1-override',
    group: 'H',
    title: 'lets no header change the method',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    oncePerSource: true,
    why: 'What a filter in front lets pass as one method is carried out as another.',
    fix: 'Take method-override middleware off the receiving paths.',
    trials: () => overrides,
  },
  {
    id: 'H2-path',
    group: 'H',
    title: 'serves its path as it is written, and no others that resemble it',
    severity: 'low',
    grade: 'hardened',
    level: 1,
    oncePerSource: true,
    why: 'A rule in front, for certificates or addresses, guards the path that was configured. A spelling that passes by the rule and reaches the endpoint nevertheless makes it worthless.',
    fix: 'Switch strict and case-sensitive routing on, and refuse paths with encoded letters, dots or doubled slashes.',
    trials: (at) => variantsOf(at).map((path) => resembling(path, at)),
  },
  {
    id: 'H3-unknown-path',
    group: 'H',
    title: 'accepts nothing on paths that it does not have',
    severity: 'critical',
    grade: 'correct',
    level: 1,
    oncePerSource: true,
    why: 'A catch-all page that says 200 makes a misspelt address look right for ever, while every event is lost.',
    fix: 'Match whole paths, and answer 404 to all others.',
    trials: (at) => unknownPaths(at),
  },
];

const NOT_HERE: Statuses = [400, 401, 429, 403, 404, 405, 410, 421];

function otherMethods(at: EndpointUnderTest): Trial[] {
  const own = at.source.methods(at.type);
  return ['GET', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'QUERY']
    .filter((method) => !own.includes(method))
    .map((method) => byMethod(method, [...NOT_HERE, 501]))
    .concat([byMethod('OPTIONS', [...NOT_HERE, '2xx', 501])]);
}

const unknownMethods: readonly Trial[] = [
  byMethod('FROBNICATE', [...NOT_HERE, 501, 0]),
  byMethod('post', [...NOT_HERE, 501, 0]),
];

function byMethod(method: string, passes: Statuses): Trial {
  const make: Parameters<typeof oneOf>[1] = async (stage) => ({ ...(await stage.genuine()), method });
  return oneOf(`method ${method}`, make, { passes }, { allows: [501] });
}

const overrides: readonly Trial[] = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'].flatMap(
  (name) => [
    oneOf(
      `PATCH and ${name} POST`,
      async (stage) => {
        const [usual = 'POST'] = stage.endpoint.source.methods(stage.endpoint.type);
        return withHeaders({ ...(await stage.genuine()), method: 'PATCH' }, [name, usual]);
      },
      { passes: [...NOT_HERE, 501] },
      { allows: [501] },
    ),
    oneOf(
      `the right method and ${name} DELETE`,
      async (stage) => withHeaders(await stage.genuine(), [name, 'DELETE']),
      { passes: ['2xx', 400, 403, 405] },
    ),
  ],
);

/** Paths that some router or proxy takes for that of the endpoint. */
export function variantsOf({ url: { pathname }, source }: EndpointUnderTest): string[] {
  const last = pathname.slice(pathname.lastIndexOf('/') + 1);
  const before = pathname.slice(0, pathname.length - last.length);
  const encoded = `${before}%${last.charCodeAt(0).toString(16)}${last.slice(1)}`;
  // A sender with installations may write a slash or two of its own.
  const slashes = source.installations === true ? ['///'] : ['/', '//'];
  return [
    pathname.toUpperCase(),
    pathname.replace(/[a-z]/, (letter) => letter.toUpperCase()),
    ...slashes.map((slash) => pathname + slash),
    `/${pathname}`,
    `/.${pathname}`,
    `/x/..${pathname}`,
    `/%2e%2e${pathname}`,
    encoded,
    `${pathname}%2f`,
    `${pathname}/.`,
    `${pathname};x=y`,
    `${pathname}%00`,
    `${pathname}%20`,
    `${pathname}%`,
    `${pathname}%ZZ`,
    `${pathname}%c0%af`,
    `${pathname}.json`,
    pathname.replaceAll('/', '%2f'),
    pathname.replace(/\/(?=[^/]*$)/, '\\'),
  ];
}

const RESEMBLING: Answers = { passes: [...NOT_HERE, 0], warns: ['2xx', 301, 302, 303, 307, 308] };

function resembling(path: string, { url: { pathname } }: EndpointUnderTest): Trial {
  const spelled = path
    .replaceAll('%', 'percent ')
    .replaceAll('\\', ' backslash ')
    .replaceAll('//', ' slash slash ')
    .replaceAll('.', ' dot ')
    .replaceAll(';', ' semicolon ')
    .replace(/\/$/, ' slash');
  const name = path === `${pathname}///` ? 'three slashes behind' : spelled;
  return oneOf(name, async (stage) => withPath(await stage.genuine(), path), RESEMBLING);
}

function unknownPaths({ url: { pathname } }: EndpointUnderTest): Trial[] {
  const folder = pathname.slice(0, pathname.lastIndexOf('/'));
  const paths: readonly (readonly [name: string, write: (word: string) => string])[] = [
    ['a path of nobody', (word) => `/${word}`],
    ['a path beside it', (word) => `${folder}/${word}`],
    ['a path below it', (word) => `${pathname}/${word}`],
    ['its path with a word behind', (word) => `${pathname}-${word}`],
    ['its path with a letter behind', () => `${pathname}x`],
    ['its path less a letter', () => pathname.slice(0, -1)],
    ['a path of Object', () => '/constructor'],
    ['a path of Object beside it', () => `${folder}/__proto__`],
    ['the root', () => '/'],
  ];
  return paths.map(([name, write]) =>
    oneOf(name, async (stage) => withPath(await stage.genuine(), write(randomText(12, stage.random))), {
      passes: NOT_HERE,
    }),
  );
}
