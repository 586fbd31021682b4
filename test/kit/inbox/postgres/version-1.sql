-- An inbox as version 1 wrote it, as jobs of pg-boss: its catalogue, with those of pg-boss's own parts that hold no entry cut down
-- to their names. Never to be made again by our own code.
CREATE SCHEMA inbox;
CREATE TYPE inbox.job_state AS ENUM ('created', 'retry', 'active', 'completed', 'cancelled', 'failed');
CREATE SEQUENCE inbox.entry_seq;
CREATE TABLE inbox.entry_version (version integer NOT NULL);
INSERT INTO inbox.entry_version VALUES (1);
CREATE TABLE inbox.queue (name text PRIMARY KEY);
INSERT INTO inbox.queue VALUES ('entries');
CREATE TABLE inbox.job (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  name text NOT NULL,
  priority integer NOT NULL DEFAULT 0,
  data jsonb,
  state inbox.job_state NOT NULL DEFAULT 'created',
  retry_limit integer NOT NULL DEFAULT 2,
  retry_count integer NOT NULL DEFAULT 0,
  retry_delay integer NOT NULL DEFAULT 0,
  retry_backoff boolean NOT NULL DEFAULT false,
  retry_delay_max integer,
  expire_seconds integer NOT NULL DEFAULT 900,
  deletion_seconds integer NOT NULL DEFAULT 604800,
  singleton_key text,
  singleton_on timestamp without time zone,
  group_id text,
  group_tier text,
  start_after timestamp with time zone NOT NULL DEFAULT now(),
  created_on timestamp with time zone NOT NULL DEFAULT now(),
  started_on timestamp with time zone,
  completed_on timestamp with time zone,
  keep_until timestamp with time zone NOT NULL DEFAULT (now() + '336:00:00'),
  output jsonb,
  dead_letter text,
  policy text,
  heartbeat_on timestamp with time zone,
  heartbeat_seconds integer,
  blocked boolean NOT NULL DEFAULT false,
  blocking boolean NOT NULL DEFAULT false,
  pending_dependencies integer NOT NULL DEFAULT 0,
  source_name text,
  source_id uuid,
  source_created_on timestamp with time zone,
  source_retry_count integer,
  source_output jsonb,
  source_root_id uuid,
  seq bigint NOT NULL DEFAULT nextval('inbox.entry_seq'::regclass),
  attempts integer NOT NULL DEFAULT 0,
  lease_until timestamp with time zone,
  bytes integer NOT NULL DEFAULT 0,
  content bytea,
  answer bytea
) PARTITION BY LIST (name);
CREATE TABLE inbox.job_common PARTITION OF inbox.job DEFAULT;
ALTER TABLE inbox.job_common ADD PRIMARY KEY (name, id), ADD FOREIGN KEY (name) REFERENCES inbox.queue (name);
CREATE INDEX entry_done ON inbox.job_common USING btree (completed_on, seq) WHERE (state = 'completed');
CREATE INDEX entry_due ON inbox.job_common USING btree (start_after, seq) WHERE ((state = 'created') AND (NOT blocked));
CREATE INDEX entry_lease ON inbox.job_common USING btree (lease_until) WHERE (state = 'active');
CREATE INDEX entry_line ON inbox.job_common USING btree (singleton_key, seq) WHERE ((state = 'created') AND blocked);
CREATE INDEX entry_unfinished ON inbox.job_common USING btree (state, seq) INCLUDE (bytes) WHERE (state <> 'completed');
CREATE UNIQUE INDEX entry_seq_key ON inbox.job_common USING btree (seq);
CREATE TABLE inbox.job_dependency (id integer);
CREATE TABLE inbox.schedule (id integer);
CREATE TABLE inbox.subscription (id integer);
CREATE TABLE inbox.bam (id integer);
CREATE TABLE inbox.warning (id integer);
CREATE TABLE inbox.version (version integer);
CREATE TABLE inbox.queue_stats (captured_on timestamptz) PARTITION BY RANGE (captured_on);
CREATE FUNCTION inbox.create_queue(queue_name text, options jsonb) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION inbox.delete_queue(queue_name text) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION inbox.job_now() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION inbox.job_table_format(command text, table_name text) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION inbox.job_table_run(command text, tbl_name text, queue_name text) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION inbox.job_table_run_async(command_name text, version integer, command text, tbl_name text, queue_name text) RETURNS void LANGUAGE sql AS '';
INSERT INTO inbox.job_common
  (id, name, policy, singleton_key, data, state, blocked, retry_count, start_after, created_on, started_on, completed_on, output, seq, attempts, lease_until, bytes, content, answer)
