import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ipKeyGenerator } from 'express-rate-limit';
import { hasBody } from './read-body.ts';

/**
 * What is known of a connection. `silent`: nothing good so far, and no request under way. `arriving`: the same, while the
 * body of a request is on its way. `proven`: it has had a reply of 2xx. `waiting`: for the reply to a whole request.
 */
type Standing = 'silent' | 'arriving' | 'proven' | 'waiting';

interface Connection {
  readonly socket: Socket;
  readonly network: string;
  proven: boolean;
  /** `undefined`: it has ended. */
  standing: Standing | undefined;
}

/** While no more than this part of all connections are unproven, nobody floods us, and the proven count like the others. */
const FEW = 0.1;

/**
 * Keeps so many connections open at a time. For a further one, the network that has most of one standing loses its oldest
 * of them, unproven ones first: it cannot keep others out, and a delivery takes less time than all the connections of a
 * flood do. A body that never ends is no merit, so what still arrives is unproven; it counts apart, so that silence
 * does not cut it.
 */
export function limitConnections(server: Server, most: number): void {
  const open = new Map<string, Connection>();
  const groups = { silent: new Group(), arriving: new Group(), proven: new Group(), waiting: new Group() };

  function move(connection: Connection, to: Standing | undefined): void {
    if (connection.standing === undefined) return;
    groups[connection.standing].delete(connection);
    connection.standing = to;
    if (to !== undefined) groups[to].add(connection);
  }

  function makeRoom(): void {
    const { silent, arriving, proven, waiting } = groups;
    const isFlood = silent.size + arriving.size > most * FEW;
    const oldest =
      oldestOfMost(isFlood ? [silent, arriving] : [silent, arriving, proven]) ?? oldestOfMost([waiting]);
    if (oldest === undefined) return;
    move(oldest, undefined);
    oldest.socket.destroy();
  }

  server.on('connection', (socket: Socket) => {
    const { silent, arriving, proven, waiting } = groups;
    if (silent.size + arriving.size + proven.size + waiting.size >= most) makeRoom();
    const network = ipKeyGenerator(socket.remoteAddress ?? '');
    const connection: Connection = { socket, network, proven: false, standing: 'silent' };
    silent.add(connection);
    const end = farEndOf(socket);
    open.set(end, connection);
    socket.once('close', () => {
      move(connection, undefined);
      if (open.get(end) === connection) open.delete(end);
    });
  });
  const begin = (request: IncomingMessage, response: ServerResponse) => {
    // With TLS the socket of a request is another than that of its connection.
    const connection = open.get(farEndOf(request.socket));
    if (connection === undefined) return;
    move(connection, hasBody(request) && !connection.proven ? 'arriving' : 'waiting');
    request.once('end', () => {
      if (connection.standing === 'arriving') move(connection, 'waiting');
    });
    response.once('close', () => {
      connection.proven ||= response.statusCode >= 200 && response.statusCode < 300;
      move(connection, connection.proven ? 'proven' : 'silent');
    });
  };
  server.on('request', begin).on('checkContinue', begin);
}

/** The same for a connection and for TLS over it. */
export function farEndOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Connections of one standing, by network, in the order in which they came to it. */
class Group {
  readonly #byNetwork = new Map<string, Set<Connection>>();
  size = 0;

  add(connection: Connection): void {
    const { network } = connection;
    const those = this.#byNetwork.get(network) ?? new Set();
    this.#byNetwork.set(network, those.add(connection));
    this.size += 1;
  }

  delete(connection: Connection): void {
    const those = this.#byNetwork.get(connection.network);
    if (those?.delete(connection) !== true) return;
    this.size -= 1;
    if (those.size === 0) this.#byNetwork.delete(connection.network);
  }

  networks(): Iterable<ReadonlySet<Connection>> {
    return this.#byNetwork.values();
  }
}

function oldestOfMost(groups: readonly Group[]): Connection | undefined {
  let most: ReadonlySet<Connection> = new Set();
  for (const group of groups) for (const those of group.networks()) if (those.size > most.size) most = those;
  return most.values().next().value;
}
