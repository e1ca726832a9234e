"""The fork server: imports the team's code once, and forks a process for each attempt at a task.

Runs with the standard library and the team's own packages, nothing else. Descriptor 0 is a socket on which the keeper
asks for processes: each request is a key and the keeper's number, with the process's standard input and output beside it.
A process is forked twice over, so that it is nobody's but the keeper's, which kills and reaps it. Some are forked ahead:
until one is asked for, the process between keeps it ours.
"""
import _socket
import array
import asyncio
import base64
import collections
import ctypes
import gc
import importlib
import inspect
import json
import logging
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
import traceback

REQUEST = struct.Struct("<QII")  # key, keeper's pid, what is asked
REPLY = struct.Struct("<QiI")    # key, process's pid or -1, what is said
FORK, RELOAD, GO = 0, 1, 2               # asked: a process; whether the code can be read anew; do so
READY, MAY_GO, STAYS = 1, 2, 3           # said without a key
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SAID_MAX = 15_000  # characters of one word to the server, whose lines have an end
ENVIRONMENT = dict(os.environ)
# An app may put green ones in their place (eventlet, gevent); those of the fork server stay the system's.
os_fork, os_read, os_write, os_waitpid, sleep, selects = os.fork, os.read, os.write, os.waitpid, time.sleep, select.select
libc = ctypes.CDLL(None, use_errno=True)


def refuse(sentence):
    """The reason stands in the server's log, and in the error of the tasks that wait for this process."""
    print("quell: " + sentence, file=sys.stderr, flush=True)
    os._exit(3)


def look_for_leftovers(control):
    """What an import left running would be half alive in each task's process."""
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if threads or len(os.listdir("/proc/self/task")) > 1:
        refuse("importing the app left threads running (" + ", ".join(threads or ["not Python's"]) +
               "): start them in worker_process_init, so that each task's process has its own")
    for name in os.listdir("/proc/self/fd"):
        try:
            what = os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue
        if what.startswith("socket:") and int(name) != control.fileno():
            refuse("importing the app left a socket open: connect in worker_process_init, so that each task's process "
                   "has its own connection")


def kernel_timer(seconds, number):
    """The kernel sends the signal whatever the task's code is doing."""
    event = (ctypes.c_char * 64)()
    struct.pack_into("<qii", event, 0, 0, number, 0)  # SIGEV_SIGNAL
    timer = ctypes.c_void_p()
    whole = int(seconds)
    value = (ctypes.c_long * 4)(0, 0, whole, max(int((seconds - whole) * 1e9), 1 if whole == 0 else 0))
    if libc.timer_create(1, event, ctypes.byref(timer)) == 0:
        libc.timer_settime(timer, 0, value, None)


class Speaker:
    """What a task's process says to the server: lines that begin with its mark, between those that the task prints."""

    def __init__(self, mark):
        self.mark, self.lock = mark, threading.RLock()

    def __call__(self, **words):
        for name in ("error", "log"):
            text = words.get(name)
            if isinstance(text, str) and len(text) > SAID_MAX:
                words[name] = text[:1000] + "\n…\n" + text[1000 - SAID_MAX:]
        line = self.mark + json.dumps(words, ensure_ascii=False) + "\n"
        with self.lock:
            sys.stdout.flush()
            sys.stderr.flush()
            left = memoryview(line.encode(errors="replace"))
            while left:
                left = left[os_write(1, left):]


class JobLog(logging.Handler):
    """What the task logs stands in its job's log, with its level."""

    def __init__(self, say):
        super().__init__()
        self.say = say

    def emit(self, record):
        try:
            level = ("debug" if record.levelno < logging.INFO else "info" if record.levelno < logging.WARNING else
                     "warning" if record.levelno < logging.ERROR else "error")
            self.say(log=self.format(record), level=level)
        except Exception:
            self.handleError(record)


