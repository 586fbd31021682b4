import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps so many connections open at a time. For a further one, the address that has most of them loses its oldest: it
 * cannot keep others out, and a delivery takes less time than all the connections of a flood do.
 */
export function limitConnections(server: Server, most: number): void {
  const openBy = new Map<string, Set<Socket>>();
  let count = 0;
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    const open = openBy.get(remoteAddress) ?? new Set();
    openBy.set(remoteAddress, open.add(socket));
    count += 1;
    socket.once('close', () => {
      count -= 1;
      open.delete(socket);
      if (open.size === 0) openBy.delete(remoteAddress);
    });
    if (count > most) oldestOfMost(openBy)?.destroy();
  });
}

function oldestOfMost(openBy: ReadonlyMap<string, ReadonlySet<Socket>>): Socket | undefined {
  let most: ReadonlySet<Socket> = new Set();
  for (const open of openBy.values()) if (open.size > most.size) most = open;
  // Those that are being closed are still among them.
  return most.values().find(({ destroyed }) => !destroyed);
}
