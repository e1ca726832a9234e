"""What the stories of archive, verify and retention have in common: a server on either store, its command line, and hands in the
store, for what a day would bring: an end that has come, a remnant that nobody left."""
import json
import os
import sqlite3
import subprocess
import unittest
import uuid

import product
import store_eyes
from product import until


class Story(unittest.TestCase):
    """Run twice, by the classes that `both` makes: on SQLite and on PostgreSQL."""
    postgres = None
    databases = 0

    @classmethod
    def setUpClass(cls):
        if cls.is_postgres:
            cls.postgres = store_eyes.TemporaryPostgres("kept")

    @classmethod
    def tearDownClass(cls):
        if cls.postgres:
            cls.postgres.stop()

    def serve(self, *flags):
        store = None
        if self.is_postgres:
            type(self).databases += 1
            url = self.postgres.url
            store = url.replace("/kept?", f"/kept{self.databases}?")
            subprocess.run(["psql", "-qd", url, "-c", f"CREATE DATABASE kept{self.databases}"], check=True)
        quell = product.Server("--pool", "default=60", "--poll-ms", "50", *flags, store=store)
        self.addCleanup(quell.remove)
        self.url = store or f"sqlite:{quell.data_dir}/quell.db"
        self.eyes = store_eyes.Eyes(self.url)
        self.quell = quell.start()
        return quell

    def hand(self, *statements):
        """Changes the store past the server and past the laws. {id} is written by `blob`."""
        if self.is_postgres:
            text = "SET session_replication_role = replica;" + ";".join(statements)
            return subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", self.url, "-c", text], check=True)
        db = sqlite3.connect(self.url.removeprefix("sqlite:"), timeout=30, isolation_level=None)
        try:
            db.execute("BEGIN IMMEDIATE")
            laws = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in laws:
                db.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                db.execute(statement)
            for _, sql in laws:
                db.execute(sql)
            db.execute("COMMIT")
        finally:
            db.close()

    def blob(self, job_id):
        return f"'{job_id}'" if self.is_postgres else f"x'{uuid.UUID(job_id).hex}'"

    def cli(self, *args, code=0):
        """What the command line prints, as JSON."""
        said = subprocess.run([product.BINARY, *args, "--url", f"http://127.0.0.1:{self.quell.port}", "--token-file",
                               os.path.join(self.quell.data_dir, "admin.token"), "-o", "json"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        self.assertEqual(said.returncode, code, said.stdout[-2000:] + said.stderr[-2000:])
        self.said = said.stderr
        return json.loads(said.stdout) if said.stdout.strip() else None

    def ask(self, method, path, body=None, status=200):
        got, reply = self.quell.call(method, "/api/v1" + path, body)
        self.assertEqual(got, status, reply)
        return reply

    def jobs(self):
        """Every job of the server by its id."""
        found, token = {}, ""
        while True:
            page = self.ask("GET", f"/jobs?page_size=500&page_token={token}")
            found.update((job["job_id"], job) for job in page["jobs"])
            token = page["next_page_token"]
            if not token:
                return found

    def audit(self):
        rows, after = [], 0
        while True:
            page = self.ask("GET", f"/audit?limit=1000&after={after}")
            if not page["entries"]:
                return rows
            rows += page["entries"]
            after = page["next_after"]

    def finished(self, n=1, **more):
        ids = self.quell.submit_many([{"kind": "noop", "args": {"n": i}, **more} for i in range(n)])
        until(lambda: self.quell.counts()["queued"] + self.quell.counts()["running"] == 0, 60, "the end of all")
        return ids


def both(scope, story):
    """The story on each store, as two classes of the module."""
    del scope[story.__name__]
    for store in ("SQLite", "PostgreSQL"):
        name = f"{story.__name__}On{store}"
        scope[name] = type(name, (story,), {"is_postgres": store == "PostgreSQL", "__module__": scope["__name__"]})
