-- A job is in exactly one of three conditions: live (a row in `live`, job.state 0), final, or leaving
-- (a row in `ticket`). The job row is written at submit, at its end and at the mark; what moves often
-- is `live`, whose rows are small.
-- job.state: 0 open, 1 succeeded, 2 failed, 3 cancelled, 4 pending_delete, 5 delete_failed.
-- job.has: which side tables hold rows of the job, so that an erase touches only those (codes.hpp).
-- Times are milliseconds since 1970 in UTC. What may hold any byte is bytea: a text holds no NUL.
-- Names compare byte by byte (COLLATE "C"): no upgrade of the system's collations reorders an index.
CREATE TABLE job (
  id        uuid PRIMARY KEY,
  project   text COLLATE "C" NOT NULL,
  queue     text COLLATE "C" NOT NULL,
  kind      text COLLATE "C" NOT NULL,
  prio      smallint NOT NULL,
  state     smallint NOT NULL CHECK (state BETWEEN 0 AND 5),
  epoch     integer NOT NULL,
  attempt   integer NOT NULL,
  lost      integer NOT NULL,
  has       integer NOT NULL,
  started   bigint,
  finished  bigint,
  expires   bigint,
  delete_id uuid,
  schedule  text COLLATE "C"
);
CREATE INDEX job_state ON job (state, id) WHERE state > 0;
CREATE INDEX job_expires ON job (expires) WHERE expires IS NOT NULL;
CREATE INDEX job_schedule ON job (schedule, id) WHERE schedule IS NOT NULL;

CREATE TABLE payload (job uuid PRIMARY KEY, args bytea NOT NULL, meta text NOT NULL, ukey bytea);
CREATE TABLE result (job uuid PRIMARY KEY, body bytea NOT NULL, error bytea NOT NULL);

