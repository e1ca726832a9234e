"""A database of its own, a server and workers, each behind its own link; and whoever dies is started again, as by systemd."""
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from urllib.parse import parse_qs, urlsplit

import fleet
import product
from proxy import Proxy

class Postgres(fleet.Postgres):
    """Lent by the program `temporary_postgres`, which keeps it, crashes it and takes it away."""

    def __init__(self):
        self.__enter__()
        self.folder = parse_qs(urlsplit(self.url).query)["host"][0]
        self.socket = os.path.join(self.folder, ".s.PGSQL.5432")

    def order(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        if self.process.stdout.readline().strip() != word:
            raise AssertionError(f"PostgreSQL did not {word}")

    def crash(self):
        """pg_ctl stop -m immediate"""
        self.order("crash")

    def start(self):
        self.order("start")

    def where(self):
        return self.folder

    def ask(self, sql):
        """Rows of texts."""
        done = subprocess.run(["psql", "-XAtqF\t", "-v", "ON_ERROR_STOP=1", "-h", self.where(), "-U", "quell", "-d", "quell", "-c", sql],
                              capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise AssertionError(done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def stop(self):
        self.__exit__()


class Bouncer:
    """pgbouncer in transaction mode: a session of the node is never the same session of the database."""

    def __init__(self, postgres):
        self.folder = tempfile.mkdtemp(prefix="quell-bouncer-")
        self.port = product.free_port()
        with open(os.path.join(self.folder, "ini"), "w") as ini:
            ini.write(f"[databases]\nquell = host={postgres.folder} port=5432 user=quell dbname=quell\n[pgbouncer]\n"
                      f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
                      "max_client_conn = 500\ndefault_pool_size = 40\nignore_startup_parameters = extra_float_digits\n")
        command = ["pgbouncer", "-q", os.path.join(self.folder, "ini")]
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            command[1:1] = ["-u", user.pw_name]
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Worker(product.Server):
    """Has a door too, since it is told where to listen; tokens are the store's, so the server's opens it."""
    verb = "worker"

    def read_token(self):
        pass


class Member:
    """A node, its link to the database, and what the nemesis has done to it."""

    def __init__(self, name, node, link):
        self.name, self.node, self.link = name, node, link
        self.lock = threading.RLock()
        self.frozen = False
        self.killed = False   # by us: its end is no surprise
        self.wanted = False   # shall run

    def alive(self):
        return self.node.process is not None and self.node.process.poll() is None

    def kill(self):
        with self.lock:
            self.killed, self.frozen = True, False
            if self.alive():
                self.node.process.send_signal(signal.SIGKILL)
                self.node.process.wait()

    def kill_keeper(self):
        """What the node does without it is its own affair: it may end itself, and comes back."""
        with self.lock:
            if self.alive() and not self.frozen:
                with contextlib.suppress(OSError):  # it may have ended by itself just now
                    for child in product.family_of(self.node.process.pid)[1:]:
                        self.killed = True
                        os.kill(child, signal.SIGKILL)

    def freeze(self):
        with self.lock:
            if self.alive():
                self.frozen = True
                self.node.process.send_signal(signal.SIGSTOP)

    def wake(self):
        with self.lock:
            if self.frozen and self.alive():
                self.node.process.send_signal(signal.SIGCONT)
            self.frozen = False


class Cluster:
    """`slots`: of each node; `slots_of`: of the named ones, when they differ. Workers named in `later` are not started.
    `postgres`: another one than a single server, stopped with the cluster."""

    def __init__(self, history, workers, slots=20, slots_of=None, flags=(), pooler=False, later=(), postgres=None):
        self.history = history
        self.slots, self.slots_of, self.later = slots, slots_of or {}, later
        self.proxy = Proxy()
        self.postgres = postgres or Postgres()
        self.bouncer = Bouncer(self.postgres) if pooler else None
        upstream = ("127.0.0.1", self.bouncer.port) if pooler else self.postgres.socket
        self.options = "?pooler=transaction" if pooler else ""
        self.flags = ["--outbound-allow", "127.0.0.0/8", *product.EXEC, "--max-lost", "100", "--log-level", "info", *flags]
        names = ["server"] + [f"worker{n + 1}" for n in range(workers)]
        self.members = [self.member(name, upstream) for name in names]
        self.server = self.members[0]
        self.workers = self.members[1:]
        self.clone_ends = []  # exit codes of copied nodes, None of those that lived until they were ended
        self.unexpected = []  # ends that no nemesis ordered and no lease explains
        self.stopping = threading.Event()
        self.keeper = threading.Thread(target=self.keep, daemon=True)

    def member(self, name, upstream):
        link = self.proxy.link(name, upstream)
        hosts = getattr(self.postgres, "hosts", None) or f"quell@127.0.0.1:{link.port}"
        store = f"postgres://{hosts}/quell{self.options}"
        kind = product.Server if name == "server" else Worker
        node = kind("--pool", f"default={self.slots_of.get(name, self.slots)}", "--node-name", name, *self.flags, store=store)
        return Member(name, node, link)

    def start_clone(self, member):
        """A second process on a copy of the member's directory, through the same link; what comes back ends it."""
        folder = tempfile.mkdtemp(prefix="quell-clone-")
        subprocess.run(["cp", "-a", member.node.data_dir + "/.", folder], check=False, stderr=subprocess.DEVNULL)
        node = Worker(*member.node.flags, data_dir=folder, store=member.node.store)
        node.spawn()

        def end():
            self.clone_ends.append(node.process.poll())
            node.remove()
            shutil.rmtree(folder, ignore_errors=True)
        return end

    def start(self):
        for member in self.members:
            if member.name not in self.later:
                self.start_one(member)
            if member is self.server:
                self.watch_database()
                for worker in self.workers:
                    worker.node.token = member.node.token
        self.keeper.start()
        return self

    def start_one(self, member):
        self.history.note("start", member=member.name)
        member.node.start()
        member.wanted = True

    def running_on(self):
        """node id -> jobs that the database says run there"""
        jobs = {}
        for node, job in self.postgres.ask("SELECT node, job FROM live WHERE place = 2"):
            jobs.setdefault(node, set()).add(job)
        return jobs

    def watch_database(self):
        """The database's own witness: every birth, claim and burial of a job, in the order of its locks.
        Nobody here revives a job, which would look like a second birth."""
        self.postgres.ask("""
            CREATE TABLE witness (no bigserial, what text, job uuid, epoch int);
            CREATE FUNCTION witness_tomb() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN INSERT INTO witness (what, job, epoch) VALUES ('tomb', NEW.id, NEW.epoch); RETURN NULL; END $$;
            CREATE FUNCTION witness_live() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN INSERT INTO witness (what, job, epoch) VALUES (TG_ARGV[0], NEW.job, NEW.epoch); RETURN NULL; END $$;
            CREATE TRIGGER witness_birth AFTER INSERT ON live FOR EACH ROW EXECUTE FUNCTION witness_live('birth');
            CREATE TRIGGER witness_tomb AFTER INSERT ON tomb FOR EACH ROW EXECUTE FUNCTION witness_tomb();
            CREATE TRIGGER witness_claim AFTER UPDATE OF place ON live FOR EACH ROW
              WHEN (NEW.place = 2 AND OLD.place <> 2) EXECUTE FUNCTION witness_live('claim');""")

    LEASE_LOST = 75  # the node ended itself because it could not prove that its runs are still its own

    def keep(self):
        while not self.stopping.wait(0.2):
            for member in self.members:
                with member.lock:
                    if member.wanted and not member.alive():
                        self.bring_back(member)

    def bring_back(self, member):
        code = member.node.process.returncode
        if not member.killed and code not in (0, self.LEASE_LOST) and (code < 0 or code == 70):
            self.unexpected.append((member.name, code, member.node.log_text()[-1500:]))
        member.killed = False
        member.node.log.close()
        member.node.spawn()

    def fail_over(self):
        """The standby takes over, and every link leads there. `postgres` is a pair."""
        self.postgres.fail_over()
        for member in self.members:
            member.link.do(upstream=self.postgres.socket, reset=True)

    def heal(self):
        """No fault any more: every link passes, nobody is frozen. Who is down is brought back by the keeper."""
        for member in self.members:
            member.wake()
            member.link.heal()

    def stop(self):
        self.stopping.set()
        if self.keeper.is_alive():
            self.keeper.join()
        for member in self.members:
            member.wake()
            member.node.remove()
        self.proxy.stop()
        if self.bouncer:
            self.bouncer.stop()
        self.postgres.stop()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()
