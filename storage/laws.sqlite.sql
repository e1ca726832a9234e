-- The law of a job's life where the rows are: a move that the law does not know aborts the statement.
-- Each number is a bit mask of the states that may follow.

-- 0 scheduled -> queued; 1 queued -> running; 2 running -> scheduled, queued. Leaving `live` is a delete.
CREATE TRIGGER law_live_place BEFORE UPDATE OF place ON live
WHEN ((CASE OLD.place WHEN 0 THEN 2 WHEN 1 THEN 4 ELSE 3 END) >> NEW.place) & 1 = 0
BEGIN SELECT RAISE(ABORT, 'law: no such move of a live job'); END;

-- open -> succeeded failed cancelled pending_delete; succeeded -> pending_delete; failed, cancelled -> open, pending_delete;
-- pending_delete <-> delete_failed.
CREATE TRIGGER law_job_state BEFORE UPDATE OF state ON job
WHEN ((CASE OLD.state WHEN 0 THEN 30 WHEN 1 THEN 16 WHEN 2 THEN 17 WHEN 3 THEN 17 WHEN 4 THEN 32 ELSE 16 END) >> NEW.state) & 1 = 0
BEGIN SELECT RAISE(ABORT, 'law: no such move of a job'); END;

CREATE TRIGGER law_job_delete BEFORE DELETE ON job WHEN OLD.state < 4
BEGIN SELECT RAISE(ABORT, 'law: only a job that is leaving may go'); END;

CREATE TRIGGER law_live_delete BEFORE DELETE ON live
WHEN EXISTS (SELECT 1 FROM job WHERE id = OLD.job AND state = 0)
BEGIN SELECT RAISE(ABORT, 'law: an open job keeps its live row'); END;

CREATE TRIGGER law_job_insert BEFORE INSERT ON job
WHEN EXISTS (SELECT 1 FROM tomb WHERE id = NEW.id AND (restored_epoch IS NULL OR NEW.epoch < restored_epoch))
BEGIN SELECT RAISE(ABORT, 'law: a deleted job does not come back'); END;
