"""What a process holds, looked at from outside over a run: descriptors, sockets, threads, memory. And what it may hold at the end.

Memory is judged by its slope, fitted by least squares behind the warm-up; the rest by what is left when nothing is to be done."""
import os
import threading
import time

MIB = 1 << 20
KINDS = ("descriptors", "sockets", "threads")


def slope(points):
    """Of the line that fits (x, y) best, by least squares; 0 of fewer than two."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def look(pid):
    """What the kernel says of a process; nothing when it is gone."""
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")
        links = []
        for one in descriptors:
            try:
                links.append(os.readlink(f"/proc/{pid}/fd/{one}"))
            except OSError:
                continue
        with open(f"/proc/{pid}/statm") as statm:
            resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        threads = len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return None
    return {"descriptors": len(links), "sockets": sum(link.startswith("socket:") for link in links), "threads": threads,
            "resident": resident}


class Watch(threading.Thread):
    """Looks at some processes, by name, until it is told to stop."""

    def __init__(self, pids, every=2.0):
        super().__init__(daemon=True)
        self.pids, self.every = dict(pids), every
        self.began = time.monotonic()
        self.seen = {name: [] for name in self.pids}
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.wait(self.every):
            self.look()

    def look(self):
        at = time.monotonic() - self.began
        for name, pid in self.pids.items():
            if one := look(pid):
                self.seen[name].append((at, one))

    def stop(self):
        self.stopping.set()
        self.join()

    def memory_slope(self, name, warm_up, until):
        """MiB a minute, between two times of the run."""
        points = [(at / 60, one["resident"] / MIB) for at, one in self.seen[name] if warm_up <= at <= until]
        return slope(points)


def at_rest(pid, tries=60, pause=0.5):
    """The least of each that a process holds while nothing is asked of it: what waits for a time-out goes meanwhile."""
    least = None
    for _ in range(tries):
        one = look(pid)
        if one is None:
            return None
        least = one if least is None else {kind: min(least[kind], one[kind]) for kind in one}
        time.sleep(pause)
    return least


def more_than(before, after, allowed=0):
    """kind -> how many more are held than before; what is not more is left out."""
    return {kind: after[kind] - before[kind] for kind in KINDS if after[kind] > before[kind] + allowed}
