import type { IncomingMessage, Server } from 'node:http';
import * as http from '../http.ts';
import { Refusal, type Parts } from '../parts.ts';
import { behindGuess } from '../guessing-proxy.ts';
import * as proof from '../proof.ts';
import { all, broken, type Villain } from '../villain.ts';

const HEAD = { ...http.http, maxHeaderSize: 4 * 1_048_576 };

/** Reads to the end, however much it is. */
function readAll(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

/** Asks a route that must not see some of the headers. */
function blindTo(...names: readonly string[]): Pick<Parts, 'route'> {
  return {
    route(request, credentials) {
      const { rawHeaders } = request;
      const keeps = (at: number) => !names.includes(rawHeaders[at - (at % 2)]?.toLowerCase() ?? '');
      const headers = Object.fromEntries(
        Object.entries(request.headers).filter(([name]) => !names.includes(name)),
      );
      const seen = {
        url: request.url,
        method: request.method,
        headers,
        rawHeaders: rawHeaders.filter((_, at) => keeps(at)),
      };
      // All that the right route looks at.
      return http.route(seen as unknown as IncomingMessage, credentials);
    },
  };
}

/** Ends the whole receiver, as an exception that nobody catches would. */
function endOf(server: Server): void {
  server.close();
  server.closeAllConnections();
}

/** What goes wrong between a socket and a whole request. */
export const framingVillains: readonly Villain[] = [
  {
    name: 'reads bodies of any size',
    sources: all,
    breaks: 'There is no limit, and memory is one.',
    claimedBy: ['G10-limit'],
    start: broken({ readBody: readAll }),
  },
  {
    name: 'says 413 when all has come',
    sources: all,
    breaks: 'Checks the size of a body that it has read to its end.',
    claimedBy: ['G3-announced-size'],
    start: broken({
      http: { ...http.http, requestTimeout: 60_000, headersTimeout: 60_000 },
      async readBody(request, _response, { source }) {
        const body = await readAll(request);
        if (body.length > http.maxBytes[source]) throw new Refusal(413);
        return body;
      },
    }),
  },
  {
    name: 'has a limit of a thousand bytes',
    sources: ['hotdocs', 'risr'],
    breaks: 'The limit is smaller than what the sender sends.',
    claimedBy: ['G10-room'],
    start: broken({
      async readBody(request, response, route) {
        const body = await http.readBody(request, response, route);
        if (body.length + (request.url ?? '').length > 4_000) throw new Refusal(413);
        return body;
      },
    }),
  },
  {
    name: 'says 500 to a body that breaks off',
    sources: all,
    breaks: 'The error of a connection that ends in the middle is nobody’s, and the process ends with it.',
    claimedBy: ['G8-goes-away'],
    start: (credentials) => {
      let end: () => void = () => undefined;
      return broken({
        prepare(server) {
          end = () => endOf(server);
        },
        async readBody(request) {
          request.once('close', () => {
            if (!request.complete) end();
          });
          return readAll(request);
        },
      })(credentials);
    },
  },
  {
    name: 'dies of what is not HTTP',
    sources: all,
    breaks: 'A listener for broken requests throws, and with it goes the process.',
    claimedBy: ['G1-body-length'],
    start: broken({
      prepare(server) {
        server.on('clientError', () => endOf(server));
      },
    }),
  },
  {
    name: 'never gives up on a sender',
    sources: all,
    breaks: 'Neither headers nor bodies have a time limit: a few slow connections use it up.',
    claimedBy: ['G4-slow'],
    outcome: 'warned',
    patienceMs: 2_000,
    start: broken({ http: { ...http.http, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 } }),
  },
  {
    name: 'wants to know the length',
    sources: all,
    breaks: 'Reads as many bytes as Content-Length says, and where there is none, none.',
    claimedBy: ['G2-chunks'],
    start: broken({
      async readBody(request, response, route) {
        const body = await http.readBody(request, response, route);
        return body.subarray(0, Number(request.headers['content-length'] ?? 0));
      },
    }),
  },
  {
    name: 'serves a few at a time',
    sources: all,
    breaks: 'Twenty workers, and each waits for a request to be finished.',
    claimedBy: ['G4-many-open'],
    start: broken({
      prepare(server) {
        server.maxConnections = 20;
      },
    }),
  },
  {
    name: 'needs a Host',
    sources: all,
    breaks: 'Makes a URL of target and Host, and breaks where one of them is missing or odd.',
    claimedBy: ['G7-protocols'],
    start: broken({
      http: { ...http.http, requireHostHeader: false },
      route(request, credentials) {
        const url = new URL(request.url ?? '', `http://${request.headers.host ?? ''}`);
        return http.route(Object.assign(request, { url: url.pathname + url.search }), credentials);
      },
    }),
  },
  {
    name: 'reads headers of any size',
    sources: all,
    breaks: 'Megabytes of headers are parsed before anything is known of their sender.',
    claimedBy: ['G5-head'],
    start: broken({ http: HEAD }),
  },
  {
    name: 'parses HTTP leniently',
    sources: all,
    breaks:
      'Folded headers, bare line feeds, a length beside chunks: the parser forgives what proxies read otherwise.',
    claimedBy: ['G1-body-length'],
    start: broken({ http: { ...http.http, insecureHTTPParser: true, requireHostHeader: false } }),
  },
  {
    name: 'sits behind a proxy that guesses',
    sources: all,
    breaks: 'Of two lengths the first one counts, signs and junk around it do not, and codings are ignored.',
    claimedBy: ['G1-body-length'],
    start: (credentials) => behindGuess(broken(blindTo('host', 'transfer-encoding')), credentials),
  },
  {
    name: 'does not look at Host',
    sources: all,
    breaks: 'Two Host headers, or none: one of them is taken by a proxy, another by the application.',
    claimedBy: ['G6-host'],
    start: broken({ ...blindTo('host'), http: { ...http.http, requireHostHeader: false } }),
  },
  {
    name: 'upgrades to anything',
    sources: all,
    breaks: 'Switches protocols for whoever asks, and holds the connection.',
    claimedBy: ['G7-upgrade'],
    start: broken({
      prepare(server) {
        server.on('upgrade', (_request, socket) => {
          socket.write(
            'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
          );
        });
      },
    }),
  },
  {
    name: 'believes trailers',
    sources: ['phenixid'],
    breaks: 'A signature that comes behind the body counts like a header, past every filter in front.',
    claimedBy: ['B7-other-name'],
    start: (credentials) => {
      const trailers = new WeakMap<Buffer, readonly string[]>();
      return broken({
        async readBody(request, response, route) {
          const body = await http.readBody(request, response, route);
          trailers.set(body, request.rawTrailers);
          return body;
        },
        verifySignature: (delivery, parts) =>
          proof.verifySignature(
            { ...delivery, rawHeaders: [...delivery.rawHeaders, ...(trailers.get(delivery.body) ?? [])] },
            parts,
          ),
      })(credentials);
    },
  },
];
