"""Schedules as their owner meets them: fires come once, a delete is durable and final, and what dies in the middle is finished by
the next life. On SQLite, each reply held against the API's description."""
import contextlib
import os
import re
import sqlite3
import subprocess
import tempfile
import unittest
import uuid

import product
from contract import Contract
from schedule_stories import FLAGS, PATH, Calm, Falls, Words


def server():
    one = product.Server(*FLAGS).start()
    one.contract = Contract(one.call("GET", "/openapi.json")[1])
    return one


class OnOneServer(Calm, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.quell = server()
        cls.addClassCleanup(cls.quell.remove)


class Settings(unittest.TestCase):
    """Each by the file, by the environment and as a flag."""
    VALUES = {"schedule_grace_s": 61, "task_delete_tries": 11, "task_reconcile_s": 301, "task_reconcile_after_s": 601,
              "task_reconcile_batch": 101, "task_reconcile_jitter_s": 31}

    def shown(self, *words, **environment):
        shown = subprocess.run([product.BINARY, "config", "show", *words], capture_output=True, text=True, timeout=60, check=True,
                               env={**os.environ, **environment}).stdout
        return {name: value for name, value in self.VALUES.items() if re.search(rf"(?m)^{name}\s*=\s*{value}\b", shown)}

    def test_the_file_and_the_environment_are_read(self):
        self.assertEqual(self.shown(), {})
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write("".join(f"{name} = {value}\n" for name, value in self.VALUES.items()))
            file.flush()
            self.assertEqual(self.shown("--config", file.name), self.VALUES)
        self.assertEqual(self.shown(**{"QUELL_" + name.upper(): str(value) for name, value in self.VALUES.items()}), self.VALUES)

    def test_the_server_takes_each_as_a_flag(self):
        flags = [word for name, value in self.VALUES.items() for word in ("--" + name.replace("_", "-"), str(value))]
        with product.Server(*flags) as server:
            self.assertTrue(server.answers())


class ALargeGroup(Words, unittest.TestCase):
    MORE = 10_100  # than one page

    def test_is_paused_and_deleted_to_its_end(self):
        self.quell = server()
        self.addCleanup(self.quell.remove)
        one = self.schedule(group="big")
        self.quell.stop()
        self.copy(uuid.UUID(one).bytes)
        self.quell.start()
        groups = "/api/v1/schedule-groups/big"
        self.assertEqual(self.quell.call("POST", groups + "/pause"), (200, {"changed": self.MORE + 1, "failed": 0}))
        self.assertEqual(self.quell.call("GET", PATH + "?group=big&status=ACTIVE")[1]["schedules"], [])
        status, told = self.quell.call("DELETE", groups + "?confirm=true")
        self.assertEqual((status, told["scheduled"], told["failed"]), (202, self.MORE + 1, 0))

    def copy(self, task):
        with contextlib.closing(sqlite3.connect(os.path.join(self.quell.data_dir, "quell.db"))) as store, store:
            columns = [row[1] for row in store.execute("PRAGMA table_info(schedule)") if row[1] != "id"]
            row = store.execute(f"SELECT {', '.join(columns)} FROM schedule WHERE id = ?", (task,)).fetchone()
            marks = ", ".join("?" * (len(columns) + 1))
            store.executemany(f"INSERT INTO schedule (id, {', '.join(columns)}) VALUES ({marks})",
                              [(uuid.uuid4().bytes, *row) for _ in range(self.MORE)])


class ThroughItsDeath(Falls, unittest.TestCase):
    def setUp(self):
        self.quell = server()
        self.addCleanup(self.quell.remove)


if __name__ == "__main__":
    unittest.main()
