-- A job has one row: in `live` while it can still move, in `job` from its end or its mark on. It goes
-- from one to the other in one statement. A submit writes half as much, and an end finds nothing to
-- change that was written long before. Programs that know only schema 2 look for an open job in `job`;
-- two steps at once keep them out.
DROP TRIGGER IF EXISTS law_job_delete ON job;
DELETE FROM job WHERE state = 0;
ALTER TABLE job DROP CONSTRAINT job_state_check;
ALTER TABLE job ADD CONSTRAINT job_state_check CHECK (state BETWEEN 1 AND 5);
-- Most of what rests has succeeded; a list of those is as well walked by the ids of all.
DROP INDEX job_state;
CREATE INDEX job_state ON job (state, id) WHERE state > 1;
CREATE OR REPLACE VIEW jobs AS
  SELECT id, project, queue, kind, prio, state + 2 AS state, epoch, attempt FROM job
  UNION ALL
  SELECT job, project, queue, kind, (9 - pk)::smallint, place::integer, epoch, attempt FROM live;
