import { expect, it } from '@jest/globals';
import { headerValues, type Delivery, type PeerCertificate } from '../../../src/kit/delivery.ts';
import { DeliveryRejected } from '../../../src/kit/errors.ts';
import {
  certificateDemand,
  clientCertificateSettings,
  forwardedCertificate,
  withCertificate,
  type CertificateDemand,
} from '../../../src/kit/proofs/client-certificate.ts';
import type { Proof } from '../../../src/kit/proofs/proof.ts';
import { deliveryOf, outcomeOf, refusalOf } from './outcome.ts';

const NOW = Date.UTC(2031, 4, 6);
const HOUR_MS = 3_600_000;
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';
const FINGERPRINT = 'ab'.repeat(32);

const good: PeerCertificate = {
  fault: undefined,
  subject: ['O=Hospital', 'CN=phenixid'],
  commonNames: ['phenixid'],
  fingerprint: FINGERPRINT,
  validFrom: NOW - HOUR_MS,
  validUntil: NOW + HOUR_MS,
  usages: [CLIENT_AUTHENTICATION],
  isAuthority: false,
};
const demand: CertificateDemand = { required: true, subject: 'phenixid', fingerprints: [] };

/** Another proof that holds or fails as the delivery says. */
const other: Proof = {
  scheme: 'other',
  verify: (delivery) => {
    if (headerValues(delivery, 'other')[0] === 'wrong')
      throw new DeliveryRejected('proof_mismatch', 'Wrong.');
    return { content: delivery.body, secret: 1 };
  },
};

function delivery(peerCertificate: PeerCertificate | undefined, headers: readonly string[] = []): Delivery {
  return { ...deliveryOf('{}', headers), receivedAt: NOW, peerCertificate };
}

function outcome(change: Partial<PeerCertificate>, demanded: Partial<CertificateDemand> = {}) {
  const proof = withCertificate(other, { ...demand, ...demanded });
  return outcomeOf(() => proof.verify(delivery({ ...good, ...change }), []));
}

async function wordsFor(change: Partial<PeerCertificate>, demanded: Partial<CertificateDemand> = {}) {
  const proof = withCertificate(other, { ...demand, ...demanded });
  const { code, message } = await refusalOf(() => proof.verify(delivery({ ...good, ...change }), []));
  expect(code).toBe('certificate_refused');
  return message;
}

it('lets the other proof decide once the certificate is right', async () => {
  const proof = withCertificate(other, demand);
  const proven = await proof.verify(delivery(good), []);
  expect(proven).toEqual({ content: Buffer.from('{}'), secret: 1 });
  expect(proof.scheme).toBe('other and client-certificate');
});

it.each([
  [good, 'right', 'accepted'],
  [good, 'wrong', 'proof_mismatch'],
  [{ ...good, fault: 'CERT_SIGNATURE_FAILURE' }, 'right', 'certificate_refused'],
  [{ ...good, fault: 'CERT_SIGNATURE_FAILURE' }, 'wrong', 'certificate_refused'],
  [undefined, 'right', 'certificate_missing'],
  [undefined, 'wrong', 'certificate_missing'],
] as const)(
  'asks for both, the certificate and the other proof (case %#)',
  async (certificate, proof, expected) => {
    const both = withCertificate(other, demand);
    expect(await outcomeOf(() => both.verify(delivery(certificate, ['other', proof]), []))).toBe(expected);
  },
);

it.each([
  'phenixid',
  'O=Hospital, CN=phenixid',
  'O=Hospital,CN=phenixid',
  'O = Hospital, CN = phenixid', // as openssl 3 prints it
])('accepts the subject written as %s', async (subject) =>
  expect(await outcome({}, { subject })).toBe('accepted'),
);

it.each([
  'Phenixid',
  'phenixi',
  'phenixid.example',
  '*',
  'Hospital',
  'O=Hospital',
  'CN=phenixid',
  'CN=phenixid, O=Hospital',
  'O=Hospital, CN=phenixid, OU=x',
  'O=hospital, CN=phenixid',
  'o=Hospital, cn=phenixid',
  ', CN=phenixid',
])('refuses the same certificate where the subject is to be %s', async (subject) =>
  expect(await outcome({}, { subject })).toBe('certificate_refused'),
);

it.each([
  [['phenixld'], ['O=Hospital', 'CN=phenixld']],
  [['phenixid\0.evil.example'], ['O=Hospital', 'CN=phenixid\\00.evil.example']],
  [['phenіxid'], ['O=Hospital', 'CN=phenіxid']], // a Cyrillic і
  [['*'], ['CN=*']],
  [
    ['phenixid', 'evil'],
    ['CN=phenixid', 'CN=evil'],
  ],
  [[], ['O=phenixid']],
  [[], []],
] as const)('refuses the look-alike %j', async (commonNames, subject) =>
  expect(await outcome({ commonNames, subject })).toBe('certificate_refused'),
);

it('reads a comma behind a backslash as part of a value, as the log writes it', async () => {
  const certificate = { subject: ['O=Hospital\\, North', 'CN=phenixid'], commonNames: ['phenixid'] };
  const words = await wordsFor(certificate, { subject: 'O=Hospital, CN=phenixid' });
  const [, shown = ''] = /another one: (.*?)\. /.exec(words) ?? [];
  expect(shown).toBe('O=Hospital\\, North, CN=phenixid');
  expect(await outcome(certificate, { subject: shown })).toBe('accepted');
});

