import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { fillIn } from '../../scripts/deploy/fill.ts';
import { sources } from '../../src/kit/sources/index.ts';
import { projectFile } from '../../src/lab/rig/program.ts';
import { makeCertificates, requireOpenssl } from '../support/certificates.ts';
import { runScript } from '../support/command.ts';
import { later, newFolder } from '../support/fixtures.ts';

const SECRET = 'a1'.repeat(32);
const open = {
  RISR_PROFILE_UPDATED_SECRET: SECRET,
  PHENIXID_NORTH_SECRET: `${SECRET}b2`,
  INBOX_KEYS: Buffer.alloc(32, 7).toString('base64'),
  RETENTION_DAYS: '12.5',
};

const deploy = (args: readonly string[], env: Record<string, string> = {}) => runScript('deploy', args, env);

function textsIn(folder: string): ReadonlyMap<string, string> {
  return new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

it.each([
  ['docker', 'Dockerfile'],
  ['compose', 'Caddyfile'],
  ['kubernetes', 'kustomization.yaml'],
  ['systemd', 'nginx.conf'],
])('writes %s for what is open here, and no value', async (place, file) => {
  const folder = newFolder();
  const { code, out, err } = await deploy([place, '--host', 'hooks.hospital.example', '--to', folder], open);
  expect([code, err]).toEqual([0, '']);
  const texts = textsIn(folder);
  expect(texts.get(file)).toBeDefined();
  const everything = [...texts.values()].join('\n') + out;
  for (const value of Object.values(open)) expect(everything).not.toContain(value);
  expect(everything).not.toMatch(/hotdocs\b|# (each|end)\b|hooks\.example\.org/);
  const settings = texts.get('receiver.env') ?? '';
  for (const name of ['RISR_PROFILE_UPDATED_SECRET', 'PHENIXID_NORTH_SECRET', 'INBOX_KEYS'])
    expect(settings).toContain(`\n${name}_FILE=/etc/receiver/secrets/${name}\n`);
  expect(settings.includes('INBOX_URL_FILE')).toBe(place === 'compose' || place === 'kubernetes');
  expect(out).toContain('https://hooks.hospital.example/risr/profile_updated\n');
  expect(out).toContain('receiver.env: RETENTION_DAYS.');
});

it('writes for all endpoints where none is open, and says so', async () => {
  const folder = newFolder();
  const { code, out } = await deploy(['compose', '--proxy', 'haproxy', '--to', folder]);
  expect([code, out]).toEqual([0, expect.stringContaining('written for all of them')]);
  const texts = textsIn(folder);
  for (const { name } of sources) expect(texts.get('haproxy.cfg')).toContain(`acl ours path_beg /${name}\n`);
  expect(texts.get('haproxy.cfg')).toContain('server 172.31.250.12 172.31.250.12:3000 check');
  expect(texts.get('compose.yaml')).toContain('image: haproxy:3.2');
  expect(texts.get('compose.yaml')).not.toContain('addy');
});

const itWithOpenssl = requireOpenssl('what is written where a client certificate is demanded') ? it : it.skip;

itWithOpenssl('lets TLS reach the receiver where a client certificate is demanded', async () => {
  const certificates = await makeCertificates();
  later(() => certificates.remove());
  const { cert, key } = certificates.server;
  const folder = newFolder();
  const env = {
    ...open,
    PHENIXID_CLIENT_CERTIFICATE: 'required',
    PHENIXID_CLIENT_CERTIFICATE_SUBJECT: 'phenixid',
    TLS_CLIENT_CA: certificates.authority.cert,
    TLS_CERT: cert,
    TLS_KEY: key,
  };
  const { code, out } = await deploy(['compose', '--proxy', 'haproxy', '--to', folder], env);
  expect([code, out]).toEqual([0, expect.stringContaining('/phenixid demands a client certificate')]);
  expect(readFileSync(join(folder, 'haproxy-tls.cfg'), 'utf8')).toContain('mode tcp');
  expect(readFileSync(join(folder, 'receiver.env'), 'utf8')).toMatch(/TRUST_PROXY_HOPS=0\n[^]*TLS_KEY_FILE=/);
  expect(readFileSync(join(folder, 'compose.yaml'), 'utf8')).toContain('./haproxy-tls.cfg:');
  const refused = await deploy(['systemd', '--to', folder], env);
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--proxy haproxy')]);
});

it('leaves what somebody has changed as it is, all of it, unless it is told otherwise', async () => {
  const folder = newFolder();
  const args = ['systemd', '--proxy', 'apache', '--to', folder];
  await deploy(args, open);
  const before = textsIn(folder);
  expect((await deploy(args, open)).out).toContain(`as it is  ${join(folder, 'apache.conf')}`);
  const file = join(folder, 'receiver.service');
  writeFileSync(file, 'mine');
  const refused = await deploy([...args, '--host', 'hooks.hospital.example'], open);
  expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining(`differs  ${file}\n`) });
  expect(refused.err).toContain('apache.conf');
  expect(textsIn(folder)).toEqual(new Map([...before, ['receiver.service', 'mine']]));
  expect((await deploy([...args, '--force'], open)).code).toBe(0);
  expect(textsIn(folder)).toEqual(before);
});

it.each([
  ['nothing', [], 'npm run deploy -- docker'],
  ['a place that there is not', ['kubernets'], 'Did you mean kubernetes?'],
  ['two places', ['docker', 'compose'], 'one place'],
  ['a proxy that there is not', ['systemd', '--proxy', 'ngnix'], 'Did you mean nginx?'],
  ['a proxy that has no image', ['compose', '--proxy', 'apache'], 'compose goes with caddy, nginx, haproxy'],
  ['a proxy where there is none', ['kubernetes', '--proxy', 'nginx'], 'for compose and systemd'],
  ['an address for the host', ['docker', '--host', 'https://hooks.example.org'], 'expected a name'],
  ['a number for the host', ['docker', '--host', '192.0.2.1'], 'expected a name'],
])('refuses %s and writes nothing', async (_what, args, message) => {
  const folder = join(newFolder(), 'new');
  const refused = await deploy([...args, '--to', folder], open);
  expect(refused).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) });
  expect(() => readdirSync(folder)).toThrow('ENOENT');
});

it('says all that is wrong with what is set here', async () => {
  const wrong = await deploy(['docker', '--to', newFolder()], { ...open, RETENTION_DAYS: 'x', TAPE: 'some' });
  expect(wrong.code).toBe(2);
  expect(wrong.err).toMatch(/RETENTION_DAYS[^]*TAPE/);
});

describe('the templates', () => {
  // So what is tried as it stands is what is written.
  it.each(['nginx.conf', 'haproxy.cfg', 'apache.conf', 'Caddyfile'])(
    '%s is as it would be written',
    (file) => {
      const template = readFileSync(projectFile(`templates/proxies/${file}`), 'utf8');
      const each = { product: sources.map(({ name }) => name), receiver: ['127.0.0.1'] };
      expect(fillIn(template, { each, words: {} })).toBe(template.replace(/^[ \t]*# (each \w+|end)\n/gm, ''));
    },
  );
});
