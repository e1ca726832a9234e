-- Limits of a queue. live.lkey repeats the job's limit key, so that a claim counts and finds by index;
-- a job without a key is in neither index and costs nothing.
ALTER TABLE live ADD COLUMN lkey TEXT;
CREATE INDEX live_key ON live (queue, lkey, pk, job) WHERE place = 1 AND lkey IS NOT NULL;
CREATE INDEX live_key_running ON live (queue, lkey) WHERE place = 2 AND lkey IS NOT NULL;

-- Of a limited queue between two claims: what is in its bucket (none: full).
CREATE TABLE queue_limit (
  queue    TEXT PRIMARY KEY NOT NULL,
  drops    INTEGER,
  at       INTEGER
) WITHOUT ROWID;
-- A key's bucket, until it is full again and may be forgotten.
CREATE TABLE key_bucket (
  queue TEXT NOT NULL,
  lkey  TEXT NOT NULL,
  drops INTEGER NOT NULL,
  at    INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (queue, lkey)
) WITHOUT ROWID;
CREATE INDEX key_bucket_until ON key_bucket (until);
