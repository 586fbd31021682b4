import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { readOptions, runCommand } from '../src/lab/command.ts';
import { pick, UsageError } from '../src/lab/usage.ts';
import { fillIn } from './deploy/fill.ts';
import type { Needs } from './deploy/needs.ts';
import { places, planFor, proxyNames, type Place, type ProxyName } from './deploy/places.ts';

const USAGE = `Writes what runs this app in production: its endpoints, its host, the names of its secrets, and no secret.

  npm run deploy -- docker       an image, and one of the conformance suite
  npm run deploy -- compose      two receivers, a worker, PostgreSQL, a proxy, Prometheus and Grafana on one machine
  npm run deploy -- kubernetes   receivers and workers, with probes, budget and network policy
  npm run deploy -- systemd      a service whose port stays open while it restarts, and a worker

  --host name     the name that senders call (default hooks.example.org)
  --proxy name    for compose: caddy, nginx or haproxy; for systemd: nginx, haproxy, apache or caddy
  --to folder     where they are written (default deploy/docker and so on)
  --force         overwrites files that are there and differ
  --help          this

It is written for the endpoints that have a secret here, in .env or the environment; where none has, for all.
src/kit/RUNNING.md goes on from there.
Exit code: 0 all is written, 1 files differ and nothing was written, 2 the command is not right.
`;

const root = join(import.meta.dirname, '..');

await runCommand(async (args) => {
  const { values, positionals } = readOptions({
    args,
    allowPositionals: true,
    options: {
      host: { type: 'string', default: 'hooks.example.org' },
      proxy: { type: 'string' },
      to: { type: 'string' },
      force: { type: 'boolean', default: false },
    },
  });
  const [name, ...others] = positionals;
  if (name === undefined) throw new UsageError(USAGE);
  if (others.length > 0) throw new UsageError(`Expected one place, and got ${positionals.join(', ')}.`);
  const place = pick('place', name, Object.entries(places));
  checkHost(values.host);
  const proxy = proxyAt(name, place, values.proxy);
  const folder = values.to ?? `deploy/${name}`;
  const { app, environment } = await import('./the-app.ts');
  const { needsOf } = await import('./deploy/needs.ts');
  const needs = needsOf(app, environment);
  const { files, filling } = planFor(place, needs, { host: values.host, proxy });
  const texts = Object.entries(files).map(([file, template]): [string, string] => [
    join(folder, file),
    fillIn(readFileSync(join(root, 'templates', template), 'utf8'), filling),
  ]);
  if (!write(texts, values.force)) return 1;
  console.log(reportOf(needs, values.host, place.next(folder, values.host)));
  return 0;
}, USAGE);

function checkHost(host: string): void {
  if (
    host.length > 253 ||
    isIP(host) !== 0 ||
    !/^([a-z\d]([a-z\d-]{0,61}[a-z\d])?\.)+[a-z][a-z\d-]*$/i.test(host)
  )
    throw new UsageError(
      '--host: expected a name as hooks.example.org, without https:// and without a path.',
    );
}

function proxyAt(name: string, { proxies }: Place, given: string | undefined): ProxyName | undefined {
  if (given === undefined) return proxies[0];
  const proxy = pick(
    'proxy',
    given,
    proxyNames.map((each) => [each, each]),
  );
  if (proxies.includes(proxy)) return proxy;
  throw new UsageError(
    proxies.length === 0
      ? `${name} has no proxy of its own: --proxy is for compose and systemd.`
      : `${name} goes with ${proxies.join(', ')}, not with ${proxy}.`,
  );
}

/** All of them or none. */
function write(texts: readonly [string, string][], force: boolean): boolean {
  const differing = texts.filter(([file, text]) => existsSync(file) && readFileSync(file, 'utf8') !== text);
  if (differing.length > 0 && !force) {
    for (const [file] of differing) console.error(`differs  ${file}`);
    console.error(
      'Nothing was written. --force overwrites them; --to another folder leaves them, to be compared.',
    );
    return false;
  }
  for (const [file, text] of texts) {
    const isThere = existsSync(file) && readFileSync(file, 'utf8') === text;
    if (!isThere) {
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, text);
    }
    console.log(`${isThere ? 'as it is' : 'written '}  ${file}`);
  }
  return true;
}

function reportOf({ paths, all, settings, certified }: Needs, host: string, next: readonly string[]): string {
  const notes = [
    ...(all
      ? [
          'No endpoint has a secret here, so it is written for all of them. Take the lines of those that stay closed out of ' +
            'receiver.env: a file that is named there must be there.',
        ]
      : []),
    ...(settings.length > 0
      ? [`Set here; what is to hold there goes into receiver.env: ${settings.join(', ')}.`]
      : []),
    ...certified.map(
      (path) =>
        `${path} demands a client certificate: the receiver speaks TLS itself, and whatever is in front passes it on unopened.`,
    ),
  ];
  return [
    '',
    'To be registered at the senders:',
    ...paths.map((path) => `  https://${host}${path}`),
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
    'Next, in this order:',
    ...next.map((step, index) => `  ${index + 1}. ${step}`),
  ].join('\n');
}
