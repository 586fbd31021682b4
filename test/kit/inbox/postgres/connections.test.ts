import { describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../../../src/lab/rig/ports.ts';
import { startPostgres } from '../../../../src/lab/rig/postgres.ts';
import { makeCertificates, requireOpenssl } from '../../../support/certificates.ts';
import { later, newFolder } from '../../../support/fixtures.ts';
import { until } from '../../../support/until.ts';
import { newEntry } from '../contract/entries.ts';
import { newDatabase, open, otherDatabase, run, useServer } from './databases.ts';

useServer();

/** A server that one test has to itself, because it changes its settings. */
async function ownServer(): Promise<string> {
  const server = await startPostgres();
  later(() => server.remove());
  return server.newDatabase();
}

const ours = `SELECT pid, query FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'advance-receiver-kit'`;

describe('a failover', () => {
  it('refuses no delivery: connections that have become read-only are replaced', async () => {
    const url = await ownServer();
    const inbox = await open(url);
    const { entry: held } = await inbox.store(newEntry(), { claimForMs: 60_000 });
    await Promise.all(Array.from({ length: 10 }, () => inbox.renew(held, 60_000)));
    const before = (await run(url, ours)).map(({ pid }) => pid);
    expect(before.length).toBeGreaterThan(1);

    // New connections may write, those that are there may not any more.
    const admin = otherDatabase(url, 'postgres');
    await run(
      admin,
      `ALTER DATABASE ${url.slice(url.lastIndexOf('/') + 1)} SET default_transaction_read_only = off`,
    );
    await run(admin, 'ALTER SYSTEM SET default_transaction_read_only = on');
    await run(admin, 'SELECT pg_reload_conf()');
    let count = 0;
    await until('all of them are replaced', async () => {
      const keys = Array.from({ length: 8 }, () => `after ${(count += 1)}`);
      const storing = keys.map((key) => inbox.store(newEntry({ key, subject: key })));
      // More than there are connections: some wait for one when they are replaced.
      const renewing = Array.from({ length: 30 }, () => inbox.renew(held, 60_000));
      await Promise.all([...storing, ...renewing]);
      const now = await run(url, ours);
      return !now.some(({ pid }) => before.includes(pid));
    });
    expect(await inbox.stats()).toMatchObject({ waiting: count, running: 1 });
  });

  it('is said in words by a server that stays read-only, and to one that starts', async () => {
    const url = await newDatabase();
    const inbox = await open(url);
    await run(
      url,
      `ALTER DATABASE ${url.slice(url.lastIndexOf('/') + 1)} SET default_transaction_read_only = on`,
    );
    await run(url, `SELECT pg_terminate_backend(pid) FROM (${ours}) AS ours`);
    await expect(until('it is read-only', () => inbox.store(newEntry()).then(() => false))).rejects.toThrow(
      /cannot execute .* read-only transaction|terminating connection/,
    );
    await expect(inbox.store(newEntry())).rejects.toThrow(/The server is read-only.*must name the primary/);
    await expect(open(url)).rejects.toThrow(/is read-only.*must name the primary/);
    // To look is not to write.
    expect(await (await open(url, { owner: false })).list({ limit: 1 })).toEqual([]);
  });

  it('is heard of in the end, though the connection that listens has gone silent', async () => {
    const url = await newDatabase();
    const [here, there] = [await open(url), await open(url)];
    let woken = 0;
    there.onReady(() => (woken += 1));
    // Their processes stand still, as a machine that vanished does.
    const silent = (await run(url, `${ours} AND query LIKE 'LISTEN%'`)).map(({ pid }) => Number(pid));
    expect(silent).toHaveLength(2);
    for (const pid of silent) process.kill(pid, 'SIGSTOP');
    later(() => silent.forEach((pid) => process.kill(pid, 'SIGCONT')));
    const listening = new Set<unknown>();
    await until('they listen again', async () => {
      for (const { pid } of await run(url, `${ours} AND query LIKE 'LISTEN%'`)) listening.add(pid);
      return listening.size === 4;
    });
    woken = 0;
    await here.store(newEntry());
    await until('the other one has heard of it', () => woken > 0);
  });
});

describe('an encoding that cannot hold everything', () =>
  it.each(['LATIN1', 'WIN1252', 'SQL_ASCII'])('is refused in words at start: %s', async (encoding) => {
    const url = await newDatabase(`ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`);
    await expect(open(url)).rejects.toThrow(
      new RegExp(
        `is in ${encoding}, which cannot hold every character .* ENCODING 'UTF8' TEMPLATE template0`,
      ),
    );
    expect(await run(url, "SELECT to_regnamespace('inbox') AS schema")).toEqual([{ schema: null }]);
  }));

describe('a database with settings of its own', () =>
  it('stores and handles as any other does', async () => {
    const url = await newDatabase();
    const name = url.slice(url.lastIndexOf('/') + 1);
    for (const setting of [
      "datestyle = 'German'",
      "default_transaction_isolation = 'serializable'",
      "bytea_output = 'escape'",
      'standard_conforming_strings = off',
      "timezone = 'Asia/Kathmandu'",
      "search_path = 'nowhere'",
      'synchronous_commit = off',
    ]) {
      await run(url, `ALTER DATABASE ${name} SET ${setting}`);
    }
    const [here, there] = await Promise.all([open(url), open(url)]);
    const content = Buffer.from('a\\b\0\u2713');
    const fresh = newEntry({ content, receivedAt: 1_711_845_000_123 });
    const { entry } = await here.store({ ...fresh, key: 'k', subject: 'a\\b' });
    expect(await there.find(entry.seq)).toEqual(entry);
    const storing = Array.from({ length: 40 }, (_, index) =>
      (index % 2 ? here : there).store(newEntry({ key: `k${index}`, subject: `s${index % 3}` })),
    );
    await Promise.all(storing);
    for (;;) {
      const claimed = await Promise.all(
        [here, there].map((inbox) => inbox.claim({ limit: 4, leaseMs: 60_000 })),
      );
      if (claimed.flat().length === 0) break;
      await Promise.all(claimed.flat().map((one, index) => (index % 2 ? here : there).done(one)));
    }
    expect(await here.stats()).toMatchObject({ waiting: 0, running: 0, done: 41 });
  }));

describe('what the database does not take', () => {
  it('is refused alone: what came in the same moment is stored', async () => {
    const url = await newDatabase();
    const inbox = await open(url);
    await run(url, "ALTER TABLE inbox.entry ADD CHECK (type <> 'bad')");
    const types = Array.from({ length: 40 }, (_, index) => ([7, 30].includes(index) ? 'bad' : 'good'));
    const storing = types.map((type, index) =>
      inbox.store(newEntry({ type, key: `k${index}`, subject: `s${index % 3}` })),
    );
    const outcomes = await Promise.allSettled(storing);
    expect(outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([7, 30]);
    expect((await inbox.list({ limit: 100 })).map(({ key }) => key).reverse()).toEqual(
      types.flatMap((type, index) => (type === 'good' ? [`k${index}`] : [])),
    );
  });

  it('is left unsettled alone: what ended in the same moment is done', async () => {
    const url = await newDatabase();
    const inbox = await open(url);
    await run(url, "ALTER TABLE inbox.entry ADD CHECK (note <> 'bad')");
    for (let count = 0; count < 10; count++) await inbox.store(newEntry());
    const claimed = await inbox.claim({ limit: 10, leaseMs: 60_000 });
    const ending = claimed.map((entry, index) => inbox.done(entry, { note: index === 4 ? 'bad' : 'good' }));
    const outcomes = await Promise.allSettled(ending);
    expect(outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([4]);
    expect(await inbox.stats()).toMatchObject({ done: 9, running: 1 });
  });
});

describe('TLS', () => {
  it.each([
    ['', /does not say whether to use TLS\. Add \?sslmode=verify-full/],
    ['?sslmode=prefer', /sslmode=prefer leaves open how safe the connection is/],
    ['?sslmode=allow', /sslmode=allow leaves open/],
  ])('is asked about for a host that is not this machine: %j', async (parameters, words) => {
    const opening = open(`postgres://kit:hunter2@db.example/inbox${parameters}`);
    await expect(opening).rejects.toThrow(words);
    await expect(opening).rejects.not.toThrow(/hunter2/);
  });

  const tested = requireOpenssl('PostgreSQL over TLS') ? it : it.skip;

  tested('checks the certificate as sslmode says, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
    const url = await ownServer();
    const certificates = await makeCertificates();
    later(() => certificates.remove());
    await serveTls(url, certificates.server);
    const ca = `sslrootcert=${encodeURIComponent(certificates.authority.certFile)}`;
    const encrypted = `SELECT count(*)::int AS count FROM pg_stat_ssl JOIN (${ours}) AS ours USING (pid) WHERE ssl`;

    for (const mode of ['verify-full', 'require', 'verify-ca']) await open(`${url}?sslmode=${mode}&${ca}`);
    await open(`${url}?sslmode=no-verify`);
    const [inTls] = await run(url, encrypted);
    expect(inTls?.['count']).toBeGreaterThanOrEqual(8);

    for (const mode of ['verify-full', 'require', 'verify-ca']) {
      await expect(open(`${url}?sslmode=${mode}`)).rejects.toThrow(/name its CA with sslrootcert=<file>/);
      const opened = openInProcess(`${url}?sslmode=${mode}`, { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
      expect(opened).toMatch(/certificate of the server was not accepted/);
    }
    await serveTls(url, certificates.flawedServers['wrong-subject']);
    await expect(open(`${url}?sslmode=verify-full&${ca}`)).rejects.toThrow(
      /and the server as its certificate does/,
    );
    await open(`${url}?sslmode=verify-ca&${ca}`);
  });

  tested('is missed in words where the server has none, or the file of the CA is not there', async () => {
    const url = await newDatabase();
    await expect(open(`${url}?sslmode=verify-full`)).rejects.toThrow(
      /does not support SSL.*Set TLS up there, or say sslmode=/,
    );
    const missing = open(`${url}?sslmode=verify-full&sslrootcert=/no/such/file`);
    await expect(missing).rejects.toThrow(/INBOX_URL: sslrootcert cannot be read: ENOENT/);
  });
});

describe('a login', () =>
  it('is missed in words where the server asks for a password and the address has none', async () => {
    const url = await ownServer();
    const [where] = await run(url, 'SHOW hba_file');
    const file = String(where?.['hba_file']);
    writeFileSync(file, `host all kit 127.0.0.1/32 scram-sha-256\n${readFileSync(file, 'utf8')}`);
    await run(url, "CREATE ROLE kit LOGIN PASSWORD 'words'");
    await run(url, 'SELECT pg_reload_conf()');
    const asKit = url.replace('postgres@', 'kit@');
    await until('the server asks', async () => {
      const thrown = await open(asKit).then(
        () => undefined,
        (error: unknown) => error,
      );
      return String(thrown).includes('asks for a password, and INBOX_URL has none');
    });
    const wrong = open(asKit.replace('kit@', 'kit:other@'));
    await expect(wrong).rejects.toThrow(/check user and password in INBOX_URL/);
  }));

describe('a server that does not answer at start', () =>
  it('is not said to be tried again', async () => {
    const opening = open(`postgres://kit@127.0.0.1:${await freePort()}/inbox`);
    await expect(opening).rejects.toThrow(/is the server running\?/);
    await expect(opening).rejects.not.toThrow(/again/);
  }));

describe('PgBouncer', () => {
  const found = spawnSync('pgbouncer', ['--version']).status === 0;
  if (!found) process.stderr.write('NOT TESTED: PgBouncer; it is not installed here.\n');

  (found ? it : it.skip).each(['session', 'transaction'])(
    'may stand in between, pooling by %s',
    async (mode) => {
      const direct = await newDatabase();
      const url = await startPgBouncer(direct, mode);
      const [here, there] = [await open(url), await open(url)];
      const storing = Array.from({ length: 60 }, (_, index) =>
        (index % 2 ? here : there).store(newEntry({ key: `k${index % 20}`, subject: `s${index % 3}` })),
      );
      const stored = await Promise.all(storing);
      expect(stored.filter(({ duplicate }) => !duplicate)).toHaveLength(20);
      const handled: number[] = [];
      for (const inbox of [here, there, here, there, here, there, here, there, here, there]) {
        const claimed = await inbox.claim({ limit: 10, leaseMs: 60_000 });
        await Promise.all(claimed.map((entry) => inbox.done(entry)));
        handled.push(...claimed.map(({ seq }) => seq));
      }
      expect(handled).toHaveLength(20);
      expect(await here.stats()).toMatchObject({ waiting: 0, running: 0, done: 20 });
    },
  );
});

/** Has the server take up this certificate. */
async function serveTls(
  url: string,
  { certFile, keyFile }: { certFile: string; keyFile: string },
): Promise<void> {
  const folder = newFolder();
  chmodSync(folder, 0o755);
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  copyFileSync(certFile, cert);
  copyFileSync(keyFile, key);
  chmodSync(cert, 0o644);
  // Who runs as root has the server run as nobody: it reads by its group then.
  chmodSync(key, process.getuid?.() === 0 ? 0o640 : 0o600);
  if (process.getuid?.() === 0) chownSync(key, 0, 65_534);
  await run(url, `ALTER SYSTEM SET ssl_cert_file = '${cert}'`);
  await run(url, `ALTER SYSTEM SET ssl_key_file = '${key}'`);
  await run(url, 'ALTER SYSTEM SET ssl = on');
  await run(url, 'SELECT pg_reload_conf()');
  const shown = async () =>
    (await run(url, 'SELECT current_setting($1) AS file', ['ssl_cert_file']))[0]?.['file'] === cert;
  await until('the server has taken it up', shown);
}

/** What a process of its own prints that opens an inbox. */
function openInProcess(url: string, env: Record<string, string>): string {
  const script = join(import.meta.dirname, 'child-that-stores.ts');
  const { stderr } = spawnSync(process.execPath, [script, url, 'a', '1'], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return stderr;
}

/** As the README has PgBouncer begin each connection. */
const beginning =
  'SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; SET statement_timeout = 5000';

/** Resolves with its address of the database. */
async function startPgBouncer(direct: string, mode: string): Promise<string> {
  const folder = newFolder();
  chmodSync(folder, 0o755);
  const port = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(
    file,
    `[databases]
* = host=127.0.0.1 port=${new URL(direct).port} user=postgres connect_query='${beginning}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
`,
  );
  const as = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const bouncer = spawn('pgbouncer', [file], { ...as, stdio: 'ignore' });
  later(() => bouncer.kill('SIGKILL'));
  const url = new URL(direct);
  url.port = String(port);
  await until('PgBouncer listens', () => accepts(port));
  return url.href;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    later(() => socket.destroy());
  });
}
