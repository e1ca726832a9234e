"""kill -9 at random in the middle of delete calls. Every acknowledged delete holds, unfinished ones are finished, jobs that
nobody deleted run, and a receipt says `process_died` where that is the truth. Rounds and seed: CRASH_ROUNDS, CRASH_SEED."""
import base64
import json
import os
import random
import threading
import time
import unittest

import product
from product import until

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "50"))
SEED = int(os.environ.get("CRASH_SEED", str(random.SystemRandom().randrange(1 << 32))))
POOL = 10


class Round:
    def __init__(self, quell, draw):
        self.quell = quell
        self.draw = draw
        self.acknowledged = {}  # job -> verdict
        self.attempted = set()

    def delete(self, ids):
        self.attempted.update(ids)
        try:
            status, reply = self.quell.delete_many(ids, wait=5)
        except (OSError, AssertionError, ValueError, product.http.client.HTTPException):
            return  # killed under the call: the outcome is unknown, either way is right
        if status in (200, 202):
            for outcome in reply["outcomes"]:
                if outcome["outcome"] == "deleted":
                    self.acknowledged[outcome["job_id"]] = outcome.get("verdict")

    def run(self):
        quell, draw = self.quell, self.draw
        sleepers = quell.submit_many([{"kind": "sleep", "args": {"seconds": 600}}] * (POOL + 10))
        survivors = quell.submit_many([{"kind": "noop", "args": {}}] * 5)
        until(lambda: quell.pool()["used"] == POOL)
        draw.shuffle(sleepers)
        slices = [sleepers[i::4] for i in range(4)]
        threads = [threading.Thread(target=self.delete, args=(part,)) for part in slices]
        for thread in threads:
            thread.start()
        time.sleep(draw.uniform(0, 0.02))  # where the knife falls
        quell.kill()
        for thread in threads:
            thread.join()
        quell.start()
        return sleepers, survivors


class CrashInMidDelete(unittest.TestCase):
    def test_holds_what_was_acknowledged_and_finishes_the_rest(self):
        print(f"seed {SEED}, {ROUNDS} rounds", flush=True)
        draw = random.Random(SEED)
        died = 0
        with product.Server("--pool", f"default={POOL}") as quell:
            for number in range(ROUNDS):
                one = Round(quell, draw)
                sleepers, survivors = one.run()
                statuses = {job: quell.status_of(job) for job in sleepers}
                for job in one.acknowledged:
                    self.assertEqual(statuses[job], "deleted", f"round {number}, seed {SEED}: an acknowledged delete came back")
                until(lambda: not {"pending_delete", "delete_failed"} & set(quell.counts_nonzero()), what="unfinished deletes finished")
                died += sum(verdict_of(quell, job) == "process_died" for job in sleepers)
                self.receipts_tell_of_every_tombstone(quell, sleepers)
                # Those whose delete was never marked are alive and well: delete them now, so that the survivors' turn comes.
                left = [job for job in sleepers if quell.status_of(job) != "deleted"]
                if left:
                    status, reply = quell.delete_many(left)
                    self.assertEqual((status, reply["counts"]["pending"]), (200, 0), reply)
                for job in survivors:
                    until(lambda: quell.status_of(job) == "succeeded", what=f"undeleted job {job} to run")
                until(lambda: quell.pool()["free"] == POOL)
        print(f"process_died was the verdict of {died} deletes", flush=True)
        self.assertGreater(died, 0, "the knife never fell between mark and erase: more rounds")


    def receipts_tell_of_every_tombstone(self, quell, jobs):
        """Also that of a call which the knife cut off between erase and answer; kept from then on."""
        tombstones = {job: quell.job(job)[1]["tombstone"] for job in jobs if quell.job(job)[0] == 410}
        for delete_id in {tombstone["delete_id"] for tombstone in tombstones.values()}:
            status, call = quell.call("GET", f"/api/v1/deletions/{delete_id}")
            self.assertEqual((status, call["state"]), (200, "DELETED"), f"seed {SEED}")
            self.assertTrue(call["receipt"], f"seed {SEED}: no receipt of {delete_id}")
            signed = json.loads(base64.b64decode(call["receipt"]["payload"]))
            self.assertEqual(call["counts"], signed["counts"])
            told = {one["job_id"]: one["verdict"] for one in signed["outcomes"] if one["outcome"] == "deleted"}
            of_this = {job: tombstone["verdict"] for job, tombstone in tombstones.items() if tombstone["delete_id"] == delete_id}
            self.assertEqual(told, of_this)
            self.assertEqual(quell.call("GET", f"/api/v1/deletions/{delete_id}")[1]["receipt"]["payload"], call["receipt"]["payload"])


def verdict_of(quell, job):
    code, body = quell.job(job)
    return body["tombstone"]["verdict"] if code == 410 else None


def counts_nonzero(self):
    return {status for status, n in self.counts().items() if n}


product.Server.counts_nonzero = counts_nonzero

if __name__ == "__main__":
    unittest.main()
