-- Deliveries as they came, for "npm run explain" and "npm run tape": bounded by endpoint and outcome, and by age.
CREATE TABLE inbox.tape (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  endpoint text,                      -- null: no endpoint has the path
  outcome text NOT NULL,
  at timestamptz NOT NULL,
  size integer NOT NULL,              -- of bytes
  bytes bytea NOT NULL
);
ALTER TABLE inbox.tape ALTER COLUMN bytes SET STORAGE EXTERNAL;

INSERT INTO inbox.entry_version VALUES (4);
