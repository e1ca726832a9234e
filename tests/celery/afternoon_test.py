"""The guide's afternoon with the guide's own app: its producer is byte for byte the same before and behind the move."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import stage
import product
from redis_server import Redis

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/celery"
GUIDE = (ROOT / "docs/guides/from-celery.md").read_text()


class Afternoon(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="quell-orders-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        os.chmod(self.folder, 0o755)
        for name in ("orders.py", "producer.py"):
            shutil.copy(EXAMPLE / name, self.folder)
            os.chmod(os.path.join(self.folder, name), 0o644)

    def environment(self, url):
        return {**os.environ, "ORDERS_REDIS": url, "PYTHONDONTWRITEBYTECODE": "1", "C_FORCE_ROOT": "1"}

    def produce(self, url):
        done = subprocess.run([stage.PYTHON, "producer.py"], cwd=self.folder, env=self.environment(url),
                              capture_output=True, text=True, timeout=180)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        return json.loads(done.stdout.strip().splitlines()[-1])

    def digest(self):
        return hashlib.sha256(pathlib.Path(self.folder, "producer.py").read_bytes()).hexdigest()

    def quell(self, *words):
        return subprocess.run([product.BINARY, *words], capture_output=True, text=True, timeout=120, cwd=self.folder,
                              env={**os.environ, "QUELL_URL": f"http://127.0.0.1:{self.server.port}",
                                   "QUELL_TOKEN": self.server.token})

    def test_each_step_of_the_guide_holds_and_the_producer_is_the_same(self):
        before = self.digest()
        old = Redis()
        self.addCleanup(old.close)
        has_eventlet = subprocess.run([stage.PYTHON, "-c", "import eventlet"], capture_output=True).returncode == 0
        pool = "eventlet" if has_eventlet else "prefork"  # as the app wants it
        log = open(os.path.join(old.folder, "orders.log"), "wb")
        self.addCleanup(log.close)
        old.worker = subprocess.Popen([stage.PYTHON, "-m", "celery", "-A", "orders:app", "worker", "-c", "4", "-P", pool,
                                       "-Q", "celery,papers", "--without-gossip", "--without-mingle"], cwd=self.folder,
                                      env=self.environment(old.url), stdout=log, stderr=log)
        theirs = self.produce(old.url)
        # 1. Look before you switch.
        check = subprocess.run([product.BINARY, "celery", "check", "orders:app"], cwd=self.folder, capture_output=True,
                               text=True, timeout=120, env=self.environment(old.url))
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        self.assertIn("8 tasks; nothing stands in the way", check.stdout)
        # 2. Start quell beside the Redis.
        port = product.free_port()
        self.server = product.Server("--celery", "orders:app", "--celery-dir", self.folder, "--celery-listen",
                                     f"127.0.0.1:{port}", "--pool", "default=16",
                                     *(["--exec-user", "nobody"] if stage.IS_ROOT else []))
        self.server.start(environment={"PYTHONDONTWRITEBYTECODE": "1"})
        self.addCleanup(self.server.stop)
        made = self.quell("token", "create", "producers", "--role", "operator", "--project", "shop", "-o", "json")
        token = json.loads(made.stdout)["token"]
        # 3. Stop the workers; switch the URL.
        old.worker.terminate()
        old.worker.wait(30)
        url = f"redis://shop:{token}@127.0.0.1:{port}/0"
        ours = self.produce(url)
        self.assertEqual(ours, theirs)
        self.assertEqual(ours["order"]["price"], 100)
        self.assertEqual(ours["order"]["charge"], {"charged": 100, "tries": 2})
        # 4. Bring what waits: the revoked reminder of the old Redis is still in its worker's unacked list.
        moved = self.quell("celery", "import", old.url, "--to", url)
        self.assertEqual(moved.returncode, 0, moved.stdout + moved.stderr)
        # 5. Find the tasks.
        found = self.quell("list", "--kind", "celery", "--tag", "celery-task:orders.charge", "-o", "id")
        self.assertEqual(len(found.stdout.split()), 1, found.stdout + found.stderr)
        self.assertEqual(self.digest(), before)
        self.assertEqual(pathlib.Path(self.folder, "producer.py").read_bytes(), (EXAMPLE / "producer.py").read_bytes())

    def test_the_guide_names_each_command_as_it_was_tested(self):
        for part in ("quell celery check", "quell celery import", "quell celery beat-import", "--celery-listen", "quell token create",
                     "SIGHUP", "--python-tasks"):
            self.assertIn(part, GUIDE)
