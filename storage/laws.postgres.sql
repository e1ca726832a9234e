-- Written by quell_emit from runtime/spec/job_machine.def: change the table, not this file.
-- A move that the law does not know is refused, whoever makes it. Each number is a bit
-- mask of what may follow.
--
-- live.place 0 scheduled -> queued
-- live.place 1 queued -> running
-- live.place 2 running -> scheduled, queued
-- a row of live that goes -> succeeded, failed, cancelled, pending_delete
-- job.state 1 succeeded -> pending_delete
-- job.state 2 failed -> open, pending_delete
-- job.state 3 cancelled -> open, pending_delete
-- job.state 4 pending_delete -> delete_failed
-- job.state 5 delete_failed -> pending_delete

CREATE OR REPLACE FUNCTION law_broken() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $law$;

CREATE OR REPLACE TRIGGER law_live_place BEFORE UPDATE OF place ON live
FOR EACH ROW WHEN (((CASE OLD.place WHEN 0 THEN 2 WHEN 1 THEN 4 ELSE 3 END) >> NEW.place) & 1 = 0)
EXECUTE FUNCTION law_broken('law: no such move of a live job');

CREATE OR REPLACE TRIGGER law_job_state BEFORE UPDATE OF state ON job
FOR EACH ROW WHEN (((CASE OLD.state WHEN 0 THEN 0 WHEN 1 THEN 16 WHEN 2 THEN 16 WHEN 3 THEN 16 WHEN 4 THEN 32 ELSE 16 END) >> NEW.state) & 1 = 0)
EXECUTE FUNCTION law_broken('law: no such move of a job');

CREATE OR REPLACE TRIGGER law_job_delete BEFORE DELETE ON job
FOR EACH ROW WHEN ((60 >> OLD.state) & 1 = 0)
EXECUTE FUNCTION law_broken('law: only a job that is leaving may go');

CREATE OR REPLACE FUNCTION law_job_back() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM live WHERE job = OLD.id) THEN
    RAISE EXCEPTION 'law: only a job that is leaving may go' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $law$;
CREATE OR REPLACE TRIGGER law_job_back AFTER DELETE ON job
FOR EACH ROW WHEN ((12 >> OLD.state) & 1 = 1) EXECUTE FUNCTION law_job_back();

CREATE OR REPLACE FUNCTION law_live_delete() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
  IF EXISTS (SELECT 1 FROM touched WHERE
             NOT EXISTS (SELECT 1 FROM job WHERE id = touched.job OFFSET 0) AND
             NOT EXISTS (SELECT 1 FROM tomb WHERE id = touched.job AND
                         restored_epoch IS NULL OFFSET 0)) THEN
    RAISE EXCEPTION 'law: an open job keeps its live row' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $law$;
DROP TRIGGER IF EXISTS law_live_delete ON live;
CREATE TRIGGER law_live_delete AFTER DELETE ON live REFERENCING OLD TABLE AS touched
FOR EACH STATEMENT EXECUTE FUNCTION law_live_delete();

CREATE OR REPLACE TRIGGER law_job_birth BEFORE INSERT ON job
FOR EACH ROW WHEN ((30 >> NEW.state) & 1 = 0)
EXECUTE FUNCTION law_broken('law: no job is born in this state');

CREATE OR REPLACE FUNCTION law_job_insert() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
  IF EXISTS (SELECT 1 FROM touched WHERE EXISTS (
             SELECT 1 FROM live WHERE live.job = touched.id OFFSET 0)) THEN
    RAISE EXCEPTION 'law: a row is moved or deleted, never replaced' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM touched WHERE EXISTS (
             SELECT 1 FROM tomb WHERE tomb.id = touched.id AND
             (restored_epoch IS NULL OR touched.epoch < restored_epoch) OFFSET 0)) THEN
    RAISE EXCEPTION 'law: a deleted job does not come back' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $law$;
