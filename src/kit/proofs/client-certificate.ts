import { z } from 'zod';
import type { Delivery, PeerCertificate } from '../delivery.ts';
import { DeliveryRejected } from '../errors.ts';
import { list, oneOf, text } from '../reading/settings.ts';
import type { Proof } from './proof.ts';

/** What a client certificate must be. Which authorities count is for the TLS layer to know. */
export interface CertificateDemand {
  readonly required: boolean;
  /** Its one common name, or its whole subject; empty: any. */
  readonly subject: string;
  /** It is one of these; empty: any. SHA-256 in hex digits of lower case. */
  readonly fingerprints: readonly string[];
}

/** For the data sheet of a sender that can show a client certificate. */
export const clientCertificateSettings = {
  CLIENT_CERTIFICATE: {
    schema: oneOf('off', 'required'),
    default: 'off',
    summary:
      '`required`: the connection must be opened with a client certificate, besides the signature. Needs ' +
      '`TLS_CLIENT_CA_FILE`, and which certificate it is: the subject, the fingerprint, or both.',
  },
  CLIENT_CERTIFICATE_SUBJECT: {
    schema: text(),
    default: '',
    summary:
      'Its common name, `phenixid`, or its whole subject in the order of the certificate, `O=Hospital, CN=phenixid`: ' +
      'exactly, as `openssl x509 -noout -subject` prints it.',
  },
  CLIENT_CERTIFICATE_FINGERPRINT: {
    schema: fingerprints(),
    default: '',
    summary:
      'Its SHA-256 fingerprint: `openssl x509 -noout -fingerprint -sha256`. Several, with commas between them, while it ' +
      'is being replaced.',
  },
} as const;

/** What the values of `clientCertificateSettings` demand. */
export function certificateDemand(settings: {
  readonly CLIENT_CERTIFICATE: 'off' | 'required';
  readonly CLIENT_CERTIFICATE_SUBJECT: string;
  readonly CLIENT_CERTIFICATE_FINGERPRINT: readonly string[];
}): CertificateDemand {
  return {
    required: settings.CLIENT_CERTIFICATE === 'required',
    subject: settings.CLIENT_CERTIFICATE_SUBJECT,
    fingerprints: settings.CLIENT_CERTIFICATE_FINGERPRINT,
  };
}

/** A client certificate and another proof, both of them: neither stands in for the other. */
export function withCertificate(proof: Proof, demand: CertificateDemand): Proof {
  return {
    ...proof,
    scheme: `${proof.scheme} and client-certificate`,
    verify: (delivery, secrets) => {
      checkCertificate(delivery, demand);
      return proof.verify(delivery, secrets);
    },
  };
}

/**
 * The name of a header in which proxies hand on what they have seen of a client certificate, if there is one. What it
 * says is not read: anybody who reaches the receiver can write it.
 */
export function forwardedCertificate(headers: Delivery['headers']): string | undefined {
  const name = headers.find((text, at) => at % 2 === 0 && FORWARDED.test(text));
  return name?.slice(0, MOST_NAME_CHARACTERS);
}

// X-SSL-Client-Cert, X-Client-Verify, X-Forwarded-Client-Cert, X-ARR-ClientCert, Client-Cert (RFC 9440), ssl-client-s-dn
const FORWARDED = /client[-_]?(cert|verify|s[-_]dn)/i;
const MOST_NAME_CHARACTERS = 64;

function checkCertificate(
  { peerCertificate, headers, receivedAt }: Delivery,
  demand: CertificateDemand,
): void {
  if (peerCertificate === undefined) throw new DeliveryRejected('certificate_missing', missing(headers));
  const flaw = flawOf(peerCertificate, demand, receivedAt);
  if (flaw === undefined) return;
  throw new DeliveryRejected(
    'certificate_refused',
    `${flaw} Its fingerprint is ${peerCertificate.fingerprint}.`,
  );
}

function missing(headers: Delivery['headers']): string {
  const header = forwardedCertificate(headers);
  if (header !== undefined) {
    return `No client certificate came with the connection. A header ${header} speaks of one, but headers are not believed.`;
  }
  return (
    'No client certificate came with the connection. Is the sender set up to show one, and does no proxy end TLS before ' +
    'the receiver?'
  );
}

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2'; // id-kp-clientAuth, RFC 5280, 4.2.1.12

