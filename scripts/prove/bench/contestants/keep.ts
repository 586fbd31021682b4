import { createRequire } from 'node:module';
import { DatabaseSync } from 'node:sqlite';

/** Makes a delivery durable: resolves when it is on disk. */
export type Keep = (body: string) => Promise<unknown>;

/** As a tutorial would keep what it has received, by the environment's KEEP: `sqlite`, `bullmq`, `pg-boss`, or not at all. */
export async function createKeep(kind: string | undefined, at: string): Promise<Keep> {
  switch (kind) {
    case undefined:
      return async () => undefined;
    case 'sqlite':
      return inSqlite(at);
    case 'bullmq':
      return inBullmq(Number(at));
    case 'pg-boss':
      return inPgBoss(at);
    default:
      throw new Error(`KEEP is to be sqlite, bullmq or pg-boss, not ${kind}.`);
  }
}

function inSqlite(file: string): Keep {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE deliveries (body TEXT)');
  const insert = database.prepare('INSERT INTO deliveries VALUES (?)');
  return async (body) => insert.run(body);
}

async function inBullmq(port: number): Promise<Keep> {
  const { Queue } = (await fromPackages('bullmq')) as Bullmq;
  const queue = new Queue('deliveries', { connection: { host: '127.0.0.1', port } });
  return (body) => queue.add('delivery', { body });
}

async function inPgBoss(connectionString: string): Promise<Keep> {
  const { PgBoss } = (await fromPackages('pg-boss')) as PgBossPackage;
  const boss = new PgBoss({ connectionString, max: 10 });
  await boss.start();
  await boss.createQueue('deliveries');
  return (body) => boss.send('deliveries', { body });
}

// They are no packages of the kit, so there are no types of theirs to import.

interface Bullmq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => { add(name: string, data: object): Promise<unknown> };
}

interface PgBossPackage {
  readonly PgBoss: new (options: object) => {
    start(): Promise<unknown>;
    createQueue(name: string): Promise<unknown>;
    send(name: string, data: object): Promise<unknown>;
  };
}

async function fromPackages(name: string): Promise<unknown> {
  const packages = createRequire(new URL('../packages/package.json', import.meta.url));
  return import(packages.resolve(name));
}
