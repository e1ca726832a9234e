"""The fork server: imports the team's Celery app once, and forks a child for each attempt at a task.

Runs with the standard library and the team's own celery, nothing else. Descriptor 0 is a socket on which the keeper
asks for children: each request is a key and the keeper's number, with the child's standard input and output beside it.
A child is forked twice over, so that it is nobody's but the keeper's, which kills and reaps it. Celery's own tracer
runs the task there: retries, links, chains, chords and signals are Celery's code, not ours.
"""
import array
import asyncio
import base64
import ctypes
import inspect
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
import traceback

REQUEST = struct.Struct("<QII")  # key, keeper's pid, unused
REPLY = struct.Struct("<QiI")    # key, child's pid or -1; 1: ready, and no child
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
ERROR_MAX = 24_000  # characters of a traceback; the job's log has the rest
libc = ctypes.CDLL(None, use_errno=True)


def refuse(sentence):
    """The reason stands in the server's log, and in the error of the tasks that wait for this process."""
    print("quell: " + sentence, file=sys.stderr, flush=True)
    os._exit(3)


def load(path):
    sys.path.insert(0, os.getcwd())
    from celery.app.utils import find_app

    app = find_app(path)
    app.set_current()
    app.set_default()
    app.loader.import_default_modules()
    app.finalize()
    app.loader.init_worker()
    app.log.setup(loglevel="INFO", redirect_stdouts=False, colorize=False)
    from celery._state import _set_task_join_will_block

    _set_task_join_will_block(True)  # as in Celery's own pool: a task that waits for another is told not to
    import celery.app.trace  # noqa: F401
    import celery.backends.redis  # noqa: F401  what every task needs is there before the first fork
    import kombu.transport.redis  # noqa: F401
    return app


def look_for_leftovers(control):
    """What an import left running would be half alive in each child."""
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


def own_address(app, url):
    """The door, under this attempt's own name: what the app says of its broker is for its producers."""
    for name in ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"):
        os.environ[name] = url
    conf = app.conf
    conf.broker_use_ssl = None
    conf.broker_failover_strategy = None
    conf.broker_transport_options = {}
    backend = str(conf.result_backend or "")
    if backend.startswith(("redis", "rediss", "sentinel")):
        os.environ["CELERY_RESULT_BACKEND"] = url
        conf.redis_backend_use_ssl = None
        conf.result_backend = url
        app._backend_cache = None
        try:
            del app._local.backend
        except AttributeError:
            pass
    conf.broker_url = conf.broker_read_url = conf.broker_write_url = url
    app._pool = None
    app.amqp._producer_pool = None


def request_of(message, hostname):
    headers, properties = dict(message["headers"]), message.get("properties") or {}
    delivery = properties.get("delivery_info") or {}
    headers.update({
        "properties": properties, "reply_to": properties.get("reply_to"),
        "correlation_id": properties.get("correlation_id"), "hostname": hostname, "is_eager": False,
        "delivery_info": {"exchange": delivery.get("exchange"), "routing_key": delivery.get("routing_key"),
                          "priority": properties.get("priority"), "redelivered": False},
    })
    return headers


def body_of(app, message):
    from kombu.compression import decompress
    from kombu.serialization import loads, prepare_accept_content

    body = message["body"]
    if (message.get("properties") or {}).get("body_encoding") == "base64":
        body = base64.b64decode(body)
    compression = message["headers"].get("compression")
    if compression:
        body = decompress(body, compression)
    return loads(body, message["content-type"], message["content-encoding"],
                 accept=prepare_accept_content(app.conf.accept_content))


def limits_of(app, task, headers):
    hard, soft = headers.get("timelimit") or (None, None)
    return (hard or task.time_limit or app.conf.task_time_limit or None,
            soft or task.soft_time_limit or app.conf.task_soft_time_limit or None)


def run(app, message, say):
    from celery import signals
    from celery.app.trace import build_tracer, trace_task
    from celery.exceptions import NotRegistered, SoftTimeLimitExceeded
    from celery.worker.request import Context

    headers = message["headers"]
    name, uuid = headers["task"], headers["id"]
    hostname = "celery@" + socket.gethostname()
    request = request_of(message, hostname)
    if name not in app.tasks:
        missing = NotRegistered(name)
        app.backend.mark_as_failure(uuid, missing, request=Context(request))
        return say(state="FAILURE", error=f"The app has no task of this name: {name}")
    task = app.tasks[name]
    if inspect.iscoroutinefunction(task.run):
        coroutine = task.run
        task.run = lambda *args, **kwargs: asyncio.run(coroutine(*args, **kwargs))
    hard, soft = limits_of(app, task, headers)
    if hard:
        say(limit=hard)
        kernel_timer(hard, signal.SIGKILL)
    if soft:
        def on_soft(number, frame):
            raise SoftTimeLimitExceeded()
        signal.signal(signal.SIGUSR1, on_soft)
        kernel_timer(soft, signal.SIGUSR1)
    try:
        args, kwargs, embed = body_of(app, message)
    except Exception as error:
        app.backend.mark_as_failure(uuid, error, request=Context(request))
        return say(state="FAILURE", error=f"The message's body cannot be read: {error!r}")
    request.update(embed or {}, args=args, kwargs=kwargs)
    signals.worker_process_init.send(sender=None)
    task.__trace__ = build_tracer(name, task, app.loader, hostname, app=app)
    traced = trace_task(task, uuid, args, kwargs, request, app=app)
    info = traced[1]
    if info is None:
        return say(state="SUCCESS", error="")
    error = info.retval
    where = str(getattr(traced[0], "traceback", None) or "")
    said = str(error) if info.state != "FAILURE" else f"{type(error).__name__}: {error}\n{where}"
    say(state=info.state, error=said[:1000] + said[1000:][-ERROR_MAX:])


