-- A job is in exactly one of three conditions: live (a row in `live`, job.state 0), final, or leaving
-- (a row in `ticket`). The job row is written at submit, at its end and at the mark; what moves often
-- is `live`, whose rows are small.
-- job.state: 0 open, 1 succeeded, 2 failed, 3 cancelled, 4 pending_delete, 5 delete_failed.
-- job.has: which side tables hold rows of the job, so that an erase touches only those (codes.hpp).
CREATE TABLE job (
  id        BLOB PRIMARY KEY NOT NULL,
  project   TEXT NOT NULL,
  queue     TEXT NOT NULL,
  kind      TEXT NOT NULL,
  prio      INTEGER NOT NULL,
  state     INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5),
  epoch     INTEGER NOT NULL,
  attempt   INTEGER NOT NULL,
  lost      INTEGER NOT NULL,
  has       INTEGER NOT NULL,
  started   INTEGER,
  finished  INTEGER,
  expires   INTEGER,
  delete_id BLOB,
  schedule  TEXT
) WITHOUT ROWID;
CREATE INDEX job_state ON job (state, id) WHERE state > 0;
CREATE INDEX job_expires ON job (expires) WHERE expires IS NOT NULL;
CREATE INDEX job_schedule ON job (schedule, id) WHERE schedule IS NOT NULL;

CREATE TABLE payload (job BLOB PRIMARY KEY NOT NULL, args TEXT NOT NULL, meta TEXT NOT NULL, ukey TEXT) WITHOUT ROWID;
CREATE TABLE result (job BLOB PRIMARY KEY NOT NULL, body TEXT NOT NULL, error TEXT NOT NULL) WITHOUT ROWID;

-- live.place: 0 scheduled, 1 queued, 2 running. live.want: 0 none, 1 cancel. live.pk: 9 - priority.
-- project, kind and has repeat the job row: a claim and a finish read nothing else. attempt counts those
-- that ended; since is the last claim.
CREATE TABLE live (
  job     BLOB PRIMARY KEY NOT NULL,
  project TEXT NOT NULL,
  queue   TEXT NOT NULL,
  kind    TEXT NOT NULL,
  pk      INTEGER NOT NULL,
  place   INTEGER NOT NULL CHECK (place BETWEEN 0 AND 2),
  epoch   INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  lost    INTEGER NOT NULL,
  has     INTEGER NOT NULL,
  want    INTEGER NOT NULL DEFAULT 0,
  node    BLOB,
  life    INTEGER,
  since   INTEGER,
  due     INTEGER,
  ukey    TEXT
) WITHOUT ROWID;
CREATE INDEX live_queue ON live (queue, pk, job) WHERE place = 1;
CREATE INDEX live_due ON live (due) WHERE place = 0;
CREATE INDEX live_node ON live (node, life) WHERE place = 2;
-- Each beat asks for the cancel wishes of its node: among 100,000 running jobs that must not be a scan.
CREATE INDEX live_wish ON live (node, life, job) WHERE want = 1;
CREATE UNIQUE INDEX live_ukey ON live (project, ukey) WHERE ukey IS NOT NULL;

CREATE TABLE progress (job BLOB PRIMARY KEY NOT NULL, progress REAL, phase TEXT NOT NULL, usage TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE step (job BLOB NOT NULL, n INTEGER NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job, n)) WITHOUT ROWID;
CREATE TABLE partial (job BLOB NOT NULL, n INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job, n)) WITHOUT ROWID;
CREATE TABLE log (job BLOB NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, level TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job, n)) WITHOUT ROWID;
CREATE TABLE attempt (
  job     BLOB NOT NULL,
  n       INTEGER NOT NULL,
  started INTEGER,
  ended   INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  error   TEXT NOT NULL,
  node    TEXT NOT NULL,
  PRIMARY KEY (job, n)
) WITHOUT ROWID;