def log_to_the_job(say):
    """In place of handlers that write to the standard streams; what writes elsewhere stays as the team has set it up."""
    handler = JobLog(say)
    root = logging.getLogger()
    names = [root] + [one for one in logging.Logger.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    for logger in names:
        for old in list(logger.handlers):
            if type(old) is logging.StreamHandler and old.stream in (sys.stdout, sys.stderr, sys.__stderr__, sys.__stdout__):
                logger.removeHandler(old)
                if not logger.propagate:
                    logger.addHandler(handler)
    root.addHandler(handler)
    if root.level == logging.WARNING:
        root.setLevel(logging.INFO)


def be_the_keepers(keeper):
    """False: the keeper is gone, and nothing would end this process with its job."""
    end = time.monotonic() + 10
    while os.getppid() != keeper:
        if time.monotonic() > end:
            return False
        sleep(0.0002)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return os.getppid() == keeper


def fds_beside(ancillary):
    fds = array.array("i")
    for _, _, payload in ancillary:
        fds.frombytes(payload[:len(payload) - len(payload) % fds.itemsize])
    return list(fds)


def become_a_task(bodies, asked):
    """Waits until it is asked for; then runs one attempt."""
    os.setsid()
    data, ancillary, _, _ = asked.recvmsg(64, socket.CMSG_SPACE(3 * 4))
    asked.close()
    if not data:
        return  # the fork server has ended
    keeper, = struct.unpack("<I", data)
    for number, fd in enumerate(fds_beside(ancillary)):
        os.dup2(fd, number)
        os.close(fd)
    os.dup2(1, 2)  # one stream, in the order in which it is said
    if not be_the_keepers(keeper):
        return
    with open(0, "rb", closefd=False) as stdin:
        spec = json.loads(stdin.read())
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    sys.stdin = open(0, closefd=False)
    say = Speaker(spec["mark"])
    log_to_the_job(say)
    try:
        bodies[spec["body"]].run(spec, say)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()


class Ahead:
    """A process that waits for its task, below one that keeps it ours until then."""

    def __init__(self, server):
        self.ask, asked = _socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        hold, self.hold = os.pipe()
        told, tell = os.pipe()
        self.between = os_fork()
        if self.between == 0:
            try:
                server.leave(self)
                os.close(told)
                self.be_between(server.bodies, asked, hold, tell)
            finally:
                os._exit(0)
        asked.close()
        os.close(hold)
        os.close(tell)
        number = os_read(told, 4)
        os.close(told)
        self.pid = struct.unpack("<i", number)[0] if len(number) == 4 else -1

    @staticmethod
    def be_between(bodies, asked, hold, tell):
        born = os_fork()
        if born == 0:
            os.close(hold)
            os.close(tell)
            try:
                become_a_task(bodies, asked)
            finally:
                sys.stdout.flush()
            return
        asked.close()
        os_write(tell, struct.pack("<i", born))
        os_read(hold, 1)  # until this one is let go, or the fork server has ended

    def close(self):
        self.ask.close()
        os.close(self.hold)

    def give(self, keeper, fds):
        """From here on it is the keeper's."""
        try:
            self.ask.sendmsg([struct.pack("<I", keeper)],
                             [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
        except OSError:
            self.pid = -1
        self.end()
        return self.pid

    def end(self):
        self.close()
        os_waitpid(self.between, 0)


class Server:
    def __init__(self, bodies, control, ahead):
        self.bodies, self.control, self.most = bodies, control, ahead
        self.ahead = collections.deque()
        self.looks = None  # the process that reads the code anew, to see whether it can be read

    def leave(self, own):
        """In a process that was forked: what belongs to the fork server alone."""
        self.control.close()
        for one in [*self.ahead, own]:
            one.close()

    def say(self, what):
        self.control.send(REPLY.pack(0, 0, what))

    def serve(self):
        self.say(READY)
        while True:
            idle = not selects([self.control], [], [], 0)[0]
            if idle and len(self.ahead) < self.most:
                self.ahead.append(Ahead(self))
                continue
            if idle and self.looks:
                self.see_how_the_look_ends()
                selects([self.control], [], [], 0.05)
                continue
            data, ancillary, _, _ = self.control.recvmsg(64, socket.CMSG_SPACE(3 * 4))
            if not data:
                return
            key, keeper, what = REQUEST.unpack(data)
            if what == FORK:
                self.fork(key, keeper, fds_beside(ancillary))
            elif what == RELOAD:
                self.look_at_the_code()
            elif what == GO:
                self.begin_anew()

    def fork(self, key, keeper, fds):
        one = self.ahead.popleft() if self.ahead else Ahead(self)
        pid = one.give(keeper, fds)
        if pid < 0:  # it had died while it waited
            pid = Ahead(self).give(keeper, fds)
        for fd in fds:
            os.close(fd)
        self.control.send(REPLY.pack(key, pid, 0))

    def look_at_the_code(self):
        """A broken deploy is seen in a process of its own, while this one goes on with what it has."""
        if self.looks:
            return
        self.looks = os_fork()
        if self.looks == 0:
            os.execve(sys.executable, [*command(), "--look"], ENVIRONMENT)

    def see_how_the_look_ends(self):
        pid, status = os_waitpid(self.looks, os.WNOHANG)
        if pid == 0:
            return
        self.looks = None
        if status != 0:
            print("quell: the code was not read anew, the app goes on as it was", file=sys.stderr, flush=True)
        self.say(MAY_GO if status == 0 else STAYS)

    def begin_anew(self):
        """The same process with the same socket: what is asked meanwhile waits in it, and nobody misses anything."""
        while self.ahead:
            self.ahead.pop().end()
        os.dup2(self.control.fileno(), 0)
        os.execve(sys.executable, command(), ENVIRONMENT)


def command():
    with open("/proc/self/cmdline", "rb") as line:
        words = line.read().split(b"\0")[:-1]
    return [sys.executable.encode(), *words[1:]]


def main(makers):
    """Each maker has a flag, and makes of its value something that can `load`, `check` and `run`."""
    words = sys.argv[1:]
    options = {words[i]: words[i + 1] for i in range(0, len(words) - 1, 2)}
    mode = words[-1] if len(words) % 2 else ""
    number = os.dup(0)
    os.set_inheritable(number, False)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    control = socket.socket() if mode else socket.socket(fileno=number)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)
    sys.path.insert(0, os.getcwd())
    bodies = {}
    for flag, maker in makers.items():
        if not options.get("--" + flag):
            continue
        bodies[flag] = maker(options["--" + flag])
        try:
            bodies[flag].load()
        except BaseException as error:
            traceback.print_exc()
            refuse(f"the app {options['--' + flag]} cannot be imported: {error!r}")
    if mode == "--check":
        broken = [flag for flag, body in bodies.items() if not body.check()]
        look_for_leftovers(control)
        sys.stdout.flush()
        os._exit(1 if broken else 0)
    look_for_leftovers(control)
    if mode == "--look":
        os._exit(0)
    gc.freeze()  # the tasks' processes do not touch what they share
    Server(bodies, control, int(options.get("--ahead", 0))).serve()
