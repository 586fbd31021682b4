import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { expect, it } from '@jest/globals';
import { openInbox } from '../../../src/kit/inbox/open.ts';
import { encryptInbox } from '../../../src/kit/inbox/sealed/inbox.ts';
import { readInboxKeys } from '../../../src/kit/inbox/sealed/keys.ts';
import { openApis } from '../../../src/kit/program/apis.ts';
import { readConfig } from '../../../src/kit/program/config.ts';
import type { PhenixidApi } from '../../../src/kit/sources/phenixid/api/api.ts';
import { phenixid } from '../../../src/kit/sources/phenixid/index.ts';
import { risr } from '../../../src/kit/sources/risr/index.ts';
import { projectFile, startProgram, type ProgramProcess } from '../../../src/lab/rig/program.ts';
import { startOtherSide } from '../outgoing/other-side.ts';
import { makeCertificates, requireOpenssl, type Certificates } from '../../support/certificates.ts';
import { fileWith, later, newFolder } from '../../support/fixtures.ts';
import { senderTo, startProcess } from '../../support/processes.ts';

const [OLD, NEW, OTHER] = ['old', 'new', 'other'].map((text) => hash('sha256', `${text} secret`)) as [
  string,
  string,
  string,
];

async function status(receiver: ProgramProcess, secret: string, type = 'profile_updated'): Promise<number> {
  const sender = senderTo(await receiver.url(), () => secret);
  return (await sender.fire(risr, type)).status;
}

/** A receiver in a folder whose `.env` can be written again. */
function started(text: string): {
  readonly receiver: ProgramProcess;
  readonly write: (text: string) => void;
} {
  const folder = newFolder();
  const write = (lines: string) =>
    writeFileSync(join(folder, '.env'), `INBOX_URL=memory:\nRECORDS_FILE=:memory:\n${lines}`, {
      mode: 0o600,
    });
  write(text);
  return { receiver: startProcess({ PORT: '0' }, folder), write };
}

const renewed = (what: string) => new RegExp(`("outcome":"renewed".*${what})`);

it('takes the secrets that stand in .env when SIGHUP comes, and prints none', async () => {
  const { receiver, write } = started(`RISR_PROFILE_UPDATED_SECRET=${OLD}\n`);
  expect(await status(receiver, NEW)).toBe(401);
  write(`RISR_PROFILE_UPDATED_SECRET=${NEW},${OLD}\nRISR_BOOKING_UPDATED_SECRET=${OTHER}\nLOG_LEVEL=warn\n`);
  receiver.kill('SIGHUP');
  await receiver.said(
    renewed('RISR_BOOKING_UPDATED_SECRET \\(1 live\\).*RISR_PROFILE_UPDATED_SECRET \\(2 live\\)'),
  );
  await receiver.said(/(at the next start only: LOG_LEVEL)\./);
  expect(await status(receiver, NEW)).toBe(200);
  expect(await status(receiver, OLD)).toBe(200);
  expect(await status(receiver, OTHER, 'booking_updated')).toBe(200);
  write(`RISR_PROFILE_UPDATED_SECRET=${NEW}\n`);
  receiver.kill('SIGHUP');
  await receiver.said(renewed('RISR_BOOKING_UPDATED_SECRET \\(gone\\)'));
  expect(await status(receiver, OLD)).toBe(401);
  expect(await status(receiver, OTHER, 'booking_updated')).toBe(404);
  expect(receiver.output()).not.toMatch(new RegExp([OLD, NEW, OTHER].join('|')));
});

it.each(['--env-file', '--env-file-if-exists'])(
  'reads again what %s names behind a blank',
  async (option) => {
    const file = fileWith(`RISR_PROFILE_UPDATED_SECRET=${OLD}\n`);
    const receiver = startProgram({
      ...{ main: projectFile('src/example/main.ts'), folder: newFolder(), nodeArguments: [option, file] },
      env: { PORT: '0', ADMIN_PORT: 'off', INBOX_URL: 'memory:', RECORDS_FILE: ':memory:' },
    });
    later(async () => {
      receiver.kill('SIGKILL');
      await receiver.ended;
    });
    expect(await status(receiver, OLD)).toBe(200);
    writeFileSync(file, `RISR_PROFILE_UPDATED_SECRET=${NEW}\n`);
    receiver.kill('SIGHUP');
    await receiver.said(renewed('RISR_PROFILE_UPDATED_SECRET'));
    expect(await status(receiver, NEW)).toBe(200);
    expect(receiver.output()).not.toContain('No .env was read');
  },
);