def be_the_keepers(keeper):
    """False: the keeper is gone, and nothing would end this process with its job."""
    end = time.monotonic() + 10
    while os.getppid() != keeper:
        if time.monotonic() > end:
            return False
        time.sleep(0.0002)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return os.getppid() == keeper


def child(app, keeper, fds):
    os.setsid()
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.dup2(1, 2)  # one stream, in the order in which it is said
    if not be_the_keepers(keeper):
        return
    with open(0, "rb", closefd=False) as stdin:
        spec = json.loads(stdin.read())
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    sys.stdin = open(0, closefd=False)

    def say(**words):
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(1, (spec["mark"] + json.dumps(words) + "\n").encode())

    try:
        own_address(app, spec["url"])
        run(app, spec["message"], say)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()


def fork_for(app, control, key, keeper, fds):
    readable, writable = os.pipe()
    between = os.fork()
    if between == 0:
        born = os.fork()
        if born == 0:
            control.close()
            os.close(readable)
            os.close(writable)
            try:
                child(app, keeper, fds)
            finally:
                try:
                    sys.stdout.flush()
                finally:
                    os._exit(0)
        os.write(writable, struct.pack("<i", born))
        os._exit(0)
    os.close(writable)
    told = os.read(readable, 4)
    os.close(readable)
    os.waitpid(between, 0)  # from here on the child is the keeper's
    for fd in fds:
        os.close(fd)
    control.send(REPLY.pack(key, struct.unpack("<i", told)[0] if len(told) == 4 else -1, 0))


def serve(app, control):
    control.send(REPLY.pack(0, 0, 1))
    while True:
        data, ancillary, _, _ = control.recvmsg(64, socket.CMSG_SPACE(3 * 4))
        if not data:
            return
        key, keeper, _ = REQUEST.unpack(data)
        fds = array.array("i")
        for _, _, payload in ancillary:
            fds.frombytes(payload[:len(payload) - len(payload) % fds.itemsize])
        fork_for(app, control, key, keeper, list(fds))


def findings(app):
    """What of the app would be different here, one sentence each; those that begin with ! would break."""
    import celery
    import kombu

    version = tuple(int(part) for part in celery.__version__.split(".")[:2])
    if version < (5, 2):
        yield f"! Celery {celery.__version__}: 5.2 or later is needed"
    conf = app.conf
    for name, value in (("broker", conf.broker_url), ("result backend", conf.result_backend)):
        if value and not str(value).startswith(("redis", "rediss")):
            yield (f"! the {name} is {str(value).split(':')[0]}: the door takes the place of Redis" if name == "broker" else
                   f"  results go to {str(value).split(':')[0]} as before, and stay there when a task is deleted")
    for name in ("broker_transport_options", "result_backend_transport_options"):
        for option in ("global_keyprefix", "sep", "priority_steps"):
            if (conf.get(name) or {}).get(option):
                yield f"! {name}[{option!r}] is not taken"
    if conf.task_serializer == "pickle":
        yield "  task_serializer is pickle: producers need a token with the scope jobs:exec"
    if conf.task_acks_late or conf.task_reject_on_worker_lost:
        yield "  task_acks_late: a task that was running when its node was lost fails here, and is not run again"
    for queue in conf.task_queues or ():
        kind = getattr(getattr(queue, "exchange", None), "type", "direct")
        if kind == "fanout":
            yield f"! the queue {queue.name} is a broadcast queue"
    if conf.worker_cancel_long_running_tasks_on_connection_loss:
        yield "  worker_cancel_long_running_tasks_on_connection_loss has no meaning here"
    for name, task in sorted(app.tasks.items()):
        if not name.startswith("celery.") and task.rate_limit:
            yield f"  {name} has a rate_limit: set the rate of its queue instead (quell queue limit)"
    yield f"  Celery {celery.__version__}, kombu {kombu.__version__}"


def check(app, control):
    names = [name for name in sorted(app.tasks) if not name.startswith("celery.")]
    found = list(findings(app))
    for name in names:
        print("task " + name)
    for sentence in found:
        print(sentence)
    look_for_leftovers(control)
    broken = any(sentence.startswith("!") for sentence in found)
    print(f"{len(names)} tasks; " + ("what begins with ! must be changed first" if broken else "nothing stands in the way"))
    sys.stdout.flush()
    os._exit(1 if broken else 0)


def main():
    is_check = sys.argv[2:] == ["--check"]
    number = os.dup(0)
    os.set_inheritable(number, False)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    control = socket.socket() if is_check else socket.socket(fileno=number)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)
    try:
        app = load(sys.argv[1])
    except BaseException as error:
        traceback.print_exc()
        refuse(f"the app {sys.argv[1]} cannot be imported: {error!r}")
    if is_check:
        check(app, control)
    look_for_leftovers(control)
    import gc

    gc.freeze()  # the children do not touch what they share
    serve(app, control)


main()
