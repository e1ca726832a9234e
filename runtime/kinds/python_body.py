# ---- plain functions: what modules have put into the `tasks` of quell.py ----


class PythonBody:
    def __init__(self, modules):
        self.modules = [name for name in modules.split(",") if name]

    def load(self):
        for name in self.modules:
            importlib.import_module(name)
        if not getattr(sys.modules.get("quell"), "tasks", None):
            raise ImportError("no module has a function with @quell.task")

    def check(self):
        for name in sorted(sys.modules["quell"].tasks):
            print("task " + name)
        return True

    def run(self, spec, say):
        package = sys.modules["quell"]
        function = package.tasks.get(spec["task"])
        if function is None:
            return say(state="FAILURE", code="unknown-task", error=f"No module has a task {spec['task']}.")
        given = spec.get("args") or {}
        args, kwargs = (given, {}) if isinstance(given, list) else ([], given)
        try:
            inspect.signature(function).bind(*args, **kwargs)
        except TypeError as error:
            return say(state="FAILURE", code="invalid-args", error=f"{spec['task']}: {error}")
        package._begin(say, spec["job"], spec["attempt"])
        try:
            value = function(*args, **kwargs)
            if inspect.iscoroutine(value):
                value = asyncio.run(value)
            text = json.dumps(value, ensure_ascii=False)
        except package.Failed as error:
            return say(state="FAILURE", code=error.code, error=str(error), retry=error.retry, after=error.after)
        except Exception as error:
            return say(state="FAILURE", code="python-error", retry=True,
                       error=f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
        for at in range(0, len(text), SAID_MAX // 2):
            say(result=text[at:at + SAID_MAX // 2])
        say(state="SUCCESS")


main({"celery": CeleryBody, "python": PythonBody})
