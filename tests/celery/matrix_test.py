"""Total delete, whoever is killed: each state that a task of Celery can be in, and each process that may die beside it."""
import os
import signal
import time
import unittest

import stage
import fleet
from product import until
from reaped_test import alive, children, fork_servers

TASKS = ("spin", "spins_and_sends", "slowly_retried", "wait_and_note", "xsum", "add")  # in every state that a task can be in


class Matrix(unittest.TestCase):
    def begin(self, **more):
        self.shop = stage.Shop()
        self.addCleanup(self.shop.close)
        self.server = stage.serve(self.shop, slots=4, **more)
        self.addCleanup(self.server.stop)

    def fill(self):
        """Four slots are taken by what never ends; one job in each of the other states behind them."""
        producer = self.shop.producer(self.server.url)
        self.addCleanup(producer.close)
        producer.run("retry_for_ever")
        until(lambda: stage.jobs_of(self.server, status="scheduled"), 60, "a task that waits for its retry")
        for scenario in ("for_later", "send_without_end", "chain_behind_spin", "chord_behind_spin"):
            producer.run(scenario)
        self.pids = until(lambda: self.spinning(4), 120, "four that run")
        producer.run("spin_many 3")
        return [job["job_id"] for task in TASKS for job in self.jobs(task)]

    def jobs(self, task):
        """Of this task alone: what the sender has sent fills page after page."""
        return stage.jobs_of(self.server, tag="celery-task:shop." + task)

    def spinning(self, count):
        pids = [int(note.split()[2]) for note in self.shop.notes() if note.startswith("spin ")]
        return pids if len(pids) >= count else None

    def delete_all(self, ids):
        """Until each is proven gone, or gone without proof and told so."""
        def gone():
            status, reply = self.server.delete_many(ids, wait=30)
            return reply if status == 200 and reply["counts"]["failed"] == 0 and reply["counts"]["pending"] == 0 else None
        return until(gone, 120, "the end of all")

    def nothing_comes_back(self):
        sent = [job["job_id"] for job in self.jobs("quiet")[:1]]
        notes = [note for note in self.shop.notes() if note.startswith("spin ")]
        time.sleep(1.5)
        self.assertEqual([pid for pid in self.pids if alive(pid)], [])
        self.assertEqual([job["job_id"] for job in self.jobs("quiet")[:1]], sent)
        self.assertEqual([job for task in TASKS for job in self.jobs(task)], [])
        self.assertEqual([note for note in self.shop.notes() if note.startswith("spin ")], notes)

    def test_killing_the_fork_server_changes_no_proof(self):
        self.begin()
        ids = self.fill()
        for pid in fork_servers(self.server):
            os.kill(pid, signal.SIGKILL)
        reply = self.delete_all(ids)
        self.assertEqual((reply["counts"]["unproven"], reply["counts"]["deleted"]), (0, len(ids)))
        self.nothing_comes_back()

    def test_killing_the_keeper_ends_the_server_and_the_next_life_deletes_all(self):
        self.begin()
        ids = self.fill()
        os.kill(children(self.server.process.pid)[0], signal.SIGKILL)
        until(self.server.has_ended, 60, "the end of the server")
        self.again()
        self.assertGreaterEqual(self.delete_all(ids)["counts"]["deleted"], 1)
        self.nothing_comes_back()

    def test_killing_the_server_leaves_all_to_the_next_life(self):
        self.begin()
        ids = self.fill()
        self.server.kill()
        self.again()
        self.assertGreaterEqual(self.delete_all(ids)["counts"]["deleted"], 1)
        self.nothing_comes_back()

    def test_killing_the_server_in_the_middle_of_the_delete_leaves_no_half(self):
        self.begin()
        ids = self.fill()
        import threading
        asks = threading.Thread(target=self.ask_and_forget, args=(ids,))
        asks.start()
        until(lambda: not all(alive(pid) for pid in self.pids), 30, "the first that is killed")
        self.server.kill()
        asks.join()
        self.again()
        self.delete_all(ids)
        self.nothing_comes_back()

    def test_killing_a_node_of_a_fleet_says_what_is_not_proven_and_leaves_nothing(self):
        with fleet.Postgres() as postgres:
            self.begin(store=postgres.url)
            os.environ["SHOP_NOTES"] = self.shop.notes_file
            back = fleet.Worker("--celery", "shop:app", "--celery-dir", self.shop.folder, "--pool", "default=2",
                                *(["--exec-user", "nobody"] if stage.IS_ROOT else []), store=postgres.url)
            back.start()
            self.addCleanup(back.stop)
            ids = self.fill()
            self.pids = until(lambda: self.spinning(5), 60, "one at the other node at least")
            back.kill()
            reply = self.delete_all(ids)
            self.assertGreaterEqual(reply["counts"]["deleted"] + reply["counts"].get("already_gone", 0), 1)
            self.nothing_comes_back()
            self.server.stop()

    def again(self):
        self.server.start(environment={"SHOP_NOTES": self.shop.notes_file})

    def ask_and_forget(self, ids):
        try:
            self.server.delete_many(ids)
        except Exception:
            pass
