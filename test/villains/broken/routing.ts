import type { IncomingMessage } from 'node:http';
import * as http from '../http.ts';
import { Refusal, type Credentials, type Parts, type Route } from '../parts.ts';
import { all, broken, type Villain } from '../villain.ts';

/** Routes by another path than the one that came. */
function routing(change: (path: string, credentials: Credentials) => string | undefined): Partial<Parts> {
  return {
    route: (request, credentials) => {
      const path = http.pathOf(request);
      return routeTo(change(path, credentials) ?? path, request, credentials);
    },
  };
}

function routeTo(path: string, request: IncomingMessage, credentials: Credentials): Route {
  const query = http.queryOf(request);
  return http.route(Object.assign(request, { url: query === '' ? path : `${path}?${query}` }), credentials);
}

function known(credentials: Credentials, fits: (path: string) => boolean): string | undefined {
  return [...credentials.keys()].find(fits);
}

function withMethod(method: string, request: IncomingMessage): IncomingMessage {
  return Object.assign(request, { method });
}

/** What goes wrong on the way to an endpoint. */
export const routingVillains: readonly Villain[] = [
  {
    name: 'ignores letter case and final slashes',
    sources: all,
    breaks: 'As Express does by itself: a rule in front that guards the exact path is passed by.',
    claimedBy: ['H2-path'],
    outcome: 'warned',
    start: broken(
      routing((path, credentials) =>
        known(credentials, (own) => own.toLowerCase() === path.toLowerCase().replace(/(?<=.)\/$/, '')),
      ),
    ),
  },
  {
    name: 'tidies paths',
    sources: all,
    breaks: 'Doubled slashes, `/./`, `/x/../` and percent signs are resolved before routing.',
    claimedBy: ['H2-path'],
    outcome: 'warned',
    start: broken(routing(tidied)),
  },
  {
    name: 'serves whatever begins like an endpoint',
    sources: all,
    breaks: 'A prefix is enough: /hook-evil is /hook, and so is /hook;x.',
    claimedBy: ['H3-unknown-path'],
    start: broken(routing((path, credentials) => known(credentials, (own) => path.startsWith(own)))),
  },
  {
    name: 'answers every method',
    sources: all,
    breaks: 'PUT, PATCH and DELETE do what POST does.',
    claimedBy: ['H1-method'],
    start: broken({
      route: (request, credentials) => http.route(withMethod('POST', request), credentials),
    }),
  },
  {
    name: 'answers other methods with 200',
    sources: all,
    breaks: 'A friendly page for GET, HEAD and OPTIONS, where a sender would take 200 for delivered.',
    claimedBy: ['H1-method'],
    start: broken({
      refuse: (thrown) =>
        thrown instanceof Refusal && thrown.status === 405 ? http.json(200, '{}') : http.refuse(thrown),
    }),
  },
  {
    name: 'does not say Allow',
    sources: all,
    breaks: '405 without the header that must come with it.',
    claimedBy: ['U12-allow'],
    start: broken({
      refuse: (thrown) =>
        thrown instanceof Refusal && thrown.status === 405 ? http.json(405, '{}') : http.refuse(thrown),
    }),
  },
  {
    name: 'lets a header change the method',
    sources: all,
    breaks: 'X-HTTP-Method-Override turns a GET into a POST.',
    claimedBy: ['H1-override'],
    start: broken({
      route(request, credentials) {
        const method = request.headers['x-http-method-override'] ?? request.method;
        return http.route(withMethod(String(method), request), credentials);
      },
    }),
  },
  {
    name: 'redirects to the tidy path',
    sources: all,
    breaks: 'A final slash is answered with 301, and the sender follows with a GET or not at all.',
    claimedBy: ['H3-unknown-path'],
    start: broken({
      refuse(thrown, request) {
        const path = http.pathOf(request);
        const location = `${path.replace(/\/+$/, '')}?${http.queryOf(request)}`;
        const tidies = thrown instanceof Refusal && thrown.status === 404 && path.endsWith('/');
        return tidies ? { status: 301, headers: { Location: location }, body: '' } : http.refuse(thrown);
      },
    }),
  },
  {
    name: 'answers 200 on unknown paths',
    sources: all,
    breaks: 'A catch-all route says that all is well, and nobody learns that the address is wrong.',
    claimedBy: ['H3-unknown-path'],
    start: broken({
      refuse: (thrown) =>
        thrown instanceof Refusal && thrown.status === 404
          ? http.json(200, '{"ok":true}')
          : http.refuse(thrown),
    }),
  },
  {
    name: 'breaks on a bad percent sign',
    sources: all,
    breaks: 'decodeURIComponent throws on %ZZ, and the sender is told 500.',
    claimedBy: ['H2-path'],
    start: broken({
      route(request, credentials) {
        decodeURIComponent(request.url ?? '');
        return http.route(request, credentials);
      },
    }),
  },
  {
    name: 'takes any key',
    sources: ['phenixid'],
    breaks: '`?key=` is there to tell installations apart, and is not looked at.',
    claimedBy: ['C1-key'],
    key: 'north',
    start: broken({ checkKey: () => undefined }),
  },
  {
    name: 'decodes keys twice',
    sources: ['phenixid'],
    breaks:
      'The framework has decoded the key already; blanks and broken escapes around it are forgiven too.',
    claimedBy: ['C3-key-spelling'],
    key: 'north',
    start: broken({
      checkKey(query, credential) {
        const key = new URLSearchParams(query).get('key') ?? '';
        const plain = key.replaceAll(/%(?![0-9a-f]{2})\S*|[\s\0\uFEFF\uFFFD]/gi, '');
        if (decodeURIComponent(plain) !== credential.key) throw new Refusal(401);
      },
    }),
  },
  {
    name: 'breaks on two keys',
    sources: ['phenixid'],
    breaks: '`?key=a&key=b` is a list, and a list has no `trim`.',
    claimedBy: ['C2-key-place'],
    key: 'north',
    start: broken({
      checkKey(query, credential) {
        const names = [...new URLSearchParams(query).keys()].filter((name) => name.startsWith('key'));
        if (names.length > 1 || names[0]?.includes('[') === true)
          throw new TypeError('key.trim is not a function');
        http.checkKey(query, credential);
      },
    }),
  },
];

function tidied(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path)
      .replaceAll(/\/{2,}/g, '/')
      .replace(/[;\0].*$/, '');
    return new URL(decoded, 'http://localhost').pathname.replace(/(?<=.)\/$/, '');
  } catch {
    return undefined;
  }
}
