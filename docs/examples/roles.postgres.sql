-- Two roles for quell on PostgreSQL. `quell_owner` owns the tables and migrates them; the servers run
-- as `quell_app`, which reads and writes rows and can do nothing else: no DROP, no ALTER, no TRUNCATE,
-- no way around the triggers, and what is in the audit cannot be deleted.
--
-- Run it in quell's database as an administrator, before the owner's first start (makes the roles) and
-- after it, and again after each upgrade that brings a migration (grants what is there by then):
--   psql quell -v ON_ERROR_STOP=1 -f roles.postgres.sql
-- Give both a password or a certificate as is your custom.

DO $$ BEGIN CREATE ROLE quell_owner LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE quell_app LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO quell_owner;
GRANT USAGE ON SCHEMA public TO quell_app;
-- To see how far a standby is: without it receipts never say `replicated`.
GRANT pg_read_all_stats TO quell_owner, quell_app;
-- A forgotten transaction keeps the dead rows of all tables, and `live` grows by thousands a second. The servers set a shorter
-- time for themselves; this is for everybody else in this database. A session that needs longer may say so itself.
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = %L', current_database(), '10min');
END $$;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'job', 'payload', 'result', 'live', 'progress', 'step', 'partial', 'log', 'attempt', 'delivery',
    'ticket', 'holder', 'doubt', 'tomb', 'call', 'archive', 'tally', 'node', 'lease', 'doc',
    'queue_limit', 'key_bucket', 'schedule', 'task_message', 'forgotten'
  ] LOOP
    IF to_regclass(name) IS NOT NULL THEN
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO quell_app', name);
    END IF;
  END LOOP;
  IF to_regclass('schema_version') IS NOT NULL THEN
    GRANT SELECT ON schema_version, jobs TO quell_app;
    GRANT SELECT, INSERT, UPDATE ON audit TO quell_app;  -- UPDATE: the seal of a row is written later
    GRANT USAGE ON SEQUENCE tally_shard TO quell_app;
    -- The servers vacuum `live` themselves while it churns. Before PostgreSQL 17 only an owner may;
    -- then autovacuum does it, see docs/guides/postgres.md.
    IF current_setting('server_version_num')::int >= 170000 THEN
      EXECUTE 'GRANT MAINTAIN ON live TO quell_app';
    END IF;
  END IF;
END $$;
