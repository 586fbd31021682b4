import { constants, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContextOptions } from 'node:tls';
import type { PeerCertificate } from '../delivery.ts';
import { messageOf, type RejectionCode } from '../errors.ts';
import type { RefusalLog } from './refusal-log.ts';

/** PEM texts: what the receiver shows, and whose client certificates it believes. */
export interface TlsIdentity {
  /** Its own certificate first, then the authorities between it and a known one. */
  readonly cert: string;
  readonly key: string;
  /** Authorities of client certificates; `undefined`: no certificate is asked for. */
  readonly clientAuthorities: string | undefined;
  /** Lists of what these authorities have revoked; `undefined`: that is not looked at. */
  readonly revocations: string | undefined;
}

// Forward secrecy and authenticated encryption only, of the "intermediate" list that all three senders' platforms can speak:
// https://wiki.mozilla.org/Security/Server_Side_TLS. TLS 1.3 has a list of its own, all of it good.
const CIPHERS_OF_TLS_1_2 = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/**
 * An HTTPS server. Where client certificates are asked for, a connection without a good one is let in all the same, and
 * the endpoint that demands one refuses the delivery: senders that have none use the same port, and the log can say in
 * words what was wrong, where a TLS alert would leave both sides with a number.
 */
export function createTlsServer(
  identity: TlsIdentity,
  http: ServerOptions & { readonly requestTimeout: number },
  refusals: RefusalLog,
): Server {
  const server = new ImpatientServer({
    ...http,
    ...optionsOf(identity),
    handshakeTimeout: http.requestTimeout,
  });
  // Node's own listener would pass what goes wrong here on as broken HTTP, to be answered on a connection that has none.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    const from = socket.remoteAddress;
    socket.destroy();
    // Whoever looks whether the port is open, as load balancers do, hangs up like this.
    if (error.code === 'ECONNRESET') return;
    refusals.tell(explained(error), from);
  });
  return server;
}

function optionsOf({ cert, key, clientAuthorities, revocations }: TlsIdentity): ServerOptions {
  const options = {
    cert,
    key,
    minVersion: 'TLSv1.2', // whatever NODE_OPTIONS says
    ciphers: CIPHERS_OF_TLS_1_2,
    // It would let TLS 1.2 put another client certificate in the place of the first, in the middle of a connection.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  } as const;
  if (clientAuthorities === undefined) return options;
  return {
    ...options,
    ca: clientAuthorities,
    ...(revocations !== undefined && { crl: revocations }),
    requestCert: true,
    rejectUnauthorized: false,
    // A resumed session shows no certificate again and goes on with what was found out about the first: without tickets,
    // and with no store of sessions here, each connection shows its own and has it checked.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
  };
}

/** Everything that is wrong with an identity. `nameOf` says where a text was read from: `TLS_CERT` or `TLS_CERT_FILE`. */
export function tlsProblems(identity: TlsIdentity, nameOf: (variable: string) => string): string[] {
  const { cert, key, clientAuthorities, revocations } = identity;
  const own = certificateIn(cert);
  const ownKey = keyIn(key);
  const problems: string[] = [];
  if (own === undefined)
    problems.push(
      `${nameOf('TLS_CERT')}: expected a certificate in PEM, the receiver's own before any other.`,
    );
  if (ownKey === undefined)
    problems.push(`${nameOf('TLS_KEY')}: expected a private key in PEM, without a passphrase.`);
  if (own && ownKey && !own.checkPrivateKey(ownKey)) {
    problems.push(
      `${nameOf('TLS_CERT')} and ${nameOf('TLS_KEY')} do not belong together: the certificate is for another key.`,
    );
  }
  if (clientAuthorities !== undefined && !areCertificates(clientAuthorities))
    problems.push(`${nameOf('TLS_CLIENT_CA')}: expected the certificates of authorities in PEM.`);
  if (revocations !== undefined && !isTaken({ crl: revocations }))
    problems.push(`${nameOf('TLS_CLIENT_CRL')}: expected lists of revoked certificates in PEM.`);
  if (problems.length === 0 && !isTaken({ cert, key }))
    problems.push(
      `${nameOf('TLS_CERT')}: OpenSSL does not take it. Is its key too short, or its hash SHA-1?`,
    );
  return problems;
}

/** What the certificate that the receiver shows deserves a look for, if anything. */
export function tlsWarning({ cert }: TlsIdentity, now: number): string | undefined {
  const own = certificateIn(cert);
  if (own === undefined) return undefined;
  const { validFromDate, validToDate } = own;
  if (now > validToDate.getTime())
    return `The certificate of the receiver expired at ${validToDate.toISOString()}.`;
  if (now < validFromDate.getTime())
    return `The certificate of the receiver is not valid before ${validFromDate.toISOString()}.`;
  return undefined;
}

/** The client certificate of a connection; `undefined` where none came, or the connection is not over TLS. */
export function peerCertificateOf(socket: Socket): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    fault: faultOf(socket),
    ...subjectAndUsages(certificate),
    commonNames: [certificate.toLegacyObject().subject.CN].flat().filter((name) => name !== undefined),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    validFrom: certificate.validFromDate.getTime(),
    validUntil: certificate.validToDate.getTime(),
    isAuthority: certificate.ca,
  };
}

