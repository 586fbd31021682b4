import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from '@jest/globals';
import { makeCertificates, requireOpenssl } from '../../support/certificates.ts';
import { ended, printed, startScript } from '../../support/command.ts';
import { findAll, readMarkup } from '../../lab/conformance/markup.ts';
import { startServer, type SmallServer } from '../../lab/conformance/servers.ts';
import { later } from '../../support/fixtures.ts';
import { runHere } from '../../support/in-one-process.ts';
import { newFolder } from '../../support/fixtures.ts';

const SECRET = 'a-secret-that-is-only-for-tests-0123456789';
const env = { PHENIXID_SECRET: SECRET };
const missing = ['--source', 'phenixid', '--only', 'B1-missing'];

let folder = '';
beforeEach(() => void (folder = newFolder()));

it('ends with 0 when the receiver does as it should, at level 3 for the one of this kit', async () => {
  const args = ['--kit', '--source', 'phenixid', '--only', 'B1-*'];
  const { code, out, err } = await runHere('conform', args, { TMPDIR: folder });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^\d+ cases for phenixid at http:\/\/127\.0\.0\.1:\d+, level 3, seed \d+\.$/m);
  expect(out).toMatch(
    /^Conformant\. Authentic\. Not examined: durable, correct, and hardened\. All \d+ cases passed\./m,
  );
  expect(readdirSync(folder)).toEqual([]);
});

it('ends with 1 when the receiver accepts what nobody has proven, and says why, how to fix and how to reproduce it', async () => {
  const server = await open(200);
  const { code, out } = await conform(['--url', server.url, ...missing]);
  expect(code).toBe(1);
  expect(out).toMatch(/^✗ B1-missing\/phenixid\/\S+: expected 401, observed status 200: it was accepted$/m);
  expect(out).toMatch(/^This sends some \d+00 requests, \d+ MB in all, and runs the real handlers/);
  expect(out).toMatch(/Why it matters: .*\n.*How to fix it: /);
  expect(out).toMatch(/^Not conformant\. /m);

  const again = /Reproduce: +npm run conform -- (.*)$/m.exec(out)?.[1]?.split(' ') ?? [];
  const repeated = await conform(again.map((word) => word.replaceAll("'", '')));
  expect(repeated.code).toBe(1);
  expect(repeated.out).toMatch(/^1 cases? for phenixid/m);
});

it('ends with 4 when the receiver refuses everything: its refusals prove nothing', async () => {
  const server = await open(401);
  const { code, out } = await conform(['--url', server.url, ...missing]);
  expect(code).toBe(4);
  expect(out).toContain('Inconclusive. Nothing was accepted, so that no refusal proves anything.');
});

it('tries what nobody has confirmed of a sender where it is claimed, and not else', async () => {
  const server = await open(200);
  const args = [
    '--url',
    server.url,
    '--source',
    'phenixid',
    '--case',
    'J9-variants/phenixid/letterCase-upper',
  ];
  const unclaimed = await conform(args);
  expect(unclaimed.code).toBe(2);
  expect(unclaimed.err).toContain('No case of level 1 fits J9-variants/phenixid/letterCase-upper');
  expect((await conform([...args, '--accepts', 'phenixid:letterCase=upper'])).code).toBe(0);
  expect((await conform([...args, '--accepts', 'all'])).code).toBe(0);
});

it('ends with 3 when nothing listens', async () => {
  const server = await startServer(200);
  await server.stop();
  const { code, out } = await conform(['--url', server.url, ...missing]);
  expect(code).toBe(3);
  expect(out).toContain(`Unreachable. Nothing answers at ${server.url} (ECONNREFUSED).`);
});

it('ends with 5 when a report cannot be written, before anything is sent', async () => {
  const server = await open(200);
  const { code, err } = await conform(['--url', server.url, ...missing, '--report', `html=${folder}`]);
  expect(code).toBe(5);
  expect(err).toMatch(/^The suite broke off: --report: .* cannot be written: EISDIR/);
  expect(server.targets).toEqual([]);
});

it('ends with 130 when it is interrupted, and says so in its reports', async () => {
  const server = await open(200);
  const report = join(folder, 'report.ndjson');
  const args = ['--url', server.url, '--source', 'phenixid', '--rate', '5', '--report', `ndjson=${report}`];
  const running = startScript('conform', args, env);
  const ending = ended(running);
  await printed(running, /^\d+ cases/m);
  running.kill('SIGINT');
  const { code, err } = await ending;
  expect(code).toBe(130);
  expect(err).toContain('Interrupted');
  expect(lastLine(readFileSync(report, 'utf8'))).toMatchObject({ event: 'ended', verdict: 'interrupted' });
});