DROP TRIGGER IF EXISTS law_job_insert ON job;
CREATE TRIGGER law_job_insert AFTER INSERT ON job REFERENCING NEW TABLE AS touched
FOR EACH STATEMENT EXECUTE FUNCTION law_job_insert();

CREATE OR REPLACE FUNCTION law_live_insert() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
  IF EXISTS (SELECT 1 FROM touched WHERE EXISTS (
             SELECT 1 FROM job WHERE job.id = touched.job OFFSET 0)) THEN
    RAISE EXCEPTION 'law: a row is moved or deleted, never replaced' USING ERRCODE = 'check_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM touched WHERE EXISTS (
             SELECT 1 FROM tomb WHERE tomb.id = touched.job AND
             (restored_epoch IS NULL OR touched.epoch < restored_epoch) OFFSET 0)) THEN
    RAISE EXCEPTION 'law: a deleted job does not come back' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $law$;
DROP TRIGGER IF EXISTS law_live_insert ON live;
CREATE TRIGGER law_live_insert AFTER INSERT ON live REFERENCING NEW TABLE AS touched
FOR EACH STATEMENT EXECUTE FUNCTION law_live_insert();

CREATE OR REPLACE TRIGGER law_live_birth BEFORE INSERT ON live
FOR EACH ROW WHEN ((3 >> NEW.place) & 1 = 0)
EXECUTE FUNCTION law_broken('law: no job is born in this state');

CREATE OR REPLACE TRIGGER law_job_id BEFORE UPDATE OF id ON job
FOR EACH ROW WHEN (NEW.id <> OLD.id)
EXECUTE FUNCTION law_broken('law: a row is moved or deleted, never replaced');

CREATE OR REPLACE TRIGGER law_live_job BEFORE UPDATE OF job ON live
FOR EACH ROW WHEN (NEW.job <> OLD.job)
EXECUTE FUNCTION law_broken('law: a row is moved or deleted, never replaced');

CREATE OR REPLACE FUNCTION is_valid_admin(body bytea) RETURNS boolean LANGUAGE plpgsql AS $law$
DECLARE
  it jsonb;
BEGIN
  it := convert_from(body, 'UTF8')::jsonb;
  RETURN coalesce(it ->> 'role' = 'admin' AND it ->> 'project' = '' AND
    coalesce((it ->> 'expires')::bigint > extract(epoch FROM clock_timestamp()) * 1000, true), false);
EXCEPTION WHEN data_exception THEN RETURN false;  -- no token of ours
END $law$;
CREATE OR REPLACE FUNCTION law_last_admin() RETURNS trigger LANGUAGE plpgsql AS $law$
BEGIN
  IF NOT is_valid_admin(OLD.body) THEN RETURN OLD; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('quell.last_admin', 0));
  IF NOT EXISTS (SELECT 1 FROM doc WHERE kind = 'token' AND id <> OLD.id
                 AND is_valid_admin(body)) THEN
    RAISE EXCEPTION 'law: the last token that can make another administrator is not revoked' USING ERRCODE = 'check_violation';
  END IF;
  RETURN OLD;
END $law$;
CREATE OR REPLACE TRIGGER law_last_admin BEFORE DELETE ON doc
FOR EACH ROW WHEN (OLD.kind = 'token') EXECUTE FUNCTION law_last_admin();

CREATE OR REPLACE TRIGGER law_job_truncate BEFORE TRUNCATE ON job
FOR EACH STATEMENT EXECUTE FUNCTION law_broken('law: there is no second way for a row to vanish');

CREATE OR REPLACE TRIGGER law_live_truncate BEFORE TRUNCATE ON live
FOR EACH STATEMENT EXECUTE FUNCTION law_broken('law: there is no second way for a row to vanish');

CREATE OR REPLACE TRIGGER law_tomb_truncate BEFORE TRUNCATE ON tomb
FOR EACH STATEMENT EXECUTE FUNCTION law_broken('law: there is no second way for a row to vanish');

CREATE OR REPLACE TRIGGER law_audit_truncate BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION law_broken('law: there is no second way for a row to vanish');