it('says that no .env was read where Node was given none', async () => {
  const env = { PORT: '0', ADMIN_PORT: 'off', INBOX_URL: 'memory:', RISR_PROFILE_UPDATED_SECRET: OLD };
  const receiver = startProgram({ main: projectFile('src/example/main.ts'), folder: newFolder(), env });
  later(async () => {
    receiver.kill('SIGKILL');
    await receiver.ended;
  });
  await receiver.url();
  receiver.kill('SIGHUP');
  await receiver.said(renewed('No .env was read: Node was not given one'));
});

it.each([
  ['a secret that is too short', 'RISR_PROFILE_UPDATED_SECRET=short\n', 'fewer than 16'],
  [
    'a setting that cannot be read',
    `RISR_PROFILE_UPDATED_SECRET=${NEW}\nMAX_CONNECTIONS=all\n`,
    'MAX_CONNECTIONS: expected',
  ],
  ['no secret at all', '', 'No endpoint has a secret'],
  ['TLS where there was none', `RISR_PROFILE_UPDATED_SECRET=${NEW}\nTLS_CERT=x\n`, 'TLS is set up in part'],
])('keeps what it has when SIGHUP finds %s, and says why', async (_what, text, why) => {
  const { receiver, write } = started(`RISR_PROFILE_UPDATED_SECRET=${OLD}\n`);
  await receiver.url();
  write(text);
  receiver.kill('SIGHUP');
  await receiver.said(new RegExp(`(Nothing was renewed.*${why})`));
  expect(await status(receiver, OLD)).toBe(200);
});

it('keeps the old secret where a # cuts the new one short', async () => {
  const { receiver, write } = started(`RISR_PROFILE_UPDATED_SECRET=${OLD}\n`);
  await receiver.url();
  write(`RISR_PROFILE_UPDATED_SECRET=${NEW}#2\n`);
  receiver.kill('SIGHUP');
  await receiver.said(/(Nothing was renewed.*line 3: RISR_PROFILE_UPDATED_SECRET has a # in it)/);
  expect(await status(receiver, OLD)).toBe(200);
  expect(receiver.output()).not.toContain(NEW);
});

it('takes another ?key= of an installation together with its secret', async () => {
  const { receiver, write } = started(`PHENIXID_NORTH_SECRET=${OLD}\n`);
  const sender = senderTo(await receiver.url(), () => OTHER);
  const fire = async () => (await sender.fire(phenixid, 'OrderSigned', { switches: { key: 'norr' } })).status;
  expect(await fire()).toBe(401);
  write(`PHENIXID_NORTH_SECRET=${OTHER}\nPHENIXID_NORTH_KEY=norr\n`);
  receiver.kill('SIGHUP');
  await receiver.said(renewed('PHENIXID_NORTH_KEY.*PHENIXID_NORTH_SECRET \\(1 live\\)'));
  expect(await fire()).toBe(200);
  write(`PHENIXID_NORTH_SECRET=${OTHER}\nPHENIXID_NORTH_KEY=nord\n`);
  receiver.kill('SIGHUP');
  await receiver.said(renewed('\\["PHENIXID_NORTH_KEY"\\]'));
  expect(await fire()).toBe(401);
});

it('names INBOX_URL_FILE when it changes, and goes on with what it has opened', async () => {
  const file = fileWith('memory:');
  const receiver = startProcess({ PORT: '0', RISR_PROFILE_UPDATED_SECRET: OLD, INBOX_URL_FILE: file });
  await receiver.url();
  writeFileSync(file, 'sqlite:other.db');
  await receiver.said(/(at the next start only: INBOX_URL)\./);
  expect(await status(receiver, OLD)).toBe(200);
});

it('does not close what stands in a .env that has gone', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, '.env'), `RISR_BOOKING_UPDATED_SECRET=${OTHER}\n`);
  const outside = { PORT: '0', INBOX_URL: 'memory:', RISR_PROFILE_UPDATED_SECRET: OLD };
  const receiver = startProcess(outside, folder);
  await receiver.url();
  rmSync(join(folder, '.env'));
  receiver.kill('SIGHUP');
  await receiver.said(/(Nothing was renewed.*\.env is no longer there)/);
  expect(await status(receiver, OTHER, 'booking_updated')).toBe(200);
});

it('takes a secret file that is swapped by a link, as Kubernetes does, without being told', async () => {
  const folder = newFolder();
  const put = (version: string, text: string) => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'secret'), text, { mode: 0o600 });
    symlinkSync(version, join(folder, `${version}-link`));
    renameSync(join(folder, `${version}-link`), join(folder, '..data'));
  };
  put('one', OLD);
  symlinkSync(join('..data', 'secret'), join(folder, 'secret'));
  const receiver = startProcess(
    { PORT: '0', INBOX_URL: 'memory:', RISR_PROFILE_UPDATED_SECRET_FILE: join(folder, 'secret') },
    folder,
  );
  await receiver.url();
  put('two', 'short');
  await receiver.said(/(Nothing was renewed.*RISR_PROFILE_UPDATED_SECRET holds a secret of 5 bytes)/);
  put('three', NEW);
  await receiver.said(renewed('RISR_PROFILE_UPDATED_SECRET \\(1 live\\)'));
  expect(await status(receiver, NEW)).toBe(200);
  expect(await status(receiver, OLD)).toBe(401);
});

