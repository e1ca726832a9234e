"""Stores that are filled past the server, for benchmarks of what is old and large: rows as the server would have left them, and
the same erasing as plain SQL, a transaction a slice, with nobody else at work. It leaves what the server leaves of a job: a whole
tombstone, the tally of its state, and of each transaction an audit row with a digest, whose text is as long as a real one. What the
server keeps of itself is not in it: how far its operation is, who asked, and the receipt."""
import pathlib
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests/blackbox"))

import product  # noqa: E402

FIRST_MS = 1_600_000_000_000  # before any id that a node of today draws
NEVER_MS = 4_000_000_000_000
FINISHED, QUEUED = 3, 1  # as a tally counts them
ARGS = {"finished": '{"n":1}', "sleep": '{"seconds":3600}', "noop": "{}"}
CALL, DIGEST = "01020304-0506-7708-890a-0b0c0d0e0f10", 64 * "0"
TOMB = ("INSERT INTO tomb (id, delete_id, epoch, at, until, prior, verdict, story, project, queue, kind, attempt, lost, started,"
        " finished, node, schedule) SELECT")


class Sqlite:
    name = "sqlite"

    def __init__(self, folder):
        self.path = f"{folder}/bench{time.monotonic_ns()}.db"
        self.url = f"sqlite:{self.path}"

    def open(self, settings):
        db = sqlite3.connect(self.path, isolation_level=None)
        db.executescript(settings)
        return db

    def finished(self, jobs, expires=NEVER_MS):
        """So many jobs that have succeeded, each with its arguments and a result."""
        with self.filled(jobs, FINISHED) as db:
            db.executemany("INSERT INTO job (id, project, queue, kind, prio, state, epoch, attempt, lost, has, started, finished,"
                           f" expires) VALUES (?, 'default', 'default', 'noop', 5, 1, 1, 1, 0, 3, {FIRST_MS}, {FIRST_MS}, {expires})",
                           self.ids(jobs))
            db.executemany(f"INSERT INTO payload VALUES (?, '{ARGS['finished']}', '', NULL)", self.ids(jobs))
            db.executemany("INSERT INTO result (job, body, error) VALUES (?, '{\"ok\":true}', '')", self.ids(jobs))

    def queued(self, jobs, kind="sleep", first=0):
        with self.filled(jobs, QUEUED) as db:
            db.executemany("INSERT INTO job (id, project, queue, kind, prio, state, epoch, attempt, lost, has)"
                           f" VALUES (?, 'default', 'default', '{kind}', 5, 0, 0, 0, 0, 1)", self.ids(jobs, first))
            db.executemany("INSERT INTO live (job, project, queue, kind, pk, place, epoch, attempt, lost, has)"
                           f" VALUES (?, 'default', 'default', '{kind}', 4, 1, 0, 0, 0, 1)", self.ids(jobs, first))
            db.executemany(f"INSERT INTO payload VALUES (?, '{ARGS[kind]}', '', NULL)", self.ids(jobs, first))

    def ids(self, jobs, first=0):
        for n in range(first, first + jobs):
            yield ((FIRST_MS + n).to_bytes(6, "big") + b"\x70\x00\x80" + n.to_bytes(7, "big"),)

    def filled(self, jobs, state):
        store = self

        class Filled:
            def __enter__(self):
                self.db = store.open("PRAGMA synchronous=OFF; PRAGMA cache_size=-262144; BEGIN")
                return self.db

            def __exit__(self, *_):
                self.db.execute("INSERT INTO tally VALUES ('default', 'default', ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                                (state, jobs))
                self.db.execute("COMMIT")
                self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self.db.close()
        return Filled()

    def left(self):
        with sqlite3.connect(self.path) as db:
            return tuple(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("job", "payload", "result", "tomb"))

    def raw_erase(self, slice_of):
        """Seconds that the plain statements take for all jobs, as safe on the disk as the server's own."""
        db = self.open("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-65536; PRAGMA secure_delete=ON;"
                       "PRAGMA temp_store=MEMORY; CREATE TEMP TABLE slice (id BLOB PRIMARY KEY, state INT) WITHOUT ROWID")
        call, after, began = b"\1" * 16, b"\xff" * 16, time.monotonic()
        while True:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM slice")
            db.execute("INSERT INTO slice SELECT id, state FROM job WHERE id < ? ORDER BY id DESC LIMIT ?", (after, slice_of))
            after, many = db.execute("SELECT min(id), count(*) FROM slice").fetchone()
            if not many:
                break
            db.execute("UPDATE job SET state = 4, epoch = epoch + 1, delete_id = ? WHERE id IN (SELECT id FROM slice)", (call,))
            for table in ("live", "payload", "result"):
                db.execute(f"DELETE FROM {table} WHERE job IN (SELECT id FROM slice)")
            db.execute(f"{TOMB} s.id, ?, epoch, 1, 2, CASE s.state WHEN 0 THEN {QUEUED} ELSE {FINISHED} END, 0, '', project, queue,"
                       " kind, attempt, lost, started, finished, node, schedule FROM slice s JOIN job j ON j.id = s.id", (call,))
            db.execute("DELETE FROM job WHERE id IN (SELECT id FROM slice)")
            db.execute("UPDATE tally SET n = n - ?", (many,))
            db.execute("INSERT INTO audit (at, who, what, ref, detail, digest) VALUES (1, 'bench', 'delete', ?, ?, ?)",
                       (CALL, f'{{"jobs":{many}}}', DIGEST))
            db.execute("COMMIT")
        db.execute("COMMIT")
        took = time.monotonic() - began
        db.close()
        return took


PROCEDURE = f"""CREATE PROCEDURE raw_erase(slice_of int) LANGUAGE plpgsql AS $$
DECLARE ids uuid[]; below uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff'; own uuid := '{CALL}';
BEGIN
  LOOP
    SELECT array_agg(id), (array_agg(id ORDER BY id))[1] INTO ids, below FROM
      (SELECT id FROM (SELECT id FROM job UNION ALL SELECT job FROM live) j WHERE id < below ORDER BY id DESC LIMIT slice_of) s;
    EXIT WHEN ids IS NULL;
    UPDATE job SET state = 4, epoch = epoch + 1, delete_id = own WHERE id = ANY(ids);
    DELETE FROM payload WHERE job = ANY(ids);
    DELETE FROM result WHERE job = ANY(ids);
    WITH gone AS (DELETE FROM live WHERE job = ANY(ids) RETURNING *)
      {TOMB} job, own, epoch + 1, 1, 2, {QUEUED}, 0, '', project, queue, kind, attempt, lost, since, NULL, NULL, schedule FROM gone;
    WITH gone AS (DELETE FROM job WHERE id = ANY(ids) RETURNING *)
      {TOMB} id, own, epoch, 1, 2, {FINISHED}, 0, '', project, queue, kind, attempt, lost, started, finished, node, schedule FROM gone;
    UPDATE tally SET n = n - array_length(ids, 1);
    INSERT INTO audit (at, who, what, ref, detail, digest) VALUES
      (1, 'bench', 'delete', own::text, format('{{"jobs":%s}}', array_length(ids, 1)), '{DIGEST}');
    COMMIT;
  END LOOP;
END $$"""


class PostgresServer:
    """One server on the disk for a program; it ends with the pipe to its input."""

    def __init__(self, folder):
        binary = pathlib.Path(product.BINARY).parent / "temporary_postgres"
        self.process = subprocess.Popen([binary, "bench", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url, "no PostgreSQL came up"
        self.made = 0

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)

    def another(self):
        self.made += 1
        url = self.url.replace(":///bench?", f":///bench{self.made}?")
        ask(self.url, f"CREATE DATABASE bench{self.made}")
        return Postgres(url)


def ask(url, *statements):
    words = [word for one in statements for word in ("-c", one)]
    return subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", url, *words], check=True, capture_output=True,
                          text=True).stdout.strip()


class Postgres:
    name = "postgres"

    def __init__(self, url):
        self.url = url

    def fill(self, jobs, state, *inserts):
        # The laws were kept when these jobs were born.
        ask(self.url, "SET session_replication_role = replica", "SET synchronous_commit = off",
            *inserts, "INSERT INTO tally (project, queue, state, shard, n) VALUES ('default', 'default', "
            f"{state}, 0, {jobs}) ON CONFLICT (project, queue, state, shard) DO UPDATE SET n = tally.n + excluded.n")
        ask(self.url, "VACUUM ANALYZE")
        ask(self.url, "CHECKPOINT")

    @staticmethod
    def ids(jobs, first=0):
        return (f"(SELECT (lpad(to_hex({FIRST_MS} + n), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid AS id"
                f" FROM generate_series({first}, {first + jobs - 1}::bigint) n) n")

    def finished(self, jobs, expires=NEVER_MS):
        self.fill(jobs, FINISHED,
                  "INSERT INTO job (id, project, queue, kind, prio, state, epoch, attempt, lost, has, started, finished, expires)"
                  f" SELECT id, 'default', 'default', 'noop', 5, 1, 1, 1, 0, 3, {FIRST_MS}, {FIRST_MS}, {expires} FROM {self.ids(jobs)}",
                  f"INSERT INTO payload SELECT id, '{ARGS['finished']}', '' FROM {self.ids(jobs)}",
                  "INSERT INTO result SELECT id, '{\"ok\":true}', ''" f" FROM {self.ids(jobs)}")

    def queued(self, jobs, kind="sleep", first=0):
        self.fill(jobs, QUEUED,
                  "INSERT INTO live (job, project, queue, kind, pk, place, epoch, attempt, lost, has)"
                  f" SELECT id, 'default', 'default', '{kind}', 4, 1, 0, 0, 0, 1 FROM {self.ids(jobs, first)}",
                  f"INSERT INTO payload SELECT id, '{ARGS[kind]}', '' FROM {self.ids(jobs, first)}")

    def left(self):
        return tuple(int(ask(self.url, f"SELECT count(*) FROM {table}"))
                     for table in ("(SELECT id FROM job UNION ALL SELECT job FROM live) j", "payload", "result", "tomb"))

    def raw_erase(self, slice_of):
        ask(self.url, PROCEDURE)
        began = time.monotonic()
        # By index, whatever the planner knows of tables that were filled a moment ago: it must not lose by chance.
        ask(self.url, "SET enable_seqscan = off", "SET jit = off", "SET plan_cache_mode = force_custom_plan",
            f"CALL raw_erase({slice_of})")
        return time.monotonic() - began
