"""Programs as a stranger's: what they may not, they cannot, whether the server is root's or their own user's."""
import ctypes
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import unittest

import keeper_test
import product
from product import until

PATH = {"PATH": "/usr/bin:/bin"}
IS_ROOT = os.geteuid() == 0

# Each attempt of a hostile program; what it says of each is the empty text when it came through.
HOSTILE = r"""
import ctypes, json, os, signal, sys
lib = ctypes.CDLL(None, use_errno=True)
told = {}
def attempt(name, work):
    try:
        work()
        told[name] = ""
    except OSError as error:
        told[name] = os.strerror(error.errno)
def call(number, *words):
    if lib.syscall(number, *words) == -1:
        raise OSError(ctypes.get_errno(), "")
server, keeper, guard, files = int(sys.argv[1]), int(sys.argv[2]), os.getppid(), sys.argv[3]
for name in json.loads(sys.argv[4]):
    attempt("read " + name, lambda: open(os.path.join(files, name), "rb").read())
    attempt("append " + name, lambda: open(os.path.join(files, name), "ab").close())
attempt("make", lambda: open(os.path.join(files, "made"), "wb").close())
attempt("remove", lambda: os.unlink(os.path.join(files, "admin.token")))
attempt("replace", lambda: os.rename(os.path.join(files, "admin.token"), os.path.join(files, "x")))
attempt("link", lambda: os.link(os.path.join(files, "admin.token"), os.path.join(os.getcwd(), "x")))
for who, pid in (("server", server), ("keeper", keeper), ("guard", guard)):
    attempt("trace " + who, lambda: call(101, 16, pid, 0, 0))  # PTRACE_ATTACH
    attempt("memory of " + who, lambda: open(f"/proc/{pid}/mem", "rb").close())
    attempt("environment of " + who, lambda: open(f"/proc/{pid}/environ", "rb").read())
    attempt("descriptors of " + who, lambda: os.listdir(f"/proc/{pid}/fd"))
    attempt("files through " + who, lambda: open(f"/proc/{pid}/root" + os.path.join(files, "admin.token")).read())
    attempt("signal " + who, lambda: os.kill(pid, signal.SIGCONT))
    attempt("limit " + who, lambda: call(302, pid, 7, ctypes.byref((ctypes.c_uint64 * 2)(64, 64)), 0))
attempt("a namespace of users", lambda: call(272, 0x10000000))
attempt("another by clone", lambda: call(56, 0x10000000 | 17, 0, 0, 0, 0))
attempt("mount", lambda: call(165, b"none", b"/tmp", b"tmpfs", 0, 0))
attempt("bpf", lambda: call(321, 0, 0, 0))
attempt("keys", lambda: call(250, 0, -3, 1))
attempt("rings", lambda: call(425, 8, 0))
attempt("become root", lambda: os.setuid(0))
print(json.dumps(told))
"""
REFUSED = {"Operation not permitted", "Permission denied", "Invalid cross-device link"}
# A program of the server's own user may signal it where Landlock knows no scope for that.
HAS_SCOPES = ctypes.CDLL(None).syscall(444, None, 0, 1) >= 6

# What ordinary programs do, and must be able to do.
ORDINARY = r"""
import json, os, subprocess, tempfile, threading, time
os.listdir("/")
here = tempfile.mkdtemp(dir=os.getcwd())
path = os.path.join(here, "a")
open(path, "w").write("text")
os.mkdir(os.path.join(here, "b"))
os.rename(path, os.path.join(here, "b", "a"))
os.truncate(os.path.join(here, "b", "a"), 2)
os.symlink("a", os.path.join(here, "b", "link"))
assert open(os.path.join(here, "b", "link")).read() == "te"
assert subprocess.run(["sh", "-c", "echo child | cat"], capture_output=True).stdout == b"child\n"
thread = threading.Thread(target=lambda: None)
thread.start()
thread.join()
open("/dev/stderr", "w").write("said\n")
open("/dev/null", "w").write("x")
oom, end = 0, time.monotonic() + 20
while not oom and time.monotonic() < end:  # where a program may not say it of itself, the keeper does, a moment after its start
    with open("/proc/self/oom_score_adj") as score:
        oom = int(score.read())
print(json.dumps({"user": os.geteuid(), "oom": oom, "fds": sorted(os.listdir("/proc/self/fd"), key=int)}))
"""


class OfUser(product.Server):
    """A server that another user starts, from a directory of his."""

    def __init__(self, user, *flags):
        super().__init__(*flags)
        self.user = pwd.getpwnam(user)
        os.chown(self.data_dir, self.user.pw_uid, self.user.pw_gid)

    def spawn(self, environment=None):
        before = subprocess.Popen
        subprocess.Popen = lambda *words, **more: before(
            *words, user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[], **more)
        try:
            super().spawn(environment)
        finally:
            subprocess.Popen = before