it('accepts any of several fingerprints, and with a subject asks for both', async () => {
  const fingerprints = ['00'.repeat(32), FINGERPRINT];
  expect(await outcome({}, { subject: '', fingerprints })).toBe('accepted');
  expect(await outcome({}, { subject: 'phenixid', fingerprints })).toBe('accepted');
  expect(await outcome({}, { subject: 'elsewhere', fingerprints })).toBe('certificate_refused');
  expect(await outcome({}, { subject: 'phenixid', fingerprints: ['00'.repeat(32)] })).toBe(
    'certificate_refused',
  );
});

it('looks at the dates when the delivery comes, not when the connection was opened', async () => {
  expect(await outcome({ validUntil: NOW })).toBe('accepted');
  expect(await outcome({ validFrom: NOW })).toBe('accepted');
  expect(await wordsFor({ validUntil: NOW - 1 })).toContain('expired at 2031-05-05T23:59:59.999Z');
  expect(await wordsFor({ validFrom: NOW + 1 })).toContain('not valid before 2031-05-06T00:00:00.001Z');
});

it('accepts no certificate whose dates cannot be read', async () => {
  expect(await wordsFor({ validUntil: Number.NaN })).toContain('a date that cannot be read');
  expect(await outcome({ validFrom: Number.NaN })).toBe('certificate_refused');
});

it('accepts a certificate for clients and servers, none for servers only, and none that does not say', async () => {
  expect(await outcome({ usages: [SERVER_AUTHENTICATION, CLIENT_AUTHENTICATION] })).toBe('accepted');
  expect(await wordsFor({ usages: [SERVER_AUTHENTICATION] })).toContain('clientAuth');
  expect(await wordsFor({ usages: [] })).toContain('clientAuth');
});

it('accepts no certificate of an authority', async () =>
  expect(await wordsFor({ isAuthority: true })).toContain('an authority, which is for issuing others'));

it.each([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'signed itself'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'another authority'],
  ['CERT_SIGNATURE_FAILURE', 'another authority'],
  ['CERT_HAS_EXPIRED', 'authority above'],
  ['INVALID_PURPOSE', 'clientAuth'],
  ['CERT_REVOKED', 'revoked'],
  ['CRL_HAS_EXPIRED', 'TLS_CLIENT_CRL_FILE is out of date'],
  ['EE_KEY_TOO_SMALL', 'EE_KEY_TOO_SMALL'],
  ['anything else', 'anything else'],
])('refuses what OpenSSL calls %s, and says it in words', async (fault, words) => {
  const message = await wordsFor({ fault });
  expect(message).toContain(words);
  expect(message).toContain(FINGERPRINT);
});

it('shows no subject that nobody vouches for', async () => {
  const message = await wordsFor({
    fault: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    subject: ['CN=evil'],
    commonNames: [],
  });
  expect(message).not.toContain('evil');
});

it('shows no more of a subject than a log line can bear', async () => {
  const long = 'x'.repeat(10_000);
  expect((await wordsFor({ subject: [`CN=${long}`], commonNames: [long] })).length).toBeLessThan(600);
});

it.each([
  'X-SSL-Client-Cert',
  'X-SSL-Client-Verify',
  'X-Client-Verify',
  'X-Client-Cert',
  'X-Forwarded-Client-Cert',
  'X-Forwarded-Tls-Client-Cert',
  'X-ARR-ClientCert',
  'X-Amzn-Mtls-Clientcert-Leaf',
  'Client-Cert',
  'client-cert-chain',
  'ssl_client_s_dn',
])('takes no certificate from the header %s, and says that one came', async (name) => {
  const headers = ['Host', 'localhost', name, 'SUCCESS'];
  expect(forwardedCertificate(headers)).toBe(name);
  const proof = withCertificate(other, demand);
  const { code, message } = await refusalOf(() => proof.verify(delivery(undefined, headers), []));
  expect(code).toBe('certificate_missing');
  expect(message).toContain(`A header ${name} speaks of one, but headers are not believed.`);
});

it('takes no header for one of these because of its value', () =>
  expect(forwardedCertificate(['Host', 'X-Client-Cert', 'Accept', 'client-cert'])).toBeUndefined());

it('reads fingerprints as openssl prints them, and as browsers show them', () => {
  const { schema } = clientCertificateSettings.CLIENT_CERTIFICATE_FINGERPRINT;
  const colons = 'AB:'.repeat(31) + 'AB';
  expect(schema.parse(`${colons}, ${FINGERPRINT}`)).toEqual([FINGERPRINT, FINGERPRINT]);
  expect(schema.parse('')).toEqual([]);
  for (const wrong of ['ab', `${FINGERPRINT}ab`, `sha1:${FINGERPRINT}`, 'AB:'.repeat(32), 'zz'.repeat(32)])
    expect(schema.safeParse(wrong).success).toBe(false);
});

it('demands nothing by itself', () => {
  const { CLIENT_CERTIFICATE, CLIENT_CERTIFICATE_SUBJECT, CLIENT_CERTIFICATE_FINGERPRINT } =
    clientCertificateSettings;
  const settings = {
    CLIENT_CERTIFICATE: CLIENT_CERTIFICATE.schema.parse(CLIENT_CERTIFICATE.default),
    CLIENT_CERTIFICATE_SUBJECT: CLIENT_CERTIFICATE_SUBJECT.schema.parse(CLIENT_CERTIFICATE_SUBJECT.default),
    CLIENT_CERTIFICATE_FINGERPRINT: CLIENT_CERTIFICATE_FINGERPRINT.schema.parse(
      CLIENT_CERTIFICATE_FINGERPRINT.default,
    ),
  };
  expect(certificateDemand(settings)).toEqual({ required: false, subject: '', fingerprints: [] });
});
