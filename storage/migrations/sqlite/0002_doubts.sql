-- Owners that were called lost without proof: while a note of one is here, it may be paused and
-- not dead, and a delete of its job is not proven.
CREATE TABLE doubt (
  job  BLOB NOT NULL,
  what INTEGER NOT NULL,
  ref  BLOB NOT NULL,
  node BLOB NOT NULL,
  life INTEGER NOT NULL,
  PRIMARY KEY (job, what, ref, node, life)
) WITHOUT ROWID;
CREATE INDEX doubt_node ON doubt (node, life);
