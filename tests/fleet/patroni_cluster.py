"""Three PostgreSQL under Patroni and etcd, set up by the very file that docs/guides/failover.md tells people to copy."""
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

import product
from product import until

EXAMPLE = pathlib.Path(__file__).parents[2] / "docs" / "examples" / "patroni.yml"
NAMES = ["pg1", "pg2", "pg3"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


class Process:
    """In a session of its own, as the user that PostgreSQL is run as."""

    def __init__(self, command, log):
        self.command, self.log, self.process = command, log, None

    def start(self):
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT,
                                            start_new_session=True, cwd="/", **user)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.alive():
            self.process.kill()
            self.process.wait()


class Member(Process):
    def __init__(self, name, folder, etcd, ports):
        self.name, self.port, self.rest = name, *ports[name]
        self.data = os.path.join(folder, name)
        config = EXAMPLE.read_text()
        for word, here in [("name: pg1", f"name: {name}"), ("pg1.example.org:5432", f"127.0.0.1:{self.port}"),
                           ("pg1.example.org:8008", f"127.0.0.1:{self.rest}"),
                           ("etcd1.example.org:2379,etcd2.example.org:2379,etcd3.example.org:2379", f"127.0.0.1:{etcd}"),
                           ("/var/lib/postgresql/15/quell", self.data), ("/var/lib/postgresql/quell.pgpass", f"{self.data}.pgpass"),
                           ("/var/run/postgresql", folder)]:
            assert word in config, f"the example has no {word} any more"
            config = config.replace(word, here)
        self.config = f"{self.data}.yml"
        pathlib.Path(self.config).write_text(config)
        super().__init__(["patroni", self.config], f"{self.data}.log")

    def says(self, path):
        """Status and body of Patroni's answer; (0, None) without one."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.rest}{path}", timeout=3) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as refusal:
            return refusal.code, None
        except (OSError, ValueError):
            return 0, None

    def postmaster(self):
        try:
            return int(pathlib.Path(self.data, "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def lose(self):
        """As its machine is lost: nobody restarts the server, nobody gives the leader's key back."""
        self.kill()
        self.crash()

    def crash(self):
        """The server alone; Patroni sees to it."""
        pid = self.postmaster()
        try:
            if pid and f"{self.data}" in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(pid, signal.SIGKILL)
        except OSError:
            pass  # it has ended by itself


class Patroni:
    """Asked and told like cluster.Postgres; nodes reach it by an address with all hosts."""
    socket = "/nonexistent"  # the links of the cluster lead nowhere: nobody goes through them

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="quell-patroni-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        etcd, peers = product.free_port(), product.free_port()
        self.etcd = Process(["etcd", "--name", "etcd1", "--data-dir", f"{self.folder}/etcd",
                             "--listen-client-urls", f"http://127.0.0.1:{etcd}", "--advertise-client-urls", f"http://127.0.0.1:{etcd}",
                             "--listen-peer-urls", f"http://127.0.0.1:{peers}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peers}",
                             "--initial-cluster", f"etcd1=http://127.0.0.1:{peers}", "--unsafe-no-fsync"], f"{self.folder}/etcd.log")
        ports = {name: (product.free_port(), product.free_port()) for name in NAMES}
        self.members = [Member(name, self.folder, etcd, ports) for name in NAMES]
        self.addresses = ",".join(f"127.0.0.1:{member.port}" for member in self.members)
        self.hosts = f"quell:CHANGE-THIS-3@{self.addresses}"
        try:
            self.begin()
        except BaseException:
            self.stop()
            raise

    def begin(self):
        self.etcd.start()
        for member in self.members:
            member.start()
        until(self.is_whole, 180, "a leader with a synchronous standby")
        for sql in ("CREATE ROLE quell LOGIN PASSWORD 'CHANGE-THIS-3' IN ROLE pg_read_all_stats", "CREATE DATABASE quell OWNER quell"):
            self.ask(sql, f"postgresql://postgres:CHANGE-THIS-1@{self.addresses}/postgres")

    def leader(self):
        return next((member for member in self.members if member.says("/primary")[0] == 200), None)

    def is_whole(self):
        """A leader, and a standby that it waits for."""
        leader = self.leader()
        if not leader:
            return False
        _, view = leader.says("/cluster")
        roles = {member["role"] for member in (view or {}).get("members", []) if member.get("state") in ("running", "streaming")}
        return "leader" in roles and "sync_standby" in roles

    def is_complete(self):
        return self.is_whole() and all(member.says("/health")[0] == 200 for member in self.members)

    def ask(self, sql, url=None):
        url = (url or f"postgresql://{self.hosts}/quell") + "?target_session_attrs=primary&connect_timeout=5"
        done = subprocess.run(["psql", "-XAtqF\t", "-v", "ON_ERROR_STOP=1", url, "-c", sql], capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise AssertionError(done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def switch_over(self):
        leader = self.leader()
        return leader and subprocess.run(["patronictl", "-c", leader.config, "switchover", "--master", leader.name, "--force"],
                                         capture_output=True, env=ENVIRONMENT, timeout=60).returncode == 0

    def stop(self):
        for member in self.members:
            member.lose()
        self.etcd.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
