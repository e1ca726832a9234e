-- Schedules, and the orders to delete one. schedule.status: 0 active, 1 disabled, 2 pending_delete,
-- 3 delete_failed. `next` is the due time that it waits for, `wake` when to look at it, `waiting` a
-- due time that waits for the job before it to end.
CREATE TABLE schedule (
  id       uuid PRIMARY KEY,
  project  text COLLATE "C" NOT NULL,
  grp      text COLLATE "C" NOT NULL,
  name     text COLLATE "C" NOT NULL,
  status   smallint NOT NULL CHECK (status BETWEEN 0 AND 3),
  version  bigint NOT NULL,
  terms    bytea NOT NULL,
  created  bigint NOT NULL,
  changed  bigint NOT NULL,
  next     bigint,
  wake     bigint,
  waiting  bigint,
  last     bigint,
  last_job uuid,
  fired    bigint NOT NULL DEFAULT 0,
  missed   bigint NOT NULL DEFAULT 0,
  overlapped bigint NOT NULL DEFAULT 0,
  error    text COLLATE "C" NOT NULL DEFAULT '',
  CHECK (status = 0 OR wake IS NULL)
) WITH (fillfactor = 70);
CREATE INDEX schedule_wake ON schedule (wake, id) WHERE wake IS NOT NULL;
CREATE INDEX schedule_leaving ON schedule (changed) WHERE status > 1;

CREATE TABLE task_message (
  task      uuid PRIMARY KEY,
  project   text COLLATE "C" NOT NULL,
  requested bigint NOT NULL,
  request   text COLLATE "C" NOT NULL,
  who       text COLLATE "C" NOT NULL,
  why       text COLLATE "C" NOT NULL,
  jobs      smallint NOT NULL,
  tries     integer NOT NULL,
  next_try  bigint NOT NULL,
  error     text COLLATE "C" NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX task_message_due ON task_message (next_try, task);
