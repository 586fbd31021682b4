-- What deliveries show of their senders: counts, and no value of any of them. Several receivers add to the same rows.
CREATE TABLE inbox.fact (
  source text NOT NULL,
  endpoint text NOT NULL,
  fact text NOT NULL,
  variant text NOT NULL,
  count bigint NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (source, endpoint, fact, variant)
) WITH (
  -- The same few rows are written again and again.
  fillfactor = 50, autovacuum_vacuum_scale_factor = 0.2, autovacuum_vacuum_threshold = 1000
);

INSERT INTO inbox.entry_version VALUES (5);
