-- Version 1 kept the entries as jobs of pg-boss. This takes them over, each as it is, and removes what was there for them.
-- Where there are none it does nothing. It copies every content once: allow for the room.

DO $$ BEGIN
IF to_regclass('inbox.job_common') IS NOT NULL THEN
  LOCK TABLE inbox.job IN ACCESS EXCLUSIVE MODE;

  INSERT INTO inbox.entry (
    seq, line, status, blocked, attempts, claims, secret, bytes, due_at, lease_until, finished_at, received_at, source,
    endpoint, installation, type, event_id, key, subject, unchanged, note, content, answer)
  SELECT
    seq, line, status,
    line IS NOT NULL AND (
      status IN ('done', 'dead')
      OR row_number() OVER (PARTITION BY line, status IN ('done', 'dead') ORDER BY status = 'running' DESC, seq) > 1),
    attempts, CASE WHEN started_on IS NULL THEN 0 ELSE retry_count + 1 END, (data->>'secret')::integer, bytes,
    start_after, CASE WHEN status = 'running' THEN coalesce(lease_until, now()) END, completed_on,
    to_timestamp((data->>'receivedAt')::double precision / 1000), data->>'source', data->>'endpoint',
    data->>'installation', data->>'type', data->>'eventId', data->>'key', data->>'subject',
    coalesce((output->>'unchanged')::boolean, false), output->>'note', content, answer
  FROM (
    SELECT *,
      CASE state WHEN 'active' THEN 'running' WHEN 'completed' THEN 'done' WHEN 'cancelled' THEN 'dead'
        ELSE 'waiting' END AS status,
      CASE WHEN data ? 'subject' THEN
        ('x' || encode(substr(sha256(convert_to(singleton_key, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint END AS line
    FROM inbox.job_common WHERE name = 'entries') AS job
  ORDER BY seq;

  INSERT INTO inbox.key SELECT id, seq FROM inbox.job_common WHERE name = 'entries' AND data ? 'key';

  DROP TABLE IF EXISTS inbox.job, inbox.job_dependency, inbox.schedule, inbox.subscription, inbox.bam, inbox.warning,
    inbox.queue_stats, inbox.queue, inbox.version CASCADE;
  DROP FUNCTION IF EXISTS inbox.create_queue, inbox.delete_queue, inbox.job_now, inbox.job_table_format, inbox.job_table_run,
    inbox.job_table_run_async;
  DROP TYPE IF EXISTS inbox.job_state;
  ANALYZE inbox.entry, inbox.key;
END IF;
END $$;

INSERT INTO inbox.entry_version VALUES (3);
