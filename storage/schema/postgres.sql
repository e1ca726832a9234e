CREATE FUNCTION public.is_valid_admin(body bytea) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
  it jsonb;
BEGIN
  it := convert_from(body, 'UTF8')::jsonb;
  RETURN coalesce(it ->> 'role' = 'admin' AND it ->> 'project' = '' AND
    coalesce((it ->> 'expires')::bigint > extract(epoch FROM clock_timestamp()) * 1000, true), false);
EXCEPTION WHEN data_exception THEN RETURN false;  -- no token of ours
END $$;
CREATE FUNCTION public.law_broken() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$;
CREATE FUNCTION public.law_job_back() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM live WHERE job = OLD.id) THEN
    RAISE EXCEPTION 'law: only a job that is leaving may go' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION public.law_job_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
END $$;
CREATE FUNCTION public.law_last_admin() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NOT is_valid_admin(OLD.body) THEN RETURN OLD; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('quell.last_admin', 0));
  IF NOT EXISTS (SELECT 1 FROM doc WHERE kind = 'token' AND id <> OLD.id
                 AND is_valid_admin(body)) THEN
    RAISE EXCEPTION 'law: the last token that can make another administrator is not revoked' USING ERRCODE = 'check_violation';
  END IF;
  RETURN OLD;
END $$;
CREATE FUNCTION public.law_live_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM touched WHERE
             NOT EXISTS (SELECT 1 FROM job WHERE id = touched.job OFFSET 0) AND
             NOT EXISTS (SELECT 1 FROM tomb WHERE id = touched.job AND
                         restored_epoch IS NULL OFFSET 0)) THEN
    RAISE EXCEPTION 'law: an open job keeps its live row' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION public.law_live_insert() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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
