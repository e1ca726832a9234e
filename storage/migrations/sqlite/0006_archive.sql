-- A copy is found by its queue, kind, project and delete without being unpacked; prior is JobState's number,
-- at the time of the delete. Copies of an earlier version say these only inside.
ALTER TABLE archive ADD COLUMN project TEXT NOT NULL DEFAULT '';
ALTER TABLE archive ADD COLUMN queue TEXT NOT NULL DEFAULT '';
ALTER TABLE archive ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE archive ADD COLUMN prior INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archive ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX archive_call ON archive (delete_id, id);
-- When a scheduled job was to run, that is held while it leaves: its copy says so.
ALTER TABLE ticket ADD COLUMN due INTEGER;
-- When a result goes before its record. An empty body has gone, or never was.
ALTER TABLE result ADD COLUMN until INTEGER;
CREATE INDEX result_until ON result (until, job) WHERE until IS NOT NULL AND body <> '';
