"""Every act of a delete and of a job's life, hurt at its failpoints: {crash, error, delay} × {SQLite, PostgreSQL} × {1, 100 jobs}
against the real binary, then judged by total_delete. A cell whose failpoint never struck fails.
Every point and action is played once, on the stores and with the sizes by turns; FAILPOINT_CELLS=all plays the whole table,
FAILPOINT_CELLS=TEXT the cells whose name has TEXT."""
import concurrent.futures
import copy
import json
import os
import pathlib
import random
import re
import sqlite3
import tempfile
import threading
import time
import unittest

import product
import receiver
import store_eyes
import total_delete
from product import until
from total_delete import Call, Evidence

SPEC = pathlib.Path(__file__).parents[2] / "runtime/spec/failpoints.def"
ONLY = os.environ.get("FAILPOINT_CELLS", "")
MOMENTS = ("before", "within", "after")
AT_START = ("begin", "recover")
LOST = (OSError, ValueError, product.http.client.HTTPException)


def all_points():
    """name -> may it fail, from the table that the server is built from."""
    text = SPEC.read_text()
    points = {f"{act}.{moment}": True for act in re.findall(r"^QUELL_DURABLE_ACT\((\w+)", text, re.M) for moment in MOMENTS}
    points.update((name, may == "true") for name, may in re.findall(r'^QUELL_FAILPOINT\(\w+,\s*"([\w.]+)",\s*(true|false)', text, re.M))
    return points


def cells():
    for point, may_fail in all_points().items():
        if point.startswith("document."):
            continue  # a server writes one by itself at its first start only: FirstStart
        if point.startswith(("fire.", "task_", "restore.", "expire.", "approved.", "snapshot.")):
            continue  # no part of a delete: the suites of schedules, archive, retention, operations and sentinel cut them off
        for action in ("crash", "error", "delay"):
            if action != "error" or may_fail:
                yield point, action


def is_wanted(number, size, store, name):
    """Whether cell NUMBER of the table is played in this lane. Neighbours are the same point: together they cover all four."""
    if ONLY and ONLY != "all":
        return ONLY in name
    return ONLY == "all" or number % 4 == 2 * (store == "postgres") + (size == 100)


def new_id():
    """A UUID of version 7, ours, so that a call whose answer was lost can be repeated."""
    raw = bytearray(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10))
    raw[6], raw[8] = 0x70 | raw[6] & 0x0F, 0x80 | raw[8] & 0x3F
    return str(store_eyes.uuid.UUID(bytes=bytes(raw)))


