-- What is still told of a job when it is gone: from the row that went, and in `story` (JSON, content-free,
-- runtime/policy/tomb_story.hpp) from its side rows. Tombstones of an earlier version tell nothing of it.
ALTER TABLE tomb ADD COLUMN project text NOT NULL DEFAULT '' COLLATE "C";
ALTER TABLE tomb ADD COLUMN queue text NOT NULL DEFAULT '' COLLATE "C";
ALTER TABLE tomb ADD COLUMN kind text NOT NULL DEFAULT '' COLLATE "C";
ALTER TABLE tomb ADD COLUMN attempt integer NOT NULL DEFAULT 0;
ALTER TABLE tomb ADD COLUMN lost integer NOT NULL DEFAULT 0;
ALTER TABLE tomb ADD COLUMN started bigint;
ALTER TABLE tomb ADD COLUMN finished bigint;
ALTER TABLE tomb ADD COLUMN node uuid;
ALTER TABLE tomb ADD COLUMN schedule text COLLATE "C";
ALTER TABLE tomb ADD COLUMN story text NOT NULL DEFAULT '';
-- Who ran the job when it came to rest.
ALTER TABLE job ADD COLUMN node uuid;
-- The audit of one job, delete, schedule or operation.
CREATE INDEX audit_ref ON audit (ref, no);
-- What was erased until then may be remembered no longer: whoever asks for an id that is not there is told so.
CREATE TABLE forgotten (
  what text PRIMARY KEY COLLATE "C",
  at bigint NOT NULL
);
