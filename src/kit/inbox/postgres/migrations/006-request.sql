-- By what a reply and log lines call the delivery that brought an entry, and where in a trace it was stored.
ALTER TABLE inbox.entry ADD COLUMN request text, ADD COLUMN trace text;

INSERT INTO inbox.entry_version VALUES (6);