-- delivery.place: 0 waiting, 1 in flight, 2 ended, 3 in flight while its job is leaving (a holder).
CREATE TABLE delivery (
  id       BLOB PRIMARY KEY NOT NULL,
  job      BLOB NOT NULL,
  endpoint TEXT NOT NULL,
  event    TEXT NOT NULL,
  body     TEXT NOT NULL,
  due      INTEGER,
  tries    INTEGER NOT NULL,
  place    INTEGER NOT NULL CHECK (place BETWEEN 0 AND 3),
  node     BLOB,
  life     INTEGER,
  log      TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX delivery_job ON delivery (job);
CREATE INDEX delivery_due ON delivery (due) WHERE place = 0;
CREATE INDEX delivery_node ON delivery (node, life) WHERE place = 1;

-- A delete that is not done yet. It keeps the unique key of a job that was live until that is erased.
-- state, prior: JobState's numbers.
CREATE TABLE ticket (
  job         BLOB PRIMARY KEY NOT NULL,
  delete_id   BLOB NOT NULL,
  project     TEXT NOT NULL,
  state       INTEGER NOT NULL,
  prior       INTEGER NOT NULL,
  who         TEXT NOT NULL,
  why         TEXT NOT NULL,
  at          INTEGER NOT NULL,
  tries       INTEGER NOT NULL DEFAULT 0,
  next_try    INTEGER,
  error       TEXT NOT NULL DEFAULT '',
  copy_until  INTEGER,
  tomb_until  INTEGER NOT NULL,
  forced      INTEGER NOT NULL DEFAULT 0,
  ukey        TEXT
) WITHOUT ROWID;
CREATE INDEX ticket_call ON ticket (delete_id, job);
CREATE INDEX ticket_at ON ticket (at, job);
CREATE UNIQUE INDEX ticket_ukey ON ticket (project, ukey) WHERE ukey IS NOT NULL;

-- holder.what: 0 run, 1 delivery.
CREATE TABLE holder (
  job     BLOB NOT NULL,
  what    INTEGER NOT NULL,
  ref     BLOB NOT NULL,
  node    BLOB NOT NULL,
  life    INTEGER NOT NULL,
  epoch   INTEGER NOT NULL,
  verdict INTEGER,
  PRIMARY KEY (job, what, ref)
) WITHOUT ROWID;
CREATE INDEX holder_node ON holder (node, life) WHERE verdict IS NULL;

CREATE TABLE tomb (
  id             BLOB PRIMARY KEY NOT NULL,
  delete_id      BLOB NOT NULL,
  epoch          INTEGER NOT NULL,
  at             INTEGER NOT NULL,
  until          INTEGER NOT NULL,
  prior          INTEGER NOT NULL,
  verdict        INTEGER NOT NULL,
  restored_epoch INTEGER
) WITHOUT ROWID;
CREATE INDEX tomb_call ON tomb (delete_id, id);
CREATE INDEX tomb_until ON tomb (until);

CREATE TABLE call (
  delete_id BLOB PRIMARY KEY NOT NULL,
  who       TEXT NOT NULL,
  reason    TEXT NOT NULL,
  path      TEXT NOT NULL,
  at        INTEGER NOT NULL,
  counts    TEXT NOT NULL DEFAULT '',
  receipt   TEXT NOT NULL DEFAULT '',
  until     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX call_until ON call (until);

CREATE TABLE archive (id BLOB PRIMARY KEY NOT NULL, delete_id BLOB NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX archive_until ON archive (until);

CREATE TABLE audit (
  no     INTEGER PRIMARY KEY NOT NULL,
  at     INTEGER NOT NULL,
  who    TEXT NOT NULL,
  what   TEXT NOT NULL,
  ref    TEXT NOT NULL,
  detail TEXT NOT NULL,
  digest TEXT NOT NULL,
  hash   TEXT
);
CREATE INDEX audit_open ON audit (no) WHERE hash IS NULL;

-- How many jobs of each shown state there are (JobState's order), so that counting reads a few rows.
CREATE TABLE tally (
  project TEXT NOT NULL,
  queue   TEXT NOT NULL,
  state   INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  PRIMARY KEY (project, queue, state)
) WITHOUT ROWID;

CREATE TABLE node (
  id   BLOB PRIMARY KEY NOT NULL,
  life INTEGER NOT NULL,
  beat INTEGER NOT NULL,
  gone INTEGER NOT NULL,
  info TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE lease (role TEXT PRIMARY KEY NOT NULL, node BLOB NOT NULL, life INTEGER NOT NULL, beat INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE doc (
  kind    TEXT NOT NULL,
  id      TEXT NOT NULL,
  project TEXT NOT NULL,
  body    TEXT NOT NULL,
  version INTEGER NOT NULL,
  until   INTEGER,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX doc_until ON doc (until) WHERE until IS NOT NULL;

-- For people at a prompt: the state as it is shown.
CREATE VIEW jobs AS
  SELECT job.id, job.project, job.queue, job.kind, job.prio,
         CASE WHEN job.state > 0 THEN job.state + 2 ELSE live.place END AS state,
         coalesce(live.epoch, job.epoch) AS epoch, coalesce(live.attempt, job.attempt) AS attempt
    FROM job LEFT JOIN live ON live.job = job.id;