def outcome(quell, argv, **more):
    job = quell.submit("exec", {"argv": argv, "env": PATH, **more})
    return until(lambda: (lambda seen: seen if seen["status"] in ("succeeded", "failed") else None)(quell.job(job)[1]), 60, "its end")


class Off(unittest.TestCase):
    def test_exec_is_off_until_it_is_enabled_and_the_refusal_says_how(self):
        with product.Server() as quell:
            status, problem = quell.call("POST", "/api/v1/jobs", {"kind": "exec", "args": {"argv": ["true"]}})
            self.assertEqual((status, problem["code"]), (403, "exec-disabled"), problem)
            self.assertIn("--exec-enabled", problem["detail"])
            steps = {"steps": [{"name": "a", "kind": "exec", "args": {"argv": ["true"]}}]}
            self.assertEqual(quell.call("POST", "/api/v1/jobs", {"kind": "workflow", "args": steps})[1]["code"], "exec-disabled")

    def test_a_program_that_waits_fails_at_once_when_its_server_comes_back_with_exec_off(self):
        quell = product.Server(*product.EXEC, "--poll-ms", "50").start()
        self.addCleanup(quell.remove)
        place = tempfile.mkdtemp(prefix="quell-program-")
        self.addCleanup(shutil.rmtree, place, True)
        os.chmod(place, 0o777)
        sign = os.path.join(place, "ran")
        job = quell.submit("exec", {"argv": ["touch", sign], "env": PATH}, delay_s=2, max_attempts=5)
        other = quell.submit("exec", {"argv": ["true"], "env": PATH}, delay_s=999)
        quell.stop()
        quell.flags = ["--poll-ms", "50"]
        quell.start()
        seen = until(lambda: (lambda now: now if now["status"] == "failed" else None)(quell.job(job)[1]), 60, "its failure")
        self.assertIn("exec-enabled", json.dumps(seen["error"]))
        self.assertEqual(seen["attempt"], 1)
        self.assertFalse(os.path.exists(sign))
        self.assertEqual(quell.call("POST", f"/api/v1/jobs/{other}/retry")[1]["code"], "exec-disabled")
        self.assertEqual(quell.status_of(other), "scheduled")


class Walls(unittest.TestCase):
    def place(self, user):
        place = tempfile.mkdtemp(prefix="quell-program-")
        self.addCleanup(shutil.rmtree, place, True)
        if IS_ROOT:
            os.chown(place, user.pw_uid, user.pw_gid)
        return place

    def check_hostile(self, quell, user):
        family = product.family_of(quell.process.pid)
        keeper = keeper_test.keeper_of(quell)
        files = sorted(os.listdir(quell.data_dir))
        for name in ("admin.token", "quell.db", "quell.db-wal", "keeper.lock"):
            self.assertIn(name, files)
        argv = ["python3", "-c", HOSTILE, str(quell.process.pid), str(keeper), quell.data_dir, json.dumps(files)]
        end = outcome(quell, argv, cwd=self.place(user))
        self.assertEqual(end["status"], "succeeded", end)
        is_own = isinstance(quell, OfUser) or not IS_ROOT
        through = {name: why for name, why in end["result"].items()
                   if why not in REFUSED and (HAS_SCOPES or not is_own or not name.startswith("signal"))}
        self.assertEqual(through, {}, "a hostile program came through")
        self.assertEqual(sorted(os.listdir(quell.data_dir)), files)
        self.assertEqual(product.family_of(quell.process.pid), family)

    def check_ordinary(self, quell, user):
        end = outcome(quell, ["python3", "-c", ORDINARY], cwd=self.place(user))
        self.assertEqual(end["status"], "succeeded", end)
        self.assertEqual(end["result"]["user"], user.pw_uid)
        self.assertGreater(end["result"]["oom"], 0)
        # 3 is the directory that lists them.
        self.assertEqual(end["result"]["fds"], ["0", "1", "2", "3"])
        # A directory that came after the first start is no less there.
        self.assertEqual(outcome(quell, ["python3", "-c", ORDINARY], cwd=self.place(user))["status"], "succeeded")

    def test_a_program_reaches_neither_the_data_nor_another_process_and_works(self):
        user = pwd.getpwnam("nobody") if IS_ROOT else pwd.getpwuid(os.geteuid())
        with product.Server(*product.EXEC) as quell:
            self.check_hostile(quell, user)
            self.check_ordinary(quell, user)

    def test_of_the_servers_own_user_it_reaches_neither_either(self):
        user = pwd.getpwnam("nobody") if IS_ROOT else pwd.getpwuid(os.geteuid())
        with (OfUser("nobody", "--exec-enabled") if IS_ROOT else product.Server("--exec-enabled")) as quell:
            self.check_hostile(quell, user)
            self.check_ordinary(quell, user)

    def test_a_store_outside_the_data_directory_is_closed_too(self):
        user = pwd.getpwnam("nobody") if IS_ROOT else pwd.getpwuid(os.geteuid())
        place = self.place(user)
        store = os.path.join(place, "elsewhere.db")
        quell = OfUser("nobody", "--exec-enabled") if IS_ROOT else product.Server("--exec-enabled")
        quell.store = "sqlite:" + store
        with quell:
            self.assertEqual(outcome(quell, ["cat", store])["status"], "failed")
            self.assertEqual(outcome(quell, ["cat", store + "-wal"])["status"], "failed")


