import type { DatabaseSync } from 'node:sqlite';
import { longestWaits } from '../worker/backoff.ts';

const head = `
  seq, source, endpoint, installation, type, event_id AS eventId, key, subject, secret, received_at AS receivedAt,
  status, attempts, claims, due_at AS dueAt, lease_until AS leaseUntil, finished_at AS finishedAt, note, unchanged,
  request, trace`;
const columns = `${head}, content, answer`;
const bareColumns = `${head}, x'' AS content, NULL AS answer`;

const inLine = `
  source = :source AND subject = :subject AND subject IS NOT NULL AND status IN ('waiting', 'running')`;
const bytes = '(SELECT length(content) FROM bodies WHERE bodies.seq = entries.seq) AS bytes';
const asked = `
  (:source IS NULL OR source = :source) AND (:type IS NULL OR type = :type) AND (:since IS NULL OR received_at >= :since)
  AND (:about IS NULL OR event_id = :about OR request = :about OR substr(subject, -length(:about) - 1) = ':' || :about)
  AND (:subject IS NULL OR subject = :subject OR substr(subject, instr(subject, ' ') + 1) = :subject) AND seq < :before`;
const waits = longestWaits().map((ms, attempts, all) =>
  attempts + 1 === all.length ? `ELSE ${ms}` : `WHEN ${attempts} THEN ${ms}`,
);
const longestWait = `CASE attempts ${waits.join(' ')} END`;
const stillHeld = `seq = :seq AND claims = :claims AND status = 'running'`;

export type Statements = ReturnType<typeof prepareStatements>;

/**
 * Every statement, prepared once. `INDEXED BY` makes a query that lost its index an error at start instead of a slow
 * scan at night; where it looks as if it said a thing twice, the partial index asks for it.
 */
export function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  return { ...storing(prepare), ...working(prepare), ...inLines(prepare), ...managing(prepare) };
}

type Prepare = DatabaseSync['prepare'];

function storing(prepare: Prepare) {
  return {
    begin: prepare('BEGIN IMMEDIATE'),
    commit: prepare('COMMIT'),
    rollback: prepare('ROLLBACK'),
    find: prepare(`SELECT ${columns} FROM entries JOIN bodies USING (seq) WHERE seq = :seq`),
    findByKey: prepare(
      `SELECT ${columns} FROM entries INDEXED BY keys JOIN bodies USING (seq) WHERE unique_key = :uniqueKey`,
    ),
    findForgotten: prepare('SELECT seq, finished_at AS finishedAt FROM forgotten WHERE hash = ?'),
    // Both are on the path of every delivery: positions bind faster than names.
    insert: prepare(`
      INSERT INTO entries
        (source, endpoint, installation, type, event_id, key, unique_key, subject, secret, received_at, due_at, head,
         request, trace, status, attempts, claims)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0, 0)
      ON CONFLICT (source, subject, place) WHERE status IN ('waiting', 'running') AND subject IS NOT NULL DO NOTHING`),
    insertBody: prepare('INSERT INTO bodies (seq, content) VALUES (?, ?)'),
  };
}

function working(prepare: Prepare) {
  return {
    due: prepare(`
      SELECT ${columns} FROM entries INDEXED BY claimable JOIN bodies USING (seq)
      WHERE status = 'waiting' AND head = 1 AND due_at <= :now ORDER BY due_at, seq LIMIT :limit`),
    take: prepare(`
      UPDATE entries SET status = 'running', attempts = attempts + 1, claims = claims + 1, lease_until = :leaseUntil
      WHERE seq = :seq`),
    lapsed: prepare(`
      SELECT ${columns} FROM entries INDEXED BY unfinished JOIN bodies USING (seq)
      WHERE status = 'running' AND status <> 'done' AND lease_until <= :now`),
    renew: prepare(`UPDATE entries SET lease_until = :leaseUntil WHERE ${stillHeld}`),
    finish: prepare(`
      UPDATE entries SET status = :status, head = 0, lease_until = NULL, finished_at = :now, note = :note,
        unchanged = :unchanged
      WHERE ${stillHeld}`),
    newest: prepare(
      `SELECT max(received_at, due_at - ${longestWait}) AS at FROM entries ORDER BY seq DESC LIMIT 1`,
    ),
    bringForwardHeads: prepare(`
      UPDATE entries INDEXED BY claimable SET due_at = :now + ${longestWait}
      WHERE status = 'waiting' AND head = 1 AND due_at > :now AND due_at > :now + ${longestWait}`),
    bringForwardAll: prepare(`
      UPDATE entries INDEXED BY unfinished SET due_at = :now + ${longestWait}
      WHERE status = 'waiting' AND status <> 'done' AND due_at > :now + ${longestWait}`),
    keepAnswer: prepare('UPDATE bodies SET answer = :answer WHERE seq = :seq'),
    putBack: prepare(`
      UPDATE entries SET status = 'waiting', head = subject IS NULL, lease_until = NULL,
        attempts = :attempts, due_at = :dueAt, note = :note, unchanged = 0
      WHERE ${stillHeld} RETURNING ${bytes}`),
  };
}