it('leaves whole reports even when it is told twice to end', async () => {
  const server = await open(200);
  const file = (name: string) => join(folder, name);
  const wishes = ['ndjson', 'html', 'junit'].flatMap((name) => ['--report', `${name}=${file(name)}`]);
  const args = ['--url', server.url, '--source', 'phenixid', '--rate', '5', ...wishes];
  const running = startScript('conform', args, env);
  const ending = ended(running);
  await printed(running, /✗ B1-missing/);
  running.kill('SIGINT');
  running.kill('SIGTERM');
  expect(await ending).toMatchObject({ code: 130 });
  expect(lastLine(readFileSync(file('ndjson'), 'utf8'))).toMatchObject({ verdict: 'interrupted' });
  expect(readMarkup(readFileSync(file('html'), 'utf8')).text).toContain('The run was interrupted');
  const junit = readMarkup(readFileSync(file('junit'), 'utf8'));
  expect(findAll(junit, 'failure').length).toBeGreaterThan(0);
});

it.each(['SIGINT', 'SIGHUP'] as const)(
  'leaves nothing of the receiver of this kit behind after %s',
  async (signal) => {
    const args = ['--kit', '--source', 'phenixid', '--rate', '5'];
    const running = startScript('conform', args, { TMPDIR: folder });
    const ending = ended(running);
    const said = await printed(running, /^\d+ cases.*level/m);
    running.kill(signal);
    expect(await ending).toMatchObject({ code: 130 });
    expect(readdirSync(folder)).toEqual([]);
    const url = /at (http:\S+),/.exec(said)?.[1] ?? '';
    await expect(fetch(url)).rejects.toThrow();
  },
);

it('ends with 2 when the command is wrong, and says what to do', async () => {
  const { code, out, err } = await runHere('conform', ['--source', 'risr']);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/^No endpoint has a secret.*\n {2}RISR_USER_LOGGED_IN_SECRET\n[^]*conform -- --kit/);
});

it('takes secrets from a file, and then no others', async () => {
  const server = await open(200);
  const file = join(folder, 'secrets.env');
  writeFileSync(join(folder, 'token'), `${SECRET}\n`);
  writeFileSync(file, `HOTDOCS_ACTION_LINK_TOKEN_FILE=${join(folder, 'token')}\n`);
  const told = join(folder, 'ndjson');
  const args = ['--url', server.url, '--secrets', file, '--only', 'C1-access-token'];
  const { code, out } = await conform([...args, '--report', `ndjson=${told}`]);
  expect(readFileSync(told, 'utf8')).toMatch(/^\{"event":"started",.*"leftOut":\[.*"phenixid".*\]\}\n/);
  expect(code).toBe(1);
  expect(out).toContain('Left out, without a secret: phenixid (PHENIXID_SECRET).');
  expect(out).toMatch(/cases for hotdocs at/);
  expect(new Set(server.targets.map((target) => target.split('?')[0]))).toEqual(
    new Set(['/hotdocs/ActionLink']),
  );
});

it('sends to addresses of their own where it is told to, for an installation too', async () => {
  const server = await open(200);
  const address = `${server.url}/other/path?key=north`;
  const args = ['--url', server.url, ...missing, '--endpoint', `phenixid=${address}`];
  await runHere('conform', args, { PHENIXID_NORTH_SECRET: SECRET });
  expect(server.targets.length).toBeGreaterThan(0);
  expect(server.targets.filter((target) => target !== '/other/path/?key=north')).toEqual([]);
});

it('sends below the path that the address has', async () => {
  const server = await open(200);
  await conform(['--url', `${server.url}/below/this/`, ...missing]);
  expect(server.targets.length).toBeGreaterThan(0);
  expect(server.targets.filter((target) => !target.startsWith('/below/this/phenixid'))).toEqual([]);
});

it('puts up with what is waived, until it lapses', async () => {
  const server = await open(200);
  const waivers = async (until: string) => {
    const file = join(folder, `${until}.json`);
    writeFileSync(file, JSON.stringify([{ pattern: 'B1-*', reason: 'the proxy checks it', until }]));
    return conform(['--url', server.url, ...missing, '--waivers', file]);
  };
  const [valid, lapsed] = await Promise.all([waivers('9999-12-31'), waivers('2001-01-01')]);
  expect(valid.code).toBe(0);
  expect(valid.out).toMatch(/Waived:\n.*\n.*\(waived: the proxy checks it\)/);
  expect(lapsed.code).toBe(1);
  expect(lapsed.out).toContain('This waiver has lapsed and counts no more: B1-*.');
});