VALUES
  ('8ecb8df8-c824-84ce-bc9f-18252844561c', 'entries', 'key_strict_fifo', '["acme","done"]', '{"key": "evt_1", "type": "order.created", "secret": 1, "source": "acme", "eventId": "evt_1", "subject": "done", "endpoint": "/acme/order.created", "receivedAt": 1700000000000, "installation": "north"}', 'completed', 'true', '0', '2026-11-30 00:20:42.695125+00', '2026-11-30 00:20:42.695125+00', '2026-11-30 00:20:42.716437+00', '2026-11-30 00:20:42.72221+00', '{"note": "made it"}', '1', '1', NULL, '4', E'\\x646f6e65', E'\\x7b7d'),
  ('eb488379-9898-8b61-bf55-ee2b0a7bc4f5', 'entries', 'key_strict_fifo', '["acme","order 7"]', '{"key": "evt_2", "type": "order.created", "secret": 1, "source": "acme", "subject": "order 7", "endpoint": "/acme/order.created", "receivedAt": 1700000000000}', 'cancelled', 'true', '0', '2026-11-30 00:20:42.707408+00', '2026-11-30 00:20:42.707408+00', '2026-11-30 00:20:42.716437+00', '2026-11-30 00:20:42.727858+00', '{"note": "handler_failed: no"}', '2', '1', NULL, '11', E'\\x64656164206c6574746572', NULL),
  ('2aae52be-d6ab-8fb7-8181-a5e18ef28c54', 'entries', 'key_strict_fifo', '2aae52be-d6ab-8fb7-8181-a5e18ef28c54', '{"key": "evt_3", "type": "order.created", "secret": 1, "source": "acme", "endpoint": "/acme/order.created", "receivedAt": 1700000000000}', 'completed', 'false', '0', '2026-11-30 00:20:42.711488+00', '2026-11-30 00:20:42.711488+00', '2026-11-30 00:20:42.716437+00', '2026-11-30 00:20:42.730219+00', '{"note": "nothing new", "unchanged": true}', '3', '1', NULL, '9', E'\\x756e6368616e676564', NULL),
  ('5757f9fb-a441-89d9-8864-c31f6a6a7e4f', 'entries', 'key_strict_fifo', '5757f9fb-a441-89d9-8864-c31f6a6a7e4f', '{"key": "discard me", "type": "order.created", "secret": 1, "source": "acme", "endpoint": "/acme/order.created", "receivedAt": 1700000000000}', 'completed', 'false', '0', '2026-12-11 14:07:22.731335+00', '2026-11-30 00:20:42.713543+00', '2026-11-30 00:20:42.716437+00', '2026-11-30 00:20:42.736654+00', '{"note": "discarded: test"}', '4', '1', NULL, '9', E'\\x646973636172646564', NULL),
  ('181c8a53-fb62-82c6-8c09-2888f3677ede', 'entries', 'key_strict_fifo', '["acme","done"]', '{"key": "step:1", "type": "archive", "secret": 1, "source": "acme", "subject": "done", "endpoint": "step", "receivedAt": 1700000000000}', 'created', 'false', '0', '2030-03-17 17:46:40.000991+00', '2026-11-30 00:20:42.725182+00', '2026-11-30 00:20:42.738307+00', NULL, '{"note": "ECONNREFUSED"}', '5', '1', NULL, '9', E'\\x666f6c6c6f772d7570', NULL),
  ('4f5cb28d-66c9-829b-818b-792d6beecaa5', 'entries', 'key_strict_fifo', '4f5cb28d-66c9-829b-818b-792d6beecaa5', '{"key": "step:2", "type": "notify", "secret": 1, "source": "acme", "endpoint": "step", "receivedAt": 1700000000000}', 'created', 'false', '0', '2026-11-30 00:20:42.730717+00', '2026-11-30 00:20:42.725182+00', '2026-11-30 00:20:42.738307+00', NULL, NULL, '6', '0', NULL, '16', E'\\x7365636f6e6420666f6c6c6f772d7570', NULL),
  ('10261b77-9fea-83d1-a111-d7c439a56e27', 'entries', 'key_strict_fifo', '["acme","order 7"]', '{"key": "evt_5", "type": "order.created", "secret": 1, "source": "acme", "subject": "order 7", "endpoint": "/acme/order.created", "receivedAt": 1700000000000}', 'created', 'false', '0', '2026-11-30 00:20:42.74931+00', '2026-11-30 00:20:42.74931+00', NULL, NULL, NULL, '7', '0', NULL, '17', E'\\x6669727374206f6620697473206c696e65', NULL),
  ('f33a7e76-8d9b-8e01-ba54-59cc58f9c203', 'entries', 'key_strict_fifo', '["acme","order 7"]', '{"key": "evt_6", "type": "order.created", "secret": 1, "source": "acme", "subject": "order 7", "endpoint": "/acme/order.created", "receivedAt": 1700000000000}', 'created', 'true', '0', '2026-11-30 00:20:42.753128+00', '2026-11-30 00:20:42.753128+00', NULL, NULL, NULL, '8', '0', NULL, '18', E'\\x7365636f6e64206f6620697473206c696e65', NULL),
  ('61d9e91f-5f22-4fa4-960c-f8dd6eb62c49', 'entries', 'key_strict_fifo', 'sha256:sZm7oKmmPLHe7BXWx0DKYlyItqTnNhFeG1qrc9Li66A', '{"type": "order.created", "secret": 1, "source": "acme", "subject": "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss", "endpoint": "/acme/order.created", "receivedAt": 1700000000000}', 'active', 'false', '0', '2026-11-30 00:20:42.755642+00', '2026-11-30 00:20:42.755642+00', '2026-11-30 00:20:42.755642+00', NULL, NULL, '9', '1', '2026-11-30 00:20:43.755642+00', '28', E'\\x72756e6e696e672c20776974682061206c6f6e67207375626a656374', NULL),
  ('8de43753-62b1-416f-b464-722339dfc871', 'entries', 'key_strict_fifo', 'sha256:sZm7oKmmPLHe7BXWx0DKYlyItqTnNhFeG1qrc9Li66A', '{"type": "order.created", "secret": 1, "source": "acme", "subject": "ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss", "endpoint": "/acme/order.created", "receivedAt": 1700000000000}', 'created', 'true', '0', '2026-11-30 00:20:42.758894+00', '2026-11-30 00:20:42.758894+00', NULL, NULL, NULL, '10', '0', NULL, '22', E'\\x776169747320626568696e6420776861742072756e73', NULL),
  ('86c95958-020f-82cf-b858-c9ace3c8648f', 'entries', 'key_strict_fifo', '86c95958-020f-82cf-b858-c9ace3c8648f', '{"key": "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk�", "type": "order.created", "secret": 1, "source": "acme", "endpoint": "/acme/order.created", "receivedAt": 1700000000000}', 'created', 'false', '0', '2026-11-30 00:20:42.761157+00', '2026-11-30 00:20:42.761157+00', NULL, NULL, NULL, '11', '0', NULL, '3000', convert_to(repeat('x', 3000), 'UTF8'), NULL),
  ('a99eeb06-f50f-410b-a3a9-c0673b6ab764', 'entries', 'key_strict_fifo', 'a99eeb06-f50f-410b-a3a9-c0673b6ab764', '{"type": "order.created", "secret": 1, "source": "acme", "endpoint": "/acme/order.created", "receivedAt": 1700000000000}', 'created', 'false', '0', '2026-11-30 00:20:42.763317+00', '2026-11-30 00:20:42.763317+00', NULL, NULL, NULL, '12', '0', NULL, '6', E'\\x6e6f206b6579', NULL);
SELECT setval('inbox.entry_seq', 12);
