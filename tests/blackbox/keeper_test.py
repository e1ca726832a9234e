"""What a program can do to the processes that keep it, and to its server: nothing that makes a delete say more than the truth."""
import http.client
import os
import resource
import signal
import threading
import unittest
import uuid

import product
from product import until

# Leaves its group, its session, its parent and its environment; {0} is all that tells of it.
DAEMON = "(env -i setsid sh -c '(setsid sleep {0} &)' &)"
ROUNDS = int(os.environ.get("KEEPER_ROUNDS", "4"))


def keeper_of(quell):
    return next(pid for pid in product.family_of(quell.process.pid)[1:] if name_of(pid) == "quell-keeper")


def name_of(pid):
    with open(f"/proc/{pid}/comm") as name:
        return name.read().strip()


def marker():
    """Seconds to sleep that no other process on the machine has."""
    return "9" + str(uuid.uuid4().int)[:17]


class Killed(unittest.TestCase):
    def submit_daemons(self, quell, count):
        markers = [marker() for _ in range(count)]
        jobs = [{"kind": "exec", "args": {"argv": ["/bin/sh", "-c", DAEMON.format(one) + "; sleep 99999"],
                                          "env": {"PATH": "/usr/bin:/bin"}}} for one in markers]
        ids = quell.submit_many(jobs)
        for one in markers:
            until(lambda: any(is_sleep(pid) for pid in product.processes_with(one)), 60, "the daemon")
        return dict(zip(ids, markers))

    def test_a_killed_keeper_takes_its_server_along_and_nothing_of_it_is_left_when_the_next_life_serves(self):
        with product.Server("--pool", "default=10", *product.EXEC) as quell:
            jobs = self.submit_daemons(quell, 10)
            before = {pid for one in jobs.values() for pid in product.processes_with(one)}
            os.kill(keeper_of(quell), signal.SIGKILL)
            self.assertEqual(quell.process.wait(60), 75)
            quell.log.close()
            quell.start()
            alive = {pid for one in jobs.values() for pid in product.processes_with(one)}
            self.assertEqual(before & alive, set(), "programs of the earlier life live beside those of this one")
            until(lambda: all(product.processes_with(one) for one in jobs.values()), 60, "the runs again")
            status, reply = quell.delete_many(list(jobs))
            self.assertEqual((status, {o["verdict"] for o in reply["outcomes"]}), (200, {"reaped"}), reply)
            self.assertEqual([pid for one in jobs.values() for pid in product.processes_with(one)], [])

    def test_no_delete_beside_the_keepers_death_is_proven_while_a_program_lives(self):
        for _ in range(ROUNDS):
            with product.Server("--pool", "default=10", *product.EXEC) as quell:
                jobs = self.submit_daemons(quell, 10)
                keeper = keeper_of(quell)
                killer = threading.Thread(target=os.kill, args=(keeper, signal.SIGKILL))
                killer.start()
                try:
                    _, reply = quell.delete_many(list(jobs), wait=10)
                    proven = [o["job_id"] for o in reply["outcomes"] if o["outcome"] == "deleted" and o["verdict"] == "reaped"]
                    left = [pid for job in proven for pid in product.processes_with(jobs[job])]
                    self.assertEqual(left, [], reply)
                except (OSError, http.client.HTTPException):
                    pass  # the server has left: nothing was said
                killer.join()
                self.assertEqual(quell.process.wait(60), 75)
                until(lambda: not any(product.processes_with(one) for one in jobs.values()), 30, "the end of all daemons")

    def test_a_program_that_would_kill_its_guard_gains_nothing(self):
        with product.Server("--pool", "default=2", *product.EXEC) as quell:
            other = quell.submit("exec", {"argv": ["sleep", "99999"], "env": {"PATH": "/usr/bin:/bin"}})
            until(lambda: quell.status_of(other) == "running")
            one = marker()
            script = DAEMON.format(one) + f"; sleep 0.2; kill -9 $PPID && sleep {one}; exit 7"
            job = quell.submit("exec", {"argv": ["/bin/sh", "-c", script], "env": {"PATH": "/usr/bin:/bin"}},
                               max_attempts=1)
            until(lambda: quell.status_of(job) == "failed", 60, "the end of the run")
            self.assertEqual(product.processes_with(one), [])
            self.assertEqual(quell.status_of(other), "running")


class PrintsWithoutEnd(unittest.TestCase):
    def check(self, *argv):
        with product.Server("--pool", "default=2", *product.EXEC) as quell:
            at_first = peak_memory(quell.process.pid)
            job = quell.submit("exec", {"argv": list(argv), "env": {"PATH": "/usr/bin:/bin"}})
            until(lambda: bytes_read(quell.process.pid) > 40_000_000, 120, "forty megabytes of output")
            status, reply = quell.call("DELETE", f"/api/v1/jobs/{job}")
            self.assertEqual((status, reply["proof"]["verdict"]), (200, "reaped"), reply)
            self.assertLess(peak_memory(quell.process.pid) - at_first, 100 << 20)

    def test_lines_of_one_letter_are_read_no_faster_than_the_job_takes_them(self):
        self.check("yes")

    def test_empty_lines_are_read_no_faster_than_the_job_takes_them(self):
        self.check("yes", "")

    def test_what_is_printed_beside_the_lines_is_bounded(self):
        self.check("/bin/sh", "-c", "yes >&2")


class FileSize(unittest.TestCase):
    def test_a_write_beyond_the_limit_is_an_error_and_not_the_servers_end(self):
        with product.Server() as quell:
            pid = quell.process.pid
            soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 16, hard))
            big = {"kind": "sleep", "args": {"seconds": 9999}, "delay_s": 9999}
            refused = until(lambda: first_refusal(quell, big), 60, "an error")
            self.assertGreaterEqual(refused, 500)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
            until(lambda: quell.call("POST", "/api/v1/jobs", {"kind": "noop", "args": {}})[0] == 201, 60, "a server that works on")
            self.assertIsNone(quell.process.poll())


def first_refusal(quell, job):
    status, _ = quell.call("POST", "/api/v1/jobs/bulk-submit", {"jobs": [job] * 500})
    return status if status != 201 else None


def is_sleep(pid):
    try:
        return name_of(pid) == "sleep"
    except OSError:
        return False


def bytes_read(pid):
    with open(f"/proc/{pid}/io") as figures:
        return int(next(line for line in figures if line.startswith("rchar")).split()[1])


def peak_memory(pid):
    with open(f"/proc/{pid}/status") as figures:
        return int(next(line for line in figures if line.startswith("VmHWM")).split()[1]) << 10


if __name__ == "__main__":
    unittest.main()