function inLines(prepare: Prepare) {
  return {
    head: prepare(`SELECT seq, status FROM entries INDEXED BY lines WHERE ${inLine} AND place = 0`),
    demote: prepare('UPDATE entries SET head = 0 WHERE seq = :seq'),
    promoteFirst: prepare(`
      UPDATE entries SET head = 1 WHERE seq = (
        SELECT seq FROM entries INDEXED BY lines WHERE ${inLine} ORDER BY place LIMIT 1)`),
  };
}

/** Unfinished entries have an index of their own. */
function listing(prepare: Prepare, read: string, join: string) {
  return {
    all: prepare(`
      SELECT ${read} FROM entries ${join}
      WHERE (:status IS NULL OR status = :status) AND ${asked}
      ORDER BY seq DESC LIMIT :limit`),
    unfinished: prepare(`
      SELECT ${read} FROM entries INDEXED BY unfinished ${join}
      WHERE status = :status AND status <> 'done' AND ${asked}
      ORDER BY seq DESC LIMIT :limit`),
  };
}

function managing(prepare: Prepare) {
  return {
    discard: prepare(`
      UPDATE entries SET status = 'done', head = 0, finished_at = :now, note = :note, unchanged = 0
      WHERE seq = :seq`),
    prune: prepare(`
      DELETE FROM entries WHERE seq IN (
        SELECT seq FROM entries INDEXED BY finished
        WHERE status = 'done' AND finished_at < :finishedBefore ORDER BY finished_at LIMIT :limit)
      RETURNING seq, unique_key AS uniqueKey, finished_at AS finishedAt`),
    keepKey: prepare('INSERT OR REPLACE INTO forgotten VALUES (:hash, :seq, :finishedAt)'),
    forgetKeys: prepare(`
      DELETE FROM forgotten WHERE hash IN (
        SELECT hash FROM forgotten INDEXED BY forgotten_at
        WHERE finished_at < :keysBefore ORDER BY finished_at LIMIT :limit)`),
    waitAgain: prepare(`
      UPDATE entries SET head = CASE status WHEN 'waiting' THEN head ELSE subject IS NULL END,
        status = 'waiting', attempts = 0, due_at = :now, finished_at = NULL
      WHERE seq = :seq`),
    list: listing(prepare, columns, 'JOIN bodies USING (seq)'),
    listBare: listing(prepare, bareColumns, ''),
    counts: prepare('SELECT waiting, running, done, dead, waiting_bytes AS waitingBytes FROM counts'),
    putCounts: prepare(`
      UPDATE counts SET waiting = :waiting, running = :running, done = :done, dead = :dead,
        waiting_bytes = :waitingBytes`),
    oldestWaiting: prepare(`
      SELECT received_at AS receivedAt FROM entries INDEXED BY unfinished
      WHERE status = 'waiting' AND status <> 'done' ORDER BY seq LIMIT 1`),
    nextDue: prepare(`
      SELECT min(at) AS at FROM (
        SELECT min(due_at) AS at FROM entries INDEXED BY claimable WHERE status = 'waiting' AND head = 1
        UNION ALL
        SELECT min(lease_until) FROM entries INDEXED BY unfinished WHERE status = 'running' AND status <> 'done')`),
  };
}
