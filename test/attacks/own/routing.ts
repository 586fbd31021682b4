import type { EndpointUnderTest, Trial } from '../../../src/lab/conformance/rule.ts';
import { accepts, at, own, refuses, together, type Own } from './own.ts';

const ONE_OF_EACH = 'hotdocs/form phenixid risr';

/** Paths that some router or proxy takes for that of the endpoint. */
function variants({ url: { pathname: path } }: EndpointUnderTest): Trial[] {
  const paths: Readonly<Record<string, string>> = {
    'an encoded dot in front': `/%2e${path}`,
    'an encoded slash behind, in capitals': `${path}%2F`,
    'two dots behind': `${path}/..`,
    'a semicolon and a letter behind': `${path};x`,
    'a semicolon behind': `${path};`,
    'a dot behind': `${path}.`,
    'a fragment': `${path}#x`,
    'a backslash behind': `${path}\\`,
    'a path of Object': '/toString',
    'a letter of another script': path.replace(/[oi]/, (letter) => (letter === 'o' ? '\u043e' : '\u0456')),
  };
  return Object.entries(paths).map(([name, other]) =>
    refuses(name, (genuine) => ({ ...genuine, target: Buffer.from(other).toString('latin1') })),
  );
}

const queries = ['?', '?x', '?x=y&z', '?%', '?/../x'].map((query, index) =>
  accepts(`fine: query ${index}`, (genuine) => ({ ...genuine, target: genuine.target + query })),
);

const slashes = ['/', '//', '/?x', '//?x'].map((end, index) =>
  accepts(`fine: slashes ${index}`, (genuine) => ({ ...genuine, target: genuine.target + end })),
);

/** Group H, as far as one request shows it. */
export const ownRouting: readonly Own[] = [
  own(
    'H1',
    'takes no other word for a method',
    { '*: PATCH and a query*': 'method_not_allowed', '*': 'request_malformed' },
    at(ONE_OF_EACH, [
      refuses('a method twice', (genuine) => ({ ...genuine, method: 'POSTPOST' })),
      refuses('a method with NUL', (genuine) => ({ ...genuine, method: 'P\0ST' })),
      refuses('PATCH and a query that says POST', (genuine) => ({
        ...genuine,
        method: 'PATCH',
        target: `${genuine.target}?_method=POST`,
      })),
    ]),
  ),
  own(
    'H2',
    'takes no further path for its own, and any query with it',
    { '*: fine: *': 'done', '*: a letter of another script': 'request_malformed', '*': 'path_unknown' },
    together(at(ONE_OF_EACH, variants), at(ONE_OF_EACH, queries), at('phenixid', slashes)),
  ),
];