// The dates are looked at again with each delivery: a connection may outlive its certificate.
function flawOf(certificate: PeerCertificate, demand: CertificateDemand, now: number): string | undefined {
  const { fault, validFrom, validUntil, isAuthority, usages, fingerprint } = certificate;
  // Asked so that a date which cannot be read does not pass.
  if (!(now <= validUntil)) return `The client certificate expired at ${moment(validUntil)}.`;
  if (!(now >= validFrom)) return `The client certificate is not valid before ${moment(validFrom)}.`;
  if (fault !== undefined) return wordsFor(fault);
  if (isAuthority) return 'The client certificate is that of an authority, which is for issuing others.';
  if (!usages.includes(CLIENT_AUTHENTICATION)) return WRONG_USAGE;
  if (demand.fingerprints.length > 0 && !demand.fingerprints.includes(fingerprint)) {
    return 'The client certificate is in order, but its fingerprint is none of those configured.';
  }
  if (demand.subject !== '' && !isSubject(demand.subject, certificate)) {
    return `The client certificate is in order, but its subject is another one: ${shown(certificate.subject)}.`;
  }
  return undefined;
}

const WRONG_USAGE =
  'The client certificate is not made for clients: its extended key usage must have clientAuth. Have it issued again.';

/** Names as in https://nodejs.org/api/tls.html#x509-certificate-error-codes */
function wordsFor(fault: string): string {
  switch (fault) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'The client certificate signed itself; one of an authority in TLS_CLIENT_CA_FILE is expected.';
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'CERT_SIGNATURE_FAILURE':
      return (
        'The client certificate is of another authority than those in TLS_CLIENT_CA_FILE, or the sender leaves out an ' +
        `authority in between (${fault}).`
      );
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return `An authority above the client certificate is out of date (${fault}).`;
    case 'INVALID_PURPOSE':
      return WRONG_USAGE;
    case 'CERT_REVOKED':
      return 'The client certificate has been revoked, as TLS_CLIENT_CRL_FILE says.';
    case 'CRL_HAS_EXPIRED':
    case 'CRL_NOT_YET_VALID':
    case 'UNABLE_TO_GET_CRL':
      return `Whether the client certificate has been revoked is not known: TLS_CLIENT_CRL_FILE is out of date, or of another authority (${fault}).`;
    default:
      return `The client certificate does not hold (${fault}).`;
  }
}

/** Exactly: the one common name, or all attributes in their order. */
function isSubject(wanted: string, { subject, commonNames }: PeerCertificate): boolean {
  if (commonNames.length === 1 && commonNames[0] === wanted) return true;
  const attributes = attributesIn(wanted);
  return attributes.length === subject.length && attributes.every((each, at) => each === subject[at]);
}

/** `O = Hospital, CN = phenixid` as a list; a backslash makes the character behind it part of a value. */
function attributesIn(subject: string): string[] {
  const parts = subject.match(/(?:\\.|[^,\\])+/g) ?? [];
  return parts.map((part) => part.trim().replace(/^([\w.]+) *= */, '$1='));
}

/** As the setting would have it; of any length that a log line can bear. */
function shown(subject: readonly string[]): string {
  const text = subject.join(', ');
  return text.length > MOST_SUBJECT_CHARACTERS ? `${text.slice(0, MOST_SUBJECT_CHARACTERS)}…` : text;
}

const MOST_SUBJECT_CHARACTERS = 256;

function moment(ms: number): string {
  return Number.isNaN(ms) ? 'a date that cannot be read' : new Date(ms).toISOString();
}

function fingerprints(): z.ZodType<readonly string[], string> {
  const error = 'expected SHA-256 fingerprints of 64 hex digits each, with or without colons';
  const one = z
    .string()
    .regex(/^(?:[0-9a-f]{64}|[0-9a-f]{2}(?::[0-9a-f]{2}){31})$/i, { error })
    .transform((written) => written.replaceAll(':', '').toLowerCase());
  return list().pipe(z.array(one));
}
