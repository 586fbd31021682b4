import { isOpen } from '../endpoint/definition.ts';
import { printableInbox } from '../inbox/address.ts';
import type { Log } from '../log.ts';
import type { Config } from './config.ts';
import type { Program, Startable } from './start.ts';
import type { Variables } from './text-file.ts';
import { kitVersion } from './version.ts';

type Started = Pick<Program, 'url' | 'adminUrl' | 'notWritten'>;

/** For programs, what the start-up table says to people. Of settings the names and where they come from, never a value. */
export function logStart(
  log: Log,
  { folder }: Pick<Startable, 'folder'>,
  config: Config,
  program: Started,
): void {
  const { general, endpoints, sockets } = config;
  const open = endpoints.filter(isOpen).length;
  log.info({
    outcome: 'started',
    version: kitVersion(),
    node: process.versions.node,
    pid: process.pid,
    app: folder,
    role: general.ROLE,
    url: program.url === '' ? undefined : program.url,
    socket: sockets.receiver === undefined ? undefined : 'handed over',
    adminUrl: program.adminUrl,
    inbox: printableInbox(general.INBOX_URL),
    open,
    closed: endpoints.length - open,
    notWritten: program.notWritten.values().reduce((sum, types) => sum + types.length, 0),
  });
}

/** Every other setting has its default. */
export function logConfiguration(
  log: Log,
  { read, warnings }: Config,
  variables: Pick<Variables, 'read' | 'isOutside'>,
): void {
  const { env } = variables.read();
  const set = [...read.asked].filter((name) => (env[name] ?? '') !== '').sort();
  const outside = Map.groupBy(set, (name) => variables.isOutside(name));
  log.info({
    outcome: 'configured',
    environment: outside.get(true) ?? [],
    envFile: outside.get(false) ?? [],
  });
  for (const why of warnings) log.warn({ outcome: 'configured', why });
}
