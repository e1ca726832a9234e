-- Written by quell_emit from runtime/spec/job_machine.def: change the table, not this file.
-- A move that the law does not know is refused, whoever makes it. Each number is a bit
-- mask of what may follow.
--
-- live.place 0 scheduled -> queued
-- live.place 1 queued -> running
-- live.place 2 running -> scheduled, queued
-- job.state 0 open -> succeeded, failed, cancelled, pending_delete
-- job.state 1 succeeded -> pending_delete
-- job.state 2 failed -> open, pending_delete
-- job.state 3 cancelled -> open, pending_delete
-- job.state 4 pending_delete -> delete_failed
-- job.state 5 delete_failed -> pending_delete

CREATE TRIGGER law_live_place BEFORE UPDATE OF place ON live
WHEN ((CASE OLD.place WHEN 0 THEN 2 WHEN 1 THEN 4 ELSE 3 END) >> NEW.place) & 1 = 0
BEGIN SELECT RAISE(ROLLBACK, 'law: no such move of a live job'); END;

CREATE TRIGGER law_job_state BEFORE UPDATE OF state ON job
WHEN ((CASE OLD.state WHEN 0 THEN 30 WHEN 1 THEN 16 WHEN 2 THEN 17 WHEN 3 THEN 17 WHEN 4 THEN 32 ELSE 16 END) >> NEW.state) & 1 = 0
BEGIN SELECT RAISE(ROLLBACK, 'law: no such move of a job'); END;

CREATE TRIGGER law_job_delete BEFORE DELETE ON job
WHEN (48 >> OLD.state) & 1 = 0
BEGIN SELECT RAISE(ROLLBACK, 'law: only a job that is leaving may go'); END;

CREATE TRIGGER law_live_delete BEFORE DELETE ON live
WHEN EXISTS (SELECT 1 FROM job WHERE id = OLD.job AND state = 0)
BEGIN SELECT RAISE(ROLLBACK, 'law: an open job keeps its live row'); END;

CREATE TRIGGER law_job_insert BEFORE INSERT ON job
WHEN (15 >> NEW.state) & 1 = 0
  OR EXISTS (SELECT 1 FROM tomb WHERE id = NEW.id
             AND (restored_epoch IS NULL OR NEW.epoch < restored_epoch))
  OR EXISTS (SELECT 1 FROM job WHERE id = NEW.id)
BEGIN SELECT CASE
  WHEN (15 >> NEW.state) & 1 = 0 THEN RAISE(ROLLBACK, 'law: no job is born in this state')
  WHEN EXISTS (SELECT 1 FROM tomb WHERE id = NEW.id
             AND (restored_epoch IS NULL OR NEW.epoch < restored_epoch)) THEN RAISE(ROLLBACK, 'law: a deleted job does not come back')
  WHEN EXISTS (SELECT 1 FROM job WHERE id = NEW.id) THEN RAISE(ROLLBACK, 'law: a row is moved or deleted, never replaced') END; END;

CREATE TRIGGER law_live_insert BEFORE INSERT ON live
WHEN (3 >> NEW.place) & 1 = 0
  OR EXISTS (SELECT 1 FROM live WHERE job = NEW.job)
  OR (NEW.ukey IS NOT NULL
      AND EXISTS (SELECT 1 FROM live WHERE project = NEW.project AND ukey = NEW.ukey))
BEGIN SELECT CASE
  WHEN (3 >> NEW.place) & 1 = 0 THEN RAISE(ROLLBACK, 'law: no job is born in this state')
  WHEN EXISTS (SELECT 1 FROM live WHERE job = NEW.job) THEN RAISE(ROLLBACK, 'law: a row is moved or deleted, never replaced')
  WHEN (NEW.ukey IS NOT NULL
      AND EXISTS (SELECT 1 FROM live WHERE project = NEW.project AND ukey = NEW.ukey)) THEN RAISE(ROLLBACK, 'law: a row is moved or deleted, never replaced') END; END;

CREATE TRIGGER law_job_id BEFORE UPDATE OF id ON job
WHEN NEW.id <> OLD.id
BEGIN SELECT RAISE(ROLLBACK, 'law: a row is moved or deleted, never replaced'); END;

CREATE TRIGGER law_live_job BEFORE UPDATE OF job ON live
WHEN NEW.job <> OLD.job
BEGIN SELECT RAISE(ROLLBACK, 'law: a row is moved or deleted, never replaced'); END;