it('says which waivers fit nothing, or nothing that is wrong any more, in the end', async () => {
  const server = await open(200);
  const file = join(folder, 'waivers.json');
  const patterns = ['B1-mising', 'E4-id*', 'B1-missing/*', 'A1-*'];
  writeFileSync(file, JSON.stringify(patterns.map((pattern) => ({ pattern, reason: 'known' }))));
  const { out } = await conform(['--url', server.url, ...missing, '--only', 'E4-id*', '--waivers', file]);
  expect(out).toMatch(/Conformant\.[^]*This waiver fits no case, and may be misspelled: B1-mising\.\n/);
  expect(out).toContain('This waiver fits no case, and may be misspelled: A1-*.');
  expect(out).toContain('Nothing is wrong any more where this waiver fits: take it out: E4-id*.');
  expect(out).not.toMatch(/waiver.*B1-missing/);
});

it('says which member of a waiver is wrong', async () => {
  const file = join(folder, 'waivers.json');
  writeFileSync(file, JSON.stringify([{ pattern: '**', until: 'soon' }]));
  const { code, err } = await conform(['--source', 'phenixid', '--waivers', file]);
  expect(code).toBe(2);
  expect(err).toMatch(/0\.pattern: .*\n.*0\.reason: .*\n.*0\.until: /);
});

it('writes every report, one of them to standard output, and none of them holds the secret', async () => {
  const server = await open(200, SECRET);
  const names = ['ndjson', 'junit', 'tap', 'ctrf', 'html', 'markdown', 'sarif', 'badge'];
  const wishes = names.flatMap((name) => ['--report', `${name}=${join(folder, name)}`]);
  const kept = join(folder, 'kept');
  const streamed = ['--report', 'tap=-', '--keep', kept];
  const { code, out, err } = await conform(['--url', server.url, ...missing, ...wishes, ...streamed]);
  expect(code).toBe(1);
  expect(out).toBe(readFileSync(join(folder, 'tap'), 'utf8'));
  expect(err).toMatch(/^Not conformant\. /m);
  const texts = names.map((name) => readFileSync(join(folder, name), 'utf8'));
  expect([out, err, ...texts].filter((text) => text === '' || text.includes(SECRET))).toEqual([]);
  expect(readdirSync(kept).length).toBeGreaterThan(0);
});

const hasOpenssl = requireOpenssl('conform over TLS');
(hasOpenssl ? it : it.skip)(
  'speaks TLS, with the authority and the client certificate that it is given',
  async () => {
    const certificates = await makeCertificates();
    try {
      const { server: own, authority, client } = certificates;
      const server = await open(200, '', { cert: own.cert, key: own.key, ca: authority.cert });
      const identity = ['--ca', authority.certFile, '--cert', client.certFile, '--key', client.keyFile];
      const { code, out } = await conform(['--url', server.url, ...missing, ...identity]);
      expect(code).toBe(1);
      expect(out).toContain('observed status 200: it was accepted');
      expect(out).toContain(
        `--cacert ${authority.certFile} --cert ${client.certFile} --key ${client.keyFile}`,
      );
      const without = await conform(['--url', server.url, ...missing]);
      expect(without.code).toBe(3);
      expect(without.out).toMatch(/TLS cannot be set up with https:.*(?:self-signed|has issued).*--ca\./);
    } finally {
      await certificates.remove();
    }
  },
  60_000,
);

it('lists the rules without any secret', async () => {
  const { code, out } = await runHere('conform', ['--list']);
  expect(code).toBe(0);
  expect(out).toMatch(/^rule +severity +grade +level +a right receiver …$/m);
  expect(out).toMatch(/^A1-none +critical +authentic +1 +refuses a token/m);
});

it('asks a probe at an address, and runs a command as one', async () => {
  const server = await open(200);
  const probe = await open(200, '{"effects":[]}');
  const args = ['--url', server.url, ...missing, '--max-failures', '1', '--probe'];
  const [asked, ran] = await Promise.all([
    conform([...args, `${probe.url}/effects`]),
    conform([...args, `echo '{"effects":[],"quarantined":[]}'`]),
  ]);
  expect(probe.targets).toEqual(['/effects']);
  for (const { code, out } of [asked, ran]) {
    expect(code).toBe(1);
    expect(out).toContain('level 2');
  }
});

function conform(args: readonly string[]) {
  return runHere('conform', args, env);
}

async function open(...args: Parameters<typeof startServer>): Promise<SmallServer> {
  const server = await startServer(...args);
  later(() => server.stop());
  return server;
}

function lastLine(text: string): unknown {
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '');
}
