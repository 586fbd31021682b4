import { connect, createServer } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Certificates } from '../../support/certificates.ts';
import * as http from '../http.ts';
import { Refusal, type Parts } from '../parts.ts';
import { createReceiver } from '../receiver.ts';
import { right } from '../right.ts';
import { all, broken, type Villain } from '../villain.ts';
import { listenOn } from '../../../src/lab/rig/ports.ts';

/** The right receiver, that speaks TLS with those alone who show a certificate of its authority. */
export const startSecure: Villain['start'] = (credentials, certificates) =>
  createReceiver({ ...right, tls: demanding(certificates) })(credentials);

function demanding(certificates: Certificates | undefined): NonNullable<Parts['tls']> {
  if (certificates === undefined) throw new Error('Without certificates there is no TLS.');
  const { server, authority } = certificates;
  return {
    cert: server.cert,
    key: server.key,
    ca: authority.cert,
    requestCert: true,
    rejectUnauthorized: true,
  };
}

/** Leaves it to the application whom to let in. */
function asking(
  certificates: Certificates | undefined,
  isKnown: (request: IncomingMessage) => boolean,
): Villain['start'] {
  return broken({
    tls: { ...demanding(certificates), rejectUnauthorized: false },
    route(request, credentials) {
      if (!isKnown(request)) throw new Refusal(401);
      return http.route(request, credentials);
    },
  });
}

/** What goes wrong below HTTP. */
export const transportVillains: readonly Villain[] = [
  {
    name: 'takes any certificate',
    sources: all,
    breaks: 'Asks for a client certificate, and does not ask who issued it.',
    claimedBy: ['D1-own-certificate'],
    secure: true,
    start: (credentials, certificates) =>
      asking(
        certificates,
        ({ socket }) => socket instanceof TLSSocket && hasCertificate(socket),
      )(credentials),
  },
  {
    name: 'believes certificates in headers',
    sources: all,
    breaks: 'A header in which a proxy would tell of a certificate counts, whoever has written it.',
    claimedBy: ['D2-certificate-headers'],
    secure: true,
    start: (credentials, certificates) =>
      asking(
        certificates,
        ({ socket, headers }) =>
          (socket instanceof TLSSocket && socket.authorized) ||
          Object.keys(headers).some((name) => /client-?(?:cert|verify)|ssl-client/.test(name)),
      )(credentials),
  },
  {
    name: 'still speaks TLS 1.0',
    sources: all,
    breaks: 'An old sender once needed it.',
    claimedBy: ['D5-old-tls'],
    secure: true,
    start: (credentials, certificates) =>
      broken({
        tls: { ...demanding(certificates), minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
      })(credentials),
  },
  {
    name: 'speaks plain HTTP as well',
    sources: all,
    breaks: 'The same port serves whoever does not begin with TLS.',
    claimedBy: ['D5-plain-http'],
    secure: true,
    async start(credentials, certificates) {
      const secure = await startSecure(credentials, certificates);
      const plain = await createReceiver(right)(credentials);
      const server = createServer((client) => {
        client
          .on('error', () => undefined)
          .once('data', (first: Buffer) => {
            const { hostname, port } = first[0] === TLS_HANDSHAKE ? secure.url : plain.url;
            const inner = connect(Number(port), hostname).on('error', () => undefined);
            inner.write(first);
            client.pipe(inner).pipe(client);
          });
      });
      const port = await listenOn(server);
      return {
        ...secure,
        url: new URL(`https://127.0.0.1:${port}`),
        async stop() {
          server.close();
          await Promise.all([secure.stop(), plain.stop()]);
        },
      };
    },
  },
];

const TLS_HANDSHAKE = 22;

function hasCertificate(socket: TLSSocket): boolean {
  return Object.keys(socket.getPeerCertificate()).length > 0;
}
