-- An inbox as version 1 of the schema wrote it. Never to be made anew by our own code.
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    installation TEXT,
    type TEXT NOT NULL,
    event_id TEXT,
    key TEXT,
    unique_key TEXT,
    subject TEXT,
    secret INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'running', 'done', 'dead')),
    head INTEGER NOT NULL,
    place INTEGER AS (iif(head = 1, 0, seq)),
    attempts INTEGER NOT NULL,
    claims INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    lease_until INTEGER,
    finished_at INTEGER,
    note TEXT
  ) STRICT;
CREATE TABLE bodies (seq INTEGER PRIMARY KEY, content BLOB NOT NULL, answer BLOB) STRICT;
CREATE UNIQUE INDEX keys ON entries (unique_key) WHERE unique_key IS NOT NULL;
CREATE UNIQUE INDEX lines ON entries (source, subject, place)
    WHERE status IN ('waiting', 'running') AND subject IS NOT NULL;
CREATE INDEX claimable ON entries (due_at, seq) WHERE status = 'waiting' AND head = 1;
CREATE INDEX unfinished ON entries (status, seq) WHERE status <> 'done';
CREATE TABLE counts (
    waiting INTEGER NOT NULL, running INTEGER NOT NULL, done INTEGER NOT NULL, dead INTEGER NOT NULL
  ) STRICT;
INSERT INTO entries (seq, source, endpoint, installation, type, event_id, key, unique_key, subject, secret, received_at, status, head, attempts, claims, due_at, lease_until, finished_at, note) VALUES
  (1, 'acme', '/acme/order.created', NULL, 'order.created', 'evt_1', 'evt_1', '["/acme/order.created",null,"evt_1"]', NULL, 1, 1700000000000, 'done', 0, 1, 1, 1700000000000, NULL, 1700000000000, 'made it');
INSERT INTO entries (seq, source, endpoint, installation, type, event_id, key, unique_key, subject, secret, received_at, status, head, attempts, claims, due_at, lease_until, finished_at, note) VALUES
  (2, 'acme', '/acme/order.created', NULL, 'order.created', NULL, 'evt_2', '["/acme/order.created",null,"evt_2"]', 'order 1', 1, 1700000000000, 'dead', 0, 1, 1, 1700000000000, NULL, 1700000000000, 'handler_failed: no');
INSERT INTO entries (seq, source, endpoint, installation, type, event_id, key, unique_key, subject, secret, received_at, status, head, attempts, claims, due_at, lease_until, finished_at, note) VALUES
  (3, 'acme', '/acme/order.created', NULL, 'order.created', NULL, NULL, NULL, 'order 1', 1, 1700000000000, 'waiting', 1, 0, 0, 1700000000000, NULL, NULL, NULL);
INSERT INTO entries (seq, source, endpoint, installation, type, event_id, key, unique_key, subject, secret, received_at, status, head, attempts, claims, due_at, lease_until, finished_at, note) VALUES
  (5, 'acme', '/acme/order.created', NULL, 'order.created', NULL, NULL, NULL, 'order 1', 1, 1700000000000, 'waiting', 0, 0, 0, 1700000000000, NULL, NULL, NULL);
INSERT INTO entries (seq, source, endpoint, installation, type, event_id, key, unique_key, subject, secret, received_at, status, head, attempts, claims, due_at, lease_until, finished_at, note) VALUES
  (6, 'acme', '/acme/order.created', NULL, 'order.created', NULL, NULL, NULL, NULL, 1, 1700000000000, 'running', 1, 1, 1, 1700000000000, 1700000060000, NULL, NULL);
INSERT INTO bodies (seq, content, answer) VALUES
  (1, X'646F6E65', X'7B7D');
INSERT INTO bodies (seq, content, answer) VALUES
  (2, X'64656164206C6574746572', NULL);
INSERT INTO bodies (seq, content, answer) VALUES
  (3, X'6669727374206F6620697473206C696E65', NULL);
INSERT INTO bodies (seq, content, answer) VALUES
  (5, X'7365636F6E64206F6620697473206C696E65', NULL);
INSERT INTO bodies (seq, content, answer) VALUES
  (6, X'72756E6E696E67', NULL);
INSERT INTO counts (waiting, running, done, dead) VALUES
  (2, 1, 1, 1);
CREATE TRIGGER counts_delete AFTER DELETE ON entries BEGIN
    UPDATE counts SET
      waiting = waiting - (OLD.status = 'waiting'), running = running - (OLD.status = 'running'),
      done = done - (OLD.status = 'done'), dead = dead - (OLD.status = 'dead');
  END;
PRAGMA user_version = 1;
