"""Faults in an order that a seed decides. Each has an end of its own; `heal` ends all at once."""
import heapq
import random
import threading
import time


class Nemesis(threading.Thread):
    def __init__(self, cluster, seed, period=(2.0, 10.0), longest_freeze=30.0):
        super().__init__(daemon=True)
        self.cluster, self.history = cluster, cluster.history
        self.draw = random.Random(f"{seed} nemesis")
        self.period, self.longest_freeze = period, longest_freeze
        self.stopping = threading.Event()
        self.ends = []  # (when, number, what to undo)
        self.busy = set()
        self.counts = {}
        self.fault = None
        self.faults = [self.kill, self.kill, self.freeze, self.freeze, self.hold, self.drop, self.one_way, self.slow, self.cut,
                       self.reset, self.unknown_commit, self.unknown_commit, self.crash_database, self.swizzle,
                       self.kill_keeper, self.kill_keeper, self.clone, self.late_commits]
        if hasattr(cluster.postgres, "follow"):
            self.faults += [self.fail_over, self.fail_over]

    def run(self):
        try:
            next_fault = time.monotonic() + self.draw.uniform(*self.period)
            while not self.stopping.is_set():
                self.end_what_is_due()
                if time.monotonic() >= next_fault:
                    self.draw.choice(self.faults)()
                    next_fault = time.monotonic() + self.draw.uniform(*self.period)
                self.stopping.wait(0.05)
        except Exception as fault:  # told by whoever joins
            self.fault = fault

    def heal(self):
        self.stopping.set()
        self.join()
        while self.ends:
            heapq.heappop(self.ends)[2]()
        self.cluster.heal()
        self.history.note("healed")
        if self.fault:
            raise self.fault

    # ---- bookkeeping -----------------------------------------------------------------------------

    def end_what_is_due(self):
        while self.ends and self.ends[0][0] <= time.monotonic():
            heapq.heappop(self.ends)[2]()

    def for_a_while(self, seconds, undo, who):
        """Undoes the fault later; until then nothing else happens to whom it concerns."""
        self.busy.update(who)

        def end():
            undo()
            self.busy.difference_update(who)
            self.history.note("fault_over", who=sorted(who))
        heapq.heappush(self.ends, (time.monotonic() + seconds, len(self.history.events), end))

    def victim(self):
        free = [m for m in self.cluster.members if m.name not in self.busy]
        if not free:
            return None
        # A fault of the server alone hides what the workers would do, so it is drawn less often than its share.
        return self.draw.choice([m for m in free for _ in range(1 if m is self.cluster.server and len(free) > 1 else 2)])

    def tell(self, fault, who, **more):
        self.counts[fault] = self.counts.get(fault, 0) + 1
        self.history.note("fault", fault=fault, who=who, **more)

    # ---- faults ----------------------------------------------------------------------------------

    def kill(self):
        if victim := self.victim():
            self.tell("kill -9", victim.name)
            victim.kill()

    def kill_keeper(self):
        """The keeper of the programs dies; its node must not say of one that may live that it is gone."""
        if victim := self.victim():
            self.tell("keeper killed", victim.name)
            victim.kill_keeper()

    def clone(self):
        """Somebody copies a node's directory and starts the copy beside it, as a restored machine does."""
        workers = [m for m in self.cluster.workers if m.name not in self.busy and m.alive()]
        if workers:
            victim = self.draw.choice(workers)
            seconds = self.draw.choice([4.0, 10.0])
            self.tell("cloned directory", victim.name, seconds=seconds)
            self.for_a_while(seconds, self.cluster.start_clone(victim), {victim.name})

    def late_commits(self):
        self.on_link("commit replies held", self.draw.uniform(2, 8), late=self.draw.choice([(0.03, 0.11), (0.3, 1.5)]))

    def freeze(self):
        if victim := self.victim():
            seconds = min(self.draw.choice([1.0, 1.0, 12.0, 30.0]), self.longest_freeze)
            self.tell("freeze", victim.name, seconds=seconds)
            victim.freeze()
            self.for_a_while(seconds, victim.wake, {victim.name})

    def on_link(self, fault, seconds, **orders):
        if victim := self.victim():
            self.tell(fault, victim.name, seconds=seconds)
            victim.link.do(**orders)
            self.for_a_while(seconds, victim.link.heal, {victim.name})

    def hold(self):
        self.on_link("partition, bytes wait", self.draw.choice([1.0, 5.0, 16.0]), up="hold", down="hold")

    def drop(self):
        self.on_link("partition, bytes lost", self.draw.choice([1.0, 5.0, 16.0]), up="drop", down="drop")

    def one_way(self):
        way = self.draw.choice(["up", "down"])
        self.on_link(f"one way, {way} held", self.draw.choice([1.0, 5.0, 16.0]), **{way: "hold"})

    def slow(self):
        self.on_link("slow link", self.draw.uniform(2, 6), delay=self.draw.choice([0.02, 0.2, 0.6]))

    def cut(self):
        self.on_link("cut after bytes", 3.0, cut=(self.draw.choice(["up", "down"]), self.draw.randint(1, 4000)))

    def reset(self):
        if victim := self.victim():
            self.tell("reset", victim.name)
            victim.link.do(reset=True)

    def unknown_commit(self):
        self.on_link("commit unknown", 3.0, commit=self.draw.randint(1, 3))

    def crash_database(self):
        if "database" in self.busy:
            return
        seconds = self.draw.uniform(0.0, 3.0)
        self.tell("database crash", "database", seconds=round(seconds, 2))
        self.cluster.postgres.crash()
        self.for_a_while(seconds, self.cluster.postgres.start, {"database"})

    def fail_over(self):
        """The primary is lost for good, its standby is promoted, and for a while nobody follows that one: commits wait."""
        if "database" in self.busy:
            return
        seconds = self.draw.uniform(0.0, 3.0)
        self.tell("failover", "database", seconds=round(seconds, 2))
        self.cluster.fail_over()
        self.for_a_while(seconds, self.cluster.postgres.follow, {"database"})

    def swizzle(self):
        """Stops links one by one and opens them in another order."""
        links = [m for m in self.cluster.members if m.name not in self.busy]
        self.draw.shuffle(links)
        links = links[:self.draw.randint(1, max(1, len(links)))]
        if not links:
            return
        self.tell("swizzle", ",".join(m.name for m in links))
        self.draw.shuffle(links)
        for number, member in enumerate(links):
            member.link.do(up="hold", down="hold")
            self.for_a_while(1.0 + 1.2 * number + self.draw.uniform(0, 1), member.link.heal, {member.name})
