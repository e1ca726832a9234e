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
, node BLOB) WITHOUT ROWID;

CREATE INDEX job_state ON job (state, id) WHERE state > 0;

CREATE INDEX job_expires ON job (expires) WHERE expires IS NOT NULL;

CREATE INDEX job_schedule ON job (schedule, id) WHERE schedule IS NOT NULL;

CREATE TABLE payload (job BLOB PRIMARY KEY NOT NULL, args TEXT NOT NULL, meta TEXT NOT NULL, ukey TEXT) WITHOUT ROWID;

CREATE TABLE result (job BLOB PRIMARY KEY NOT NULL, body TEXT NOT NULL, error TEXT NOT NULL, until INTEGER) WITHOUT ROWID;

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
, lkey TEXT) WITHOUT ROWID;

CREATE INDEX live_queue ON live (queue, pk, job) WHERE place = 1;

CREATE INDEX live_due ON live (due) WHERE place = 0;

CREATE INDEX live_node ON live (node, life) WHERE place = 2;

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
, due INTEGER) WITHOUT ROWID;

CREATE INDEX ticket_call ON ticket (delete_id, job);

CREATE INDEX ticket_at ON ticket (at, job);

CREATE UNIQUE INDEX ticket_ukey ON ticket (project, ukey) WHERE ukey IS NOT NULL;

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
, project TEXT NOT NULL DEFAULT '', queue TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL DEFAULT '', attempt INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0, started INTEGER, finished INTEGER, node BLOB, schedule TEXT, story TEXT NOT NULL DEFAULT '') WITHOUT ROWID;

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

CREATE TABLE archive (id BLOB PRIMARY KEY NOT NULL, delete_id BLOB NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL, project TEXT NOT NULL DEFAULT '', queue TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL DEFAULT '', prior INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;

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
, birth TEXT NOT NULL DEFAULT '') WITHOUT ROWID;

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

CREATE VIEW jobs AS
  SELECT job.id, job.project, job.queue, job.kind, job.prio,
         CASE WHEN job.state > 0 THEN job.state + 2 ELSE live.place END AS state,
         coalesce(live.epoch, job.epoch) AS epoch, coalesce(live.attempt, job.attempt) AS attempt
    FROM job LEFT JOIN live ON live.job = job.id;

CREATE TABLE doubt (
  job  BLOB NOT NULL,
  what INTEGER NOT NULL,
  ref  BLOB NOT NULL,
  node BLOB NOT NULL,
  life INTEGER NOT NULL,
  PRIMARY KEY (job, what, ref, node, life)
) WITHOUT ROWID;

CREATE INDEX doubt_node ON doubt (node, life);

CREATE INDEX live_key ON live (queue, lkey, pk, job) WHERE place = 1 AND lkey IS NOT NULL;

CREATE INDEX live_key_running ON live (queue, lkey) WHERE place = 2 AND lkey IS NOT NULL;

CREATE TABLE queue_limit (
  queue    TEXT PRIMARY KEY NOT NULL,
  drops    INTEGER,
  at       INTEGER
) WITHOUT ROWID;

CREATE TABLE key_bucket (
  queue TEXT NOT NULL,
  lkey  TEXT NOT NULL,
  drops INTEGER NOT NULL,
  at    INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (queue, lkey)
) WITHOUT ROWID;

CREATE INDEX key_bucket_until ON key_bucket (until);

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

CREATE INDEX archive_call ON archive (delete_id, id);

CREATE INDEX result_until ON result (until, job) WHERE until IS NOT NULL AND body <> '';

CREATE INDEX audit_ref ON audit (ref, no);

CREATE TABLE forgotten (
  what TEXT PRIMARY KEY NOT NULL,
  at   INTEGER NOT NULL
) WITHOUT ROWID;

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