const itWithOpenssl = requireOpenssl('renewing a certificate') ? it : it.skip;

itWithOpenssl('shows a renewed certificate, and never one without its key', async () => {
  const certificates = await makeCertificates();
  later(() => certificates.remove());
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(newFolder(), name)) as [string, string];
  const secret = fileWith(OLD);
  const next = await certificates.issue({ subject: '/CN=next', usage: 'server', names: ['IP:127.0.0.1'] });
  writeFileSync(cert, certificates.server.cert);
  writeFileSync(key, certificates.server.key, { mode: 0o600 });
  const receiver = startProcess({
    ...{ PORT: '0', INBOX_URL: 'memory:', RISR_PROFILE_UPDATED_SECRET_FILE: secret },
    ...{ TLS_CERT_FILE: cert, TLS_KEY_FILE: key },
  });
  const url = new URL(await receiver.url());
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: certificates.authority.cert });
  later(() => agent.destroy());
  expect(await connectionOf(url, agent)).toBe('keep-alive');
  writeFileSync(cert, next.cert);
  await receiver.said(/(Nothing was renewed.*do not belong together)/);
  expect(await nameShownAt(url, certificates)).toBe('localhost');
  writeFileSync(key, next.key);
  await receiver.said(renewed('TLS_CERT.*TLS_KEY'));
  expect(await nameShownAt(url, certificates)).toBe('next');
  // What was let in by the old one has one reply more.
  expect(await connectionOf(url, agent)).toBe('close');
  expect(await connectionOf(url, agent)).toBe('keep-alive');
  // Another secret is no reason to end it.
  writeFileSync(secret, NEW);
  await receiver.said(renewed('RISR_PROFILE_UPDATED_SECRET'));
  expect(await connectionOf(url, agent)).toBe('keep-alive');
});

async function connectionOf(url: URL, agent: https.Agent): Promise<string | undefined> {
  const request = https.get(url, { agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await once(response.resume(), 'end');
  return response.headers.connection;
}

async function nameShownAt({ port }: URL, { authority }: Certificates): Promise<unknown> {
  const socket: TLSSocket = connect({ port: Number(port), host: '127.0.0.1', ca: authority.cert });
  later(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket.getPeerCertificate().subject.CN;
}

it('seals with another key once INBOX_KEYS_FILE has one', async () => {
  const folder = newFolder();
  const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  const file = join(folder, 'keys');
  writeFileSync(file, first, { mode: 0o600 });
  const url = `sqlite:${join(folder, 'inbox.db')}`;
  const receiver = startProcess(
    {
      ...{ PORT: '0', INBOX_URL: url, INBOX_KEYS_FILE: file },
      ...{ RISR_PROFILE_UPDATED_SECRET: OLD, RISR_BOOKING_UPDATED_SECRET: OTHER },
    },
    folder,
  );
  expect(await status(receiver, OLD)).toBe(200);
  writeFileSync(file, `${second}\n${first}\n`);
  receiver.kill('SIGHUP');
  await receiver.said(renewed('INBOX_KEYS'));
  expect(await status(receiver, OTHER, 'booking_updated')).toBe(200);
  const inbox = await openInbox(url, { maxWaiting: 10, owner: false });
  later(() => inbox.close());
  const entries = await encryptInbox(inbox, readInboxKeys(second)).list({ limit: 2 });
  expect(entries.map(({ content }) => content.length > 0)).toEqual([true, false]);
});

it('calls an API with the headers that it has now, by a client that was handed out before', async () => {
  const keys: unknown[] = [];
  const api = await startOtherSide(({ headers }, response) => {
    keys.push(headers['x-api-key']);
    response.end(JSON.stringify({ id: 'task', state: 'ACCEPTED' }));
  });
  const configFor = (key: string) =>
    readConfig(
      { PHENIXID_SECRET: OLD, PHENIXID_API_URL: api.origin, PHENIXID_API_HEADERS: `{"x-api-key":"${key}"}` },
      { sources: [phenixid] },
    );
  const clients = await openApis([phenixid], configFor('old'));
  later(api.stop, () => clients.close());
  const client = clients.apis['phenixid'] as PhenixidApi; // of this very source
  await client.fetchTask('task');
  const take = await clients.prepare(configFor('new'));
  await client.fetchTask('task');
  take();
  await client.fetchTask('task');
  expect(keys).toEqual(['old', 'old', 'new']);
});
