-- What is still told of a job when it is gone: from the row that went, and in `story` (JSON, content-free,
-- runtime/policy/tomb_story.hpp) from its side rows. Tombstones of an earlier version tell nothing of it.
ALTER TABLE tomb ADD COLUMN project TEXT NOT NULL DEFAULT '';
ALTER TABLE tomb ADD COLUMN queue TEXT NOT NULL DEFAULT '';
ALTER TABLE tomb ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE tomb ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tomb ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tomb ADD COLUMN started INTEGER;
ALTER TABLE tomb ADD COLUMN finished INTEGER;
ALTER TABLE tomb ADD COLUMN node BLOB;
ALTER TABLE tomb ADD COLUMN schedule TEXT;
ALTER TABLE tomb ADD COLUMN story TEXT NOT NULL DEFAULT '';
-- Who ran the job when it came to rest.
ALTER TABLE job ADD COLUMN node BLOB;
-- The audit of one job, delete, schedule or operation.
CREATE INDEX audit_ref ON audit (ref, no);
-- What was erased until then may be remembered no longer: whoever asks for an id that is not there is told so.
CREATE TABLE forgotten (
  what TEXT PRIMARY KEY NOT NULL,
  at   INTEGER NOT NULL
) WITHOUT ROWID;
