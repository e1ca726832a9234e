"""A primary, its standby, and a node that reaches whichever is the primary through one link."""
import os
import signal
import time
from urllib.parse import parse_qs, quote, urlsplit

import product
from cluster import Postgres
from product import until
from proxy import Proxy


class Pair(Postgres):
    """Two servers with streaming replication; after a failover a new standby follows the one that was promoted."""

    def __init__(self, synchronous=True):
        super().__init__()
        self.primary, self.standby, self.made, self.sender = "", None, 0, None
        self.folders = {"": self.folder}
        self.proxy = Proxy()
        self.link = self.proxy.link("node", self.socket)
        self.store = f"postgres://quell@127.0.0.1:{self.link.port}/quell"
        self.follow(synchronous)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def do(self, order, name):
        line = f"{order} {name}".strip()
        if self.tell(line) != line:
            raise AssertionError(f"PostgreSQL did not {line}")

    def follow(self, synchronous=True):
        """A new standby of whoever is the primary; it is awaited from now on if it is a synchronous one."""
        self.made += 1
        name = f"standby{self.made}"
        url = self.tell(f"standby {name} {self.primary}".strip())
        self.folders[name] = parse_qs(urlsplit(url).query)["host"][0]
        self.standby = name
        if synchronous:
            self.wait_for_standby(name)

    def wait_for_standby(self, name):
        """The server waits for this one from now on; "" for none."""
        self.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.ask("SELECT pg_reload_conf()")
        until(lambda: self.ask("SHOW synchronous_standby_names") == [[name]])
        if name:
            until(lambda: self.ask("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"), what="a synchronous standby")

    def where(self):
        return self.folders[self.primary]

    def crash(self):
        self.do("crash", self.primary)

    def start(self):
        self.do("start", self.primary)

    def lose_standby(self):
        self.do("crash", self.standby)
        until(lambda: not self.ask("SELECT 1 FROM pg_stat_replication"), what="the end of the standby")

    def standby_back(self):
        self.do("start", self.standby)
        until(lambda: self.ask("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"), what="the standby back")

    def caught_up(self):
        until(lambda: self.ask("SELECT 1 FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_flush_lsn()"),
              what="a standby that has all")

    def freeze_sender(self):
        """What is committed from now on does not reach the standby, and the primary does not know."""
        self.sender = int(self.ask("SELECT pid FROM pg_stat_replication")[0][0])
        os.kill(self.sender, signal.SIGSTOP)

    def crash_with_sender(self, name):
        """As a machine is lost: what the frozen sender still had to send goes with it. A server waits for its children, and
        a stopped one does not hear it; its own patience would be five seconds."""
        line = f"crash {name}".strip()
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        time.sleep(0.1)
        os.kill(self.sender, signal.SIGKILL)
        self.sender = None
        if self.process.stdout.readline().strip() != line:
            raise AssertionError(f"PostgreSQL did not {line}")

    def fail_over(self):
        """The primary is lost, the standby takes its place, and the link leads there."""
        if self.sender:
            self.crash_with_sender(self.primary)
        else:
            self.do("crash", self.primary)
        self.do("promote", self.standby)
        self.primary, self.standby = self.standby, None
        self.socket = os.path.join(self.where(), ".s.PGSQL.5432")
        self.link.do(upstream=self.socket, reset=True)

    def crash_primary(self):
        self.do("crash", self.primary)

    def start_primary(self):
        self.do("start", self.primary)
        self.link.do(reset=True)

    def one_waits(self):
        """Until a backend waits for the standby; its process id."""
        return until(lambda: self.ask("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"), what="a wait for the standby")[0][0]

    def both(self):
        """An address with the standby first, then the primary."""
        hosts = ",".join(quote(self.folders[name], safe="") for name in (self.standby, self.primary))
        return f"postgres:///quell?host={hosts}&user=quell"

    def server(self, *flags, store=None):
        return product.Server("--log-level", "info", *flags, store=store or self.store)

    def stop(self):
        if self.sender:
            os.kill(self.sender, signal.SIGCONT)
        self.proxy.stop()
        super().stop()

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)
