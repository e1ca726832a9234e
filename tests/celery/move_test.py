"""The move: an app is looked at before anything is switched, and what waits in the old Redis is brought over once."""
import subprocess
import unittest

import stage
import product
from redis_server import Redis


def quell(*words):
    done = subprocess.run([product.BINARY, "celery", *words], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


class Move(unittest.TestCase):
    def setUp(self):
        self.shop = stage.Shop()
        self.addCleanup(self.shop.close)

    def test_an_app_is_checked_task_by_task(self):
        code, out, err = quell("check", "shop:app", "--dir", self.shop.folder)
        self.assertEqual(code, 0, out + err)
        self.assertIn("task shop.add", out)
        self.assertIn("nothing stands in the way", out)

    def test_what_stands_in_the_way_is_named(self):
        with open(self.shop.folder + "/odd.py", "w") as odd:
            odd.write("import threading, time\nfrom celery import Celery\n"
                      "app = Celery('odd', broker='amqp://localhost')\n"
                      "threading.Thread(target=time.sleep, args=(60,), name='poller', daemon=True).start()\n")
        code, out, err = quell("check", "odd:app", "--dir", self.shop.folder)
        self.assertNotEqual(code, 0)
        self.assertIn("! the broker is amqp", out)
        self.assertIn("poller", err)

    def test_what_waits_in_the_old_redis_moves_once(self):
        old = Redis()
        self.addCleanup(old.close)
        server = stage.serve(self.shop)
        self.addCleanup(server.stop)
        self.shop.run("waiting", old.url)
        code, out, err = quell("import", old.url, "--to", server.url, "--dry-run")
        self.assertEqual((code, "6 would move, 0 not" in out), (0, True), out + err)
        self.assertEqual(stage.jobs_of(server), [])
        code, out, err = quell("import", old.url, "--to", server.url)
        self.assertEqual((code, "6 moved, 0 not" in out), (0, True), out + err)
        product.until(lambda: sorted(self.shop.notes()) == ["moved 0", "moved 1", "moved 2", "moved 3", "moved 9"], 60,
                      "the moved tasks")
        self.assertEqual(len(stage.jobs_of(server, status="scheduled")), 1)
        code, out, err = quell("import", old.url, "--to", server.url)
        self.assertEqual((code, "0 moved, 0 not" in out), (0, True), out + err)
        self.assertEqual(len(stage.jobs_of(server)), 6)