/** Where a certificate has none of these, Node has nothing, though its typings promise a text and a list. */
function subjectAndUsages({
  subject,
  keyUsage: extendedKeyUsage,
}: Partial<Pick<X509Certificate, 'subject' | 'keyUsage'>>): Pick<PeerCertificate, 'subject' | 'usages'> {
  // Line ends within a value are escaped.
  return { subject: subject?.split('\n') ?? [], usages: extendedKeyUsage ?? [] };
}

function faultOf({ authorized, authorizationError }: TLSSocket): string | undefined {
  return authorized ? undefined : String(authorizationError);
}

/**
 * Gives a server of `createTlsServer` another identity, for connections that are opened from now on; one that is open
 * already ends with its next reply, since it was let in by the old one.
 * @throws and keeps the old one, if OpenSSL does not take it
 */
export function renewIdentity(server: unknown, identity: TlsIdentity): void {
  if (server instanceof ImpatientServer) server.renew(optionsOf(identity));
}

/** To shut down, it does not wait for handshakes that may never end. */
class ImpatientServer extends Server {
  readonly #connecting = new Map<string, Socket>();
  /** The connections that were opened since the identity was last renewed. */
  #fresh: WeakSet<Socket> | undefined;
  /** The far ends of those that were just being opened then. */
  #halfOpened = new Set<string>();

  constructor(options: ServerOptions) {
    super(options);
    this.on('connection', (socket: Socket) => {
      const end = farEndOf(socket);
      this.#connecting.set(end, socket);
      socket.once('close', () => this.#connecting.delete(end));
    });
    this.on('secureConnection', (socket) => {
      const end = farEndOf(socket);
      this.#connecting.delete(end);
      if (!this.#halfOpened.delete(end)) this.#fresh?.add(socket);
    });
    const endOld = ({ socket }: IncomingMessage, response: ServerResponse) => {
      if (this.#fresh?.has(socket) === false) response.shouldKeepAlive = false;
    };
    this.on('request', endOld).on('checkContinue', endOld);
  }

  renew(options: SecureContextOptions): void {
    createSecureContext(options); // the next call would have taken over a part of what it then does not like
    this.setSecureContext(options);
    this.#fresh = new WeakSet();
    this.#halfOpened = new Set(this.#connecting.keys());
  }

  override closeIdleConnections(): void {
    super.closeIdleConnections();
    for (const socket of this.#connecting.values()) socket.destroy();
  }
}

/** The same for a connection and for TLS over it. */
export function farEndOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function explained(error: NodeJS.ErrnoException): { readonly code: RejectionCode; readonly why: string } {
  const name = error.code ?? messageOf(error);
  if (name === 'ERR_TLS_HANDSHAKE_TIMEOUT')
    return { code: 'body_late', why: 'The TLS handshake was not done within REQUEST_TIMEOUT_MS.' };
  return { code: 'request_malformed', why: `${causeOf(name)} (${name})` };
}

/** OpenSSL's names, as Node spells them. */
function causeOf(name: string): string {
  if (name === 'ERR_SSL_HTTP_REQUEST')
    return 'Plain HTTP came to the TLS port; the address at the sender must begin with https.';
  if (name === 'ERR_SSL_UNSUPPORTED_PROTOCOL') return 'TLS older than 1.2 is not spoken.';
  if (name === 'ERR_SSL_NO_SHARED_CIPHER') return 'No cipher in common: the sender has old ones only.';
  if (/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE)/.test(name))
    return 'The sender does not trust our certificate. Does TLS_CERT_FILE have the authorities in between, and the right name?';
  return 'The TLS handshake failed.';
}

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g;

function areCertificates(pem: string): boolean {
  const found = pem.match(CERTIFICATE) ?? [];
  return found.length > 0 && found.every((each) => certificateIn(each) !== undefined);
}

/** The first certificate of a text. */
function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function keyIn(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function isTaken(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}