-- live.place: 0 scheduled, 1 queued, 2 running. live.want: 0 none, 1 cancel. live.pk: 9 - priority.
-- project, kind and has repeat the job row: a claim and a finish read nothing else. attempt counts those
-- that ended; since is the last claim.
-- The table stays small for ever and each of its rows is written two or three times: it is vacuumed by
-- the program itself each second while it churns; the settings below are for when no program runs.
CREATE TABLE live (
  job     uuid PRIMARY KEY,
  project text COLLATE "C" NOT NULL,
  queue   text COLLATE "C" NOT NULL,
  kind    text COLLATE "C" NOT NULL,
  pk      smallint NOT NULL,
  place   smallint NOT NULL CHECK (place BETWEEN 0 AND 2),
  epoch   integer NOT NULL,
  attempt integer NOT NULL,
  lost    integer NOT NULL,
  has     integer NOT NULL,
  want    smallint NOT NULL DEFAULT 0,
  node    uuid,
  life    bigint,
  since   bigint,
  due     bigint,
  ukey    bytea
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX live_queue ON live (queue, pk, job) WHERE place = 1;
CREATE INDEX live_due ON live (due, job) WHERE place = 0;
CREATE INDEX live_node ON live (node, life) WHERE place = 2;
-- Each beat asks for the cancel wishes of its node: among 100,000 running jobs that must not be a scan.
CREATE INDEX live_wish ON live (node, life, job) WHERE want = 1;
CREATE UNIQUE INDEX live_ukey ON live (project, ukey) WHERE ukey IS NOT NULL;

CREATE TABLE progress (job uuid PRIMARY KEY, progress double precision, phase bytea, usage bytea);
CREATE TABLE step (job uuid, n integer NOT NULL, name text COLLATE "C", body bytea NOT NULL, PRIMARY KEY (job, name));
CREATE TABLE partial (job uuid, n integer, body bytea NOT NULL, PRIMARY KEY (job, n));
CREATE TABLE log (job uuid, n integer, at bigint NOT NULL, level text NOT NULL, body bytea NOT NULL, PRIMARY KEY (job, n));
CREATE TABLE attempt (
  job     uuid,
  n       integer,
  started bigint,
  ended   bigint NOT NULL,
  outcome text NOT NULL,
  error   bytea NOT NULL,
  node    text NOT NULL,
  PRIMARY KEY (job, n)
);

-- delivery.place: 0 waiting, 1 in flight, 2 ended, 3 in flight while its job is leaving (a holder).
CREATE TABLE delivery (
  id       uuid PRIMARY KEY,
  job      uuid NOT NULL,
  endpoint text NOT NULL,
  event    text NOT NULL,
  body     bytea NOT NULL,
  due      bigint,
  tries    integer NOT NULL,
  place    smallint NOT NULL CHECK (place BETWEEN 0 AND 3),
  node     uuid,
  life     bigint,
  log      bytea NOT NULL
);
CREATE INDEX delivery_job ON delivery (job);
CREATE INDEX delivery_due ON delivery (due, id) WHERE place = 0;
CREATE INDEX delivery_node ON delivery (node, life) WHERE place = 1;

-- A delete that is not done yet. It keeps the unique key of a job that was live until that is erased.
-- state, prior: JobState's numbers.
CREATE TABLE ticket (
  job         uuid PRIMARY KEY,
  delete_id   uuid NOT NULL,
  project     text COLLATE "C" NOT NULL,
  state       smallint NOT NULL,
  prior       smallint NOT NULL,
  who         text NOT NULL,
  why         text NOT NULL,
  at          bigint NOT NULL,
  tries       integer NOT NULL DEFAULT 0,
  next_try    bigint,
  error       bytea NOT NULL DEFAULT '',
  copy_until  bigint,
  tomb_until  bigint NOT NULL,
  forced      boolean NOT NULL DEFAULT false,
  ukey        bytea
);
CREATE INDEX ticket_call ON ticket (delete_id, job);
CREATE INDEX ticket_at ON ticket (at, job);
CREATE UNIQUE INDEX ticket_ukey ON ticket (project, ukey) WHERE ukey IS NOT NULL;

-- holder.what: 0 run, 1 delivery.
CREATE TABLE holder (
  job     uuid,
  what    smallint,
  ref     uuid,
  node    uuid NOT NULL,
  life    bigint NOT NULL,
  epoch   integer NOT NULL,
  verdict smallint,
  PRIMARY KEY (job, what, ref)
);
CREATE INDEX holder_node ON holder (node, life) WHERE verdict IS NULL;

-- Owners that were called lost without proof: while a note of one is here, it may be paused and
-- not dead, and a delete of its job is not proven.
CREATE TABLE doubt (
  job  uuid,
  what smallint,
  ref  uuid,
  node uuid,
  life bigint,
  PRIMARY KEY (job, what, ref, node, life)
);
CREATE INDEX doubt_node ON doubt (node, life);

CREATE TABLE tomb (
  id             uuid PRIMARY KEY,
  delete_id      uuid NOT NULL,
  epoch          integer NOT NULL,
  at             bigint NOT NULL,
  until          bigint NOT NULL,
  prior          smallint NOT NULL,
  verdict        smallint NOT NULL,
  restored_epoch integer
);
CREATE INDEX tomb_call ON tomb (delete_id, id);
CREATE INDEX tomb_until ON tomb (until);

CREATE TABLE call (
  delete_id uuid PRIMARY KEY,
  who       text NOT NULL,
  reason    text NOT NULL,
  path      text NOT NULL,
  at        bigint NOT NULL,
  counts    bytea NOT NULL DEFAULT '',
  receipt   bytea NOT NULL DEFAULT '',
  until     bigint NOT NULL
);
CREATE INDEX call_until ON call (until);

CREATE TABLE archive (id uuid PRIMARY KEY, delete_id uuid NOT NULL, until bigint NOT NULL, body bytea NOT NULL);
CREATE INDEX archive_until ON archive (until);

-- A number is drawn before its transaction commits, so a row may become visible after one with a higher
-- number: whoever seals locks the table for that moment. A transaction that fails leaves a gap.
CREATE TABLE audit (
  no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at     bigint NOT NULL,
  who    text NOT NULL,
  what   text NOT NULL,
  ref    text NOT NULL,
  detail text NOT NULL,
  digest text NOT NULL,
  hash   text
);
CREATE INDEX audit_open ON audit (no) WHERE hash IS NULL;

-- How many jobs of each shown state there are (JobState's order), so that counting reads a few rows. Each
-- connection that writes has a shard of its own: two of them never wait for each other's commit.
CREATE TABLE tally (
  project text COLLATE "C",
  queue   text COLLATE "C",
  state   smallint,
  shard   smallint,
  n       bigint NOT NULL,
  PRIMARY KEY (project, queue, state, shard)
) WITH (fillfactor = 50);
CREATE SEQUENCE tally_shard AS integer MINVALUE 0 MAXVALUE 63 CYCLE;

CREATE TABLE node (
  id   uuid PRIMARY KEY,
  life bigint NOT NULL,
  beat bigint NOT NULL,
  gone boolean NOT NULL,
  info text NOT NULL
);

CREATE TABLE lease (role text COLLATE "C" PRIMARY KEY, node uuid NOT NULL, life bigint NOT NULL, beat bigint NOT NULL);

CREATE TABLE doc (
  kind    text COLLATE "C",
  id      text COLLATE "C",
  project text COLLATE "C" NOT NULL,
  body    bytea NOT NULL,
  version bigint NOT NULL,
  until   bigint,
  PRIMARY KEY (kind, id)
);
CREATE INDEX doc_until ON doc (until) WHERE until IS NOT NULL;

-- For people at a prompt: the state as it is shown.
CREATE VIEW jobs AS
  SELECT job.id, job.project, job.queue, job.kind, job.prio,
         CASE WHEN job.state > 0 THEN job.state + 2 ELSE live.place END AS state,
         coalesce(live.epoch, job.epoch) AS epoch, coalesce(live.attempt, job.attempt) AS attempt
    FROM job LEFT JOIN live ON live.job = job.id;
