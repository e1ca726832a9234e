# ---- a Celery app: Celery's own tracer runs its tasks, so retries, links, chains, chords and signals are Celery's code ----


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


def keep_for_a_lost_node(url):
    """acks_late: written down before the task begins, so that it is run again should its node be lost."""
    import redis

    client = redis.Redis.from_url(url)
    client.set("quell-acks-late", "1")
    client.close()


class CeleryBody:
    def __init__(self, path):
        self.path, self.app = path, None

    def load(self):
        from celery.app.utils import find_app

        app = self.app = find_app(self.path)
        app.set_current()
        app.set_default()
        app.loader.import_default_modules()
        app.finalize()
        app.loader.init_worker()
        app.log.setup(loglevel="INFO", redirect_stdouts=False, colorize=False)
        logging.getLogger("celery.app.trace").setLevel(logging.WARNING)  # that it succeeded its job says
        from celery._state import _set_task_join_will_block

        _set_task_join_will_block(True)  # as in Celery's own pool: a task that waits for another is told not to
        self.warm()

    def warm(self):
        """What every task's process would import or make for itself is there before the first fork."""
        for name in ("celery.app.trace", "celery.backends.redis", "celery.worker.request", "celery.result", "celery.canvas",
                     "celery.utils.serialization", "celery.events.dispatcher", "kombu.transport.redis", "kombu.compression",
                     "kombu.pools", "kombu.utils.json", "redis.asyncio", "encodings.idna", "multiprocessing.pool"):
            try:
                importlib.import_module(name)
            except ImportError:
                pass
        self.remember_extensions()
        for task in list(self.app.tasks.values()):
            task.backend  # made once: own_address() makes another, from the same classes
        from celery import Celery
        from celery.app.trace import build_tracer

        def nothing():
            pass

        other = Celery("quell-warm", broker="memory://", backend="cache+memory://", set_as_current=False)
        no_op = other.task(name="quell.no_op")(nothing)
        build_tracer(no_op.name, no_op, other.loader, "warm", app=other)("no-op", (), {})

    @staticmethod
    def remember_extensions():
        """Who makes a backend has all installed packages asked for theirs; that is most of what a short task would cost."""
        import celery.app.backends as backends

        ask, known = getattr(backends, "load_extension_class_names", None), {}
        if ask is None:
            return

        def remembered(namespace):
            if namespace not in known:
                known[namespace] = list(ask(namespace))
            return known[namespace]
        backends.load_extension_class_names = remembered

    def run(self, spec, say):
        from celery import signals
        from celery.app.trace import build_tracer, trace_task
        from celery.exceptions import NotRegistered, SoftTimeLimitExceeded
        from celery.utils.time import rate
        from celery.worker.request import Context

        app, message = self.app, spec["message"]
        own_address(app, spec["url"])
        headers = message["headers"]
        name, uuid = headers["task"], headers["id"]
        hostname = "celery@" + socket.gethostname()
        request = request_of(message, hostname)
        if name not in app.tasks:
            missing = NotRegistered(name)
            app.backend.mark_as_failure(uuid, missing, request=Context(request))
            return say(state="FAILURE", error=f"The app has no task of this name: {name}")
        task = app.tasks[name]
        per_second = rate(task.rate_limit or 0)
        if per_second:
            say(rate=per_second)
            if not spec.get("is_in_rate"):
                return say(state="RATED")
        if inspect.iscoroutinefunction(task.run):
            coroutine = task.run
            task.run = lambda *args, **kwargs: asyncio.run(coroutine(*args, **kwargs))
        if task.acks_late:
            keep_for_a_lost_node(spec["url"])
            if task.reject_on_worker_lost or app.conf.task_reject_on_worker_lost:
                say(rejects=True)
        hard, soft = limits_of(app, task, headers)
        try:
            args, kwargs, embed = body_of(app, message)
        except Exception as error:
            app.backend.mark_as_failure(uuid, error, request=Context(request))
            return say(state="FAILURE", error=f"The message's body cannot be read: {error!r}")
        request.update(embed or {}, args=args, kwargs=kwargs)
        signals.worker_process_init.send(sender=None)
        if hard:
            say(limit=hard)
            kernel_timer(hard, signal.SIGKILL)
        if soft:
            def on_soft(number, frame):
                raise SoftTimeLimitExceeded()
            signal.signal(signal.SIGUSR1, on_soft)
            kernel_timer(soft, signal.SIGUSR1)
        task.__trace__ = build_tracer(name, task, app.loader, hostname, app=app)
        traced = trace_task(task, uuid, args, kwargs, request, app=app)
        if soft:
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        info = traced[1]
        signals.worker_process_shutdown.send(sender=None, pid=os.getpid(), exitcode=0)
        if info is None:
            return say(state="SUCCESS", error="")
        error = info.retval
        where = str(getattr(traced[0], "traceback", None) or "")
        said = str(error) if info.state != "FAILURE" else f"{type(error).__name__}: {error}\n{where}"
        say(state=info.state, error=said)

    def findings(self):
        """What of the app would be different here, one sentence each; those that begin with ! would break."""
        import celery
        import kombu

        version = tuple(int(part) for part in celery.__version__.split(".")[:2])
        if version < (5, 2):
            yield f"! Celery {celery.__version__}: 5.2 or later is needed"
        conf = self.app.conf
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
        for queue in conf.task_queues or ():
            kind = getattr(getattr(queue, "exchange", None), "type", "direct")
            if kind == "fanout":
                yield f"! the queue {queue.name} is a broadcast queue"
        if conf.worker_cancel_long_running_tasks_on_connection_loss:
            yield "  worker_cancel_long_running_tasks_on_connection_loss has no meaning here"
        for name, task in sorted(self.app.tasks.items()):
            if not name.startswith("celery.") and task.rate_limit:
                yield f"  {name} has a rate_limit: it holds for each node, as it held for each worker"
            if not name.startswith("celery.") and task.acks_late:
                yield f"  {name} has acks_late: it is run again when its node was lost, at most three times"
        if conf.beat_schedule:
            yield f"  {len(conf.beat_schedule)} schedules of beat: quell celery beat-import brings them, or beat goes on sending"
        yield f"  Celery {celery.__version__}, kombu {kombu.__version__}"

    def check(self):
        names = [name for name in sorted(self.app.tasks) if not name.startswith("celery.")]
        found = list(self.findings())
        for name in names:
            print("task " + name)
        for sentence in found:
            print(sentence)
        broken = any(sentence.startswith("!") for sentence in found)
        print(f"{len(names)} tasks; " + ("what begins with ! must be changed first" if broken else
                                         "nothing stands in the way"))
        return not broken
