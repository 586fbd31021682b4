import type { Reader } from './reader.ts';

/**
 * Listening sockets, by their file descriptors, that whoever started this process has made and keeps: a `.socket` unit of
 * systemd. While no process accepts, connections wait in them.
 */
export interface HandedSockets {
  readonly receiver?: number | undefined;
  readonly admin?: number | undefined;
}

/** sd_listen_fds(3): after the standard streams, in the order of their names. */
const FIRST_DESCRIPTOR = 3;

/** What LISTEN_FDS says, if it says so to this very process: variables are inherited by every child. */
export function readHandedSockets(reader: Reader, pid = process.pid): HandedSockets {
  const [count, names = '', whom] = ['LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PID'].map((name) =>
    reader.text(name),
  );
  if (whom !== String(pid)) return {};
  const named = names.split(':');
  const sockets = Array.from({ length: Number(count) || 0 }, (_, index) => ({
    descriptor: FIRST_DESCRIPTOR + index,
    isAdmin: named[index] === 'admin',
  }));
  const [admin, furtherAdmin] = sockets.filter(({ isAdmin }) => isAdmin);
  const [receiver, furtherReceiver] = sockets.filter(({ isAdmin }) => !isAdmin);
  if (furtherAdmin !== undefined || furtherReceiver !== undefined)
    reader.complain(
      `LISTEN_FDS hands over ${sockets.length} sockets. The receiver takes one, and one that LISTEN_FDNAMES calls admin: leave ` +
        'one ListenStream in its .socket unit, and give that of the operations port FileDescriptorName=admin.',
    );
  return { receiver: receiver?.descriptor, admin: admin?.descriptor };
}
