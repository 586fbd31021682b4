import { json, refuse } from '../http.ts';
import { Refusal, type Delivery, type Parts, type Reply } from '../parts.ts';
import { right } from '../right.ts';
import { all, broken, type Villain } from '../villain.ts';

/** Answers a failed proof in another way. */
function refusing(reply: Reply | ((usual: Reply) => Reply)): Partial<Parts> {
  return {
    refuse(thrown) {
      const usual = refuse(thrown);
      if (usual.status !== 401) return usual;
      return typeof reply === 'function' ? reply(usual) : reply;
    },
  };
}

/** Adds headers to every reply. */
function adding(headers: Reply['headers']): Partial<Parts> {
  return { finish: (reply) => ({ ...reply, headers: { ...reply.headers, ...headers } }) };
}

/** What goes wrong with saying no. */
export const refusalVillains: readonly Villain[] = [
  {
    name: 'says 200 and means no',
    sources: all,
    breaks: 'Refuses in the body: {"error": …} with status 200, which the sender takes for delivered.',
    claimedBy: ['A1-none', 'B1-missing'],
    start: broken(refusing(json(200, '{"error":"invalid signature"}'))),
  },
  {
    name: 'refuses everything',
    sources: all,
    breaks: 'Its secret is another one: it lets nobody in, and proves nothing by it.',
    claimedBy: ['A1-none', 'B1-missing'],
    outcome: 'inconclusive',
    start: broken({
      prove() {
        throw new Refusal(401);
      },
    }),
  },
  {
    name: 'says 403',
    sources: all,
    breaks: 'A failed proof is answered with 403.',
    claimedBy: ['A1-none', 'B1-missing'],
    outcome: 'warned',
    start: broken(refusing(json(403, '{"ok":false}'))),
  },
  {
    name: 'says 400',
    sources: all,
    breaks: 'A failed proof is answered with 400.',
    claimedBy: ['A1-none', 'B1-missing'],
    outcome: 'warned',
    start: broken(refusing(json(400, '{"ok":false}'))),
  },
  {
    name: 'says 404 to a failed proof',
    sources: all,
    breaks: 'Hides behind 404, so that a wrong secret looks like a wrong address.',
    claimedBy: ['A1-none', 'B1-missing'],
    start: broken(refusing(json(404, '{"ok":false}'))),
  },
  {
    name: 'says 500 to a failed proof',
    sources: all,
    breaks: 'The library throws, nobody catches, and the sender tries again and again.',
    claimedBy: ['U1-no-server-error'],
    start: broken(refusing(json(500, '{"ok":false}'))),
  },
  {
    name: 'sends to the login page',
    sources: all,
    breaks: 'The session filter of the application sends everybody to /login first.',
    claimedBy: ['U8-no-redirect'],
    start: broken(refusing({ status: 302, headers: { Location: '/login' }, body: '' })),
  },
  {
    name: 'shows its stack',
    sources: all,
    breaks: 'The error page of the framework, with message, files and lines.',
    claimedBy: ['U4-no-internals'],
    start: broken(refusing({ status: 401, headers: { 'WWW-Authenticate': 'Signature' }, body: stack() })),
  },
  {
    name: 'repeats what came',
    sources: all,
    breaks: 'The reply to a refusal has the request in it.',
    claimedBy: ['U3-no-echo'],
    start: broken({
      prove: (delivery, parts) =>
        orElse(delivery.rawHeaders.join(' ') + delivery.body.toString('latin1'), delivery, parts),
      refuse: reasoned,
    }),
  },
  {
    name: 'says what it runs on',
    sources: all,
    breaks: 'X-Powered-By and Server name product and version.',
    claimedBy: ['U6-no-fingerprint'],
    start: broken(adding({ 'X-Powered-By': 'Express', Server: 'Apache/2.4.41 (Ubuntu)' })),
  },
  {
    name: 'sets a cookie',
    sources: all,
    breaks: 'A session for every delivery, for a sender that has no use for it.',
    claimedBy: ['U7-no-cookie'],
    start: broken(adding({ 'Set-Cookie': 'JSESSIONID=0123456789; Path=/' })),
  },
  {
    name: 'does not say WWW-Authenticate',
    sources: all,
    breaks: '401 without the header that must come with it.',
    claimedBy: ['U11-www-authenticate'],
    start: broken(refusing(json(401, '{"ok":false}'))),
  },
  {
    name: 'says what was wrong with a proof',
    sources: all,
    breaks: 'Missing, malformed and wrong have a text each, which helps whoever tries.',
    claimedBy: ['U10-one-refusal'],
    start: broken({
      prove: (delivery, parts) => orElse(causeOf(delivery.body, delivery.rawHeaders), delivery, parts),
      refuse: reasoned,
    }),
  },
  {
    name: 'shows the address that it does not know',
    sources: all,
    breaks: 'Its page for 404 has path and headers in it, as they came.',
    claimedBy: ['K5-error-page'],
    start: broken({
      refuse(thrown, request) {
        const { status, headers } = refuse(thrown);
        const body = `<pre>Cannot ${request.method ?? ''} ${request.url ?? ''} ${request.rawHeaders.join(' ')}</pre>`;
        return { status, headers: { ...headers, 'Content-Type': 'text/html' }, body: body.slice(0, 1000) };
      },
    }),
  },
  {
    name: 'locks senders out',
    sources: all,
    breaks:
      'After a hundred failed proofs an address is refused, and behind the proxy everybody has that address.',
    claimedBy: ['G9-flood'],
    start: (credentials) => {
      let failed = 0;
      return broken({
        prove(delivery, parts) {
          if (failed > 100) throw new Refusal(429, { 'Retry-After': '60' });
          failed += 1;
          const content = right.prove(delivery, parts);
          failed -= 1;
          return content;
        },
      })(credentials);
    },
  },
  {
    name: 'refuses at length',
    sources: all,
    breaks: 'A page with pictures in it, for a machine that reads the status.',
    claimedBy: ['U9-short-refusal'],
    start: broken(
      refusing((usual) => ({ ...usual, body: `<html>${'<p>Access denied.</p>'.repeat(400)}</html>` })),
    ),
  },
  {
    name: 'tells its secret',
    sources: all,
    breaks: 'The message of a failed comparison has the expected value in it.',
    claimedBy: ['U5-no-secret'],
    start: broken({
      prove: (delivery, parts) => orElse(delivery.route.credential.text, delivery, parts),
      refuse: reasoned,
    }),
  },
  {
    name: 'is overloaded and does not say for how long',
    sources: all,
    breaks: '503 or 429 without Retry-After, so that everybody comes back at once.',
    claimedBy: ['U13-retry-after'],
    start: broken(refusing(json(429, '{"ok":false}'))),
  },
];

function stack(): string {
  return [
    '<!DOCTYPE html><pre>JsonWebTokenError: invalid signature',
    '    at Object.verify (/srv/app/node_modules/jsonwebtoken/verify.js:171:19)',
    '    at /srv/app/routes/webhook.js:12:21</pre>',
  ].join('\n');
}

/** A refusal that says more than no. */
class Reasoned extends Refusal {
  readonly reason: string;

  constructor(reason: string) {
    super(401);
    this.reason = reason;
  }
}

function orElse(reason: string, delivery: Delivery, parts: Parts): Buffer {
  try {
    return right.prove(delivery, parts);
  } catch {
    throw new Reasoned(reason.slice(0, 900));
  }
}

function reasoned(thrown: unknown): Reply {
  const { status, headers, body } = refuse(thrown);
  return json(status, thrown instanceof Reasoned ? JSON.stringify({ error: thrown.reason }) : body, headers);
}

function causeOf(body: Buffer, rawHeaders: readonly string[]): string {
  const signature =
    rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === 'x-signature') + 1] ?? '';
  const shape = (body.toString('latin1') + signature).replaceAll(/[\w%-]/g, '');
  return shape === '' ? 'missing' : `malformed near ${shape.slice(-3)}`;
}
