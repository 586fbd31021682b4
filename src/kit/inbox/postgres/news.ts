import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Server } from './server.ts';

const CHANNEL = 'inbox_ready';
/** Commits that notify wait for each other, on the whole server: one notification is for all entries of this time. */
const NOTIFY_EVERY_MS = 50;
const HEARTBEAT_MS = 5_000;
const CONNECT_AGAIN_MS = 1_000;

const ignore = () => undefined;

/**
 * What processes on one inbox tell each other, on a connection of its own: on another one when that breaks, or does not
 * answer any more. Nothing here rejects, and nothing depends on it: all of them look by themselves, too.
 */
export class News {
  readonly #server: Server;
  readonly #self = randomUUID();
  #onNews: () => void = ignore;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #notifying = false;
  #wanted = false;
  #closed = false;

  constructor(server: Server) {
    this.#server = server;
  }

  /** Calls back when another process notified, or may have. Resolves when it listens, or cannot for now. */
  async listen(onNews: () => void): Promise<void> {
    this.#onNews = onNews;
    await this.#connect();
  }

  /** Tells the other processes, soon. */
  notify(): void {
    this.#wanted = true;
    if (!this.#notifying) void this.#notifyWhileWanted();
  }

  /** Takes another connection, without waiting for the end of this one: where its machine is gone, that never comes. */
  renew(client = this.#client): void {
    if (client === undefined || client !== this.#client || this.#closed) return;
    this.#client = undefined;
    void client.end().catch(ignore);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect().then(this.#onNews), CONNECT_AGAIN_MS).unref();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(ignore);
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(this.#server.settings);
    this.#client = client;
    client.on('error', ignore).once('end', () => this.renew(client));
    client.on('notification', ({ payload }) => {
      if (payload !== this.#self) this.#onNews();
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      this.#beat(client);
    } catch {
      this.renew(client);
    }
  }

  #beat(client: pg.Client): void {
    if (client !== this.#client || this.#closed) return;
    this.#timer = setTimeout(() => {
      client.query('SELECT').then(
        () => this.#beat(client),
        () => this.renew(client),
      );
    }, HEARTBEAT_MS).unref();
  }

  async #notifyWhileWanted(): Promise<void> {
    this.#notifying = true;
    while (this.#wanted && !this.#closed) {
      this.#wanted = false;
      await this.#client?.query('SELECT pg_notify($1, $2)', [CHANNEL, this.#self]).catch(ignore);
      await sleep(NOTIFY_EVERY_MS, undefined, { ref: false });
    }
    this.#notifying = false;
  }
}
