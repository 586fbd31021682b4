import { read } from '../content.ts';
import * as http from '../http.ts';
import { membersIn, type Delivery, type Members, type Parts } from '../parts.ts';
import * as proof from '../proof.ts';
import { believed, firstOf, headerOf, payloadOf } from '../reading.ts';
import { all, broken, tokens, type Villain } from '../villain.ts';

/** Asks for no proof where this holds. */
function unless(holds: (delivery: Delivery) => boolean): Villain['start'] {
  return broken({
    prove: (delivery, parts) => (holds(delivery) ? believed(delivery) : proof.prove(delivery, parts)),
  });
}

function header({ headers }: Delivery, name: string): string {
  return String(headers[name] ?? '');
}

function membersOf(content: Buffer): Members {
  return firstOf(
    () => membersIn(content.toString()),
    () => ({}),
  );
}

/** Serves a method as if it were the sender's; the request stays as it is. */
function serving(method: string): Parts['route'] {
  return (request, credentials) => {
    const posted = Object.create(request, { method: { value: 'POST' } }) as typeof request;
    return http.route(request.method === method ? posted : request, credentials);
  };
}

/** What gets in because of something beside it. */
export const doorVillains: readonly Villain[] = [
  {
    name: 'trusts requests from its own machine',
    sources: all,
    breaks: 'Behind a proxy the address is taken from X-Forwarded-For, and 127.0.0.1 is "us".',
    claimedBy: ['L1-believed-headers'],
    start: unless((delivery) => header(delivery, 'x-forwarded-for').split(',')[0] === '127.0.0.1'),
  },
  {
    name: 'believes a gateway that is not there',
    sources: all,
    breaks:
      'The gateway says X-Signature-Verified: true, and so can everybody who reaches the receiver without it.',
    claimedBy: ['L1-believed-headers'],
    start: unless((delivery) => header(delivery, 'x-signature-verified') === 'true'),
  },
  {
    name: 'still has the header of its tests',
    sources: all,
    breaks: 'X-Skip-Verification: 1 made the tests simpler, and nobody took it out.',
    claimedBy: ['L1-believed-headers'],
    start: unless((delivery) => /^(?:1|true)$/.test(header(delivery, 'x-skip-verification'))),
  },
  {
    name: 'knows its sender by name',
    sources: all,
    breaks: 'A User-Agent that names the product is let in while the secret is being rotated.',
    claimedBy: ['L1-believed-headers'],
    start: unless((delivery) => /hotdocs|phenixid|risr/i.test(header(delivery, 'user-agent'))),
  },
  {
    name: 'lets pass what was meant for the health check',
    sources: all,
    breaks: 'The check leaves /health out, by the address before it was rewritten.',
    claimedBy: ['L1-believed-headers'],
    start: unless((delivery) => header(delivery, 'x-original-url') === '/health'),
  },
  {
    name: 'decodes bearer tokens',
    sources: all,
    breaks: 'A bearer token names its owner; jwt.decode does not verify it.',
    claimedBy: ['L1-believed-headers'],
    start: unless((delivery) => {
      const [, token = ''] = /^Bearer (.+)$/.exec(header(delivery, 'authorization')) ?? [];
      return membersOf(payloadOf(token))['admin'] === true && headerOf(token)['alg'] !== undefined;
    }),
  },
  {
    name: 'can be debugged by everybody',
    sources: all,
    breaks: '?debug=1 switches the check off, in production too.',
    claimedBy: ['L2-switches'],
    start: unless(({ query }) => new URLSearchParams(query).get('debug') === '1'),
  },
  {
    name: 'verifies when it is asked to',
    sources: all,
    breaks: '"verify": false in the content spares the sender the signature.',
    claimedBy: ['L2-switches'],
    start: unless((delivery) => membersOf(believed(delivery))['verify'] === false),
  },
  {
    name: 'asks no proof of a test',
    sources: ['risr'],
    breaks: 'The test button of the sender came before the secret was set, so its example passes without.',
    claimedBy: ['L2-switches'],
    start: unless((delivery) => membersOf(believed(delivery))['id'] === 'profile_org_id'),
  },
  {
    name: 'verifies what is posted',
    sources: all,
    breaks: 'app.post has the check, app.get was added for a sender that uses GET, and only decodes.',
    claimedBy: ['L3-other-method'],
    start: broken({
      route: serving('GET'),
      prove: (delivery, parts) =>
        delivery.method === 'GET' ? believed(delivery) : proof.prove(delivery, parts),
    }),
  },
  {
    name: 'obeys a method override behind its check',
    sources: all,
    breaks:
      'The check is for POST; X-HTTP-Method-Override makes a PUT of it, and the route serves PUT as well.',
    claimedBy: ['L3-other-method'],
    start: unless((delivery) => header(delivery, 'x-http-method-override') === 'PUT'),
  },
  {
    name: 'verifies forms of one kind',
    sources: ['hotdocs'],
    breaks: 'The check reads a urlencoded form; what multer takes out of a multipart form is only decoded.',
    claimedBy: ['L3-other-method'],
    start: unless((delivery) => header(delivery, 'content-type').startsWith('multipart/form-data')),
  },
  {
    name: 'verifies one spelling of its path',
    sources: all,
    breaks: 'The filter in front compares the path as it came; the router forgives a slash and capitals.',
    claimedBy: ['L4-other-path'],
    start: broken({
      route(request, credentials) {
        const came = http.pathOf(request);
        const own = [...credentials.keys()].find(
          (path) => path.toLowerCase() === came.toLowerCase().replace(/\/$/, ''),
        );
        const url = own === undefined ? came : `${own}?${http.queryOf(request)}`;
        const route = http.route(Object.assign(request, { url }), credentials);
        return { ...route, path: came };
      },
      prove: (delivery, parts) =>
        delivery.route.path === came(delivery) ? proof.prove(delivery, parts) : believed(delivery),
    }),
  },
  {
    name: 'keeps the token in a cookie',
    sources: tokens,
    breaks: 'A cookie called token counts as a login that was verified when it was set, and is decoded only.',
    claimedBy: ['L5-other-place'],
    start: unless(({ headers: { cookie = '' } }) => cookie.startsWith('token=ey')),
  },
  {
    name: 'verifies one token and reads another',
    sources: tokens,
    breaks: 'The middleware verifies the token of the request; the handler decodes the one in Authorization.',
    claimedBy: ['L7-which-claims'],
    start: broken({
      prove(delivery, parts) {
        const content = proof.prove(delivery, parts);
        const [, other] = /^Bearer (ey.+)$/.exec(header(delivery, 'authorization')) ?? [];
        return other === undefined ? content : payloadOf(other);
      },
    }),
  },
  {
    name: 'merges the query into the event',
    sources: all,
    breaks:
      'Object.assign({}, body, query), as frameworks do that know parameters only: the query is unsigned.',
    claimedBy: ['L7-which-claims'],
    start: broken({
      read(content, delivery) {
        const query = Object.fromEntries(new URLSearchParams(delivery.query));
        return read(Buffer.from(JSON.stringify({ ...membersOf(content), ...query })), delivery);
      },
    }),
  },
];

/** The path that the endpoint really has. */
function came({ route: { source, type } }: Delivery): string {
  return type === undefined ? `/${source}` : `/${source}/${type}`;
}
