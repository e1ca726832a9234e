"""A store seen past the server: its tables as they are, on SQLite and PostgreSQL, and its own query for orphans."""
import json
import os
import pathlib
import sqlite3
import subprocess
import uuid

import product
import total_delete

PROGRAMS = pathlib.Path(product.BINARY).parent
SIDES = ("job", "live", "payload", "result", "progress", "step", "partial", "log", "attempt", "delivery", "ticket", "holder", "doubt")


def plain(value):
    """Text, whether the store keeps it as text or as bytes; a long one is packed."""
    if isinstance(value, str) and value.startswith("\\x"):
        value = bytes.fromhex(value[2:])
        if value.startswith(b"\x28\xb5\x2f\xfd"):
            value = subprocess.run(["zstd", "-dc"], input=value, check=True, capture_output=True).stdout
    return value.decode() if isinstance(value, bytes) else value


class TemporaryPostgres:
    """One server for a test file; it ends with the pipe to its standard input."""

    def __init__(self, database="quell"):
        self.database = database
        self.process = subprocess.Popen([PROGRAMS / "temporary_postgres", database], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise AssertionError("no temporary PostgreSQL")

    def create(self, database):
        url = self.url.replace(f":///{self.database}?", f":///{database}?")
        subprocess.run(["psql", "-qd", self.url, "-c", f"CREATE DATABASE {database}"], check=True)
        return url

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


class Eyes:
    def __init__(self, url):
        self.url = url

    @property
    def is_sqlite(self):
        return self.url.startswith("sqlite:")

    def ask(self, sql):
        """Rows as lists; ids are what the store has, bytes or text."""
        if not self.is_sqlite:
            said = subprocess.run(["psql", "-qAtXd", self.url, "-c", f"SELECT coalesce(json_agg(row_to_json(one)), '[]') FROM ({sql}) one"],
                                  check=True, capture_output=True, text=True).stdout
            return [list(row.values()) for row in json.loads(said)]
        db = sqlite3.connect(f"file:{self.url.removeprefix('sqlite:')}?mode=ro", uri=True, timeout=30)
        try:
            return [list(row) for row in db.execute(sql)]
        finally:
            db.close()

    @staticmethod
    def id(value):
        return str(uuid.UUID(bytes=value)) if isinstance(value, bytes) else value

    def orphans(self):
        said = subprocess.run([PROGRAMS / "store_orphans", self.url], check=True, capture_output=True, text=True).stdout
        return said.splitlines()

    def kept_receipts(self):
        return {self.id(row[0]) for row in self.ask("SELECT delete_id FROM call WHERE length(receipt) > 0")}

    def audit_count(self):
        """Of what calls have done; an alert is raised behind them, when the guard has looked."""
        return self.ask("SELECT count(*) AS n FROM audit WHERE what <> 'alert.raised'")[0][0]

    def fill(self, seen, jobs):
        """The store's part of the evidence; of the tables only what concerns these jobs, of the audit all."""
        wanted, text = set(jobs), self.id
        union = " UNION ALL ".join(f"SELECT '{t}' AS t, {'id' if t == 'job' else 'job'} AS j FROM {t}" for t in SIDES)
        seen.rows = {table: set() for table in SIDES}
        for table, job in self.ask(union):
            seen.rows[table].add(text(job))
        for job, state, attempt in self.ask("SELECT id, state, attempt FROM jobs"):
            if text(job) in wanted:
                seen.states[text(job)] = total_delete.STATES[state]
                seen.ended[text(job)] = attempt
        for job, delete_id, prior, verdict in self.ask("SELECT id, delete_id, prior, verdict FROM tomb"):
            seen.tombs[text(job)] = {"delete_id": text(delete_id), "was": total_delete.STATES[prior],
                                     "verdict": total_delete.VERDICTS[verdict]}
        for number, what, ref, detail, digest in self.ask("SELECT no, what, ref, detail, digest FROM audit ORDER BY no"):
            seen.audit.append({"no": number, "what": what, "ref": ref, "jobs": json.loads(plain(detail) or "{}").get("jobs", 0),
                               "digest": digest})
        for delete_id, counts, receipt in self.ask("SELECT delete_id, counts, receipt FROM call"):
            seen.stored_calls[text(delete_id)] = {"counts": plain(counts), "receipt": plain(receipt)}
        seen.orphans = self.orphans()
