"""Backups: made while the server works, whole or not there, and restored into either store without bringing back what was deleted,
running what ran, or losing anything else."""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import uuid

import kept
import product
import store_eyes
from contract import Contract
from product import until

# Of a record that came back: what the restore itself changes (docs/guides/backup.md).
CHANGED = ("epoch", "expires_at", "result_expires_at", "etag", "node_id", "cancel_requested", "started_at", "finished_at", "status",
           "deletion", "queue_position")


def same(job, rested):
    """What must be equal: of what had ended also when, and how."""
    if not rested:
        return {name: job[name] for name in ("job_id", "kind", "queue", "priority", "created_at")}
    names = [name for name in job if name not in CHANGED or name in ("status", "finished_at", "started_at")]
    return {name: job[name] for name in names}


class Other:
    """The PostgreSQL that is restored into."""
    postgres = None
    databases = 0


class Backup(kept.Story):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="quell-backups-")
        self.addCleanup(place.cleanup)
        self.dir = place.name

    def quell_binary(self, *args, code=0, **more):
        run = subprocess.run([product.BINARY, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, **more)
        self.assertEqual(run.returncode, code, run.stdout[-2000:] + run.stderr[-2000:])
        self.said = run.stderr
        return json.loads(run.stdout) if run.stdout.strip().startswith(("{", "[")) else run.stdout

    def backing(self, *flags):
        """A server that makes backups when it is asked."""
        return self.serve("--backup-dir", self.dir, "--backup-every-s", "0", *flags)

    def made(self):
        last = self.cli("backup", "create")
        return os.path.join(self.dir, last["name"])

    def fresh_store(self, postgres):
        """An empty place for a store, and how a server is told of it."""
        data_dir = tempfile.mkdtemp(prefix="quell-restored-", dir=self.dir)
        if not postgres:
            return data_dir, f"sqlite:{data_dir}/quell.db"
        if not Other.postgres:
            Other.postgres = store_eyes.TemporaryPostgres()
        Other.databases += 1
        return data_dir, Other.postgres.create(f"restored{Other.databases}")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        if Other.postgres:
            Other.postgres.stop()
            Other.postgres = None

    def restore(self, path, postgres, *more, code=0):
        data_dir, url = self.fresh_store(postgres)
        said = self.quell_binary("backup", "restore", path, "--store", url, "--data-dir", data_dir, "-o", "json", *more, code=code)
        return data_dir, url, said

    def serve_restored(self, data_dir, url, *flags):
        server = product.Server("--pool", "default=10", "--poll-ms", "50", *flags, data_dir=data_dir, store=url)
        self.addCleanup(server.remove)
        # Its tokens are the old server's: it is asked with that one's.
        shutil.copy(os.path.join(self.quell.data_dir, "admin.token"), data_dir)
        return server.start()

    def all_jobs(self, server):
        found, token = {}, ""
        while True:
            status, page = server.call("GET", f"/api/v1/jobs?page_size=500&page_token={token}")
            self.assertEqual(status, 200, page)
            found.update((job["job_id"], job) for job in page["jobs"])
            token = page["next_page_token"]
            if not token:
                return found

    def a_day(self):
        """Jobs in every state, a schedule, a secret, an endpoint, a copy, tombstones."""
        quell = self.quell
        quell.call("PUT", "/api/v1/secrets/key", {"value": "s3cr3t", "hosts": ["127.0.0.1"]})
        quell.call("POST", "/api/v1/schedules", {"name": "later", "cron": "0 3 1 1 *", "job": {"kind": "noop", "queue": "planned"}})
        done = self.finished(150, tags=["a"], priority=7)
        failed = quell.submit_many([{"kind": "http", "args": {"method": "GET", "url": "http://127.0.0.1:1/"}}] * 20)
        until(lambda: quell.counts()["failed"] == 20, 60, "the failures")
        later = quell.submit_many([{"kind": "noop", "delay_s": 5_000, "unique_key": f"k{i}"} for i in range(30)])
        running = quell.submit_many([{"kind": "sleep", "args": {"seconds": 600}}] * 10)
        until(lambda: quell.pool()["used"] == 10, 60, "the runs")
        quell.call("POST", "/api/v1/queues/default/pause", {})
        waiting = quell.submit_many([{"kind": "noop", "args": {"text": "ä\n"}}] * 40)
        status, reply = quell.delete_many(done[:25], archive_days=5)
        self.assertEqual((status, reply["counts"]["deleted"]), (200, 25))
        return done[25:], failed, later, running, waiting, done[:25]

    def test_all_comes_back_in_either_store_and_nothing_runs(self):
        self.backing()
        done, failed, later, running, waiting, deleted = self.a_day()
        before = self.jobs()
        path = self.made()
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        told = self.quell_binary("backup", "verify", path, "-o", "json")
        self.assertEqual(told["rows"]["job"], len(before))
        audited = len(self.audit())
        for postgres in (False, True):
            with self.subTest(into="postgres" if postgres else "sqlite"):
                data_dir, url, said = self.restore(path, postgres)
                self.assertEqual((said["jobs"], said["cancelled"], said["stay_deleted"]), (len(before), len(running), 0))
                self.assertEqual(store_eyes.Eyes(url).orphans(), [])
                server = self.serve_restored(data_dir, url)
                after = self.all_jobs(server)
                self.assertEqual(set(after), set(before))
                for job in before:
                    rested = job not in running
                    self.assertEqual(same(after[job], rested), same(before[job], rested))
                self.assertEqual({after[job]["status"] for job in running}, {"cancelled"})
                self.assertEqual({after[job]["attempt"] for job in running}, {0}, "it did not end")
                self.assertEqual({after[job]["status"] for job in waiting}, {"queued"})
                self.assertTrue(all(after[job]["epoch"] > before[job]["epoch"] for job in waiting + running))
                for job in deleted:
                    self.assertEqual(server.status_of(job), "deleted")
                self.assertEqual(server.pool()["used"], 0)
                queues = {q["name"]: q for q in server.call("GET", "/api/v1/queues")[1]["queues"]}
                self.assertTrue(queues["default"]["paused"])
                self.assertTrue(queues["planned"]["paused"])
                status, undone = server.call("POST", f"/api/v1/archive/{deleted[0]}/restore", {})
                self.assertEqual(status, 200, undone)
                self.assertEqual(server.status_of(deleted[0]), "succeeded")
                self.assertEqual(len(server.call("GET", "/api/v1/schedules")[1]["schedules"]), 1)
                until(lambda: server.call("GET", "/api/v1/audit/verify")[1]["holds"], 30, "the chain goes on")
                rows = server.call("GET", f"/api/v1/audit?limit=1000&after={max(0, audited - 20)}")[1]["entries"]
                self.assertIn("backup.restored", [row["what"] for row in rows])
                server.call("POST", "/api/v1/queues/default/resume", {})
                until(lambda: server.counts()["queued"] == 0, 60, "what waited runs")
                self.assertEqual(server.counts()["cancelled"], len(running))
                server.stop()

    def test_a_delete_after_the_backup_stays_deleted_after_the_restore(self):
        quell = self.backing()
        jobs = self.finished(60)
        self.cli("queue", "pause", "default")
        waiting = quell.submit_many([{"kind": "noop"}] * 40)
        _, task = quell.call("POST", "/api/v1/schedules", {"name": "doomed", "cron": "0 3 1 1 *", "job": {"kind": "noop"}})
        path = self.made()
        gone = jobs[:20] + waiting[:10]
        quell.call("DELETE", f"/api/v1/schedules/{task['task_uuid']}")
        until(lambda: not quell.call("GET", "/api/v1/schedules")[1]["schedules"], 30, "the end of the schedule")
        status, reply = quell.delete_many(gone)
        self.assertEqual((status, reply["counts"]["deleted"]), (200, 30))
        deletions = os.path.join(self.dir, "deletions.file")
        store = ["--store", self.url, "--data-dir", quell.data_dir]
        self.quell_binary("deletions", "export", "--to", deletions, *store, "-o", "json")
        for postgres in (False, True):
            data_dir, url, said = self.restore(path, postgres, "--deletions", deletions)
            self.assertEqual((said["stay_deleted"], said["jobs"]), (30, 70))
            server = self.serve_restored(data_dir, url)
            self.assertEqual(set(self.all_jobs(server)), set(jobs[20:] + waiting[10:]))
            self.assertEqual(server.call("GET", "/api/v1/schedules")[1]["schedules"], [])
            for job in gone:
                self.assertEqual(server.status_of(job), "deleted")
            status, call = server.call("GET", f"/api/v1/deletions/{reply['delete_id']}")
            self.assertEqual((status, call["state"]), (200, "DELETED"), call)
            server.stop()

    def test_a_delete_that_was_accepted_and_has_not_ended_is_not_undone_by_a_restore(self):
        quell = self.backing("--stop-deadline-ms", "500")
        quell.stop()
        quell.start({"QUELL_FAILPOINTS": "stop.before=error"})
        job = quell.submit("sleep", {"seconds": 600})
        until(lambda: quell.status_of(job) == "running", what="the run")
        rests = quell.submit("noop", {}, delay_s=5_000)
        body = {"every": 3_600, "job": {"kind": "sleep", "args": {"seconds": 600}}}
        tasks = {name: self.ask("POST", "/schedules", body | {"name": name}, 201)["task_uuid"] for name in ("leaves", "lives")}
        of_task = self.ask("POST", f"/schedules/{tasks['leaves']}/run-now", {}, 201)["job_id"]
        until(lambda: quell.status_of(of_task) == "running", what="the run of the schedule")
        path = self.made()
        self.ask("DELETE", f"/jobs/{job}?wait=0", status=202)
        self.ask("DELETE", f"/schedules/{tasks['leaves']}?wait=0", status=202)
        until(lambda: quell.status_of(of_task) == "pending_delete", what="the delete of its job")
        deletions = os.path.join(self.dir, "deletions.file")
        self.quell_binary("deletions", "export", "--to", deletions, "--store", self.url, "--data-dir", quell.data_dir, "-o", "json")
        for postgres in (False, True):
            data_dir, url, said = self.restore(path, postgres, "--deletions", deletions)
            self.assertEqual((said["stay_deleted"], said["jobs"]), (2, 1))
            self.assertEqual(store_eyes.Eyes(url).orphans(), [])
            server = self.serve_restored(data_dir, url)
            server.call("POST", "/api/v1/queues/default/resume", {})
            self.assertEqual({server.status_of(job), server.status_of(of_task)}, {"deleted"})
            self.assertEqual(server.status_of(rests), "scheduled")
            until(lambda: server.call("GET", f"/api/v1/schedules/{tasks['leaves']}")[0] == 404, 30, "the end of the schedule")
            self.assertEqual(server.call("GET", f"/api/v1/schedules/{tasks['lives']}")[1]["status"], "ACTIVE")
            server.stop()

    def test_a_schedule_that_was_made_again_under_its_id_comes_back(self):
        quell = self.backing()
        task = str(uuid.uuid4())
        body = {"task_uuid": task, "cron": "0 3 1 1 *", "job": {"kind": "noop"}}
        self.ask("POST", "/schedules", body | {"name": "first"}, 201)
        self.ask("DELETE", f"/schedules/{task}?wait=10")
        self.ask("POST", "/schedules", body | {"name": "second"}, 201)
        path, deletions = self.made(), os.path.join(self.dir, "deletions.file")
        export = ["deletions", "export", "--store", self.url, "--data-dir", quell.data_dir, "-o", "json", "--to"]
        self.quell_binary(*export, deletions)
        self.ask("DELETE", f"/schedules/{task}?wait=10")
        self.quell_binary(*export, deletions + "2")
        for postgres in (False, True):
            for file, left in ((deletions, ["second"]), (deletions + "2", [])):
                server = self.serve_restored(*self.restore(path, postgres, "--deletions", file)[:2])
                self.assertEqual([one["name"] for one in server.call("GET", "/api/v1/schedules")[1]["schedules"]], left)
                server.stop()

    def test_a_backup_is_of_one_moment_while_others_work(self):
        quell = self.backing()
        over = threading.Event()
        born = []

        def work():
            while not over.is_set():
                born.extend(quell.submit_many([{"kind": "noop", "args": {"n": n}} for n in range(20)]))

        workers = [threading.Thread(target=work) for _ in range(2)]
        for one in workers:
            one.start()
        try:
            until(lambda: len(born) > 300, 60, "some work")
            paths = [self.made() for _ in range(3)]
        finally:
            over.set()
            for one in workers:
                one.join()
        for path in paths:
            self.quell_binary("backup", "verify", path, "-o", "json")
            said = self.quell_binary("backup", "drill", path, "-o", "json")
            self.assertEqual(said["differences"], [])
            _, url, restored = self.restore(path, not self.is_postgres)
            self.assertEqual(store_eyes.Eyes(url).orphans(), [], restored)
        until(lambda: quell.counts()["queued"] + quell.counts()["running"] == 0, 60, "the rest")
        said = self.quell_binary("backup", "drill", "--store", self.url, "--data-dir", quell.data_dir, "-o", "json")
        self.assertEqual(said["differences"], [])

    def test_a_kill_in_the_middle_leaves_no_half_of_anything(self):
        quell = self.backing()
        self.finished(50)
        quell.submit_many([{"kind": "noop", "args": {"n": n}, "delay_s": 9_000} for n in range(9_000)])
        path = self.made()
        # The maker: killed while its file grows under another name.
        half = os.path.join(self.dir, "half.backup")
        store = ["--store", self.url, "--data-dir", quell.data_dir]
        maker = subprocess.Popen([product.BINARY, "backup", "create", *store, "--without-secrets", "--to", half],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: os.path.exists(half + ".part") or maker.poll() is not None, 60, "a file that grows")
        maker.kill()
        maker.wait()
        if os.path.exists(half):  # it was faster: then it is whole
            self.quell_binary("backup", "verify", half)
        else:
            self.quell_binary("backup", "create", *store, "--without-secrets", "--to", half)
        self.quell_binary("backup", "verify", half)
        self.assertFalse(os.path.exists(half + ".part"))
        # Whoever restores: killed again and again, a little later each time, then left alone.
        for postgres in (False, True):
            data_dir, url = self.fresh_store(postgres)
            command = [product.BINARY, "backup", "restore", path, "--store", url, "--data-dir", data_dir, "-o", "json"]
            for kill_after in (0.05, 0.2, 0.4, 0.8):
                run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                try:
                    run.communicate(timeout=kill_after)
                except subprocess.TimeoutExpired:
                    run.kill()
                    run.communicate()
            run = until(lambda c=command: self.finished_restore(c), 60, "a restore")
            self.assertEqual(store_eyes.Eyes(url).orphans(), [], run)
            self.assertEqual(store_eyes.Eyes(url).ask("SELECT count(*) AS n FROM jobs")[0][0], 9_050)

    def finished_restore(self, command):
        """Done now, or done before by one that was killed behind its last commit."""
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if run.returncode == 0 or (run.returncode == 5 and "the store has" in run.stderr):
            return run.stdout + run.stderr
        self.assertEqual(run.returncode, 7, run)  # PostgreSQL has not noticed yet that the last one is dead
        return None

    def test_secrets_come_along_sealed_by_a_passphrase_or_not_at_all(self):
        passphrase = os.path.join(self.dir, "passphrase")
        pathlib.Path(passphrase).write_text("correct horse battery\n")
        os.chmod(passphrase, 0o600)
        quell = self.backing("--backup-passphrase-file", passphrase)
        self.a_day()
        status, hook = quell.call("POST", "/api/v1/webhooks", {"url": "http://127.0.0.1:9/hook"})
        self.assertEqual(status, 201, hook)
        path = self.made()
        self.assertNotIn(b"s3cr3t", pathlib.Path(path).read_bytes())
        self.restore(path, False, code=2)
        self.assertIn("--passphrase-file", self.said)
        wrong = os.path.join(self.dir, "wrong")
        pathlib.Path(wrong).write_text("another passphrase\n")
        os.chmod(wrong, 0o600)
        self.restore(path, False, "--passphrase-file", wrong, code=2)
        self.assertIn("not the passphrase", self.said)
        data_dir, url, _ = self.restore(path, not self.is_postgres, "--passphrase-file", passphrase)
        server = self.serve_restored(data_dir, url)
        self.assertEqual([s["name"] for s in server.call("GET", "/api/v1/secrets")[1]["secrets"]], ["key"])
        self.assertTrue(server.call("GET", f"/api/v1/webhooks/{hook['webhook_id']}")[1]["enabled"])
        server.stop()
        data_dir, url, _ = self.restore(path, False, "--without-secrets")
        self.assertIn("Secrets were left out", self.said)
        server = self.serve_restored(data_dir, url)
        self.assertEqual(server.call("GET", "/api/v1/secrets")[1]["secrets"], [])
        self.assertFalse(server.call("GET", f"/api/v1/webhooks/{hook['webhook_id']}")[1]["enabled"])
        os.chmod(passphrase, 0o644)
        self.restore(path, False, "--passphrase-file", passphrase, code=2)
        self.assertIn("chmod 600", self.said)

    def test_the_timetable_makes_them_keeps_some_and_tells(self):
        quell = self.serve("--backup-dir", self.dir, "--backup-every-s", "1", "--backup-keep-hourly", "1", "--backup-keep-daily", "0",
                           "--backup-keep-weekly", "0")
        self.finished(5)
        first = until(lambda: self.ask("GET", "/backups")["last"], 30, "the first")
        until(lambda: (self.ask("GET", "/backups")["last"] or first)["backup_id"] != first["backup_id"], 30, "the next")
        listed = self.ask("GET", "/backups")
        self.assertEqual(listed["keep"], {"hourly": 1, "daily": 0, "weekly": 0})
        until(lambda: len(self.ask("GET", "/backups")["backups"]) <= 2, 30, "a rotation")
        self.assertIn("backup.created", [row["what"] for row in self.audit()])
        text = quell.call("GET", "/metrics")[1]
        self.assertRegex(text, r"\nquell_backup_last_success_seconds [1-9]")
        self.assertRegex(text, r"\nquell_backup_bytes [1-9]")
        contract = Contract(quell.call("GET", "/openapi.json")[1])
        for method, status in (("GET", 200), ("POST", 202)):
            got, fields, text = quell.exchange(method, "/api/v1/backups", {} if method == "POST" else None)
            self.assertEqual(got, status, text)
            contract.check(method, "/api/v1/backups", got, fields, text)
        by_hand = self.cli("backup", "create")
        self.assertIn("hand", by_hand["name"])
        self.assertIn(by_hand["name"], [one["name"] for one in self.cli("backup", "list")])
        self.assertIn(by_hand["name"], [one["name"] for one in self.cli("backup", "list", self.dir)])

    def test_what_goes_wrong_is_a_sentence_and_leaves_nothing(self):
        quell = self.serve()
        self.finished(3)
        self.cli("backup", "create", code=3)
        self.assertIn("backup_dir", self.said)
        store = ["--store", self.url, "--data-dir", quell.data_dir, "--without-secrets"]
        self.quell_binary("backup", "create", *store, "--to", "/nowhere/at/all.backup", code=7)
        self.assertIn("No such file", self.said)

        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))

        full = os.path.join(self.dir, "full.backup")
        self.quell_binary("backup", "create", *store, "--to", full, code=7, preexec_fn=small_files)
        self.assertIn("cannot be written", self.said)
        self.assertEqual([name for name in os.listdir(self.dir) if name.startswith("full")], [])
        self.quell_binary("backup", "create", "--store", self.url, "--data-dir", quell.data_dir, code=2)
        self.assertIn("--without-secrets", self.said)
        good = os.path.join(self.dir, "good.backup")
        self.quell_binary("backup", "create", *store, "--to", good)
        damaged = os.path.join(self.dir, "damaged.backup")
        text = bytearray(pathlib.Path(good).read_bytes())
        text[len(text) // 2] ^= 4
        pathlib.Path(damaged).write_bytes(text)
        self.quell_binary("backup", "verify", damaged, code=1)
        self.assertIn("does not match its checksum", self.said)
        _, url, _ = self.restore(damaged, False, code=1)
        self.assertFalse(os.path.exists(url.removeprefix("sqlite:")))
        self.quell_binary("backup", "restore", good, "--store", self.url, "--data-dir", quell.data_dir + "/x", code=5)


kept.both(globals(), Backup)

if __name__ == "__main__":
    import unittest

    unittest.main()
