import { execFile, spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Whether openssl is installed; says loudly what is not tested if it is not. */
export function requireOpenssl(what: string): boolean {
  const runs = spawnSync('openssl', ['version']).status === 0;
  if (!runs) process.stderr.write(`NOT TESTED: ${what}; openssl is not installed here.\n`);
  return runs;
}

/** A certificate with its key, as PEM texts and as files. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateRequest {
  /** As openssl writes it: `/O=Hospital/CN=phenixid`. */
  readonly subject: string;
  readonly usage: 'server' | 'client' | 'authority';
  /** Subject alternative names as openssl writes them: `DNS:localhost`, `IP:127.0.0.1`. */
  readonly names?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
}

/** What can be wrong with a certificate, everything else being right. */
export const flaws = [
  'expired',
  'not-yet-valid',
  'wrong-authority',
  'wrong-subject',
  'wrong-usage',
  'self-signed',
] as const;
export type Flaw = (typeof flaws)[number];

/** An authority, what it has issued, and look-alikes of that. All keys are made anew, for this run only. */
export interface Certificates {
  readonly authority: Pair;
  /** For localhost, 127.0.0.1 and ::1. */
  readonly server: Pair;
  /** Its subject is `/O=Hospital/CN=phenixid`. */
  readonly client: Pair;
  readonly flawedServers: Readonly<Record<Flaw, Pair>>;
  readonly flawedClients: Readonly<Record<Flaw, Pair>>;
  /** Another one of this authority. */
  issue(request: CertificateRequest): Promise<Pair>;
  remove(): Promise<void>;
}

const server: CertificateRequest = {
  subject: '/CN=localhost',
  usage: 'server',
  names: ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1'],
};
const otherServer: CertificateRequest = {
  subject: '/CN=elsewhere',
  usage: 'server',
  names: ['DNS:elsewhere.example'],
};
const client: CertificateRequest = { subject: '/O=Hospital/CN=phenixid', usage: 'client' };
const otherClient: CertificateRequest = { subject: '/O=Hospital/CN=phenixld', usage: 'client' };

const DAY_MS = 24 * 60 * 60 * 1000;

export async function makeCertificates(): Promise<Certificates> {
  const directory = await mkdtemp(join(tmpdir(), 'certificates-'));
  const authority = await issue(directory, { subject: '/CN=Test authority', usage: 'authority' });
  // Same name, other key: only the signature tells them apart.
  const impostor = await issue(directory, { subject: '/CN=Test authority', usage: 'authority' });
  const issuers = { directory, authority, impostor };
  return {
    authority,
    server: await issue(directory, server, authority),
    client: await issue(directory, client, authority),
    flawedServers: await issueFlawed(issuers, server, otherServer, 'client'),
    flawedClients: await issueFlawed(issuers, client, otherClient, 'server'),
    issue: (request) => issue(directory, request, authority),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

interface Issuers {
  readonly directory: string;
  readonly authority: Pair;
  readonly impostor: Pair;
}

async function issueFlawed(
  { directory, authority, impostor }: Issuers,
  right: CertificateRequest,
  wrongSubject: CertificateRequest,
  usage: 'server' | 'client',
): Promise<Record<Flaw, Pair>> {
  const past = { from: new Date(Date.now() - 10 * DAY_MS), until: new Date(Date.now() - DAY_MS) };
  const future = { from: new Date(Date.now() + DAY_MS) };
  return {
    expired: await issue(directory, { ...right, ...past }, authority),
    'not-yet-valid': await issue(directory, { ...right, ...future }, authority),
    'wrong-authority': await issue(directory, right, impostor),
    'wrong-subject': await issue(directory, wrongSubject, authority),
    'wrong-usage': await issue(directory, { ...right, usage }, authority),
    'self-signed': await issue(directory, right),
  };
}

const run = promisify(execFile);

/** Without an issuer a certificate signs itself. */
async function issue(parent: string, request: CertificateRequest, issuer?: Pair): Promise<Pair> {
  const directory = join(parent, randomBytes(8).toString('hex'));
  await mkdir(directory);
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await writeFile(join(directory, 'key.pem'), privateKey, { mode: 0o600 });
  await writeFile(join(directory, 'openssl.cnf'), configuration(request));
  await writeFile(join(directory, 'index.txt'), '');
  await writeFile(join(directory, 'serial'), `01${randomBytes(7).toString('hex')}\n`);
  const openssl = (...args: string[]) => run('openssl', args, { cwd: directory });
  const config = ['-config', 'openssl.cnf'];
  await openssl('req', '-new', ...config, '-key', 'key.pem', '-subj', request.subject, '-out', 'request.pem');
  const by = issuer
    ? ['-cert', issuer.certFile, '-keyfile', issuer.keyFile]
    : ['-selfsign', '-keyfile', 'key.pem'];
  // Of openssl's commands, `ca` alone can date a certificate freely in all versions.
  await openssl(
    'ca',
    '-batch',
    '-notext',
    ...config,
    ...by,
    ...dates(request),
    '-in',
    'request.pem',
    '-out',
    'cert.pem',
  );
  const certFile = join(directory, 'cert.pem');
  return {
    cert: await readFile(certFile, 'utf8'),
    key: privateKey,
    certFile,
    keyFile: join(directory, 'key.pem'),
  };
}

function dates({ from, until }: CertificateRequest): string[] {
  const start = from ?? new Date(Date.now() - DAY_MS);
  const end = until ?? new Date(Date.now() + 30 * DAY_MS);
  return ['-startdate', asn1Time(start), '-enddate', asn1Time(end)];
}

/** `20260131235959Z` */
function asn1Time(date: Date): string {
  return `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
}

function configuration({ usage, names = [] }: CertificateRequest): string {
  return `
[ca]
default_ca = defaults
[defaults]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
unique_subject = no
policy = policy
x509_extensions = extensions
[policy]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = supplied
[req]
distinguished_name = subject
prompt = no
[subject]
CN = replaced on the command line
[extensions]
${extensions(usage)}
${names.length > 0 ? `subjectAltName = ${names.join(',')}` : ''}
`;
}

function extensions(usage: CertificateRequest['usage']): string {
  if (usage === 'authority')
    return 'basicConstraints = critical,CA:true\nkeyUsage = critical,keyCertSign,cRLSign';
  return `basicConstraints = critical,CA:false\nkeyUsage = critical,digitalSignature\nextendedKeyUsage = ${usage}Auth`;
}