END $$;
CREATE TABLE public.archive (
    id uuid NOT NULL,
    delete_id uuid NOT NULL,
    until bigint NOT NULL,
    body bytea NOT NULL,
    project text DEFAULT ''::text NOT NULL,
    queue text DEFAULT ''::text NOT NULL,
    kind text DEFAULT ''::text NOT NULL,
    prior smallint DEFAULT 0 NOT NULL,
    at bigint DEFAULT 0 NOT NULL
);
CREATE TABLE public.attempt (
    job uuid NOT NULL,
    n integer NOT NULL,
    started bigint,
    ended bigint NOT NULL,
    outcome text NOT NULL,
    error bytea NOT NULL,
    node text NOT NULL
);
CREATE TABLE public.audit (
    no bigint NOT NULL,
    at bigint NOT NULL,
    who text NOT NULL,
    what text NOT NULL,
    ref text NOT NULL,
    detail text NOT NULL,
    digest text NOT NULL,
    hash text
);
ALTER TABLE public.audit ALTER COLUMN no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.call (
    delete_id uuid NOT NULL,
    who text NOT NULL,
    reason text NOT NULL,
    path text NOT NULL,
    at bigint NOT NULL,
    counts bytea DEFAULT '\x'::bytea NOT NULL,
    receipt bytea DEFAULT '\x'::bytea NOT NULL,
    until bigint NOT NULL
);
CREATE TABLE public.delivery (
    id uuid NOT NULL,
    job uuid NOT NULL,
    endpoint text NOT NULL,
    event text NOT NULL,
    body bytea NOT NULL,
    due bigint,
    tries integer NOT NULL,
    place smallint NOT NULL,
    node uuid,
    life bigint,
    log bytea NOT NULL,
    CONSTRAINT delivery_place_check CHECK (((place >= 0) AND (place <= 3)))
);
CREATE TABLE public.doc (
    kind text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    project text NOT NULL COLLATE pg_catalog."C",
    body bytea NOT NULL,
    version bigint NOT NULL,
    until bigint
);
CREATE TABLE public.doubt (
    job uuid NOT NULL,
    what smallint NOT NULL,
    ref uuid NOT NULL,
    node uuid NOT NULL,
    life bigint NOT NULL
);
CREATE TABLE public.forgotten (
    what text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL
);
CREATE TABLE public.holder (
    job uuid NOT NULL,
    what smallint NOT NULL,
    ref uuid NOT NULL,
    node uuid NOT NULL,
    life bigint NOT NULL,
    epoch integer NOT NULL,
    verdict smallint
);
CREATE TABLE public.job (
    id uuid NOT NULL,
    project text NOT NULL COLLATE pg_catalog."C",
    queue text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    prio smallint NOT NULL,
    state smallint NOT NULL,
    epoch integer NOT NULL,
    attempt integer NOT NULL,
    lost integer NOT NULL,
    has integer NOT NULL,
    started bigint,
    finished bigint,
    expires bigint,
    delete_id uuid,
    schedule text COLLATE pg_catalog."C",
    node uuid,
    CONSTRAINT job_state_check CHECK (((state >= 1) AND (state <= 5)))
);
CREATE TABLE public.live (
    job uuid NOT NULL,
    project text NOT NULL COLLATE pg_catalog."C",
    queue text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    pk smallint NOT NULL,
    place smallint NOT NULL,
    epoch integer NOT NULL,
    attempt integer NOT NULL,
    lost integer NOT NULL,
    has integer NOT NULL,
    want smallint DEFAULT 0 NOT NULL,
    node uuid,
    life bigint,
    since bigint,
    due bigint,
    ukey bytea,
    lkey text COLLATE pg_catalog."C",
    schedule text COLLATE pg_catalog."C",
    CONSTRAINT live_place_check CHECK (((place >= 0) AND (place <= 2)))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000');
CREATE VIEW public.jobs AS
 SELECT job.id,
    job.project,
    job.queue,
    job.kind,
    job.prio,
    (job.state + 2) AS state,
    job.epoch,
    job.attempt
   FROM public.job
UNION ALL
 SELECT live.job AS id,
    live.project,
    live.queue,
    live.kind,
    ((9 - live.pk))::smallint AS prio,
    (live.place)::integer AS state,
    live.epoch,
    live.attempt
   FROM public.live;
CREATE TABLE public.key_bucket (
    queue text NOT NULL COLLATE pg_catalog."C",
    lkey text NOT NULL COLLATE pg_catalog."C",
    drops bigint NOT NULL,
    at bigint NOT NULL,
    until bigint NOT NULL
)
WITH (fillfactor='50');
CREATE TABLE public.lease (
    role text NOT NULL COLLATE pg_catalog."C",
    node uuid NOT NULL,
    life bigint NOT NULL,
    beat bigint NOT NULL
);
CREATE TABLE public.log (
    job uuid NOT NULL,
    n integer NOT NULL,
    at bigint NOT NULL,
    level text NOT NULL,
    body bytea NOT NULL
);
CREATE TABLE public.node (
    id uuid NOT NULL,
    life bigint NOT NULL,
    beat bigint NOT NULL,
    gone boolean NOT NULL,
    info text NOT NULL,
    birth text DEFAULT ''::text NOT NULL
);
CREATE TABLE public.partial (
    job uuid NOT NULL,
    n integer NOT NULL,
    body bytea NOT NULL
);
CREATE TABLE public.payload (
    job uuid NOT NULL,
    args bytea NOT NULL,
    meta text NOT NULL,
    ukey bytea
);
CREATE TABLE public.progress (
    job uuid NOT NULL,
    progress double precision,
    phase bytea,
    usage bytea
);
CREATE TABLE public.queue_limit (
    queue text NOT NULL COLLATE pg_catalog."C",
    drops bigint,
    at bigint
)
WITH (fillfactor='50');
CREATE TABLE public.result (
    job uuid NOT NULL,
    body bytea NOT NULL,
    error bytea NOT NULL,
    until bigint
);
CREATE TABLE public.schedule (
    id uuid NOT NULL,
    project text NOT NULL COLLATE pg_catalog."C",
    grp text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    status smallint NOT NULL,
    version bigint NOT NULL,
    terms bytea NOT NULL,
    created bigint NOT NULL,
    changed bigint NOT NULL,
    next bigint,
    wake bigint,
    waiting bigint,
    last bigint,
    last_job uuid,
    fired bigint DEFAULT 0 NOT NULL,
    missed bigint DEFAULT 0 NOT NULL,
    overlapped bigint DEFAULT 0 NOT NULL,
    error text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT schedule_check CHECK (((status = 0) OR (wake IS NULL))),
    CONSTRAINT schedule_status_check CHECK (((status >= 0) AND (status <= 3)))
)
WITH (fillfactor='70');
CREATE TABLE public.schema_version (
    number integer NOT NULL,
    laws text NOT NULL
);
CREATE TABLE public.step (
    job uuid NOT NULL,
    n integer NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    body bytea NOT NULL
);
CREATE TABLE public.tally (
    project text NOT NULL COLLATE pg_catalog."C",
    queue text NOT NULL COLLATE pg_catalog."C",
    state smallint NOT NULL,
    shard smallint NOT NULL,
    n bigint NOT NULL
)
WITH (fillfactor='50');
CREATE SEQUENCE public.tally_shard
    AS integer
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    MAXVALUE 63
    CACHE 1
    CYCLE;
CREATE TABLE public.task_message (
    task uuid NOT NULL,
    project text NOT NULL COLLATE pg_catalog."C",
    requested bigint NOT NULL,
    request text NOT NULL COLLATE pg_catalog."C",
    who text NOT NULL COLLATE pg_catalog."C",
    why text NOT NULL COLLATE pg_catalog."C",
    jobs smallint NOT NULL,
    tries integer NOT NULL,
    next_try bigint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
)
WITH (fillfactor='70');
CREATE TABLE public.ticket (
    job uuid NOT NULL,
    delete_id uuid NOT NULL,
    project text NOT NULL COLLATE pg_catalog."C",
    state smallint NOT NULL,
    prior smallint NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    at bigint NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_try bigint,
    error bytea DEFAULT '\x'::bytea NOT NULL,
    copy_until bigint,
    tomb_until bigint NOT NULL,
    forced boolean DEFAULT false NOT NULL,
    ukey bytea,
    due bigint
);
CREATE TABLE public.tomb (
    id uuid NOT NULL,
    delete_id uuid NOT NULL,
    epoch integer NOT NULL,
    at bigint NOT NULL,
    until bigint NOT NULL,
    prior smallint NOT NULL,
    verdict smallint NOT NULL,
    restored_epoch integer,
    project text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    queue text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    kind text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    attempt integer DEFAULT 0 NOT NULL,
    lost integer DEFAULT 0 NOT NULL,
    started bigint,
    finished bigint,
    node uuid,
    schedule text COLLATE pg_catalog."C",
    story text DEFAULT ''::text NOT NULL
);
ALTER TABLE ONLY public.archive
    ADD CONSTRAINT archive_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (job, n);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (no);
ALTER TABLE ONLY public.call
    ADD CONSTRAINT call_pkey PRIMARY KEY (delete_id);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.doc
    ADD CONSTRAINT doc_pkey PRIMARY KEY (kind, id);
ALTER TABLE ONLY public.doubt
    ADD CONSTRAINT doubt_pkey PRIMARY KEY (job, what, ref, node, life);
ALTER TABLE ONLY public.forgotten
    ADD CONSTRAINT forgotten_pkey PRIMARY KEY (what);
ALTER TABLE ONLY public.holder
    ADD CONSTRAINT holder_pkey PRIMARY KEY (job, what, ref);
ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.key_bucket
    ADD CONSTRAINT key_bucket_pkey PRIMARY KEY (queue, lkey);
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (role);
ALTER TABLE ONLY public.live
    ADD CONSTRAINT live_pkey PRIMARY KEY (job);
ALTER TABLE ONLY public.log
    ADD CONSTRAINT log_pkey PRIMARY KEY (job, n);
ALTER TABLE ONLY public.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.partial
    ADD CONSTRAINT partial_pkey PRIMARY KEY (job, n);
ALTER TABLE ONLY public.payload
    ADD CONSTRAINT payload_pkey PRIMARY KEY (job);
ALTER TABLE ONLY public.progress
    ADD CONSTRAINT progress_pkey PRIMARY KEY (job);
ALTER TABLE ONLY public.queue_limit
    ADD CONSTRAINT queue_limit_pkey PRIMARY KEY (queue);
ALTER TABLE ONLY public.result
    ADD CONSTRAINT result_pkey PRIMARY KEY (job);
ALTER TABLE ONLY public.schedule
    ADD CONSTRAINT schedule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.step
    ADD CONSTRAINT step_pkey PRIMARY KEY (job, name);
ALTER TABLE ONLY public.tally
    ADD CONSTRAINT tally_pkey PRIMARY KEY (project, queue, state, shard);
ALTER TABLE ONLY public.task_message
    ADD CONSTRAINT task_message_pkey PRIMARY KEY (task);
ALTER TABLE ONLY public.ticket
    ADD CONSTRAINT ticket_pkey PRIMARY KEY (job);
ALTER TABLE ONLY public.tomb
    ADD CONSTRAINT tomb_pkey PRIMARY KEY (id);
CREATE INDEX archive_call ON public.archive USING btree (delete_id, id);
CREATE INDEX archive_until ON public.archive USING btree (until);
CREATE INDEX audit_open ON public.audit USING btree (no) WHERE (hash IS NULL);
CREATE INDEX audit_ref ON public.audit USING btree (ref, no);
CREATE INDEX call_until ON public.call USING btree (until);
CREATE INDEX delivery_due ON public.delivery USING btree (due, id) WHERE (place = 0);
CREATE INDEX delivery_job ON public.delivery USING btree (job);
CREATE INDEX delivery_node ON public.delivery USING btree (node, life) WHERE (place = 1);
CREATE INDEX doc_until ON public.doc USING btree (until) WHERE (until IS NOT NULL);
CREATE INDEX doubt_node ON public.doubt USING btree (node, life);
CREATE INDEX holder_node ON public.holder USING btree (node, life) WHERE (verdict IS NULL);
CREATE INDEX job_expires ON public.job USING btree (expires) WHERE (expires IS NOT NULL);
CREATE INDEX job_schedule ON public.job USING btree (schedule, id) WHERE (schedule IS NOT NULL);
CREATE INDEX job_state ON public.job USING btree (state, id) WHERE (state > 1);
CREATE INDEX key_bucket_until ON public.key_bucket USING btree (until);
CREATE INDEX live_due ON public.live USING btree (due, job) WHERE (place = 0);
CREATE INDEX live_key ON public.live USING btree (queue, lkey, pk, job) WHERE ((place = 1) AND (lkey IS NOT NULL));
CREATE INDEX live_key_running ON public.live USING btree (queue, lkey) WHERE ((place = 2) AND (lkey IS NOT NULL));
CREATE INDEX live_node ON public.live USING btree (node, life) WHERE (place = 2);
CREATE INDEX live_queue ON public.live USING btree (queue, pk, job) WHERE (place = 1);
CREATE INDEX live_schedule ON public.live USING btree (schedule, job) WHERE (schedule IS NOT NULL);
CREATE UNIQUE INDEX live_ukey ON public.live USING btree (project, ukey) WHERE (ukey IS NOT NULL);
CREATE INDEX live_wish ON public.live USING btree (node, life, job) WHERE (want = 1);
CREATE INDEX result_until ON public.result USING btree (until, job) WHERE ((until IS NOT NULL) AND (body <> '\x'::bytea));
CREATE INDEX schedule_leaving ON public.schedule USING btree (changed) WHERE (status > 1);
CREATE INDEX schedule_wake ON public.schedule USING btree (wake, id) WHERE (wake IS NOT NULL);
CREATE INDEX task_message_due ON public.task_message USING btree (next_try, task);
CREATE INDEX ticket_at ON public.ticket USING btree (at, job);
CREATE INDEX ticket_call ON public.ticket USING btree (delete_id, job);
CREATE UNIQUE INDEX ticket_ukey ON public.ticket USING btree (project, ukey) WHERE (ukey IS NOT NULL);
CREATE INDEX tomb_call ON public.tomb USING btree (delete_id, id);
CREATE INDEX tomb_until ON public.tomb USING btree (until);
CREATE TRIGGER law_audit_truncate BEFORE TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.law_broken('law: there is no second way for a row to vanish');
CREATE TRIGGER law_job_back AFTER DELETE ON public.job FOR EACH ROW WHEN ((((12 >> (old.state)::integer) & 1) = 1)) EXECUTE FUNCTION public.law_job_back();
CREATE TRIGGER law_job_birth BEFORE INSERT ON public.job FOR EACH ROW WHEN ((((30 >> (new.state)::integer) & 1) = 0)) EXECUTE FUNCTION public.law_broken('law: no job is born in this state');
CREATE TRIGGER law_job_delete BEFORE DELETE ON public.job FOR EACH ROW WHEN ((((60 >> (old.state)::integer) & 1) = 0)) EXECUTE FUNCTION public.law_broken('law: only a job that is leaving may go');
CREATE TRIGGER law_job_id BEFORE UPDATE OF id ON public.job FOR EACH ROW WHEN ((new.id <> old.id)) EXECUTE FUNCTION public.law_broken('law: a row is moved or deleted, never replaced');
CREATE TRIGGER law_job_insert AFTER INSERT ON public.job REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.law_job_insert();
CREATE TRIGGER law_job_state BEFORE UPDATE OF state ON public.job FOR EACH ROW WHEN ((((
        CASE old.state
            WHEN 0 THEN 0
            WHEN 1 THEN 16
            WHEN 2 THEN 16
            WHEN 3 THEN 16
            WHEN 4 THEN 32
            ELSE 16
        END >> (new.state)::integer) & 1) = 0)) EXECUTE FUNCTION public.law_broken('law: no such move of a job');
CREATE TRIGGER law_job_truncate BEFORE TRUNCATE ON public.job FOR EACH STATEMENT EXECUTE FUNCTION public.law_broken('law: there is no second way for a row to vanish');
CREATE TRIGGER law_last_admin BEFORE DELETE ON public.doc FOR EACH ROW WHEN ((old.kind = 'token'::text)) EXECUTE FUNCTION public.law_last_admin();
CREATE TRIGGER law_live_birth BEFORE INSERT ON public.live FOR EACH ROW WHEN ((((3 >> (new.place)::integer) & 1) = 0)) EXECUTE FUNCTION public.law_broken('law: no job is born in this state');
CREATE TRIGGER law_live_delete AFTER DELETE ON public.live REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.law_live_delete();
CREATE TRIGGER law_live_insert AFTER INSERT ON public.live REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION public.law_live_insert();
CREATE TRIGGER law_live_job BEFORE UPDATE OF job ON public.live FOR EACH ROW WHEN ((new.job <> old.job)) EXECUTE FUNCTION public.law_broken('law: a row is moved or deleted, never replaced');
CREATE TRIGGER law_live_place BEFORE UPDATE OF place ON public.live FOR EACH ROW WHEN ((((
        CASE old.place
            WHEN 0 THEN 2
            WHEN 1 THEN 4
            ELSE 3
        END >> (new.place)::integer) & 1) = 0)) EXECUTE FUNCTION public.law_broken('law: no such move of a live job');
CREATE TRIGGER law_live_truncate BEFORE TRUNCATE ON public.live FOR EACH STATEMENT EXECUTE FUNCTION public.law_broken('law: there is no second way for a row to vanish');
CREATE TRIGGER law_tomb_truncate BEFORE TRUNCATE ON public.tomb FOR EACH STATEMENT EXECUTE FUNCTION public.law_broken('law: there is no second way for a row to vanish');
