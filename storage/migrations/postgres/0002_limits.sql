-- Limits of a queue. live.lkey repeats the job's limit key, so that a claim counts and finds by index;
-- a job without a key is in neither index and costs nothing.
ALTER TABLE live ADD COLUMN lkey text COLLATE "C";
CREATE INDEX live_key ON live (queue, lkey, pk, job) WHERE place = 1 AND lkey IS NOT NULL;
CREATE INDEX live_key_running ON live (queue, lkey) WHERE place = 2 AND lkey IS NOT NULL;

-- Of a limited queue between two claims: what is in its bucket (none: full).
-- The row is what the claims of one queue wait for each other at.
CREATE TABLE queue_limit (
  queue    text COLLATE "C" PRIMARY KEY,
  drops    bigint,
  at       bigint
) WITH (fillfactor = 50);
-- A key's bucket, until it is full again and may be forgotten.
CREATE TABLE key_bucket (
  queue text COLLATE "C",
  lkey  text COLLATE "C",
  drops bigint NOT NULL,
  at    bigint NOT NULL,
  until bigint NOT NULL,
  PRIMARY KEY (queue, lkey)
) WITH (fillfactor = 50);
CREATE INDEX key_bucket_until ON key_bucket (until);
