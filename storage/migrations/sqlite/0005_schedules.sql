-- Schedules, and the orders to delete one. schedule.status: 0 active, 1 disabled, 2 pending_delete,
-- 3 delete_failed. `next` is the due time that it waits for, `wake` when to look at it, `waiting` a
-- due time that waits for the job before it to end.
CREATE TABLE schedule (
  id       BLOB PRIMARY KEY NOT NULL,
  project  TEXT NOT NULL,
  grp      TEXT NOT NULL,
  name     TEXT NOT NULL,
  status   INTEGER NOT NULL CHECK (status BETWEEN 0 AND 3),
  version  INTEGER NOT NULL,
  terms    TEXT NOT NULL,
  created  INTEGER NOT NULL,
  changed  INTEGER NOT NULL,
  next     INTEGER,
  wake     INTEGER,
  waiting  INTEGER,
  last     INTEGER,
  last_job BLOB,
  fired    INTEGER NOT NULL DEFAULT 0,
  missed   INTEGER NOT NULL DEFAULT 0,
  overlapped INTEGER NOT NULL DEFAULT 0,
  error    TEXT NOT NULL DEFAULT '',
  CHECK (status = 0 OR wake IS NULL)
) WITHOUT ROWID;
CREATE INDEX schedule_wake ON schedule (wake, id) WHERE wake IS NOT NULL;
CREATE INDEX schedule_leaving ON schedule (changed) WHERE status > 1;
-- The jobs of one that wait or run.
CREATE INDEX job_schedule_open ON job (schedule, id) WHERE schedule IS NOT NULL AND state = 0;

CREATE TABLE task_message (
  task      BLOB PRIMARY KEY NOT NULL,
  project   TEXT NOT NULL,
  requested INTEGER NOT NULL,
  request   TEXT NOT NULL,
  who       TEXT NOT NULL,
  why       TEXT NOT NULL,
  jobs      INTEGER NOT NULL,
  tries     INTEGER NOT NULL,
  next_try  INTEGER NOT NULL,
  error     TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX task_message_due ON task_message (next_try, task);