class Limits(unittest.TestCase):
    def test_a_program_that_forks_without_end_is_held_and_its_delete_is_proven(self):
        # How long six hundred processes take to die is the machine's affair, and no claim of this test.
        patient = ("--stop-deadline-ms", "20000", "--lease-s", "60")
        with product.Server(*product.EXEC, "--exec-processes", "600", *patient) as quell:
            mark = keeper_test.marker()
            bomb = f"import os, time\nwhile True:\n  try:\n    os.fork()\n  except OSError:\n    time.sleep(0.05)\n# {mark}"
            job = quell.submit("exec", {"argv": ["python3", "-c", bomb], "env": PATH})
            until(lambda: len(product.processes_with(mark)) > 20, 60, "a crowd")
            self.assertEqual(quell.call("POST", "/api/v1/jobs", {"kind": "noop", "args": {}})[0], 201)
            status, reply = quell.call("DELETE", f"/api/v1/jobs/{job}?wait=30", timeout=90)
            self.assertEqual((status, reply["proof"]["verdict"]), (200, "reaped"), reply)
            self.assertEqual(product.processes_with(mark), [])

    def test_a_program_gets_no_more_memory_descriptors_and_file_than_it_may(self):
        place = tempfile.mkdtemp(prefix="quell-program-")
        self.addCleanup(shutil.rmtree, place, True)
        os.chmod(place, 0o777)
        with product.Server(*product.EXEC, "--exec-memory-mb", "256", "--exec-open-files", "64", "--exec-file-mb", "1") as quell:
            eats = outcome(quell, ["python3", "-c", "x = bytearray(400 << 20)"])
            self.assertEqual(eats["status"], "failed")
            self.assertIn("MemoryError", json.dumps(eats["error"]))
            opens = outcome(quell, ["python3", "-c", "f = [open('/dev/null') for _ in range(80)]"])
            self.assertIn("Too many open files", json.dumps(opens["error"]))
            writes = outcome(quell, ["python3", "-c", "open('f', 'wb').write(bytes(2 << 20))"], cwd=place)
            self.assertIn("File too large", json.dumps(writes["error"]))
            asks = outcome(quell, ["sh", "-c", "ulimit -n"], open_files=4000)
            self.assertIn("64", json.dumps(asks["result"]))


if IS_ROOT:
    class UnderRoot(unittest.TestCase):
        def test_root_is_told_to_name_a_user_and_starts_nothing_before(self):
            for flags, word in ((["--exec-enabled"], "--exec-user"), (["--exec-enabled", "--exec-user", "root"], "root's rights"),
                                (["--exec-enabled", "--exec-user", "no-such-user"], "no user")):
                quell = product.Server(*flags)
                self.addCleanup(quell.remove)
                self.assertFalse(quell.start(is_to_serve=False))
                self.assertEqual(quell.process.returncode, 2)
                self.assertIn(word, quell.log_text())

        def test_a_server_that_is_not_roots_changes_no_user(self):
            quell = OfUser("nobody", "--exec-enabled", "--exec-user", "daemon")
            self.addCleanup(quell.remove)
            self.assertFalse(quell.start(is_to_serve=False))
            self.assertIn("exec_user", quell.log_text())


class Doctor(unittest.TestCase):
    def test_it_says_what_the_kernel_gives_and_the_log_of_a_start_too(self):
        with product.Server(*product.EXEC) as quell:
            said = subprocess.run([product.BINARY, "doctor", "--url", f"http://127.0.0.1:{quell.port}", "--token-file",
                                   quell.data_dir + "/admin.token"], capture_output=True, text=True, timeout=60)
            lines = [line for line in said.stdout.splitlines() if "programs: " in line]
            self.assertEqual(len(lines), 4, said.stdout)
            for line in lines:
                self.assertIn(line.split("programs: ")[1], quell.log_text())


if __name__ == "__main__":
    unittest.main()