class Chain:
    """One store, one size: its cells in turn, each on what the earlier ones left."""

    def __init__(self, size, store, receiver_):
        self.size, self.receiver = size, receiver_
        self.slots = max(1, size * 4 // 5)
        self.quell = product.Server("--pool", f"default={self.slots}", "--pool", "side=8", "--queue", "default", "--queue",
                                    "side:side", "--outbound-allow", "127.0.0.0/8", "--poll-ms", "50", "--max-lost", "100",
                                    "--stop-deadline-ms", "700", store=store)
        self.eyes = store_eyes.Eyes(store or f"sqlite:{self.quell.data_dir}/quell.db")

    def close(self):
        self.quell.remove()


class Cell:
    def __init__(self, chain, point, action):
        self.chain, self.quell, self.point, self.action = chain, chain.quell, point, action
        self.at_start = point.split(".")[0] in AT_START
        victims = sorted(new_id() for _ in range(chain.size))  # claimed in this order
        self.seen = Evidence(victims, [new_id() for _ in range(1 if chain.size == 1 else 5)], [new_id()])
        url = chain.receiver.url
        slow = victims[: max(1, chain.size // 5)]  # these hold a connection; first, so they are surely running
        self.slow = slow + self.seen.bystanders
        self.jobs = [{"job_id": j, "kind": "http", "args": {"method": "GET", "url": url("/" + j)}} for j in slow]
        self.jobs += [{"job_id": j, "kind": "sleep", "args": {"seconds": 600}} for j in victims[len(slow):]]
        self.jobs += [{"job_id": j, "kind": "workflow", "queue": "side", "max_attempts": 9, "backoff_s": 0.01,
                       "args": {"steps": [{"name": "a", "kind": "sleep", "args": {"seconds": 0.01}}, {"name": "b", "kind": "noop"}]}}
                      for j in self.seen.survivors]
        self.jobs += [{"job_id": j, "kind": "http", "queue": "side", "args": {"method": "GET", "url": url("/" + j)}}
                      for j in self.seen.bystanders]

    def name(self):
        return f"{self.point}={self.action} on {'SQLite' if self.chain.eyes.is_sqlite else 'PostgreSQL'}, {self.chain.size} job(s)"

    def faults(self):
        if not self.point:
            return ""
        # In the middle of the victims; survivors give their slots back before them.
        visit = {"stop": 1 + self.chain.size // 3, "release": len(self.seen.survivors) + 1 + self.chain.size // 3}
        visit = visit.get(self.point.split(".")[0], 1)
        text = f"{self.point}={self.action}{':60' if self.action == 'delay' else ''}@{visit}"
        # The janitor has something to do only when a run does not heed its stop.
        return text + (",stop.before=error@1" if self.point.split(".")[0] in ("ticket", "sweep") else "")

    # ---- the story ----
    def run(self):
        found = self.play()
        found += total_delete.violations(self.seen)
        self.clean_up()
        return [f"{self.name()}: {one}" for one in found]

    def play(self):
        quell, found = self.quell, []
        self.log_from = os.path.getsize(f"{quell.data_dir}/server.log") if quell.starts else 0
        if self.at_start:  # what hurts is the recovery, so there must be something to recover
            quell.start()
            self.until_running()
            quell.kill()
        faults = {"QUELL_FAILPOINTS": self.faults()}
        lived = quell.start(faults, is_to_serve=False) is not False and self.is_lived_through(self.first_life)
        self.seen.unharmed = lived and not self.at_start and "stop.before=error" not in self.faults()
        if lived and not self.seen.unharmed:
            quell.kill()
        if not self.seen.unharmed:
            quell.start()
            self.story()
        if not self.has_struck():
            found.append("the failpoint never struck")
        try:
            self.settle()
        except AssertionError as late:
            found.append(f"I9: {late}")
        self.gather()
        return found

    def story(self):
        self.until_running()
        self.delete(self.seen.victims)

    def first_life(self):
        self.story()
        if "stop.before=error" in self.faults() and not self.seen.calls[-1].outcomes("pending"):
            raise AssertionError(f"a run that never stopped was not called pending: {self.seen.calls[-1].reply}")
        until(lambda: self.has_died() or (self.has_struck() and self.action != "crash"), 20, "the failpoint")

    def is_lived_through(self, story):
        try:
            story()
            return True
        except LOST:
            self.quell.process.wait(60)
        except Died:
            pass
        self.quell.log.close()
        return False

    def has_died(self):
        if self.quell.process.poll() is not None:
            raise Died()
        return False

    def has_struck(self):
        if not self.point:
            return True
        with open(f"{self.quell.data_dir}/server.log", errors="replace") as log:
            log.seek(self.log_from)
            return f"failpoint {self.point} {self.action}\n" in log.read()

    def until_running(self):
        self.submit()
        left = [j for j in self.seen.victims if not self.is_gone(j)] if self.seen.calls else self.seen.victims
        holding = min(len(left), self.chain.slots)

        def all_run():
            self.has_died()
            used = {p: self.quell.pool(p)["used"] for p in ("default", "side")}
            for pool, n in used.items():
                self.seen.most_used[pool] = max(n, self.seen.most_used.get(pool, 0))
            open_jobs = self.receiver_open()
            return (used == {"default": holding, "side": 1} and all(j in open_jobs for j in self.slow if j in left or j in
                    self.seen.bystanders))
        until(all_run, 60, f"{holding} runs")

    def submit(self):
        """Until each job is known to be stored: an answer that was lost or said no tells nothing."""
        def stored():
            status, reply = self.quell.call("POST", "/api/v1/jobs/bulk-submit", {"jobs": self.jobs})
            return status == 201 and reply["stored"] + len(reply["conflicts"]) == len(self.jobs)
        until(stored, 30, "the jobs stored")

    def is_gone(self, job):
        return self.quell.status_of(job) == "deleted"

    def receiver_open(self):
        return [path_of(c) for c in list(self.chain.receiver.connections) if c["headed"] and c["closed"] is None]

    def effects_now(self):
        return [path_of(c) for c in list(self.chain.receiver.connections) if c["request"]]

    def delete(self, ids, is_repeat=False):
        try:
            status, reply = self.quell.delete_many(ids, wait=5)
        except LOST:
            status, reply = None, None
        if status not in (200, 202):
            reply = None if status is None else reply
        self.seen.calls.append(Call(ids, status, reply, len(self.effects_now()), is_repeat))
        if status is None:
            raise Died()

    # ---- rest, and what is seen then ----
    def settle(self):
        """Deletes end by themselves; a call that was told no, or nothing, is repeated as its caller would."""
        if not any(call.status in (200, 202) and not call.outcomes("failed") for call in self.seen.calls):
            self.delete(self.seen.victims)
        until(lambda: not {"pending_delete", "delete_failed"} & {s for s, n in self.quell.counts().items() if n}, 30,
              "the unfinished deletes")
        for job in self.seen.survivors:
            until(lambda: self.quell.status_of(job) == "succeeded", 30, f"the end of {job}")
        self.seen.held = {"side": len(self.seen.bystanders)}
        until(lambda: self.quell.pool()["used"] == 0 and self.quell.pool("side")["used"] == 1, 30, "the slots")
        until(lambda: set(self.receiver_open()) & set(self.slow) == set(self.seen.bystanders), 30, "the closed connections")
        self.repeat()

    def repeat(self):
        """And a reply's receipt is kept a moment after the reply; if it never is, the checker says so."""
        given = {c.reply["delete_id"] for c in self.seen.calls if c.outcomes() and c.reply.get("receipt")}
        if self.seen.unharmed:
            end = time.monotonic() + 10
            while given - self.chain.eyes.kept_receipts() and time.monotonic() < end:
                time.sleep(0.01)
        before = self.chain.eyes.audit_count()
        self.delete(self.seen.victims, is_repeat=True)
        self.seen.audit_grew = self.chain.eyes.audit_count() - before

    def gather(self):
        seen = self.seen
        sample = seen.victims[:3] + seen.survivors + seen.bystanders
        seen.shown = {job: self.quell.status_of(job) for job in sample}
        seen.pools = self.quell.call("GET", "/api/v1/pools")[1]["pools"]
        seen.effects = self.effects_now()
        seen.open_effects = self.receiver_open()
        self.chain.eyes.fill(seen, seen.victims + seen.survivors + seen.bystanders)

    def clean_up(self):
        self.quell.delete_many(self.seen.bystanders + self.seen.survivors, wait=5)
        self.quell.kill()


class Died(Exception):
    """The server is gone, as was meant."""


def path_of(connection):
    words = connection["request"].split(b" ", 2)
    return words[1].decode().lstrip("/") if len(words) > 1 else ""


def break_reply(key, value):
    def seed(seen):
        seen.calls[0].reply[key] = value
    return seed


def break_counts(key, by):
    def seed(seen):
        seen.calls[0].reply["counts"][key] += by
    return seed


def seeds():
    """What must be noticed: invariant, how it is broken."""
    first, last = (lambda seen: seen.victims[0]), (lambda seen: seen.victims[-1])
    delete_id = lambda seen: seen.calls[0].reply["delete_id"]
    row_of = lambda seen: next(r for r in seen.audit if r["ref"] == delete_id(seen))

    def other_receipt(seen):
        signed = total_delete.payload_of(seen.calls[0].reply["receipt"])
        signed["counts"]["killed"] += 1
        text = total_delete.base64.b64encode(json.dumps(signed).encode()).decode()
        seen.calls[0].reply["receipt"]["payload"] = text

    return [
        ("I1", lambda seen: seen.effects.append(first(seen))),
        ("I1", lambda seen: seen.open_effects.append(first(seen))),
        ("I2", lambda seen: seen.rows["live"].add(last(seen))),
        ("I3", lambda seen: seen.rows["job"].add(last(seen))),
        ("I4", lambda seen: seen.pools[0].update(free=seen.pools[0]["free"] - 1)),
        ("I4", lambda seen: seen.pools[0].update(stuck=1)),
        ("I4", lambda seen: seen.most_used.update(default=10_000)),
        ("I5", lambda seen: seen.orphans.append("ticket without holder")),
        ("I6", lambda seen: seen.tombs.pop(first(seen))),
        ("I6", lambda seen: seen.rows["payload"].add(last(seen))),
        ("I6", lambda seen: seen.rows["ticket"].add(last(seen))),
        ("I7", break_counts("deleted", -1)),
        ("I7", break_counts("killed", 1)),
        ("I7", break_counts("unproven", 1)),
        ("I7", break_counts("slots_freed", 1_000)),
        ("I7", break_reply("success", False)),
        ("I7", break_reply("receipt", None)),
        ("I7", other_receipt),
        ("I7", lambda seen: seen.calls[0].reply["outcomes"].pop()),
        ("I7", lambda seen: setattr(seen.calls[0], "status", 202)),
        ("I7", lambda seen: seen.tombs[first(seen)].update(verdict="process_died")),
        ("I7", lambda seen: seen.tombs[first(seen)].update(delete_id="another")),
        ("I7", lambda seen: seen.stored_calls[delete_id(seen)].update(receipt="")),
        ("I7", lambda seen: seen.stored_calls[delete_id(seen)].update(counts="{}")),
        ("I8", lambda seen: setattr(seen, "audit_grew", 1)),
        ("I8", lambda seen: seen.calls[-1].reply["outcomes"][0].update(outcome="deleted")),
        ("I9", lambda seen: seen.tombs.pop(last(seen))),
        ("I9", lambda seen: seen.shown.update({first(seen): "pending_delete"})),
        ("I10", lambda seen: seen.states.update({seen.survivors[0]: "cancelled"})),
        ("I10", lambda seen: seen.states.pop(seen.bystanders[0])),
        ("I10", lambda seen: seen.ended.update({seen.bystanders[0]: 1})),
        ("I10", lambda seen: seen.open_effects.remove(seen.bystanders[0])),
        ("I11", lambda seen: seen.audit.remove(row_of(seen))),
        ("I11", lambda seen: seen.audit.append({**row_of(seen), "no": 10_000})),
        ("I11", lambda seen: row_of(seen).update(jobs=1_000)),
        ("I11", lambda seen: seen.stored_calls.pop(delete_id(seen))),
    ]


class Checker(unittest.TestCase):
    """A checker that nobody can break proves nothing."""

    @classmethod
    def setUpClass(cls):
        cls.taker = receiver.SlowServer()
        cls.chain = Chain(10, None, cls.taker)
        cls.cell = Cell(cls.chain, "", "")
        cls.found = cls.cell.play()

    @classmethod
    def tearDownClass(cls):
        cls.chain.close()
        cls.taker.stop()

    def test_finds_nothing_wrong_with_a_run_that_nobody_hurt(self):
        self.assertEqual(self.found + total_delete.violations(self.cell.seen), [])

    def test_finds_every_seeded_breach_under_its_name(self):
        for number, (invariant, seed) in enumerate(seeds()):
            broken = copy.deepcopy(self.cell.seen)
            seed(broken)
            names = {one.split(":")[0] for one in total_delete.violations(broken)}
            self.assertIn(invariant, names, f"seed {number}")

    def test_hears_of_rows_that_the_store_should_not_have(self):
        with tempfile.TemporaryDirectory(prefix="quell-seeded-") as folder:
            copied = f"{folder}/quell.db"
            with sqlite3.connect(f"{self.chain.quell.data_dir}/quell.db") as there, sqlite3.connect(copied) as here:
                there.backup(here)
            victim = store_eyes.uuid.UUID(self.cell.seen.victims[0]).bytes
            for table, sql in (("payload", "INSERT INTO payload VALUES (?, '', '', NULL)"),
                               ("result", "INSERT INTO result (job, body, error) VALUES (?, '', '')"),
                               ("holder", "INSERT INTO holder VALUES (?, 0, x'', x'', 1, 1, NULL)")):
                with sqlite3.connect(copied) as db:
                    db.execute(sql, (victim,))
                orphans = store_eyes.Eyes(f"sqlite:{copied}").orphans()
                self.assertTrue([o for o in orphans if o.startswith(table)], (table, orphans))


class FirstStart(unittest.TestCase):
    def test_that_is_cut_short_while_the_first_token_is_made_locks_nobody_out(self):
        for moment in MOMENTS:
            with self.subTest(moment):
                quell = product.Server()
                self.addCleanup(quell.remove)
                self.assertIs(quell.start({"QUELL_FAILPOINTS": f"document.{moment}=crash@1"}, is_to_serve=False), False)
                self.assertIn(f"failpoint document.{moment} crash", quell.log_text())
                quell.start()
                self.assertEqual(quell.call("GET", "/api/v1/jobs")[0], 200)


class Matrix(unittest.TestCase):
    def test_no_fault_at_any_point_breaks_a_promise(self):
        wanted = list(enumerate(cells()))
        random.shuffle(wanted)
        postgres = store_eyes.TemporaryPostgres()
        self.addCleanup(postgres.stop)
        lanes = [(size, store) for size in (1, 100) for store in ("sqlite", "postgres")]
        found, done, lock = [], [], threading.Lock()

        def lane(number):
            size, store = lanes[number]
            chain, taker, lives = None, receiver.SlowServer(), 0
            try:
                for cell_number, (point, action) in wanted:
                    if chain is None:
                        lives += 1
                        url = postgres.create(f"lane{number}_{lives}") if store == "postgres" else None
                        chain = Chain(size, url, taker)
                    cell = Cell(chain, point, action)
                    if not is_wanted(cell_number, size, store, cell.name()):
                        continue
                    try:
                        bad = cell.run()
                    except Exception as fault:  # a cell that cannot be judged is a breach too
                        bad = [f"{cell.name()}: {type(fault).__name__}: {fault}"]
                    with lock:
                        done.append((point, action, number))
                        found.extend(bad)
                        for line in bad:
                            print(line, flush=True)
                    if bad:  # what it left may confuse the next one
                        chain.close()
                        chain = None
            finally:
                if chain:
                    chain.close()
                taker.stop()

        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
            list(pool.map(lane, range(len(lanes))))
        print(f"{len(done)} cells, {len({p for p, _, _ in done})} failpoints, {len(found)} breaches, "
              f"{time.monotonic() - started:.0f} s", flush=True)
        self.assertEqual(found, [])
        self.assertTrue(ONLY or len({p for p, _, _ in done}) >= 24)


if __name__ == "__main__":
    unittest.main()
