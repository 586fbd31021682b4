-- The inbox. An operator can run this himself, in one transaction; a receiver then needs no more than
--   GRANT USAGE ON SCHEMA inbox, GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA inbox,
--   GRANT USAGE ON ALL SEQUENCES IN SCHEMA inbox.

DO $$ BEGIN
  IF to_regnamespace('inbox') IS NULL THEN CREATE SCHEMA inbox; END IF;
END $$;

-- Which of these files have been run: the largest number counts.
CREATE TABLE IF NOT EXISTS inbox.entry_version (version integer NOT NULL);
CREATE SEQUENCE IF NOT EXISTS inbox.entry_seq;

-- One row for each accepted delivery, and for each step of follow-up work.
CREATE TABLE inbox.entry (
  seq bigint PRIMARY KEY,             -- grows in the order of acceptance
  line bigint,                        -- entries of one source and subject: a hash of both; null stands in no line
  status text NOT NULL CHECK (status IN ('waiting', 'running', 'done', 'dead')),
  blocked boolean NOT NULL,           -- waits behind another one of its line
  attempts integer NOT NULL,
  claims integer NOT NULL,            -- tells one claim from the next: the holder of an older one has lost it
  secret integer NOT NULL,
  bytes integer NOT NULL,             -- of content
  due_at timestamptz NOT NULL,
  lease_until timestamptz CHECK ((lease_until IS NOT NULL) = (status = 'running')),
  finished_at timestamptz,
  received_at timestamptz NOT NULL,
  source text NOT NULL,
  endpoint text NOT NULL,
  installation text,
  type text NOT NULL,
  event_id text,
  key text,
  subject text,
  unchanged boolean NOT NULL DEFAULT false,
  note text,
  content bytea NOT NULL,
  answer bytea
) WITH (
  -- Content lives apart from its row, which is written again with each change, and it lives there as it came.
  toast_tuple_target = 256,
  -- Every entry leaves two dead rows, and one when it is forgotten: what they held is used again before long.
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
  toast.autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_threshold = 1000
);
ALTER TABLE inbox.entry ALTER COLUMN content SET STORAGE EXTERNAL;

-- Each index holds the entries of one status only, and most entries are done.
CREATE UNIQUE INDEX entry_head ON inbox.entry (line)
  WHERE line IS NOT NULL AND (status = 'running' OR status = 'waiting' AND NOT blocked);
CREATE INDEX entry_claimable ON inbox.entry (due_at, seq) WHERE status = 'waiting' AND NOT blocked;
CREATE INDEX entry_behind ON inbox.entry (line, seq) WHERE status = 'waiting' AND blocked;
CREATE INDEX entry_held ON inbox.entry (lease_until) WHERE status = 'running';
CREATE INDEX entry_finished ON inbox.entry (finished_at, seq) WHERE status = 'done';
CREATE INDEX entry_open ON inbox.entry (status, seq) INCLUDE (bytes) WHERE status <> 'done';

-- Which events have come, by a hash of endpoint, installation and key. Apart from the entries: a key is remembered for longer.
CREATE TABLE inbox.key (
  hash uuid PRIMARY KEY,
  seq bigint NOT NULL,
  done_at timestamptz                 -- when its entry was done, once that is forgotten
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE UNIQUE INDEX key_seq ON inbox.key (seq);
CREATE INDEX key_forgotten ON inbox.key (done_at) WHERE done_at IS NOT NULL;

INSERT INTO inbox.entry_version VALUES (2);
